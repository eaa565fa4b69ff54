"""What the compliance report says of a wallbox with a meter of its own."""

from dataclasses import replace

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_house import MeteredHouse, metered
from .test_meter_refresh import MINUTE_S, QUICK, SLOW, repair
from custom_components.loxone_wallbox.compliance_report import load_texts, said
from custom_components.loxone_wallbox.evidence import facts_of
from custom_components.loxone_wallbox.records.compliance import Row
from custom_components.loxone_wallbox.records.compliance_rows import report_of


def every_second(home: MeteredHouse) -> Row:
    """Return the row of power every second, as for a real wallbox in Great Britain."""
    facts = facts_of(home.hass, home.wallbox())
    report = report_of(replace(facts, profile="gb_2021", demonstration=False))
    return next(one for one in report.rows if one.id == "R9c")


def gaps(home: MeteredHouse) -> list[str]:
    """Return by their keys what that row lacks."""
    return [one.key for one in every_second(home).gaps]


def sentences(home: MeteredHouse) -> list[str]:
    """Return what is seen, in words."""
    texts = load_texts("en")[1]
    return [said(one, texts) for one in every_second(home).proof]


async def test_slow_and_accepted(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the owner accepted is repaired by nobody, and is no power of each second."""
    async with metered(
        hass, start_simulator, monkeypatch, SLOW, refresh_s=10.0, slow_accepted=True
    ) as home:
        await home.run(MINUTE_S)
        assert repair(home) is None
        assert gaps(home) == ["gap_too_slow"]
        assert "It has new values every 10.0 s." in sentences(home)
        assert not any("econds measured" in one for one in sentences(home))


async def test_quick(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is missing; how often it measures anew is said, or that nobody knows."""
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        await home.run(MINUTE_S)
        assert gaps(home) == []
        assert every_second(home).limits == ()
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        await home.run(MINUTE_S)
        assert gaps(home) == []
        assert [one.key for one in every_second(home).limits] == ["refresh_unproven"]


async def test_a_meter_that_was_never_read(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the first moments nothing is said; where no reading came that is a gap."""
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        await home.gateway(on=False)
        await hass.config_entries.async_unload(home.entry.entry_id)
        await hass.config_entries.async_setup(home.entry.entry_id)
        assert home.reading().coverage is None
        assert gaps(home) == []
        await home.run(5)
        assert home.reading().coverage == 0
        assert gaps(home) == ["gap_no_readings"]
        await home.gateway(on=True)
        await home.run(2 * MINUTE_S)
        assert gaps(home) == ["gap_seconds_missing"]
