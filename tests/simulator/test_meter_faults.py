"""Everything that can go wrong with a meter, as it looks on the wire."""

from collections.abc import Callable
import math
import struct
from typing import Any

import pytest

from .conftest import Start
from .meters import Wire, charge, house, master, read_pdu, rtu, tcp, wire
from simulator import MeterConfig, Simulator
from simulator.faults import UnknownFaultError
from simulator.meters.faults import METER_FAULTS
from simulator.meters.meter import SimulatedMeter

POWER, ENERGY, MODEL = (4, 0x28, 2), (4, 0x34, 2), (4, 0x0B, 1)
CODE = (4, 2, 341 >> 8, 341 & 255)
# The power that an EM340 shows at 11 kW, low word first, and zero.
POWER_PDU = (4, 4, 0xAD, 0xB0, 0x00, 0x01)


async def charging(
    start: Start, profile: str = "em340", **changes: Any
) -> tuple[Simulator, SimulatedMeter]:
    """Return a unit whose meter has seen 11 kW for an hour."""
    changes = {"pause_s": 0.0, "wobble": 0.0, "energy_kwh": 1000.0, **changes}
    sim = await house(start, MeterConfig(profile=profile, **changes))
    charge(sim)
    return sim, sim.meters[0]


async def on_rtu(start: Start, **changes: Any) -> SimulatedMeter:
    """Return a meter on RTU over TCP."""
    _, meter = await charging(start, link="rtu_tcp", **changes)
    return meter


async def unharmed(bare: Wire) -> None:
    """See that the next answer is whole."""
    bare.send(rtu(1, *read_pdu(*MODEL)))
    assert await bare.take(7) == rtu(1, *CODE)


async def test_silent(start: Start) -> None:
    """The meter swallows requests, as many as wanted or some of them only."""
    meter = await on_rtu(start)
    async with wire(meter) as bare:
        meter.fault("silent", times=2)
        bare.send(rtu(1, *read_pdu(*POWER)) * 2)
        await unharmed(bare)
        meter.fault("silent", match="4 40+")
        bare.send(rtu(1, *read_pdu(*POWER)))
        await unharmed(bare)
        meter.clear("silent")
        bare.send(rtu(1, *read_pdu(*POWER)))
        assert await bare.take(9) == rtu(1, *POWER_PDU)
    assert meter.outcomes == {"silent: fault": 3, "answered": 3}


async def test_storm(start: Start) -> None:
    """One answer in four gets through."""
    meter = await on_rtu(start)
    meter.fault("storm", silent=3, answered=1)
    async with wire(meter) as bare:
        for count in range(1, 9):
            bare.send(rtu(1, *read_pdu(4, 0x28, count)))
        for count in (4, 8):
            assert (await bare.take(5 + 2 * count))[2] == 2 * count
    assert meter.outcomes == {"silent: fault": 6, "answered": 2}


async def test_slow(start: Start) -> None:
    """A late answer comes behind that of the next request, and looks like it."""
    meter = await on_rtu(start)
    meter.fault("slow", seconds=0.5, times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*ENERGY)) + rtu(1, *read_pdu(*POWER)))
        assert await bare.take(9) == rtu(1, *POWER_PDU)
        late = await bare.take(9)
    # 1010.969 kWh in steps of 0.1: the car's self-test took ten seconds.
    assert late == rtu(1, 4, 4, *struct.pack(">HH", 10109, 0))


async def test_duplicate(start: Start) -> None:
    """An answer comes twice: at once, or when another one is expected."""
    meter = await on_rtu(start)
    async with wire(meter) as bare:
        meter.fault("duplicate", times=1)
        bare.send(rtu(1, *read_pdu(*POWER)))
        assert await bare.take(18) == rtu(1, *POWER_PDU) * 2
        meter.fault("duplicate", times=1, after_s=0.5)
        bare.send(rtu(1, *read_pdu(*POWER)) + rtu(1, *read_pdu(*MODEL)))
        assert await bare.take(16) == rtu(1, *POWER_PDU) + rtu(1, *CODE)
        assert await bare.take(9) == rtu(1, *POWER_PDU)


