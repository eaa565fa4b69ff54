"""The owner has people forgotten in the options: asked twice, told what came of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.recorder import get_instance

from .conftest import StartSimulator
from .flow_texts import LANGUAGES
from .helpers import eventually
from .history_home import HistoryHome, history_home
from .security_home import logged
from .test_people import listed, named, step
from custom_components.loxone_wallbox import flow_forget
from custom_components.loxone_wallbox.people import async_get_people
from custom_components.loxone_wallbox.personal_data import Forgotten
from custom_components.loxone_wallbox.records.forgotten_rows import Rows, Traces

NAME, TAG, OTHER = "Ada Lovelace", "04A2B3C4D5", "77FF00"


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home in which two have charged, one with a name."""
    async with history_home(hass, start_simulator) as home:
        people = await async_get_people(hass)
        tag, other = (people.pseudonym(one) for one in (TAG, OTHER))
        await home.keep(
            home.session("2026-01-10T18:00", user=tag),
            home.session("2026-01-12T18:00", user=other),
        )
        await named(home, (TAG, NAME))
        yield home


async def answer(home: HistoryHome, shown: Any, given: dict[str, Any]) -> Any:
    """Answer a step, and wait for what is being done."""
    options = home.hass.config_entries.options
    shown = await options.async_configure(shown["flow_id"], given)
    if shown["type"] is FlowResultType.SHOW_PROGRESS:
        assert shown["progress_action"] == "forget"
        await home.hass.async_block_till_done()
        shown = await options.async_configure(shown["flow_id"])
    said = shown.get("description_placeholders") or {}
    for texts in LANGUAGES.values():
        words = texts["options"]["step"][shown["step_id"]]["description"]
        assert "{" not in words.format(**said)
        for error in (shown.get("errors") or {}).values():
            assert "{" not in texts["options"]["error"][error].format(**said)
    return shown


async def test_forgotten(home: HistoryHome) -> None:
    """By the name in the list; the sum stays, and who asked for it is recorded."""
    form = await step(home.hass, home.entry, "forget")
    known = form["data_schema"].schema["forget"].config["options"]
    assert [one["value"] for one in known] == [NAME]
    form = await answer(home, form, {"forget": [NAME, f" {NAME}"]})
    assert form["step_id"] == "forget_confirm"
    assert form["description_placeholders"] == {"people": f"- `{NAME}`"}
    form = await answer(home, form, {"agree": False})
    assert form["errors"] == {"agree": "forget_not_agreed"}
    assert home.entry.options["people"] == {TAG: NAME}
    done = await answer(home, form, {"agree": True})
    assert done["step_id"] == "forget_done"
    assert done["description_placeholders"]["sessions"] == "1"
    assert done["description_placeholders"]["names"] == "1"
    end = await home.hass.config_entries.options.async_configure(done["flow_id"], {})
    assert end["type"] is FlowResultType.CREATE_ENTRY
    assert home.entry.options["people"] == {}
    other = (await async_get_people(home.hass)).pseudonym(OTHER)
    assert await listed(home) == [other, None]
    year = {"period": "year", "date": "2026-06-01", "months": False}
    summed = await home.both("get_summary", answer=True, **year)
    assert summed["total"]["sessions"] == 2
    [told] = await logged(home.hass, home.simulator, "data_deleted")
    assert NAME not in str(told)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, {"forget": "forget_whom"}),
        ({"forget": [" "]}, {"forget": "forget_whom"}),
        ({"forget": [str(one) for one in range(101)]}, {"forget": "forget_whom"}),
        ({"forget": ["x" * 999]}, {"forget": "person_name_invalid"}),
    ],
)
async def test_nobody_is_chosen(
    home: HistoryHome, given: dict[str, Any], error: dict[str, str]
) -> None:
    """Asked again, with what was entered."""
    form = await step(home.hass, home.entry, "forget")
    assert (await answer(home, form, given))["errors"] == error


async def test_nobody_is_known(home: HistoryHome) -> None:
    """Said in the first step, where it can be mended."""
    form = await step(home.hass, home.entry, "forget")
    form = await answer(home, form, {"forget": ["Nobody at all"]})
    form = await answer(home, form, {"agree": True})
    assert (form["step_id"], form["errors"]) == ("forget", {"base": "forget_nobody"})
    assert await logged(home.hass, home.simulator, "data_deleted") == []
    form = await answer(home, form, {"forget": [TAG]})
    assert form["step_id"] == "forget_confirm"
    assert (await answer(home, form, {"agree": True}))["step_id"] == "forget_done"


async def test_a_database_that_is_away(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be done is said; the same again does it."""
    form = await step(home.hass, home.entry, "forget")
    form = await answer(home, form, {"forget": [NAME]})
    with monkeypatch.context() as away:
        away.setattr(get_instance(home.hass), "engine", None)
        form = await answer(home, form, {"agree": True})
    assert (form["step_id"], form["errors"]) == ("forget", {"base": "forget_failed"})
    assert form["description_placeholders"]["error"]
    form = await answer(home, form, {"forget": [TAG]})
    done = await answer(home, form, {"agree": True})
    assert done["step_id"] == "forget_done"


async def test_a_dialogue_that_is_closed(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work goes on."""
    options = home.hass.config_entries.options
    form = await step(home.hass, home.entry, "forget")
    form = await answer(home, form, {"forget": [NAME]})
    shown = await options.async_configure(form["flow_id"], {"agree": True})
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    options.async_abort(shown["flow_id"])
    await eventually(lambda: home.entry.options["people"] == {})
    await home.hass.async_block_till_done()
    assert len(await logged(home.hass, home.simulator, "data_deleted")) == 1


async def test_traces(home: HistoryHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that may keep something in what it freed is told of."""

    async def forget(*_args: Any) -> Forgotten:
        """Return what a database server comes to."""
        rows = Rows(sessions=1, traces=Traces.SERVER)
        return Forgotten(names=1, settings=0, files=1, sessions=1, records=0, rows=rows)

    monkeypatch.setattr(flow_forget, "async_delete", forget)
    form = await step(home.hass, home.entry, "forget")
    form = await answer(home, form, {"forget": [NAME]})
    assert (await answer(home, form, {"agree": True}))["step_id"] == "forget_traces"
