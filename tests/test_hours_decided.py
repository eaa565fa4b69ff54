"""What the owner decided about the default charging hours stands under any profile."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .stage import GB_NIGHT, Stage, stage

NOON = "2027-01-13T12:00:00"


async def under(play: Stage, profile: str, **settings: Any) -> None:
    """Have the owner choose another profile."""
    [subentry] = play.entry.subentries.values()
    play.hass.config_entries.async_update_subentry(
        play.entry,
        subentry,
        data={**subentry.data, "profile": profile, **settings},
    )
    await play.settle()


@pytest.mark.parametrize("how", ["removed", "never", "asked_anew"])
async def test_to_another_profile_and_back(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """Hours that were removed come back with a new answer only."""
    async with stage(hass, start_simulator, monkeypatch, begin=NOON) as play:
        act = Actions(hass, play.simulator)
        if how != "never":
            await act("remove_default_hours")
        await under(play, "none")
        assert play.see("default_hours") == ("on" if how == "never" else "unavailable")
        answer: dict[str, Any] = {}
        if how == "asked_anew":
            await play.at("2027-01-13T12:30:00")
            first_use = {**GB_NIGHT["first_use"], "at": "2027-01-13T12:20:00+00:00"}  # type: ignore[dict-item]
            answer = {"first_use": first_use}
        await under(play, "gb_2021", **answer)
        windows = play.wallbox.controller.state.hours.windows
        assert bool(windows) is (how != "removed")


async def test_the_first_answer_counts_under_a_first_profile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who never said anything about hours gets those that were answered."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=NOON, profile="none", first_use=None
    ) as play:
        assert not play.wallbox.controller.state.hours.windows
        await under(play, "gb_2021", first_use=GB_NIGHT["first_use"])
        assert play.wallbox.controller.state.hours.preset == "gb_night"
