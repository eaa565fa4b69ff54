"""A Miniserver whose clock or time zone is another: what the owner is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
import logging
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator, make_entry, set_up
from .flow_texts import LANGUAGES
from .helpers import eventually
from .stage import GB_NIGHT as NIGHT, stage
from custom_components.loxone_wallbox import clock_repair
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.loxone_wallbox.miniserver import backoff, connection
from simulator import Simulator

GB_NIGHT: dict[str, Any] = {**NIGHT}
OFTEN = timedelta(seconds=0.05)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look as soon as there is a link, and reconnect at once."""
    monkeypatch.setattr(clock_repair, "LOOK_AFTER_S", 0.0)
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


@pytest.fixture
async def british(
    hass: HomeAssistant, miniserver: Simulator
) -> AsyncIterator[MockConfigEntry]:
    """Return an entry under the British rules, at a Miniserver in Britain."""
    entry = make_entry(miniserver, **GB_NIGHT)
    yield entry
    if hass.config_entries.async_get_entry(entry.entry_id) is not None:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice a missing answer soon."""
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT_S", 0.3)


def repair(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair; it is a warning, with its text in every language."""
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, f"miniserver_clock_{entry.entry_id}"
    )
    if issue is not None:
        assert issue.severity is ir.IssueSeverity.WARNING
        given = issue.translation_placeholders or {}
        for texts in LANGUAGES.values():
            for text in texts["issues"][str(issue.translation_key)].values():
                assert text.format(**given)
    return issue


