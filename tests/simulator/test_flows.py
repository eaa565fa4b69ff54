"""Since when how much flows: the instants that a meter beside the wallbox would note."""

from aiohttp import ClientSession
import pytest

from .conftest import Start
from .worlds import world
from simulator import Car, ManualClock


def test_every_change_has_its_instant() -> None:
    """The self-test, a limit, a pause and a full battery are noted to the instant."""
    sim = world()
    box, began = sim.wallboxes[0], sim.clock.time()
    box.plug(Car(capacity_kwh=60, energy_kwh=54))
    sim.advance(15)
    box.set_manual_limit(6)
    sim.advance(60)
    box.set_allowed(False)
    sim.advance(60)
    box.set_allowed(True)
    sim.advance(7200)
    flows = box.flows.as_list()
    assert [flow["power_kw"] for flow in flows] == [0, 11, 6, 0, 6, 0]
    instants = [flow["time"] - began for flow in flows[1:5]]
    assert instants == pytest.approx([10, 15, 75, 135])
    used = (11 * 5 + 6 * 60) / 3600
    assert flows[3]["total_kwh"] - flows[0]["total_kwh"] == pytest.approx(
        used, abs=1e-5
    )
    full_at = 135 + (6 - used) / 6 * 3600
    assert flows[5]["time"] - began == pytest.approx(full_at, abs=0.01)
    assert flows[5]["total_kwh"] - flows[0]["total_kwh"] == pytest.approx(6, abs=1e-5)


def test_old_changes_are_forgotten() -> None:
    """A world that lives for long does not grow without end."""
    sim = world()
    box = sim.wallboxes[0]
    box.plug(Car())
    sim.advance(11)
    for number in range(1500):
        box.set_allowed(number % 2 == 1)
    assert len(box.flows.as_list()) == 1000


async def test_the_control_interface_shows_them(start: Start) -> None:
    """Each wallbox has its own, up to the present instant."""
    clock = ManualClock()
    sim = await start(clock, control_port=0)
    sim.wallbox("Carport").plug(Car())
    clock.advance(30)
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{sim.control_port}/flows") as answer,
    ):
        flows = await answer.json()
    assert [flow["power_kw"] for flow in flows["Garage"]] == [0]
    assert [flow["power_kw"] for flow in flows["Carport"]] == [0, 7.4]
    assert flows["Carport"][1]["time"] == pytest.approx(clock.time() - 20)
