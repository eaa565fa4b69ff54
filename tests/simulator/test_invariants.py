"""Whatever people do: energy is neither lost nor invented."""

from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .worlds import state, world
from simulator import Car, WallboxConfig
from simulator.wallbox import Wallbox

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0.1, 20_000)),
        st.tuples(st.just("allow"), st.booleans()),
        st.tuples(st.just("limit"), st.floats(0, 12)),
        st.tuples(st.just("mode"), st.integers(1, 3)),
        st.tuples(st.just("plug"), st.floats(0, 1)),
        st.tuples(st.just("unplug"), st.none()),
        st.tuples(st.just("shed"), st.booleans()),
        st.tuples(st.just("online"), st.booleans()),
        st.tuples(st.just("error"), st.sampled_from([0, 101])),
    ),
    max_size=25,
)


def act(box: Wallbox, name: str, value: Any) -> None:
    """Do one thing to a wallbox."""
    match name:
        case "allow":
            box.set_allowed(value)
        case "limit":
            box.set_manual_limit(value)
        case "mode":
            box.set_mode(value)
        case "plug" if not box.connected:
            box.plug(
                Car(capacity_kwh=50, energy_kwh=50 * value, taper_from=0.8, phases=3)
            )
        case "unplug" if box.connected:
            box.unplug()
        case "shed":
            box.set_loadshed(value)
        case "online":
            box.set_online(value)
        case "error":
            box.set_error(value)


@settings(max_examples=60, deadline=None)
@given(ACTIONS, st.sampled_from(["11kw_tree", "7.4kw_air"]), st.booleans())
def test_energy_is_never_lost_or_invented(
    actions: list[tuple[str, Any]], variant: Any, switches: bool
) -> None:
    """Readings never fall, power keeps to its limits, and all sums agree."""
    least = 1.38 if switches else None
    sim = world(WallboxConfig(name="Garage", variant=variant, min_kw=least))
    box = sim.wallboxes[0]
    cars = 0.0
    shown = state(sim, "total")
    for name, value in actions:
        before = box.car.energy_kwh if box.car else 0.0
        if name == "wait":
            sim.advance(value, step_s=value / 7)
        else:
            act(box, name, value)
        if box.car and name != "plug":
            cars += box.car.energy_kwh - before
        sim.unit.world.tick()
        power = box.power_kw
        assert 0 <= power <= box.config.maximum_kw + 1e-9
        if box.point.online:
            assert power <= box.target_kw + 1e-9
        if power:
            assert box.connected
            assert not box.point.error_code
        assert box.total_kwh == pytest.approx(100 + cars)
        assert state(sim, "total") >= shown
        shown = state(sim, "total")
    ended = sum(record["energy"] for record in box.tracker.records)
    running = box.session.energy if box.session and box.connected else 0.0
    assert ended + running == pytest.approx(cars, abs=0.001 * (1 + len(actions)))
