"""The owner's names of those who charge: shown and asked for, and kept nowhere else."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .conftest import StartSimulator
from .flow_helpers import suggestions
from .helpers import entity_id, eventually
from .history_home import HistoryHome, history_home
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.loxone_wallbox.people import async_get_people
from simulator import Car

TAG, USER, OTHER = "04A2B3C4D5", "1d2c-0fae-user", "77FF00"


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with a recorder, in which three have charged."""
    async with history_home(hass, start_simulator) as home:
        people = await async_get_people(hass)
        tag, user, other = (people.pseudonym(one) for one in (TAG, USER, OTHER))
        await home.keep(
            home.session("2026-01-10T18:00", user=tag),
            home.session("2026-01-11T18:00", user=user),
            home.session("2026-01-12T18:00", user=other),
        )
        yield home


async def step(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> Any:
    """Open a step of the options."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    return await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": name}
    )


async def named(home: HistoryHome, *rows: tuple[str, str]) -> Any:
    """Send the list of names."""
    form = await step(home.hass, home.entry, "people")
    people = [{"user": user, "name": name} for user, name in rows]
    return await home.hass.config_entries.options.async_configure(
        form["flow_id"], {"people": people}
    )


async def listed(home: HistoryHome, **asked: Any) -> list[str]:
    """Return who is listed, the newest first."""
    answer = await home.both("get_sessions", answer=True, **asked)
    return [one["user"] for one in answer["sessions"]]


async def test_shown_and_asked_for(home: HistoryHome) -> None:
    """A name stands wherever sessions are shown; name and pseudonym filter."""
    people = await async_get_people(home.hass)
    other = people.pseudonym(OTHER)
    done = await named(home, (TAG, "Ada Lovelace"), (USER, "Ada Lovelace"), ("x", ""))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert home.entry.options == {"people": {TAG: "Ada Lovelace", USER: "Ada Lovelace"}}
    ada = "Ada Lovelace"
    assert await listed(home) == [other, ada, ada]
    assert await listed(home, user=" ada lovelace") == [ada, ada]
    assert await listed(home, user=other) == [other]
    assert await listed(home, user=people.pseudonym(TAG)) == [ada]
    assert await listed(home, user=TAG) == []
    year = {"period": "year", "date": "2026-06-01", "months": False}
    answer = await home.both("get_summary", answer=True, by_user=True, **year)
    assert [(one["user"], one["sessions"]) for one in answer["users"]] == [
        ("Ada Lovelace", 2),
        (other, 1),
    ]
    answer = await home.both("get_summary", answer=True, user=ada, **year)
    assert answer["total"]["sessions"] == 2
    answer = await home.both("export_sessions", answer=True, user=ada)
    assert answer["content"].count(",Ada Lovelace,") == 2
    answer = await home.both("export_sessions", answer=True, format="json")
    assert sorted(answer["data"]["users"].values()) == [ada, ada]
    assert "Ada" not in json.dumps(answer["data"]["sessions"])
    calendar = entity_id(home.hass, home.simulator, "sessions")
    events: Any = await home.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": calendar,
            "start_date_time": "2026-01-01T00:00:00",
            "end_date_time": "2026-02-01T00:00:00",
        },
        blocking=True,
        return_response=True,
    )
    texts = [one["description"] for one in events[calendar]["events"]]
    assert ["User: Ada Lovelace" in one for one in texts] == [True, True, False]


async def test_an_export_comes_back(home: HistoryHome) -> None:
    """The names beside the sessions of an export disturb no import."""
    await named(home, (TAG, "Ada"))
    answer = await home.first("export_sessions", answer=True, format="json")
    await home.wipe()
    taken = await home.first("import_sessions", answer=True, data=answer["data"])
    assert taken["wallboxes"][0]["imported"] == 3
    assert (await listed(home))[2] == "Ada"


async def test_nowhere_else(home: HistoryHome, tmp_path: Path) -> None:
    """A running session of somebody with a name: no state, row or ledger has it."""
    await named(home, (TAG, "Ada Lovelace"))
    box = home.simulator.wallboxes[0]
    box.plug(Car(capacity_kwh=50, energy_kwh=10))
    box.set_user(TAG)
    await eventually(lambda: home.see("sessions") == "on")
    box.unplug()
    await eventually(lambda: home.see("sessions") == "off")
    await home.keep()
    states = str(home.hass.states.async_all())
    assert "Ada" not in states
    assert TAG not in states
    contents = await home.hass.async_add_executor_job(written, home, tmp_path)
    assert len(contents) > 2
    for word in (b"Lovelace", TAG.encode()):
        assert not [one for one in contents if word in one]
    report = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert "Ada" not in str(report)
    assert TAG not in str(report)


def written(home: HistoryHome, folder: Path) -> list[bytes]:
    """Return what stands in the files of sessions and of the database."""
    kept = Path(home.hass.config.path("loxone_wallbox"))
    files = [*kept.rglob("*"), *folder.rglob("*")]
    return [one.read_bytes() for one in files if one.is_file()]


async def test_the_list(home: HistoryHome) -> None:
    """Who was seen lately and has no name is shown; a row without one is left out."""
    garage, carport = home.simulator.wallboxes
    for box, user in ((garage, TAG), (carport, USER)):
        box.plug(Car(capacity_kwh=50, energy_kwh=10))
        box.set_user(user)
    seen = [one.wallbox_id for one in home.entry.runtime_data.wallboxes.values()]
    client = home.entry.runtime_data.miniserver.client
    await eventually(
        lambda: all((one := client.wallbox(box).session) and one.user for box in seen)
    )
    form = await step(home.hass, home.entry, "people")
    rows = suggestions(dict(form))["people"]
    assert {one["user"] for one in rows} == {TAG, USER}
    assert {one["name"] for one in rows} == {""}
    shown = form["description_placeholders"]["seen"]
    assert f"- `{TAG}` (Garage, " in shown
    assert f"- `{USER}` (Carport, " in shown
    home.hass.config_entries.options.async_abort(form["flow_id"])
    await named(home, (TAG, " Ada "), (USER, ""))
    assert home.entry.options["people"] == {TAG: "Ada"}
    form = await step(home.hass, home.entry, "people")
    assert suggestions(dict(form))["people"] == [
        {"user": TAG, "name": "Ada"},
        {"user": USER, "name": ""},
    ]
    assert TAG not in form["description_placeholders"]["seen"]
    home.hass.config_entries.options.async_abort(form["flow_id"])
    await named(home)
    assert home.entry.options["people"] == {}


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([("", "Ada")], "person_unknown"),
        ([("x" * 201, "Ada")], "person_unknown"),
        ([(TAG, "x" * 65)], "person_name_invalid"),
        ([(TAG, "A\nda")], "person_name_invalid"),
        ([(TAG, "Ada"), (TAG, "Ben")], "person_twice"),
    ],
)
async def test_what_is_no_name(
    home: HistoryHome, rows: list[tuple[str, str]], error: str
) -> None:
    """The form says what is wrong and keeps what was entered."""
    form = await named(home, *rows)
    assert form["errors"] == {"people": error}
    shown = suggestions(dict(form))["people"]
    assert [(one["user"], one["name"]) for one in shown] == rows
    assert not home.entry.options
    done = await home.hass.config_entries.options.async_configure(
        form["flow_id"], {"people": [{"user": TAG, "name": "Ada"}]}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_other_options_stay(home: HistoryHome) -> None:
    """One step of the options leaves what another one set."""
    options = home.hass.config_entries.options
    await named(home, (TAG, "Ada"))
    form = await step(home.hass, home.entry, "history")
    assert suggestions(dict(form)) == {
        "retention_months": 25,
        "history_on_removal": "stays",
    }
    answers = {"retention_months": 13, "history_on_removal": "goes"}
    await options.async_configure(form["flow_id"], answers)
    form = await step(home.hass, home.entry, "link")
    await options.async_configure(form["flow_id"], {"unavailable_after": 60})
    assert home.entry.options == {
        "people": {TAG: "Ada"},
        "retention_months": 13,
        "history_on_removal": "goes",
        "unavailable_after": 60,
    }