async def test_echo(start: Start) -> None:
    """The adapter sends the request back before the answer."""
    meter = await on_rtu(start)
    meter.fault("echo")
    question = rtu(1, *read_pdu(*MODEL))
    async with wire(meter) as bare:
        bare.send(question)
        assert await bare.take(15) == question + rtu(1, *CODE)
        # It echoes what the meter does not answer as well.
        meter.fault("silent", times=1)
        bare.send(question)
        assert await bare.take(8) == question


async def test_truncated(start: Start) -> None:
    """The end of an answer is missing."""
    meter = await on_rtu(start)
    meter.fault("truncated", missing=3, times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*POWER)))
        assert await bare.take(6) == rtu(1, *POWER_PDU)[:-3]
        await unharmed(bare)


async def test_truncated_behind_a_gateway(start: Start) -> None:
    """The header of Modbus TCP counts what there is, and the next one follows it."""
    _, meter = await charging(start)
    meter.fault("truncated", missing=3, times=1)
    async with wire(meter) as bare:
        bare.send(tcp(1, 1, *read_pdu(*POWER)) + tcp(2, 1, *read_pdu(*MODEL)))
        assert await bare.take(10) == tcp(1, 1, *POWER_PDU[:-3])
        assert await bare.take(11) == tcp(2, 1, *CODE)


async def test_closed_halfway(start: Start) -> None:
    """The connection ends in the middle of an answer."""
    _, meter = await charging(start)
    meter.fault("closed", halfway=True, times=1)
    async with wire(meter) as bare:
        bare.send(tcp(1, 1, *read_pdu(*POWER)))
        assert await bare.rest() == tcp(1, 1, *POWER_PDU)[:6]


async def test_short(start: Start) -> None:
    """A sound answer has fewer registers than were asked for."""
    meter = await on_rtu(start)
    meter.fault("short", by=1, times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*POWER)))
        assert await bare.take(7) == rtu(1, 4, 2, 0xAD, 0xB0)
        await unharmed(bare)


async def test_wrong_crc(start: Start) -> None:
    """The checksum of an answer is wrong, and everything else is right."""
    meter = await on_rtu(start)
    meter.fault("wrong_crc", times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*POWER)))
        answer = await bare.take(9)
        assert answer != rtu(1, *POWER_PDU)
        assert answer[:-2] == rtu(1, *POWER_PDU)[:-2]
        await unharmed(bare)


async def test_wrong_transaction(start: Start) -> None:
    """On Modbus TCP the answer is to a request that nobody has sent."""
    _, meter = await charging(start)
    meter.fault("wrong_transaction", times=1)
    async with wire(meter) as bare:
        bare.send(tcp(1, 1, *read_pdu(*MODEL)) + tcp(2, 1, *read_pdu(*MODEL)))
        assert await bare.take(11) == tcp(0x4001, 1, *CODE)
        assert await bare.take(11) == tcp(2, 1, *CODE)


async def test_other_unit(start: Start) -> None:
    """The answer carries the address of another meter."""
    meter = await on_rtu(start)
    meter.fault("other_unit", by=4, times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*MODEL)))
        assert await bare.take(7) == rtu(5, *CODE)


async def test_garbage(start: Start) -> None:
    """There is noise before an answer, or instead of it."""
    meter = await on_rtu(start)
    async with wire(meter) as bare:
        meter.fault("garbage", size=5, times=1)
        bare.send(rtu(1, *read_pdu(*MODEL)))
        assert (await bare.take(12))[5:] == rtu(1, *CODE)
        meter.fault("garbage", size=7, instead=True, times=1)
        bare.send(rtu(1, *read_pdu(*MODEL)))
        assert await bare.take(7) != rtu(1, *CODE)
        await unharmed(bare)


