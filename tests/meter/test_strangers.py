"""Our reader on servers of strangers: what stands in their registers comes out.

The dedicated link reads with pymodbus, on serial lines with tmodbus; the shared one with
tmodbus. A server of tmodbus is a stranger to the first one only.
"""

import asyncio
import sys
from typing import Any

import pytest

from .harness import station
from .strangers.meters import B23, EM340, METERS, SDM630, Meter
from .strangers.registers import Area, Served
from .strangers.stage import ROOT, link, process_of, profile_of, serial_line, server
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.sample import MeterSample

pytestmark = pytest.mark.usefixtures("socket_enabled")

WAYS = [
    ("modbus_tk", "tcp", "dedicated"),
    ("modbus_tk", "tcp", "shared"),
    ("modbus_tk", "rtu", "dedicated"),
    ("modbus_tk", "rtu", "shared"),
    ("libmodbus", "tcp", "dedicated"),
    ("libmodbus", "tcp", "shared"),
    ("libmodbus", "rtu", "dedicated"),
    ("libmodbus", "rtu", "shared"),
    ("tmodbus", "tcp", "dedicated"),
    ("tmodbus", "rtu_over_tcp", "dedicated"),
]
# One way with each of the three.
ON_TCP = [way for way in WAYS if way[1:] == ("tcp", "dedicated")]
# More ticks than any plan has reads.
MOST_TICKS = 20


async def read(
    way: tuple[str, str, str], served: Served, profile: str, wanted: set[str]
) -> tuple[dict[str, float], MeterSample, Any]:
    """Return all values that come, the last sample and what the meter says it is."""
    stranger, wire, sharing = way
    ours = profile_of(profile)
    found: dict[str, float] = {}
    async with (
        server(stranger, wire, served) as params,
        link(sharing, params, served.unit, ours) as way_there,
        station(way_there, ours) as reading,
    ):
        for _ in range(MOST_TICKS):
            sample = reading.last
            found |= {str(name): value for name, value in sample.values.items()}
            if wanted <= set(found):
                break
            await reading.tick()
        return found, sample, reading.reader.identification


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.profile)
@pytest.mark.parametrize("way", WAYS, ids="-".join)
async def test_every_value(way: tuple[str, str, str], meter: Meter) -> None:
    """Each number on the display is read, in our units, and the meter is known."""
    found, sample, identity = await read(
        way, meter.served, meter.profile, set(meter.values)
    )
    assert found == pytest.approx(dict(meter.values), rel=1e-9)
    assert sample.power_w == found["power"]
    assert sample.serial == meter.serial
    assert identity.matches is True


@pytest.mark.parametrize("way", ON_TCP, ids="-".join)
async def test_a_refused_register(way: tuple[str, str, str]) -> None:
    """A unit without a counter of export refuses it; all the rest is read."""
    inputs, nameplate = SDM630.served.areas
    shorter = Area(space="input", first=0, registers=inputs.registers[:0x4A])
    served = Served(unit=1, areas=(shorter, nameplate))
    wanted = {name: SDM630.values[name] for name in SDM630.values if name != "export"}
    found, sample, _ = await read(way, served, SDM630.profile, set(wanted))
    assert found == pytest.approx(wanted, rel=1e-9)
    assert sample.export_wh is None


@pytest.mark.parametrize("way", ON_TCP, ids="-".join)
@pytest.mark.parametrize(
    ("meter", "space", "at", "says"),
    [(B23, "holding", 0x8960, [0x4232, 0x3120]), (EM340, "input", 0x0B, [0x0047])],
    ids=["abb_b21", "gavazzi_em24"],
)
async def test_another_model(
    way: tuple[str, str, str], meter: Meter, space: str, at: int, says: list[int]
) -> None:
    """Where a sister model answers, no number of it is taken."""
    changed = [
        Area(space=area.space, first=area.first, registers=list(area.registers))
        for area in meter.served.areas
    ]
    area = next(
        area for area in changed if area.space == space and area.first <= at < area.end
    )
    area.registers[at - area.first : at - area.first + len(says)] = says
    served = Served(unit=meter.served.unit, areas=tuple(changed))
    found, sample, identity = await read(way, served, meter.profile, {"power"})
    assert found == {}
    assert sample.missing is Missing.OTHER_METER
    assert identity.matches is False


@pytest.mark.slow
async def test_serial_without_pyserial() -> None:
    """A serial meter is read where pyserial is not installed."""
    async with (
        serial_line() as (theirs, ours),
        process_of("modbus_tk", ["rtu", theirs], SDM630.served),
    ):
        reader = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.meter.strangers.without_pyserial", ours),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await reader.communicate()
    assert output.decode().strip() == "10993.75", errors.decode()[-1500:]
