"""Why the present permission and limit are what they are, while a change waits."""

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .stage import Stage, stage
from simulator import Car

NIGHT = "2027-01-13T"
MORNING = "2027-01-14T"


def shown(play: Stage) -> tuple[str, str]:
    """Return the reason and the limit in force."""
    return play.see("reason"), play.see("power_limit")


async def test_the_reason_is_that_of_what_holds(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start, a limit, its end and a stop each wait for their own draw."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{NIGHT}21:55:00"
    ) as play:
        play.deal(50, 45, 300, 123)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.see.call(
            "select.select_option", "end_delay", option="after_boundary"
        )
        assert shown(play) == ("outside_default_hours", "0.0")
        act = Actions(hass, play.simulator)
        await act(
            "dsr_start",
            event_id="A",
            start=play.instant(f"{NIGHT}23:00:00").isoformat(),
            end=play.instant(f"{NIGHT}23:30:00").isoformat(),
            kind="limit",
            limit_kw=6,
        )
        for at, reason, limit in (
            (f"{NIGHT}22:00:00", "random_delay", "0.0"),
            (f"{NIGHT}22:00:50", "default_hours", "11.0"),
            (f"{NIGHT}23:00:00", "random_delay", "11.0"),
            (f"{NIGHT}23:00:45", "dsr", "6.0"),
            (f"{NIGHT}23:30:00", "random_delay", "6.0"),
            (f"{NIGHT}23:35:00", "default_hours", "11.0"),
            (f"{MORNING}07:59:59", "default_hours", "11.0"),
            (f"{MORNING}08:00:00", "random_delay", "11.0"),
            (f"{MORNING}08:02:03", "outside_default_hours", "0.0"),
        ):
            await play.at(at)
            assert (at, *shown(play)) == (at, reason, limit)
            delayed = "on" if reason == "random_delay" else "off"
            assert play.see("random_delay_active") == delayed
