"""Miniserver and meter tell one story, also when the meter is not what it was."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .conftest import Start
from .meters import charge, house, master, read_pdu, tcp, wire
from .test_invariants import ACTIONS, act
from .worlds import session, state, world
from simulator import Car, MeterConfig, Simulator, WallboxConfig
from simulator.meters.maps import MAPS
from simulator.meters.meter import SimulatedMeter


def measured(*meters: MeterConfig, **changes: Any) -> Simulator:
    """Return a world with an 11 kW wallbox and meters, without any socket."""
    return world(WallboxConfig(name="Garage", **changes), meters=meters)


def shown(meter: SimulatedMeter, quantity: str) -> float:
    """Return what the registers of a meter show."""
    return float(meter.truth()["shown"][quantity])


# Where the import is, its type, and what one count is in kWh.
COUNTERS: dict[str, tuple[tuple[int, int], str, float]] = {
    "ale3": ((3, 27), "UINT32", 0.01),
    "sdm630": ((4, 0x48), "FLOAT32", 1),
    "abb_b23": ((3, 0x5000), "UINT64", 0.01),
    "em340": ((4, 0x34), "INT32", 0.1),
    "iem3155": ((3, 3203), "INT64", 0.001),
    "pac2200": ((4, 801), "FLOAT64", 0.001),
}


@pytest.mark.parametrize("profile", sorted(COUNTERS))
async def test_one_story(start: Start, profile: str) -> None:
    """After a night of charging both have counted the same, to the meter's last step."""
    config = MeterConfig(profile=profile, pause_s=0)
    sim = await house(start, config)
    box, meter = sim.wallboxes[0], sim.meters[0]
    where, kind, unit = COUNTERS[profile]
    step = meter.map.resolution_wh / 1000
    low = meter.map.low_word_first
    async with master(meter) as reads:
        before = unit * await reads.value(*where, kind, low_word_first=low)
        box.plug(Car(capacity_kwh=60, energy_kwh=21.3, taper_from=0.8))
        sim.advance(5000, step_s=900)
        box.set_manual_limit(4.2)
        sim.advance(5000, step_s=900)
        box.set_allowed(False)
        sim.advance(600, step_s=900)
        box.set_allowed(True)
        sim.advance(6 * 3600, step_s=900)
        assert box.car
        assert box.car.full
        box.unplug()
        sim.advance(meter.config.effective_refresh_s)
        after = unit * await reads.value(*where, kind, low_word_first=low)
    assert session(sim)["energy"] == pytest.approx(38.7, abs=0.001)
    assert box.total_kwh == pytest.approx(138.7)
    # A float of 24 binary digits has its own last step.
    last_digit = 138.7 * 2**-23
    assert before == pytest.approx(100, abs=last_digit)
    assert 0 <= box.total_kwh - after + last_digit < step + 2 * last_digit
    assert after - before == pytest.approx(38.7, abs=step + 2 * last_digit)


@settings(max_examples=60, deadline=None)
@given(ACTIONS, st.booleans())
def test_energy_is_that_of_the_car(
    actions: list[tuple[str, Any]], switches: bool
) -> None:
    """Whatever people do: the meter has counted what the cars have got."""
    sim = measured(
        MeterConfig(profile="sdm630"), min_kw=1.38 if switches else None, meter=False
    )
    box, meter = sim.wallboxes[0], sim.meters[0]
    assert meter.import_kwh == pytest.approx(100)
    cars = 0.0
    for name, value in actions:
        before = box.car.energy_kwh if box.car else 0.0
        if name == "wait":
            sim.advance(value, step_s=value / 7)
        else:
            act(box, name, value)
        if box.car and name != "plug":
            cars += box.car.energy_kwh - before
    truth = meter.truth()
    assert meter.import_kwh == pytest.approx(100 + cars)
    assert truth["power_w"] == pytest.approx(box.power_kw * 1000, abs=0.001)
    assert sum(truth["phase_power_w"]) == pytest.approx(truth["power_w"], abs=0.01)
    assert shown(meter, "import") == pytest.approx(truth["import_kwh"] * 1000, abs=130)