@pytest.mark.parametrize("code", [4, 6, 11])
async def test_exception(start: Start, code: int) -> None:
    """The meter is busy, or its gateway complains."""
    _, meter = await charging(start)
    meter.fault("exception", code=code, times=1)
    async with master(meter) as reads:
        assert await reads.read(*MODEL) == code
        assert await reads.read(*MODEL) == [341]
    assert meter.outcomes == {f"exception {code}": 1, "answered": 1}


async def test_closed(start: Start) -> None:
    """The connection ends instead of an answer; the next one is served."""
    meter = await on_rtu(start)
    meter.fault("closed", times=1)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(*MODEL)))
        assert await bare.rest() == b""
    async with wire(meter) as bare:
        await unharmed(bare)


async def test_frozen(start: Start) -> None:
    """The registers stand still while the meter counts on."""
    sim, meter = await charging(start)
    async with master(meter) as reads:
        before = await reads.read(4, 0x28, 40)
        meter.fault("frozen")
        sim.advance(7200, step_s=600)
        sim.wallboxes[0].unplug()
        sim.advance(60)
        assert await reads.read(4, 0x28, 40) == before
        meter.clear("frozen")
        assert await reads.read(*POWER) == [0, 0]
        # 1010.969 and 22 kWh more.
        assert await reads.read(*ENERGY) == [10329, 0]


@pytest.mark.parametrize(
    ("profile", "read", "words"),
    [
        ("sdm630", (4, 0x34, 2), None),
        ("em340", POWER, [0xFFFF, 0x7FFF]),
        ("abb_b23", (3, 0x5B14, 2), [0x7FFF, 0xFFFF]),
        ("abb_b23", (3, 0x5000, 4), [0xFFFF] * 4),
        ("iem3155", (3, 3203, 4), [0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF]),
    ],
)
async def test_invalid(
    start: Start,
    profile: str,
    read: tuple[int, int, int],
    words: list[int] | None,
) -> None:
    """Values are marked as invalid: NaN, all ones, or the largest number."""
    _, meter = await charging(start, profile)
    async with master(meter) as reads:
        true = await reads.read(*read)
        meter.fault("invalid", times=1)
        found = await reads.read(*read)
        assert isinstance(found, list)
        if words is None:
            assert math.isnan(struct.unpack(">f", struct.pack(">HH", *found))[0])
        else:
            assert found == words
        assert await reads.read(*read) == true
        # Only what is named is marked, and a read without it uses up nothing.
        meter.fault("invalid", quantity="frequency", times=1)
        assert await reads.read(*read) == true
        assert "invalid" in meter.faults.active


async def watts(meter: SimulatedMeter) -> float:
    """Return the power that an SDM630 shows."""
    async with master(meter) as reads:
        return float(await reads.value(4, 0x34, "FLOAT32"))


async def kwh(meter: SimulatedMeter, address: int = 0x48) -> float:
    """Return the import that an SDM630 shows, or another counter."""
    async with master(meter) as reads:
        return float(await reads.value(4, address, "FLOAT32"))


async def test_swapped(start: Start) -> None:
    """With its transformers reversed the meter counts export; with one, a third."""
    sim, meter = await charging(start, "sdm630")
    meter.fault("swapped")
    sim.advance(3600, step_s=600)
    assert await watts(meter) == -11000
    assert await kwh(meter) == pytest.approx(1010.969, abs=0.001)
    assert await kwh(meter, 0x4A) == pytest.approx(11.0, abs=0.001)
    meter.clear()
    meter.fault("swapped", phase=2)
    sim.advance(3600, step_s=600)
    assert await watts(meter) == pytest.approx(11000 / 3)
    assert await kwh(meter) == pytest.approx(1010.969 + 11 / 3, abs=0.002)


@pytest.mark.parametrize(
    ("of", "power", "energy"),
    [("both", 1.12, 1.12), ("power", 1.12, 1.0), ("energy", 1.0, 1.12)],
)
async def test_bias(start: Start, of: str, power: float, energy: float) -> None:
    """Power or energy or both are measured too high, from now on."""
    sim, meter = await charging(start, "sdm630")
    meter.fault("bias", percent=12, of=of)
    sim.advance(3600, step_s=600)
    assert await watts(meter) == pytest.approx(11000 * power)
    assert await kwh(meter) == pytest.approx(1010.969 + 11 * energy, abs=0.002)


