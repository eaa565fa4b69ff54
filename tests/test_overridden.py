"""What happens while the owner has charge-now pressed has no delay either."""

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, map_inputs
from .conftest import StartSimulator
from .stage import stage
from simulator import Car

DAY = "2027-01-13T"


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_fault_that_clears(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    by_hand: bool,
) -> None:
    """A person goes on charging at once, what an automation started has its draw."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:30:00"
    ) as play:
        await map_inputs(hass, play.entry, play.simulator)
        play.deal(*([] if by_hand else [0]), 77)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}17:40:00")
        act = Actions(hass, play.simulator)
        await act("override", by="" if by_hand else None, mode="charge")
        await play.at(f"{DAY}17:50:00")
        assert play.see("status") == "charging"
        play.box.set_error(101)
        await play.settle()
        assert play.see("status") == "fault"
        await play.at(f"{DAY}18:00:00")
        play.box.set_error(0)
        await play.settle()
        commands = ["allow/off", "allow/on", "allow/off"]
        if by_hand:
            assert play.see("reason") == "override_charge"
        else:
            assert play.see("random_delay_ends") == "2027-01-13T18:01:17+00:00"
            assert play.see.commands == commands
            await play.at(f"{DAY}18:01:17")
        assert play.see.commands == [*commands, "allow/on"]