def test_the_meter_knows_what_the_miniserver_misses() -> None:
    """While the wallbox has no link, only the meter sees the energy that flows."""
    sim = measured(MeterConfig(profile="sdm630", wobble=0))
    box, meter = sim.wallboxes[0], sim.meters[0]
    box.plug(Car())
    sim.advance(10)
    before = state(sim, "total")
    box.set_online(False)
    sim.advance(1200)
    assert state(sim, "total") == before
    assert shown(meter, "import") / 1000 == pytest.approx(before + 11 / 3, abs=0.01)
    assert shown(meter, "power") == 11000


def test_power_wanders_around_the_truth() -> None:
    """No second is like the one before, and in the long run nothing is added."""
    sim = measured(MeterConfig(profile="sdm630"))
    box, meter = sim.wallboxes[0], sim.meters[0]
    box.plug(Car(capacity_kwh=500))
    sim.advance(10)
    seen: dict[str, list[float]] = {"power": [], "voltage_1": [], "frequency": []}
    for _ in range(700):
        sim.advance(1, step_s=1)
        for name, values in seen.items():
            values.append(shown(meter, name))
    for name, mean, most in (
        ("power", 11000, 22),
        ("voltage_1", 230, 1.5),
        ("frequency", 50, 0.02),
    ):
        values = seen[name]
        assert max(abs(value - mean) for value in values) <= most + 0.01
        # The phases wander apart, so that their sum does less.
        assert max(values) - min(values) > most / 4
        assert sum(values) / len(values) == pytest.approx(mean, rel=2e-4)
    assert all(one != next_one for one, next_one in pairwise(seen["power"]))


def test_the_same_world_twice() -> None:
    """What a meter shows depends on the instant and on nothing else."""
    truths = []
    for _ in range(2):
        sim = measured(MeterConfig(profile="em340"))
        sim.wallboxes[0].plug(Car())
        sim.advance(1234)
        truths.append(sim.meters[0].truth())
    assert truths[0] == truths[1]


@pytest.mark.parametrize(("profile", "refresh"), [("ale3", 10), ("sdm630", 1)])
def test_refresh(profile: str, refresh: int) -> None:
    """Registers are renewed at the meter's own pace, not at that of its readers."""
    sim = measured(MeterConfig(profile=profile))
    box, meter = sim.wallboxes[0], sim.meters[0]
    box.plug(Car())
    sim.advance(10)
    seen = []
    for _ in range(60):
        sim.advance(1, step_s=1)
        seen.append(shown(meter, "power"))
    assert len(set(seen)) == pytest.approx(60 / refresh, abs=1)
    # A change in between is seen late.
    box.unplug()
    sim.advance(refresh / 4, step_s=1)
    assert shown(meter, "power") > 10000
    sim.advance(refresh, step_s=1)
    assert shown(meter, "power") == 0


async def test_rollover(start: Start) -> None:
    """Behind 999 999.9 kWh an SDM630 begins at zero; what it has counted goes on."""
    config = MeterConfig(
        profile="sdm630", energy_kwh=999_999.0, pause_s=0, wobble=0, serial="77"
    )
    sim = await house(start, config)
    meter = sim.meters[0]
    async with master(meter) as reads:
        assert await reads.value(4, 0x48, "FLOAT32") == 999_999
        charge(sim)
        after = await reads.value(4, 0x48, "FLOAT32")
        assert await reads.value(3, 0xFC00, "UINT32") == 77
    assert meter.import_kwh == pytest.approx(1_000_009.969, abs=0.001)
    assert after == pytest.approx(9.969, abs=0.001)


@pytest.mark.parametrize(
    ("profile", "modulus"),
    [
        ("ale3", 1e6),
        ("or_we_514", 1e6),
        ("sdm120", 1e6),
        ("em340", 1e7),
        ("abb_b23", None),
    ],
)
def test_moduli(profile: str, modulus: float | None) -> None:
    """Counters begin anew where their display ends; one of 64 bits never does."""
    box = (
        WallboxConfig(name="Garage")
        if MAPS[profile].phases == 3
        else WallboxConfig(name="Garage", variant="7.4kw_air")
    )
    sim = world(box, meters=(MeterConfig(profile=profile),))
    meter = sim.meters[0]
    meter.set_energy((modulus or 1e7) - 0.5)
    sim.wallboxes[0].plug(Car())
    sim.advance(1000)
    wrapped = meter.import_kwh - (modulus or 0)
    assert meter.import_kwh > (modulus or 1e7)
    assert shown(meter, "import") / 1000 == pytest.approx(
        wrapped, abs=meter.map.resolution_wh / 1000 + 0.05
    )


