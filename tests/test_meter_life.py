"""A meter through its days: sessions, restarts, what is written, what is forgotten."""

from collections import Counter
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .meter_house import MeteredHouse, metered, settings_of
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.meter.latch import Stage
from simulator import MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


def files(home: MeteredHouse) -> list[str]:
    """Return which files are kept of the wallboxes, without the history."""
    folder = Path(home.hass.config.path(DOMAIN))
    names = [
        file.name.partition(".")[2]
        for file in folder.rglob("*.jsonl")
        if not file.name.startswith("security.")
    ]
    return sorted(name for name in names if not name.startswith("sessions."))


async def test_energy_of_a_session(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It begins at the last reading before, and its end is told when it is sure."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        assert home.reading().session is None
        await home.plug()
        await home.run(300)
        session = home.reading().session
        assert session is not None
        assert session.start_wh == pytest.approx(500_000, abs=10)
        assert not session.start_estimated
        assert session.stop_wh is None
        assert session.energy_wh == pytest.approx(290 * 11_000 / 3600, abs=15)
        await home.unplug()
        assert home.reading().session is not None
        assert home.reading().visits.session.stage is Stage.SETTLING  # type: ignore[union-attr]
        await home.run(8)
        session = home.reading().session
        assert session is not None
        truth = home.meter().import_kwh * 1000
        assert session.stop_wh == pytest.approx(truth, abs=10)
        assert session.stop_wh == session.now_wh
        assert not session.stop_estimated
        await home.plug()
        await home.run(20)
        again = home.reading().session
        assert again is not None
        assert again.start_wh == pytest.approx(session.stop_wh, abs=10)


async def test_a_session_over_restarts(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session goes on over a restart; one that nobody saw begin says so."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(120)
        begun = home.reading().session
        assert begun is not None
        await hass.config_entries.async_unload(home.entry.entry_id)
        home.clock.move(home.clock.time() + 600)
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(60)
        session = home.reading().session
        assert session is not None
        assert session.start_wh == begun.start_wh
        assert session.energy_wh == pytest.approx(770 * 11_000 / 3600, abs=15)
        assert home.reading().findings == ()

        await hass.config_entries.async_unload(home.entry.entry_id)
        home.simulator.wallboxes[0].unplug()
        home.clock.move(home.clock.time() + 60)
        start = home.meter().import_kwh * 1000
        home.simulator.wallboxes[0].plug()
        home.clock.move(home.clock.time() + 60)
        await hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(60)
        session = home.reading().session
        assert session is not None
        assert session.start_estimated
        assert session.start_wh is not None
        assert session.start_wh >= start - 10
        assert home.reading().findings == ()


async def test_what_is_written(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each minute, at steps and just before each five minutes; not each second."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(60)
        # Ten even minutes that begin at a mark.
        await home.run(300 - home.clock.time() % 300)
        keys = {
            entity_id(hass, home.simulator, key): key
            for key in (
                "charging_power",
                "energy_total",
                "power_age",
                "meter_coverage",
                "measurement_error",
                "meter_connection",
            )
        }
        written: Counter[str] = Counter()
        marks: list[float] = []

        @callback
        def note(event: Event[Any]) -> None:
            """Count what is written."""
            if event.data["entity_id"] in keys:
                key = keys[event.data["entity_id"]]
                written[key] += 1
                if key == "energy_total":
                    marks.append(home.clock.time() % 300)

        hass.bus.async_listen(EVENT_STATE_CHANGED, note)
        await home.run(600)
        assert max(written.values()) <= 10 + 2
        assert written["energy_total"] >= 10
        assert sum(298 <= mark < 300 for mark in marks) == 2
        written.clear()
        await home.see[0].call("number.set_value", "target_power", value=6.0)
        await home.run(3)
        assert written["charging_power"] == 1
        assert float(home.see[0]("charging_power")) == pytest.approx(6000, abs=50)


async def test_the_next_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was kept is of one meter only; the energy total goes on."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(60)
        kept = {"meter.jsonl", "running.jsonl", "state.jsonl"}
        assert kept <= set(files(home))
        before = float(home.see[0]("energy_total"))
        [subentry] = home.entry.subentries.values()

        async def change(meter: dict[str, Any] | None) -> None:
            """Choose another meter in the settings."""
            old = home.wallbox()
            hass.config_entries.async_update_subentry(
                home.entry, subentry, data={**subentry.data, "meter": meter}
            )
            await eventually(
                lambda: (
                    home.entry.runtime_data.wallboxes.get(subentry.subentry_id)
                    not in {None, old}
                )
            )
            await hass.async_block_till_done()

        # The gateway has another address, the meter is the same.
        same = settings_of(home.meter(), host="localhost", serial="23110001")
        await change(same.as_dict())
        assert home.reading().session is not None
        assert home.reading().account.counter.total_wh is not None
        await home.run(10)
        assert before <= float(home.see[0]("energy_total")) < before + 0.5

        home.meter().replace("4711", 20_000.0)
        await change(settings_of(home.meter(), serial="4711").as_dict())
        assert home.reading().account.counter.total_wh is None
        await home.run(10)
        assert before <= float(home.see[0]("energy_total")) < before + 0.5
        assert home.reading().account.counter.question is None

        await change(None)
        assert kept & set(files(home)) == {"running.jsonl", "state.jsonl"}
        assert float(home.see[0]("energy_total")) >= before


@pytest.mark.parametrize("whole", [True, False], ids=["entry", "wallbox"])
async def test_nothing_is_left(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    whole: bool,
) -> None:
    """A removed wallbox takes its meter's file and question with it."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.run(5)
        home.meter().replace("4711", 0.3)
        await home.run(30)
        issue_id = f"meter_break_{home.wallbox().subentry_id}"
        issues = ir.async_get(hass)
        assert issues.async_get_issue(DOMAIN, issue_id) is not None
        assert "meter.jsonl" in files(home)
        if whole:
            await hass.config_entries.async_remove(home.entry.entry_id)
        else:
            subentry_id = home.wallbox().subentry_id
            hass.config_entries.async_remove_subentry(home.entry, subentry_id)
            await eventually(lambda: not home.entry.runtime_data.wallboxes)
            await hass.async_block_till_done()
        assert files(home) == []
        assert issues.async_get_issue(DOMAIN, issue_id) is None


async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They tell of the meter what helps, and nothing that tells it from others."""
    assert await async_setup_component(hass, "diagnostics", {})
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(30)
        await home.exchange("77777777", 0.3)
        await home.run(30)
        client = await hass_client()
        response = await client.get(
            f"/api/diagnostics/config_entry/{home.entry.entry_id}"
        )
        text = await response.text()
        [wallbox] = json.loads(text)["data"]["wallboxes"]
        measuring = wallbox["measuring"]
        assert measuring["profile"] == "eastron_sdm630"
        assert measuring["link"] == "dedicated tcp"
        assert measuring["figures"]["valid"] > 50
        assert measuring["question"] == "meter_replaced"
        assert measuring["session"]["stage"] == "open"
        assert measuring["findings"] == []
        settings = wallbox["settings"]["meter"]
        assert settings["host"] == "**REDACTED**"
        for secret in ("77777777", "23110001", "127.0.0.1"):
            assert secret not in text
