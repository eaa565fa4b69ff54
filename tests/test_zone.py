"""The clock that the rules follow: the regulation's, or another that was picked."""

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .stage import stage
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Car

NEW_YORK = "America/New_York"


@pytest.mark.slow
async def test_another_clock(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Peak and night are five hours later in London when the clock is New York's."""
    await hass.config.async_set_time_zone("Europe/London")
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin="2027-01-13T17:25:00",
        timezone=NEW_YORK,
    ) as play:
        play.deal(*[0] * 10)
        play.box.plug(Car(capacity_kwh=900, energy_kwh=10))
        await play.settle()
        # In New York it is 12:25, between the peaks.
        assert play.see("in_peak_hours") == "off"
        for time, peak, allowed in (
            ("13T21:30:00", "on", False),
            ("13T23:00:00", "on", False),
            ("14T02:59:00", "on", False),
            ("14T03:00:10", "off", True),
            ("14T09:00:00", "off", True),
            ("14T13:01:00", "on", False),
            ("14T16:01:00", "off", False),
        ):
            await play.at(f"2027-01-{time}")
            assert (play.see("in_peak_hours"), play.box.enabled) == (peak, allowed), (
                time
            )
        report = await async_get_config_entry_diagnostics(hass, play.entry)
        rules = report["wallboxes"][0]["rules"]
        assert (rules["zone"], rules["zone_deviates"]) == (NEW_YORK, True)


async def test_of_before(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who was never asked has the clock of the regulation, wherever the home is."""
    await hass.config.async_set_time_zone(NEW_YORK)
    async with stage(hass, start_simulator, monkeypatch) as play:
        assert "timezone" not in play.wallbox.settings
        assert str(play.wallbox.rules.zone) == "Europe/London"
        assert not play.wallbox.rules.zone_deviates
        assert play.see("in_peak_hours") == "on"


async def test_a_zone_that_is_gone(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A zone that the database has no more leaves the regulation's."""
    async with stage(
        hass, start_simulator, monkeypatch, timezone="Europe/Atlantis"
    ) as play:
        assert str(play.wallbox.rules.zone) == "Europe/London"
        assert not play.wallbox.rules.zone_deviates