async def test_replacement(start: Start) -> None:
    """Another meter has another serial number and a counter that has just begun."""
    sim = await house(start, MeterConfig(profile="sdm630", pause_s=0, wobble=0))
    meter, box = sim.meters[0], sim.wallboxes[0]
    charge(sim)
    box.unplug()
    sim.advance(60)
    meter.replace()
    async with master(meter) as reads:
        assert await reads.value(3, 0xFC00, "UINT32") == 23110002
        assert await reads.value(4, 0x48, "FLOAT32") == pytest.approx(0.3)
        box.plug(Car())
        sim.advance(3610, step_s=600)
        # The next session is right: self-test, then an hour at 11 kW.
        assert await reads.value(4, 0x48, "FLOAT32") == pytest.approx(11.3, abs=0.001)
        assert box.total_kwh == pytest.approx(121.969, abs=0.001)
        meter.replace("4711", 12.0)
        assert await reads.value(3, 0xFC00, "UINT32") == 4711
        assert await reads.value(4, 0x48, "FLOAT32") == 12
        meter.reset()
        assert await reads.value(3, 0xFC00, "UINT32") == 4711
        assert await reads.value(4, 0x48, "FLOAT32") == 0
    with pytest.raises(ValueError, match="only digits"):
        meter.replace("X1")
    with pytest.raises(ValueError, match="not negative"):
        meter.set_energy(-1)


async def test_reboot(start: Start) -> None:
    """A meter that starts says nothing for a while, and has counted in between."""
    sim = await house(
        start,
        MeterConfig(profile="ale3", gateway=False, line="one", unit=1, wobble=0),
        MeterConfig(profile="em340", gateway=False, line="one", unit=2),
        MeterConfig(profile="em340", name="behind a gateway"),
    )
    meter, other, third = sim.meters
    charge(sim)
    meter.reboot()
    third.reboot(5)
    async with wire(meter) as bare:
        bare.send(tcp(1, 1, *read_pdu(3, 50, 1)) + tcp(2, 2, *read_pdu(4, 0x0B, 1)))
        assert (await bare.take(11))[:2] == b"\0\x02"
        sim.advance(29.9)
        assert meter.is_dark()
        sim.advance(0.1)
        bare.send(tcp(3, 1, *read_pdu(3, 50, 1)))
        assert await bare.take(11) == tcp(3, 1, 3, 2, 1100 >> 8, 1100 & 255)
    assert meter.outcomes == {"silent: starting": 1, "answered": 1}
    assert other.outcomes == {"answered": 1}
    assert meter.import_kwh == pytest.approx(sim.wallboxes[0].total_kwh)
    third.reboot(5)
    async with master(third) as reads:
        assert await reads.read(4, 0x0B, 1) == 11
        sim.advance(5)
        assert await reads.read(4, 0x0B, 1) == [341]


async def test_tariffs(start: Start) -> None:
    """Where there are two tariffs, only both together are the energy."""
    sim = await house(
        start,
        MeterConfig(profile="pac2200", energy_kwh=50, wobble=0),
        MeterConfig(profile="ale3_one_way", energy_kwh=50, refresh_s=1),
    )
    charge(sim)
    for meter in sim.meters:
        meter.set_tariff(2)
    charge(sim)
    pac, ale = sim.meters
    async with master(pac) as reads:
        first = await reads.value(4, 801, "FLOAT64")
        second = await reads.value(4, 805, "FLOAT64")
    assert (first, second) == (pytest.approx(60969, abs=1), pytest.approx(11000, abs=1))
    async with master(ale) as reads:
        first = await reads.value(3, 27, "UINT32")
        second = await reads.value(3, 31, "UINT32")
    assert (first, second) == (pytest.approx(6096, abs=1), pytest.approx(1100, abs=1))
    with pytest.raises(ValueError, match="tariff 1 and tariff 2"):
        pac.set_tariff(3)


def test_a_wallbox_that_is_taken_away() -> None:
    """The meter stays and measures nothing any more."""
    sim = measured(MeterConfig(profile="sdm630"))
    box, meter = sim.wallboxes[0], sim.meters[0]
    box.plug(Car())
    sim.advance(3600)
    sim.unit.world.remove(box)
    before = meter.import_kwh
    sim.advance(3600)
    assert meter.import_kwh == before
    assert shown(meter, "power") == 0
    assert shown(meter, "voltage_1") > 228
