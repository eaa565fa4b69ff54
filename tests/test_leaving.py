"""Who leaves grid events: one, those of today, or all that are ahead."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, refused, user_id
from .conftest import StartSimulator
from .stage import Stage
from .test_grid import DAY, check_limits, event, night


async def announced(play: Stage, act: Actions) -> None:
    """Have four events: one that holds, two today, one tomorrow."""
    await event(play, act, "now", "22:59:00", "23:10:00", response_service=True)
    await event(play, act, "soon", "23:15:00", "23:20:00", response_service=True)
    await event(play, act, "late", "23:50:00", "23:55:00", reward_per_kwh=0.5)
    await act(
        "dsr_start",
        event_id="morrow",
        program="winter",
        start=play.instant("2027-01-14T00:30:00").isoformat(),
        end=play.instant("2027-01-14T01:00:00").isoformat(),
        kind="pause",
    )


async def left(act: Actions) -> set[str]:
    """Return the ids of the events that were left."""
    listed = (await act("dsr_list", answer=True))[act.devices[0]]
    return {one["event_id"] for one in listed if one["opted_out_at"] is not None}


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({}, {"now"}),
        ({"event_id": "now"}, {"now"}),
        ({"event_id": "late"}, {"late"}),
        ({"event_id": "morrow", "program": "winter"}, {"morrow"}),
        ({"scope": "today"}, {"now", "soon", "late"}),
        ({"scope": "all"}, {"now", "soon", "late", "morrow"}),
    ],
)
async def test_what_is_left(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    gone: set[str],
) -> None:
    """The events named are left, the others hold; the security log is told once."""
    async with night(hass, start_simulator, monkeypatch) as (play, act):
        await announced(play, act)
        assert play.see("power_limit") == "6.0"
        await act("dsr_opt_out", **fields)
        assert await left(act) == gone
        assert play.see("power_limit") == ("11.0" if "now" in gone else "6.0")
        await play.at(f"{DAY}23:15:00")
        assert play.see("power_limit") == ("11.0" if "soon" in gone else "6.0")
        [told] = [one for one in caplog.messages if "dsr_opt_out" in one]
        assert told.startswith("config_security_changed: info")
        assert f"'number': {len(gone)}" in told
        assert ("'reward_per_kwh': {'late': 0.5}" in told) is ("late" in gone)
        by = await user_id(hass)
        assert all(
            one.opted_out_by in {by, None} and (one.opted_out_by == by) is left_it
            for one in play.wallbox.controller.state.dsr.events.values()
            for left_it in [one.event_id in gone]
        )


async def test_what_cannot_be_left(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It says why, changes nothing, and is not told as if it had been done."""
    async with night(hass, start_simulator, monkeypatch) as (play, act):
        for scope, key in (
            ("event", "dsr_nothing_active"),
            ("today", "dsr_nothing_ahead"),
            ("all", "dsr_nothing_ahead"),
        ):
            async with refused(play.entry, key):
                await act("dsr_opt_out", scope=scope)
        await announced(play, act)
        async with refused(play.entry, "dsr_unknown"):
            await act("dsr_opt_out", event_id="other")
        async with refused(play.entry, "dsr_scope_with_event"):
            await act("dsr_opt_out", scope="today", event_id="now")
        await act("dsr_opt_out", event_id="now")
        async with refused(play.entry, "dsr_is_over"):
            await act("dsr_opt_out", event_id="now")
        guest = await user_id(hass, "Guest", "guest")
        async with refused(play.entry, "not_permitted"):
            await act("dsr_opt_out", by=guest, scope="all")
        play.box.set_loadshed(True)
        await play.settle()
        async with refused(play.entry, "unsafe_load_shedding"):
            await act("dsr_opt_out", scope="all")
        assert await left(act) == {"now"}
        told = [one for one in caplog.messages if "'what': 'dsr_opt_out'" in one]
        assert len(told) == 1


@pytest.mark.parametrize("on_behalf", [False, True])
async def test_an_automation_leaves_with_a_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    on_behalf: bool,
) -> None:
    """Unless a person stands behind it."""
    async with night(hass, start_simulator, monkeypatch, 45, 90) as (play, act):
        await event(play, act, "A", "23:00:00", "23:30:00")
        await play.at(f"{DAY}23:05:00")
        await act("dsr_opt_out", by=None, scope="all", on_behalf_of_user=on_behalf)
        if on_behalf:
            assert play.see("power_limit") == "11.0"
        else:
            await check_limits(play, ("23:06:30", "11.0"))
            draw = play.wallbox.controller.state.delay.draws[-1]
            assert (draw.cause, draw.drawn_s) == ("automation", 90)
