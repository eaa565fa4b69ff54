"""Wallboxes and cars while time passes, without any socket."""

import json
from typing import Any

import pytest

from .worlds import session, state, world
from simulator import (
    Car,
    ManualClock,
    Mode,
    Simulator,
    SimulatorConfig,
    WallboxConfig,
)


def test_self_test_then_charging() -> None:
    """For ten seconds after plug-in no current flows; then the limit does."""
    sim = world()
    box = sim.wallboxes[0]
    assert state(sim, "session") == ""
    box.plug(Car())
    assert state(sim, "connected") == 1
    assert state(sim, "enabled") == 1
    sim.advance(9.9)
    assert state(sim, "actual") == 0
    assert state(sim, "active") == 0
    sim.advance(0.1)
    assert state(sim, "actual") == 11
    assert state(sim, "active") == 1
    sim.advance(3600)
    assert box.total_kwh == pytest.approx(111)
    assert state(sim, "total") == pytest.approx(111, abs=0.02)


def test_one_leap_is_exact() -> None:
    """A night in one step gives the same as in many."""
    whole, parts = world(), world()
    for sim in (whole, parts):
        sim.wallboxes[0].plug(Car(capacity_kwh=60, energy_kwh=0, taper_from=0.8))
    whole.advance(8 * 3600, step_s=8 * 3600)
    parts.advance(8 * 3600, step_s=7)
    assert whole.wallboxes[0].total_kwh == pytest.approx(parts.wallboxes[0].total_kwh)
    assert whole.wallboxes[0].charging_s == pytest.approx(
        parts.wallboxes[0].charging_s, abs=0.01
    )
    assert whole.wallboxes[0].car
    assert whole.wallboxes[0].car.full


def test_full_car() -> None:
    """60 kWh at 11 kW take five and a half hours; then nothing flows."""
    sim = world(at="2027-01-13 22:07:17")
    box = sim.wallboxes[0]
    box.plug(Car(capacity_kwh=60, energy_kwh=0))
    sim.advance(10 + 60 / 11 * 3600 - 1)
    assert state(sim, "active") == 1
    sim.advance(1.001)
    assert state(sim, "active") == 0
    assert state(sim, "connected") == 1
    assert box.session
    assert box.session.energy == pytest.approx(60)
    assert box.charging_s == pytest.approx(60 / 11 * 3600, abs=0.01)


def test_limit_below_minimum_pauses() -> None:
    """An 11 kW wallbox pauses below 4.16 kW, a 7.4 kW one below 1.38 kW."""
    sim = world(
        WallboxConfig(name="big"), WallboxConfig(name="small", variant="7.4kw_air")
    )
    for box in sim.wallboxes:
        box.plug(Car())
        box.set_manual_limit(2)
    sim.advance(20)
    big, small = sim.wallboxes
    assert state(sim, "actual", big) == 0
    assert state(sim, "mode", big) == 99
    assert state(sim, "limit", big) == 2
    assert state(sim, "actual", small) == 2
    big.set_manual_limit(4.16)
    small.set_manual_limit(1.3)
    assert state(sim, "actual", big) == 4.16
    assert state(sim, "actual", small) == 0
    big.set_manual_limit(50)
    assert state(sim, "limit", big) == 11


def test_modes() -> None:
    """A mode brings its limit; unconfigured ones cannot be chosen."""
    sim = world(
        WallboxConfig(
            name="Garage",
            modes=(
                Mode(id=1, name="Eco", limit_kw=5, price=0.1),
                Mode(id=4, name="Sun", limit_kw=8, price=0.0, set_by_logic=True),
            ),
            mode=1,
            mode_unplug=4,
        )
    )
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(11)
    assert state(sim, "actual") == 5
    assert state(sim, "pricePerkWh") == 0.1
    for wrong in (0, 2, 6, 98):
        with pytest.raises(ValueError, match="not configured"):
            box.set_mode(wrong)
    with pytest.raises(ValueError, match="comes from the program"):
        box.update_mode(4, 9, "Sun", None)
    box.update_mode(1, 6, "Slow", 0.2)
    assert state(sim, "actual") == 6
    box.unplug()
    assert state(sim, "mode") == 4
    assert state(sim, "modeUnplug") == 4


