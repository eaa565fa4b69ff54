"""Grid events that follow each other without a gap, as the owner sees them."""

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .test_grid import DAY, check_limits, event, night


@pytest.mark.parametrize("first", ["response_service", "already_randomised"])
async def test_the_same_limit_goes_on(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
) -> None:
    """One without a delay hands over to one with: the wallbox is told nothing."""
    async with night(hass, start_simulator, monkeypatch, 300, 120) as (play, act):
        await event(play, act, "A", "23:00:00", "23:20:00", **{first: True})
        await event(play, act, "B", "23:20:00", "23:40:00")
        await check_limits(play, ("23:00:00", "6.0"))
        await play.at(f"{DAY}23:20:00")
        assert play.see("power_limit") == "6.0"
        assert play.see("dsr_event") == "B"
        await play.at(f"{DAY}23:39:59")
        assert play.see.commands == ["manualLimit/6"]
        # The first draw was not needed: nothing changed at the start of the second.
        await check_limits(play, ("23:45:00", "11.0"))
        assert play.see.commands == ["manualLimit/6", "setmode/3"]


async def test_a_lower_limit_follows(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the lower one waits for its draw the higher one is kept, not eleven."""
    async with night(hass, start_simulator, monkeypatch, 300, 120) as (play, act):
        await event(play, act, "A", "23:00:00", "23:20:00", response_service=True)
        await event(play, act, "B", "23:18:00", "23:40:00", limit_kw=4.5)
        await check_limits(play, ("23:00:00", "6.0"))
        await play.at(f"{DAY}23:20:00")
        assert play.see("power_limit") == "6.0"
        assert play.see("random_delay_ends") == "2027-01-13T23:23:00+00:00"
        await check_limits(play, ("23:23:00", "4.5"), ("23:42:00", "11.0"))
        assert play.see.commands == ["manualLimit/6", "manualLimit/4.5", "setmode/3"]