async def look(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Wait for a whole look from now on and return what came of it."""
    miniserver = entry.runtime_data.miniserver
    # The first may have begun before.
    for _ in range(2):
        miniserver.clock = None
        await eventually(lambda: miniserver.clock is not None)
    verdict: str = miniserver.clock["verdict"]
    return verdict


async def test_off(
    hass: HomeAssistant, british: MockConfigEntry, miniserver: Simulator
) -> None:
    """A minute and a half is told, half a minute is not, and a mended clock clears."""
    miniserver.fault("clock_off", seconds=90)
    await set_up(hass, british)
    await eventually(lambda: repair(hass, british) is not None)
    issue = repair(hass, british)
    assert issue is not None
    assert issue.translation_key == "miniserver_clock"
    given = issue.translation_placeholders or {}
    assert given["miniserver"] == "Home"
    assert given["zone"] == "Europe/London"
    assert given["seconds"] in {"89", "90"}
    shown, expected = (
        datetime.fromisoformat(given[name]) for name in ("shown", "expected")
    )
    assert timedelta(seconds=88) < shown - expected < timedelta(seconds=92)
    report = await async_get_config_entry_diagnostics(hass, british)
    told = report["miniserver"]["clock"]
    assert told["verdict"] == "off"
    assert told["ahead_s"] in {89, 90}

    miniserver.fault("clock_off", seconds=-30)
    await miniserver.drop()
    await eventually(lambda: repair(hass, british) is None)
    told = british.runtime_data.miniserver.clock
    assert told["verdict"] == "right"
    assert told["ahead_s"] in {-31, -30}


async def test_another_zone(
    hass: HomeAssistant, british: MockConfigEntry, miniserver: Simulator
) -> None:
    """A Miniserver that is left in Vienna is told of, until it is moved."""
    miniserver.fault("clock_zone")
    await set_up(hass, british)
    await eventually(lambda: repair(hass, british) is not None)
    issue = repair(hass, british)
    assert issue is not None
    assert issue.translation_key == "miniserver_zone"
    assert (issue.translation_placeholders or {})["zone"] == "Europe/London"
    # The same repair, with what is wrong now.
    miniserver.clear("clock_zone")
    miniserver.fault("clock_off", seconds=600)
    await miniserver.drop()
    await eventually(
        lambda: (
            (now := repair(hass, british)) is not None
            and now.translation_key == "miniserver_clock"
        )
    )
    miniserver.clear()
    await miniserver.drop()
    await eventually(lambda: repair(hass, british) is None)


async def test_gone_with_the_entry(
    hass: HomeAssistant, british: MockConfigEntry, miniserver: Simulator
) -> None:
    """Who removes the Miniserver has nothing left to repair."""
    miniserver.fault("clock_off", seconds=90)
    await set_up(hass, british)
    await eventually(lambda: repair(hass, british) is not None)
    await hass.config_entries.async_remove(british.entry_id)
    assert repair(hass, british) is None


async def test_daily(
    hass: HomeAssistant,
    british: MockConfigEntry,
    miniserver: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clock that goes wrong later is found without a new link, and so is its cure."""
    assert timedelta(days=1) == clock_repair.LOOK_EVERY
    monkeypatch.setattr(clock_repair, "LOOK_EVERY", OFTEN)
    await set_up(hass, british)
    assert await look(hass, british) == "right"
    assert repair(hass, british) is None
    miniserver.fault("clock_off", seconds=3000)
    await eventually(lambda: repair(hass, british) is not None)
    miniserver.clear()
    await eventually(lambda: repair(hass, british) is None)
    assert british.runtime_data.miniserver.client.connections == 1


async def test_refused(
    hass: HomeAssistant,
    british: MockConfigEntry,
    miniserver: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A Miniserver that does not know the question: a line for who looks for it."""
    caplog.set_level(logging.DEBUG, "custom_components.loxone_wallbox")
    miniserver.fault("no_clock")
    await set_up(hass, british)
    await eventually(lambda: "could not be read" in caplog.text)
    assert repair(hass, british) is None
    assert british.runtime_data.miniserver.client.connections == 1
    # It may know it after an update of its firmware.
    miniserver.clear()
    miniserver.fault("clock_off", seconds=90)
    await miniserver.drop()
    await eventually(lambda: repair(hass, british) is not None)


@pytest.mark.parametrize(
    "fault",
    [("no_answer", {"match": "sys/date"}), ("no_clock", {"code": 401})],
    ids=["silence", "login refused"],
)
@pytest.mark.usefixtures("hasty")
async def test_not_asked_again(
    hass: HomeAssistant,
    british: MockConfigEntry,
    miniserver: Simulator,
    caplog: pytest.LogCaptureFixture,
    fault: tuple[str, dict[str, Any]],
) -> None:
    """Silence costs the link and a refused login more, so there is no second time."""
    caplog.set_level(logging.DEBUG, "custom_components.loxone_wallbox")
    miniserver.fault(fault[0], **fault[1])
    await set_up(hass, british)
    await eventually(lambda: "is not asked for again" in caplog.text)
    miniserver.clear()
    client = british.runtime_data.miniserver.client
    await eventually(lambda: client.connected)
    links, asked = client.connections, []
    wall_clock = miniserver.unit.wall_clock

    def noted() -> datetime:
        """Note that the clock was read."""
        asked.append(shown := wall_clock())
        return shown

    with patch.object(miniserver.unit, "wall_clock", noted):
        await miniserver.drop()
        await eventually(lambda: client.connections == links + 1 and client.connected)
        # Commands go in turn: by then the clock would have been asked for.
        await client.allow(miniserver.wallboxes[0].uuid, False)
    assert asked == []
    assert british.runtime_data.miniserver.clock is None
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.usefixtures("hasty")
async def test_no_answer_any_more(
    hass: HomeAssistant, british: MockConfigEntry, miniserver: Simulator
) -> None:
    """Of a clock that nobody can look at any more nobody can say that it is wrong."""
    miniserver.fault("clock_off", seconds=90)
    await set_up(hass, british)
    await eventually(lambda: repair(hass, british) is not None)
    miniserver.fault("no_answer", match="sys/date")
    await miniserver.drop()
    await eventually(lambda: repair(hass, british) is None)


async def test_setup_does_not_wait(
    hass: HomeAssistant, british: MockConfigEntry, miniserver: Simulator
) -> None:
    """The wallboxes are there before the answer is."""
    miniserver.fault("delay", match="sys/date", seconds=2.0)
    await set_up(hass, british)
    assert british.runtime_data.miniserver.clock is None
    assert len(british.runtime_data.wallboxes) == 2
    await eventually(lambda: british.runtime_data.miniserver.clock is not None, 10)


async def test_clock_change(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hour that comes twice is right twice; a change a little late is no repair."""
    monkeypatch.setattr(clock_repair, "LOOK_EVERY", OFTEN)
    begin = "2027-10-31T00:00:00"
    async with stage(hass, start_simulator, monkeypatch, begin=begin) as play:

        async def at(text: str) -> str:
            """Look at an instant in UTC."""
            instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
            play.clock.step(instant.timestamp() - play.clock.time())
            return await look(hass, play.entry)

        assert await at("2027-10-31T00:30:00") == "right"
        assert await at("2027-10-31T01:30:00") == "right"
        assert repair(hass, play.entry) is None
        # Half a minute behind: still in summer, while we are not.
        play.simulator.fault("clock_off", seconds=-30)
        assert await at("2027-10-31T01:00:10") == "unsure"
        assert repair(hass, play.entry) is None
        # What was raised is not cleared by a look that says nothing.
        play.simulator.fault("clock_off", seconds=-600)
        assert await at("2027-10-31T00:10:00") == "off"
        assert repair(hass, play.entry) is not None
        play.simulator.fault("clock_off", seconds=-3600)
        assert await at("2027-10-31T00:40:00") == "unsure"
        assert repair(hass, play.entry) is not None
        assert await at("2027-10-31T02:30:00") == "other_zone"
        play.simulator.clear()
        assert await at("2027-10-31T02:31:00") == "right"
        assert repair(hass, play.entry) is None


async def test_one_zone_that_fits_is_enough(
    hass: HomeAssistant, miniserver: Simulator
) -> None:
    """Wallboxes under different rules cannot all have the Miniserver's zone."""
    entry = make_entry(miniserver, **GB_NIGHT)
    entry.add_to_hass(hass)
    second = list(entry.subentries.values())[1]
    hass.config_entries.async_update_subentry(
        entry, second, data={**second.data, "profile": "de_14a"}
    )
    miniserver.fault("clock_zone", zone="Europe/Vienna")
    await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: entry.runtime_data.miniserver.clock is not None)
    assert entry.runtime_data.miniserver.clock["zone"] == "Europe/Berlin"
    assert repair(hass, entry) is None
    await hass.config_entries.async_unload(entry.entry_id)