def test_session_and_history() -> None:
    """A session lasts from plug-in to unplug and goes into the history."""
    sim = world(at="2027-01-13 17:30:00")
    box = sim.wallboxes[0]
    start = int(sim.clock.time())
    box.set_allowed(False)
    box.plug(Car())
    assert session(sim)["start"] == 0
    sim.advance(600)
    box.set_allowed(True)
    assert session(sim)["start"] == start + 600
    sim.advance(3600)
    box.set_user("Anna")
    assert sim.unit.states.get(box.uuid) == ""
    box.unplug()
    shown = session(sim)
    assert shown["connect"] == start
    assert shown["disconnect"] == start + 4200
    assert shown["energy"] == 11
    assert shown["power"] == 0
    assert shown["user"] == "Anna"
    assert shown["price"] == pytest.approx(2.75)
    assert shown["extAuthority"] == ""
    history = sim.unit.states.get(box.uuid)
    assert isinstance(history, str)
    assert json.loads(history)["energy"] == 11
    box.plug(Car())
    box.unplug()
    first, second = str(sim.unit.states.get(box.uuid)).split("|")
    assert json.loads(first)["energy"] == 0
    assert json.loads(second)["energy"] == 11


def test_history_is_short() -> None:
    """Only so many sessions are kept, in either order."""
    sim = world(
        WallboxConfig(name="Garage", tracker_entries=3, tracker_newest_first=False)
    )
    box = sim.wallboxes[0]
    for number in range(5):
        box.plug(Car())
        box.set_user(str(number))
        box.unplug()
    records = str(sim.unit.states.get(box.uuid)).split("|")
    assert [json.loads(record)["user"] for record in records] == ["2", "3", "4"]


def test_sleeping_car() -> None:
    """After a long pause a car sleeps; only a new permission or plug wakes it."""
    sim = world()
    box = sim.wallboxes[0]
    box.plug(Car(sleeps_after_s=900))
    sim.advance(60)
    box.set_loadshed(True)
    sim.advance(600)
    box.set_loadshed(False)
    assert box.power_kw > 0
    box.set_loadshed(True)
    sim.advance(900)
    box.set_loadshed(False)
    sim.advance(60)
    assert box.power_kw == 0
    box.set_allowed(False)
    box.set_allowed(True)
    assert box.power_kw > 0
    box.set_allowed(False)
    sim.advance(1000)
    car = box.unplug()
    assert car.asleep
    box.plug(car)
    box.set_allowed(True)
    sim.advance(11)
    assert box.power_kw > 0


def test_stubborn_car() -> None:
    """Some cars do not even wake for a new permission."""
    sim = world()
    box = sim.wallboxes[0]
    box.set_allowed(False)
    box.plug(Car(sleeps_after_s=900, wakes_on_allow=False))
    sim.advance(901)
    box.set_allowed(True)
    sim.advance(60)
    assert state(sim, "enabled") == 1
    assert state(sim, "active") == 0


def test_what_stops_charging() -> None:
    """Load shedding, a lock, an error and a missing permission stop; then it resumes."""
    sim = world()
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(11)
    box.set_loadshed(True)
    assert (state(sim, "loadshed"), state(sim, "actual")) == (1, 0)
    box.set_loadshed(False)
    box.lock("painting")
    assert json.loads(state(sim, "jLocked")) == {"locked": 1, "reason": "painting"}
    assert state(sim, "active") == 0
    box.unlock()
    assert state(sim, "jLocked") == ""
    box.set_error(101)
    diagnostics = {
        title: sim.unit.states.get(uuid)
        for title, uuid in box.diagnostic_states.items()
    }
    assert diagnostics["Error code"] == 101
    assert diagnostics["Fault current"] == 1
    assert diagnostics["Charging error"] == 1
    assert state(sim, "active") == 0
    box.set_error(0)
    assert state(sim, "active") == 1
    with pytest.raises(ValueError, match="error codes"):
        box.set_error(7)


def test_contacts() -> None:
    """A contact is there where it was wired, and changes nothing by itself."""
    sim = world(
        WallboxConfig(name="Garage", contacts=True), WallboxConfig(name="Other")
    )
    box, other = sim.wallboxes
    box.plug(Car())
    sim.advance(11)
    for title in ("Tamper", "Over-temperature"):
        box.set_contact(title, True)
        assert sim.unit.states.get(box.diagnostic_states[title]) == 1
        box.set_contact(title, False)
        assert sim.unit.states.get(box.diagnostic_states[title]) == 0
        with pytest.raises(ValueError, match="has no contact"):
            other.set_contact(title, True)
    with pytest.raises(ValueError, match="has no contact Door"):
        box.set_contact("Door", True)
    assert box.power_kw == 11


@pytest.mark.parametrize(
    ("on_loss", "power"), [("continue", 11), ("stop", 0), (4.5, 4.5)]
)
def test_lost_link(on_loss: Any, power: float) -> None:
    """Without its link the box does what was set up, and its states stand still."""
    sim = world(WallboxConfig(name="Garage", on_link_loss=on_loss))
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(11)
    before = state(sim, "total")
    box.tamper(True)
    assert sim.unit.states.get(box.diagnostic_states["Online"]) == 0
    box.set_manual_limit(6)
    sim.advance(3600)
    assert box.power_kw == power
    assert state(sim, "actual") == 11
    assert state(sim, "total") == before
    assert state(sim, "limit") == 6
    box.tamper(False)
    assert state(sim, "actual") == 6
    assert state(sim, "total") == pytest.approx(before + power, abs=0.01)


