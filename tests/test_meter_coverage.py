"""Seconds of charging that a meter misses, and figures that are old, as they are shown."""

from datetime import datetime
import json

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .actions import Actions
from .conftest import StartSimulator
from .meter_house import MeteredHouse, metered
from .recorded import Recorded
from .test_meter_accuracy import FOLDER
from custom_components.loxone_wallbox.charging.session import Source
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.sensor import WallboxSensor
from simulator import MeterConfig

# It is read each ten seconds, so an hour is 360 readings.
ALE3 = MeterConfig(profile="ale3", wobble=0.0, energy_kwh=500)
METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
GATEWAY_SAYS_SILENT = 11


def repair(home: MeteredHouse) -> ir.IssueEntry | None:
    """Return the repair of the missing seconds, readable in all languages."""
    issue_id = f"coverage_low_{home.wallbox().subentry_id}"
    issue = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    for language in ("en", "de") if issue else ():
        assert issue is not None
        texts = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
        text = texts["issues"][issue.translation_key]
        for part in ("title", "description"):
            assert text[part].format(**issue.translation_placeholders or {})
    return issue


async def test_the_owner_is_told_what_to_do(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repair names the cause, follows it when it changes, and goes by itself."""
    async with metered(hass, start_simulator, monkeypatch, ALE3) as home:
        await home.run(5)
        await home.plug()
        await home.run(120)
        assert repair(home) is None
        # Not yet four readings.
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await home.run(30)
        home.meter().clear()
        await home.run(60)
        assert repair(home) is None
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await home.run(30)
        home.meter().clear()
        await home.run(60)
        found = repair(home)
        assert found is not None
        assert (found.translation_key, found.severity) == (
            "coverage_low_meter",
            ir.IssueSeverity.WARNING,
        )
        assert not found.is_fixable
        assert measured_pct(home) == pytest.approx(75, abs=8)
        await home.gateway(on=False)
        await home.run(120)
        await home.gateway(on=True)
        await home.run(60)
        found = repair(home)
        assert found is not None
        assert found.translation_key == "coverage_low_gateway"
        assert measured_pct(home) == pytest.approx(58, abs=5)
        await home.run(3300)
        assert repair(home) is not None
        await home.run(300)
        assert repair(home) is None


def measured_pct(home: MeteredHouse) -> float:
    """Return how much of the charging was measured, as the repair tells it."""
    found = repair(home)
    assert found is not None
    assert found.translation_placeholders is not None
    return float(found.translation_placeholders["measured_pct"])


async def test_an_error_of_our_own_is_a_gap(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A minute that nobody reads is missed, and no energy of it is lost."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, before = Recorded(hass, home.simulator), home.meter().import_kwh
        await home.plug()
        await home.run(100)
        measuring = home.wallbox().measuring
        right = measuring.follower

        def wrong(_at: float, _power_w: float | None) -> None:
            """Fail once."""
            measuring.follower = right
            raise LookupError("nobody thought of that")

        measuring.follower = wrong
        await home.run(10)
        assert caplog.text.count("LookupError: nobody thought of that") == 1
        assert home.see[0]("charging_power") == "unknown"
        assert home.see[0]("meter_connection") == "off"
        await home.run(110)
        assert home.see[0]("meter_connection") == "on"
        # What is shown is up to a minute old.
        coverage = float(home.see[0]("meter_coverage"))
        assert 100 * 100 / 170 < coverage < 100 * 170 / 230
        assert 100 * 85 / 155 < measured_pct(home) < 100 * 155 / 215
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        assert record.quality.gaps_s == pytest.approx(61, abs=2)
        taken = (home.meter().import_kwh - before) * 1000
        assert record.import_wh == pytest.approx(taken, abs=6)


async def test_power_and_energy_of_a_silent_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The power is unknown after three seconds, the energy stays and says since when."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        see = home.see[0]
        await home.plug()
        await home.run(60)
        assert see.attribute("energy_total", "stale_since") is None
        assert see("charging_power") == "11000.0"
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        silent = home.clock.time()
        await home.run(2)
        assert see("charging_power") == "11000.0"
        await home.run(1)
        assert see("charging_power") == "unknown"
        energy = see("energy_total")
        stale = datetime.fromisoformat(see.attribute("energy_total", "stale_since"))
        assert stale.timestamp() == pytest.approx(silent, abs=1)
        await home.run(60)
        assert see("energy_total") == energy
        assert see.attribute("energy_total", "stale_since") == stale.isoformat()
        # After a restart in the silence the Miniserver may have counted 68 seconds.
        await home.restart()
        counted = float(see("energy_total")) - float(energy)
        assert 0 <= counted <= 68 * 11 / 3600 + 0.01
        stale = datetime.fromisoformat(see.attribute("energy_total", "stale_since"))
        assert stale.timestamp() == pytest.approx(silent, abs=61)
        home.meter().clear()
        await home.run(15)
        assert see.attribute("energy_total", "stale_since") is None
        assert float(see("energy_total")) > float(energy)


def test_the_database_does_not_keep_it() -> None:
    """Since when something is old is of now only."""
    assert "stale_since" in WallboxSensor._unrecorded_attributes


async def test_whose_figures_they_are(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They say that they are the meter's."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        for key in ("charging_power", "energy_total", "session_energy"):
            assert home.see[0].attribute(key, "source") == "meter"


@pytest.mark.parametrize("percent", [0.0, 12.0], ids=["right", "wrong"])
async def test_the_session_says_how_good_its_figures_are(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    percent: float,
) -> None:
    """Its record has the energy by the power, how far that is off, and a flag."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded = Recorded(hass, home.simulator)
        home.meter().fault("bias", percent=percent, of="power")
        await home.plug()
        await home.run(320)
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        quality = record.quality
        assert quality.source is Source.METER
        assert quality.error_pct == pytest.approx(percent, abs=0.5)
        assert quality.flagged is (percent > 0)
        assert quality.integral_wh == pytest.approx(
            record.import_wh * (1 + percent / 100), rel=0.05
        )
        answer = await Actions(hass, home.simulator)("get_sessions", answer=True)
        [told] = answer["sessions"]
        assert told["quality"]["flagged"] is quality.flagged
        assert told["quality"]["source"] == "meter"