async def test_noise(start: Start) -> None:
    """The power jumps by up to 8 %; in the long run nothing is added."""
    sim, meter = await charging(start, "sdm630")
    meter.fault("noise", percent=8)
    shown = []
    for _ in range(600):
        sim.advance(1, step_s=1)
        shown.append(meter.truth()["shown"]["power"])
    assert max(shown) > 11000 * 1.07
    assert min(shown) < 11000 * 0.93
    assert all(abs(power / 11000 - 1) <= 0.08 + 1e-6 for power in shown)
    # Four standard errors of a mean of 600 uniform numbers.
    assert sum(shown) / 600 == pytest.approx(11000, rel=4 * 0.08 / math.sqrt(3 * 600))
    assert await kwh(meter) == pytest.approx(1010.969 + 11 / 6, abs=0.002)


async def test_glitch(start: Start) -> None:
    """The counter steps back or to zero for one reading, and is itself again."""
    _, meter = await charging(start, "sdm630")
    before = await kwh(meter)
    meter.fault("glitch", times=1)
    # The power shares no register with it, and uses up nothing.
    assert await watts(meter) == 11000
    assert await kwh(meter) == pytest.approx(before - 1)
    assert await kwh(meter) == before
    meter.fault("glitch", to_kwh=0, times=1)
    assert await kwh(meter) == 0
    meter.fault("glitch", by_kwh=500.0, times=1)
    assert await kwh(meter) == pytest.approx(before + 500)
    assert await kwh(meter) == before


async def test_identity_and_frequency(start: Start) -> None:
    """The serial number reads as nothing; the frequency is ten times too high."""
    _, meter = await charging(start, "sdm630", serial="4711")
    async with master(meter) as reads:
        meter.fault("no_serial", times=1)
        assert await reads.read(3, 0xFC00, 2) == [0, 0]
        assert await reads.read(3, 0xFC00, 2) == [0, 4711]
        meter.fault("tenfold_frequency", times=1)
        assert await reads.value(4, 0x46, "FLOAT32") == pytest.approx(500, abs=1)
        assert await reads.value(4, 0x46, "FLOAT32") == pytest.approx(50, abs=0.1)


@pytest.mark.parametrize("name", sorted(METER_FAULTS))
async def test_every_fault_comes_and_goes(start: Start, name: str) -> None:
    """Each fault holds until it is cleared, and leaves a sound meter behind."""
    link = "tcp" if name == "wrong_transaction" else "rtu_tcp"
    sim, meter = await charging(start, link=link)
    meter.fault(name)
    assert list(meter.faults.active) == [name]
    assert list(meter.truth()["faults"]) == [name]
    sim.clear()
    assert meter.faults.active == {}
    sim.advance(1)
    async with master(meter) as reads:
        assert await reads.read(*POWER) == [0xADB0, 0x0001]


type Act = Callable[[SimulatedMeter], None]


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda meter: meter.fault("flood"), "unknown fault 'flood'"),
        (lambda meter: meter.fault("slow", speed=1), "slow has no option speed"),
        (lambda meter: meter.fault("slow", seconds="x"), "seconds is of type int"),
        (lambda meter: meter.fault("wrong_crc"), "does not happen on Modbus TCP"),
        (lambda meter: meter.fault("bias", of="all"), "of is one of both"),
        (lambda meter: meter.fault("swapped", phase=4), "phase is 1, 2, 3"),
        (lambda meter: meter.fault("swapped", phase="L1"), "phase is of type int"),
        (lambda meter: meter.clear("flood"), "unknown fault 'flood'"),
    ],
)
async def test_wrong_faults(start: Start, act: Act, sentence: str) -> None:
    """What does not exist is refused with what there is."""
    _, meter = await charging(start)
    with pytest.raises(UnknownFaultError, match=sentence):
        act(meter)
    assert meter.faults.active == {}