def test_phase_switching() -> None:
    """A three-phase box with a small minimum pauses while it changes phases."""
    sim = world(WallboxConfig(name="Garage", min_kw=1.38, phase_switch_s=20))
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(60)
    box.set_manual_limit(2)
    assert (state(sim, "phaseSwitching"), state(sim, "actual")) == (1, 0)
    sim.advance(20)
    assert (state(sim, "phaseSwitching"), state(sim, "actual")) == (0, 2)
    box.set_manual_limit(4)
    # One phase carries no more than 16 A.
    assert state(sim, "actual") == pytest.approx(11 / 3, abs=0.001)
    box.set_manual_limit(11)
    sim.advance(20)
    assert state(sim, "actual") == 11


def test_periods() -> None:
    """Counters of day, week, month and year begin anew at local midnight."""
    sim = world(at="2026-12-31 22:59:50")
    box = sim.wallboxes[0]
    box.plug(Car(capacity_kwh=100, energy_kwh=0))
    sim.advance(10 + 2 * 3600, step_s=10_000)
    assert box.period_kwh["totalDay"] == pytest.approx(11)
    assert box.period_kwh["totalMonth"] == pytest.approx(11)
    assert box.period_kwh["totalYear"] == pytest.approx(11)
    # The first of January 2027 is a Friday.
    assert box.period_kwh["totalWeek"] == pytest.approx(22)
    assert box.total_kwh == pytest.approx(122)


def test_no_meter() -> None:
    """Without a meter power and readings stay at zero while charging goes on."""
    sim = world(WallboxConfig(name="Garage", meter=False, total_kwh=0))
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(3600)
    assert state(sim, "active") == 1
    assert (state(sim, "actual"), state(sim, "total")) == (0, 0)
    assert box.car
    assert box.car.energy_kwh > 27


def test_wall_clock_is_corrected() -> None:
    """A step of the wall clock neither adds nor loses energy."""
    sim = world()
    assert isinstance(sim.clock, ManualClock)
    box = sim.wallboxes[0]
    box.plug(Car(capacity_kwh=100, energy_kwh=0))
    sim.advance(10 + 1800)
    for step in (-7200, 90_000, -400_000):
        sim.clock.step(step)
        sim.tick()
    sim.advance(1800)
    assert box.total_kwh == pytest.approx(111)


def test_manager() -> None:
    """A manager shares its maximum: minimum first, priority before Eco."""
    sim = world(
        WallboxConfig(name="one", managed=True),
        WallboxConfig(name="two", managed=True),
        manager=True,
        manager_max_kw=10,
    )
    one, two = sim.wallboxes
    for box in sim.wallboxes:
        box.plug(Car())
    sim.advance(11)
    assert one.power_kw == pytest.approx(5.84)
    assert two.power_kw == pytest.approx(4.16)
    assert state(sim, "limitedBy", one) == 8
    one.set_manager_mode(1)
    assert two.power_kw == pytest.approx(5.84)
    assert state(sim, "mode", one) == 1
    assert state(sim, "priority", two) == 1
    two.set_allowed(False)
    assert one.power_kw == pytest.approx(6)
    assert state(sim, "limitedBy", one) == 1
    with pytest.raises(ValueError, match="manager"):
        one.set_mode(1)
    with pytest.raises(ValueError, match="manager"):
        one.set_manual_limit(5)
    manager = sim.unit.world.manager
    assert manager
    assert sim.unit.states.get(manager.state_uuids["Pmax"]) == 10
    assert sim.unit.states.get(manager.state_uuids["actual0"]) == 6
    assert manager.node_values(["unknown"]) is None
    values = manager.node_values(manager.node_uuids)
    assert values
    assert values[manager.node_uuids[0]]["used"] == 6


def test_mistakes() -> None:
    """What cannot be done says so."""
    sim = world()
    box = sim.wallboxes[0]
    with pytest.raises(ValueError, match="no car"):
        box.unplug()
    box.plug(Car())
    with pytest.raises(ValueError, match="already"):
        box.plug(Car())
    with pytest.raises(ValueError, match="no wallbox"):
        sim.wallbox("nowhere")
    with pytest.raises(ValueError, match="same name"):
        world(WallboxConfig(name="x"), WallboxConfig(name="x"))
    with pytest.raises(ValueError, match="12 hex digits"):
        SimulatorConfig(serial="123")
    with pytest.raises(ValueError, match="unknown variant"):
        WallboxConfig(name="x", variant="22kw")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ManualClock"):
        Simulator(SimulatorConfig()).advance(1)
