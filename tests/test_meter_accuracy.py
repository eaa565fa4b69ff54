"""Power and energy that do not agree, through Home Assistant (regulation 9)."""

from itertools import pairwise
import json
from pathlib import Path
import random
from typing import Any

import pytest

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.meter.accuracy import SESSIONS
from custom_components.loxone_wallbox.meter_repairs import FOLLOWED
from simulator import MeterConfig

# A session long enough to know its error to a hundredth.
CHARGE_S = 320
# One in which 10.7 % are more than 10 % beyond doubt.
LONG_S = 560
METER = MeterConfig(profile="or_we_504", wobble=0.0)
FOLDER = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"


def repairs(home: MeteredHouse, box: int = 0) -> set[str]:
    """Return which repairs of a wallbox there are, each readable in all languages."""
    ending = f"_{home.wallbox(box).subentry_id}"
    found = set()
    for (domain, issue_id), issue in ir.async_get(home.hass).issues.items():
        if domain != DOMAIN or not issue_id.endswith(ending) or not issue.active:
            continue
        for language in ("en", "de"):
            texts = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
            text = texts["issues"][issue.translation_key]
            for part in ("title", "description"):
                assert text[part].format(**issue.translation_placeholders or {})
        found.add(issue_id.removesuffix(ending))
    return found


async def charge(home: MeteredHouse, *boxes: int) -> None:
    """Let cars charge once."""
    await home.plug(*boxes)
    await home.run(CHARGE_S)
    await home.unplug(*boxes)
    await home.run(8)


@pytest.mark.parametrize("of", ["power", "energy"])
async def test_twelve_percent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    of: str,
) -> None:
    """They raise a repair within the session; one without the error takes it back."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        home.meter().fault("bias", percent=12.0, of=of)
        await home.plug()
        assert home.see[0]("measurement_error") == "unknown"
        await home.run(LONG_S)
        assert repairs(home) == {"inaccurate"}
        error = 12.0 if of == "power" else -10.7
        assert float(home.see[0]("measurement_error")) == pytest.approx(error, abs=0.5)
        await home.unplug()
        await home.run(8)
        assert repairs(home) == {"inaccurate"}
        home.meter().clear()
        await home.plug()
        # The session before counts until this one has told something.
        await home.run(60)
        assert repairs(home) == {"inaccurate"}
        assert float(home.see[0]("measurement_error")) == pytest.approx(error, abs=0.5)
        await home.run(LONG_S)
        assert repairs(home) == set()
        assert float(home.see[0]("measurement_error")) == pytest.approx(0, abs=0.5)


async def test_the_repair_follows_the_error(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its figures are those of now, told anew only where an owner would care."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        told = figures(home)
        home.meter().fault("bias", percent=20.0, of="power")
        await home.plug()
        await home.run(LONG_S)
        home.meter().clear()
        await home.run(LONG_S / 2)
        shown = float(home.see[0]("measurement_error"))
        assert shown == pytest.approx(13.3, abs=0.7)
        errors = [one["error_pct"] for one in told]
        assert errors[0] == pytest.approx(20, abs=1)
        assert errors[-1] == pytest.approx(shown, abs=0.5)
        assert errors == sorted(errors, reverse=True)
        counted = home.reading().visits.running.counted_wh / 1000
        assert told[-1]["counted_kwh"] == pytest.approx(counted, abs=1)
        # A change of a tenth is nothing to be told.
        assert all(one - two >= FOLLOWED["error_pct"] for one, two in pairwise(errors))


def figures(home: MeteredHouse) -> list[dict[str, float]]:
    """Return a list to which the figures of the repair are added as they are told."""
    told: list[dict[str, float]] = []

    @callback
    def note(event: Event[Any]) -> None:
        """Take note of a repair that is new or was changed."""
        issue = ir.async_get(home.hass).async_get_issue(DOMAIN, event.data["issue_id"])
        if issue is not None and issue.translation_key == "inaccurate":
            names = ("error_pct", "counted_kwh", "integrated_kwh")
            placeholders = issue.translation_placeholders or {}
            told.append({name: float(placeholders[name]) for name in names})

    home.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, note)
    return told


async def test_common_error(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong with power and energy alike cannot be seen."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        home.meter().fault("bias", percent=12.0, of="both")
        await charge(home)
        assert repairs(home) == set()
        assert float(home.see[0]("measurement_error")) == pytest.approx(0, abs=0.5)


@pytest.mark.timeout(400)
@pytest.mark.slow
async def test_bias_and_noise(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A constant 4 % is a warning after twenty sessions, 8 % to either side is none.

    Half of them are before a restart, which forgets nothing.
    """
    errors = [8.0, -8.0] * (SESSIONS // 2)
    random.Random(9).shuffle(errors)
    async with metered(hass, start_simulator, monkeypatch, METER, METER) as home:
        home.meter(0).fault("bias", percent=4.0, of="power")
        for number, error in enumerate(errors):
            home.meter(1).clear()
            home.meter(1).fault("bias", percent=error, of="power")
            home.meter(1).fault("noise", percent=8.0)
            assert repairs(home, 0) == set()
            if number == SESSIONS // 2:
                await home.restart()
            await charge(home, 0, 1)
        assert repairs(home, 0) == {"biased"}
        assert repairs(home, 1) == set()
        noisy = home.reading(1).visits.bias.errors_pct
        assert [error > 0 for error in noisy] == [error > 0 for error in errors]
        # Sessions without the error push those with it out.
        home.meter(0).clear()
        for _ in range(SESSIONS // 2):
            await charge(home, 0)
            if repairs(home, 0) == set():
                break
        await eventually(lambda: repairs(home, 0) == set())
