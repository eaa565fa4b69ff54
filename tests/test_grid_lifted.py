"""Who may raise at once during a grid event, and what is told of it."""

import pytest

from homeassistant.core import HomeAssistant

from .actions import user_id
from .conftest import StartSimulator
from .test_grid import DAY, check_limits, event, night


@pytest.mark.parametrize("how", ["override", "dsr_opt_out"])
@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_response_that_is_lifted(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    by_hand: bool,
) -> None:
    """A person has eleven at once; an automation has its draw, which can be skipped."""
    async with night(hass, start_simulator, monkeypatch, 100, 100) as (play, act):
        await event(
            play, act, "B", "23:10:00", "23:20:00", limit_kw=4.5, response_service=True
        )
        await check_limits(play, ("23:10:00", "4.5"))
        await play.at(f"{DAY}23:12:00")
        by = await user_id(hass) if by_hand else None
        values = {"mode": "charge"} if how == "override" else {}
        await act(how, by=by, **values)
        await play.settle()
        if by_hand:
            assert play.see("power_limit") == "11.0"
            return
        assert play.see("power_limit") == "4.5"
        assert play.see("random_delay_ends") == "2027-01-13T23:13:40+00:00"
        await check_limits(play, ("23:13:40", "11.0"))
        await play.at(f"{DAY}23:40:00")
        assert play.see("power_limit") == "11.0"
        assert play.see.commands == ["manualLimit/4.5", "setmode/3"]


async def test_a_lower_limit_while_a_step_waits(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner's eight kilowatts hold at once, and six when they are due."""
    async with night(hass, start_simulator, monkeypatch, 500, 100) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:01:00")
        await play.see.call("number.set_value", "target_power", value=8)
        await play.settle()
        assert play.see("power_limit") == "8.0"
        assert play.see("random_delay_ends") == "2027-01-13T23:08:20+00:00"
        await check_limits(play, ("23:08:20", "6.0"), ("23:31:40", "8.0"))
        assert play.see.commands == ["manualLimit/8", "manualLimit/6", "manualLimit/8"]


async def test_the_next_change_around_a_response(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its start, then its end, then the end of the window."""
    async with night(hass, start_simulator, monkeypatch) as (play, act):
        await event(
            play, act, "B", "23:10:00", "23:20:00", limit_kw=4.5, response_service=True
        )
        assert play.see("next_change") == "2027-01-13T23:10:00+00:00"
        await play.at(f"{DAY}23:12:00")
        assert play.see("next_change") == "2027-01-13T23:20:00+00:00"
        await play.at(f"{DAY}23:21:00")
        assert play.see("next_change") == "2027-01-14T07:50:00+00:00"
