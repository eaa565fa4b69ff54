"""People are forgotten: what tells of them is gone, byte for byte, and totals stay."""

from collections.abc import AsyncIterator
from dataclasses import replace
import json
from pathlib import Path
import sqlite3
from typing import Any

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.components.recorder import get_instance
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .actions import user_id
from .conftest import StartSimulator
from .helpers import eventually
from .history_home import HistoryHome, history_home
from .security_home import log_files, log_of, logged
from custom_components.loxone_wallbox.charging.following import OpenSession
from custom_components.loxone_wallbox.charging.observe import Observation
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.people import async_get_people
from custom_components.loxone_wallbox.personal_data import async_persons
from custom_components.loxone_wallbox.records import recorder
from custom_components.loxone_wallbox.undoing import Attempt, Attempts
from simulator import Car

NAME, TAG, USER, OTHER = "Ada Lovelace", "04A2B3C4D5", "1d2c-0fae-user", "77FF00"
GUEST, DRIVER = "Babbage 1791", "Somerville 1780"
DATABASE = "home-assistant_v2.db"


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/{DATABASE}"


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
        await home.keep(home.session("2026-01-13T18:00", box=1, user=tag), box=1)
        named = {TAG: NAME, USER: NAME, OTHER: "Charles"}
        hass.config_entries.async_update_entry(home.entry, options={"people": named})
        await hass.async_block_till_done()
        yield home


async def forget(home: HistoryHome, *users: str, by: Any = "") -> Any:
    """Have people forgotten, by the administrator where nobody else is named."""
    answer = await home.first(
        "delete_personal_data", answer=True, users=list(users), by=by
    )
    await home.hass.async_block_till_done()
    await eventually(lambda: not async_get_store(home.hass).behind, 20)
    return answer


async def bytes_of(home: HistoryHome, folder: Path) -> dict[str, bytes]:
    """Return all that stands in the configuration folder and the database, by file."""
    await home.hass.async_block_till_done()
    await async_wait_recording_done(home.hass)

    def read() -> dict[str, bytes]:
        """Read every file."""
        whole = Path(home.hass.config.config_dir)
        files = {*whole.rglob("*"), *folder.rglob("*")}
        return {str(one): one.read_bytes() for one in files if one.is_file()}

    found = await home.hass.async_add_executor_job(read)
    assert any(name.endswith(DATABASE) for name in found)
    assert any(".sessions." in name for name in found)
    return found


def where(found: dict[str, bytes], *words: str) -> set[tuple[str, str]]:
    """Return which word stands in which file, in any case."""
    return {
        (word, Path(name).name)
        for name, content in found.items()
        for word in words
        if word.casefold().encode() in content.lower()
    }


def told_of(wallbox: WallboxCoordinator) -> str:
    """Return who charges as the Miniserver tells it."""
    session = wallbox.state.session
    return "" if session is None else session.user or ""


def open_of(wallbox: WallboxCoordinator) -> OpenSession | None:
    """Return the running session of a wallbox."""
    return None if wallbox.recording is None else wallbox.recording.book.open


async def test_every_byte(home: HistoryHome, tmp_path: Path) -> None:
    """A name, its tags and pseudonyms are nowhere; sums and other people stay."""
    people = await async_get_people(home.hass)
    guest = await user_id(home.hass, GUEST, "guest")
    driver = await user_id(home.hass, DRIVER, "user")
    pseudonyms = [*map(people.pseudonym, (TAG, USER, guest))]
    words = (NAME, TAG, USER, guest, driver, *pseudonyms)
    other = people.pseudonym(OTHER)
    box = home.simulator.wallboxes[0]
    box.plug(Car(capacity_kwh=50, energy_kwh=10))
    box.set_user(TAG)
    [wallbox, _] = home.entry.runtime_data.wallboxes.values()
    await eventually(
        lambda: (now := open_of(wallbox)) is not None and bool(now.user_id)
    )
    with pytest.raises(HomeAssistantError):
        await home.first("override", mode="charge", by=guest)
    await home.first("override", mode="pause", by=driver)
    assert (await home.both("get_sessions", answer=True, user=NAME))["total"] >= 3
    year = {"period": "year", "date": "2026-06-01", "months": False}
    before = await home.both("get_summary", answer=True, **year)
    found = where(await bytes_of(home, tmp_path), *words)
    kept = {word for word, _ in found}
    assert kept >= {NAME, driver, *pseudonyms}, found

    report = await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert not [one for one in words if one in json.dumps(report, default=str)]

    answer = await forget(home, f" {NAME.lower()} ", GUEST, DRIVER)
    assert answer["names"] == 2
    assert answer["sessions"] >= 3
    assert answer["security_records"] == 1
    assert answer["calls"] >= 1
    assert answer["traces"].startswith("none")
    # That a user came to be Home Assistant tells the database by itself.
    own = {(one, DATABASE + part) for one in (guest, driver) for part in ("", "-wal")}
    assert where(await bytes_of(home, tmp_path), *words) <= own
    assert home.entry.options == {"people": {OTHER: "Charles"}}
    listed = (await home.both("get_sessions", answer=True))["sessions"]
    assert {one["user"] for one in listed} == {None, "Charles"}
    after = await home.both("get_summary", answer=True, **year)
    for name in ("sessions", "energy_kwh", "charging_s"):
        assert after["total"].get(name) == before["total"].get(name)
    assert (await home.first("get_sessions", answer=True, user=other))["total"] == 1

    # What the wallbox goes on saying of the running session is not heard.
    for user in ("", TAG):
        box.set_user(user)
        await eventually(lambda user=user: told_of(wallbox) == user)  # type: ignore[misc]
    box.unplug()
    await eventually(lambda: open_of(wallbox) is None)
    assert where(await bytes_of(home, tmp_path), *words) <= own
    [told] = await logged(home.hass, home.simulator, "data_deleted")
    assert told["detail"] == {"what": "personal_data", "records": 1}
    assert told["source"].startswith("ha_user:p")
    verdict = await home.first("verify_security_log", answer=True)
    assert verdict["whole"]


def kept_of(home: HistoryHome) -> str:
    """Return all that the settings and the states of the wallboxes hold, as text."""
    boxes = home.entry.runtime_data.wallboxes.values()
    live = [[one.settings, one.controller.state.as_dict()] for one in boxes]
    settings = [dict(one.data) for one in home.entry.subentries.values()]
    return json.dumps([live, settings], default=str)


async def test_who_did_something(home: HistoryHome, tmp_path: Path) -> None:
    """A user of Home Assistant is in no state and no setting; what they did stays."""
    hass, simulator = home.hass, home.simulator
    driver = await user_id(hass, DRIVER, "user")
    other = await user_id(hass, "Another", "user")
    signed = {"at": "2026-01-01T00:00:00+00:00", "by": driver}
    for subentry in list(home.entry.subentries.values()):
        users = {"override_users": [driver, other]} if subentry.unique_id else {}
        data = {**subentry.data, **users, "first_use": {"choice": "remove", **signed}}
        data |= {"exemption": {"who": "miniserver", **signed}}
        hass.config_entries.async_update_subentry(home.entry, subentry, data=data)
    await hass.async_block_till_done()
    await home.first("override", mode="pause", by=driver)
    await home.first("cancel_override", by=driver)
    hours = [{"days": ["tue"], "start": "23:00", "end": "23:30"}]
    await home.first("set_default_hours", windows=hours, by=driver)
    [wallbox, second] = home.entry.runtime_data.wallboxes.values()
    before = wallbox.controller.state
    assert before.override is not None
    assert before.hours.changed_by == before.override.by == driver
    assert kept_of(home).count(driver) > 8

    answer = await forget(home, DRIVER)
    assert answer["files"] == 1
    assert driver not in kept_of(home)
    found = where(await bytes_of(home, tmp_path), driver)
    assert {name for _, name in found} <= {DATABASE, f"{DATABASE}-wal"}
    # Nobody was disturbed: the same wallboxes, and what was asked for still stands.
    assert [*home.entry.runtime_data.wallboxes.values()] == [wallbox, second]
    after = wallbox.controller.state
    assert after.override is not None
    assert after.override.end == before.override.end
    assert after.hours.windows == before.hours.windows
    assert after.hours.changed_at == before.hours.changed_at
    # The others may still do what they were allowed to, and nobody more than they.
    await home.first("override", mode="pause", by=other)
    with pytest.raises(ServiceValidationError) as refused:
        await home.first("override", mode="charge", by=driver)
    assert refused.value.translation_key == "not_permitted"
    told = await logged(hass, simulator, "config_security_changed")
    changes = [
        one["detail"] for one in told if one["detail"]["what"] == "override_users"
    ]
    assert {(one["from"], one["to"]) for one in changes[-2:]} == {(2, 1)}
    answer = await forget(home, other)
    assert (answer["settings"], answer["files"]) == (2, 1)
    assert other not in kept_of(home)
    assert wallbox.settings["override_users"] == []
    with pytest.raises(ServiceValidationError):
        await home.first("override", mode="charge", by=other)


async def test_while_nothing_is_set_up(home: HistoryHome, tmp_path: Path) -> None:
    """A wallbox that is not set up has a file all the same, and a user is forgotten."""
    driver = await user_id(home.hass, DRIVER, "user")
    await home.first("override", mode="pause", by=driver)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    await home.hass.auth.async_remove_user(
        await home.hass.auth.async_get_user(driver)  # type: ignore[arg-type]
    )
    call = {"users": [driver]}
    await home.hass.services.async_call(
        DOMAIN, "delete_personal_data", call, blocking=True
    )
    found = where(await bytes_of(home, tmp_path), driver)
    assert {name for _, name in found} <= {DATABASE, f"{DATABASE}-wal"}
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    [wallbox, _] = home.entry.runtime_data.wallboxes.values()
    assert wallbox.controller.state.override is not None
    assert wallbox.controller.state.override.by is None


def test_an_act_that_fails() -> None:
    """What stood before it comes back without whoever was forgotten meanwhile."""
    now = dt_util.utcnow()
    override = Override(mode=OverrideMode.PAUSE, start=now, by="ada")
    before = OwnerState(override=override)
    after = replace(before, override=replace(override, ended_by="ada", end=now))
    attempts = Attempts()
    act = Attempt(
        before=before, after=after, decided=after, commands=None, lasting=False
    )
    attempts.add(act)
    attempts.forget({"ada"})
    seen = Observation(
        connected=True,
        allowed=False,
        charging=False,
        mode=None,
        limit_kw=None,
        blocked_by=None,
        load_shedding=False,
        visit=None,
        min_kw=4.16,
        max_kw=11.0,
        mode_limits={},
    )
    state = attempts.taken_back(act, after.without({"ada"}), seen, now)
    assert state == before.without({"ada"})
    assert "ada" not in json.dumps(state.as_dict())


async def test_what_the_database_left_over(home: HistoryHome, tmp_path: Path) -> None:
    """A copy in a page that nobody uses is found, and the file packed anew for it."""
    pseudonym = (await async_get_people(home.hass)).pseudonym(TAG)
    await async_wait_recording_done(home.hass)

    def leave() -> None:
        """Leave a deleted row behind, as SQLite does unless it is told otherwise."""
        database = sqlite3.connect(tmp_path / DATABASE)
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("CREATE TABLE old (text TEXT)")
        database.execute("INSERT INTO old VALUES (?)", (pseudonym * 300,))
        database.execute("DROP TABLE old")
        database.commit()
        database.close()

    await home.hass.async_add_executor_job(leave)
    answer = await forget(home, TAG)
    assert answer["traces"] == "none_after_packing"
    assert where(await bytes_of(home, tmp_path), pseudonym) == set()


async def test_a_damaged_log(home: HistoryHome, tmp_path: Path) -> None:
    """It stays evidence, with the same break, and its people are forgotten as well."""
    people = await async_get_people(home.hass)
    guest = await user_id(home.hass, GUEST, "guest")
    pseudonym = people.pseudonym(guest)
    for _ in range(3):
        with pytest.raises(HomeAssistantError):
            await home.first("override", mode="charge", by=guest)
        await log_of(home.hass, home.simulator).async_records()
        log_of(home.hass, home.simulator)._storms._storms.clear()
    [path] = log_files(home.hass, home.simulator)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    lines[1] = lines[1].replace(b'"seq":2', b'"seq":9')
    path.write_bytes(b"".join(lines))
    await forget(home, GUEST)
    assert where(await bytes_of(home, tmp_path), pseudonym) == set()
    after = path.read_bytes().splitlines(keepends=True)
    assert len(after[1]) == len(lines[1])
    assert b'"seq":9' in after[1]
    verdict = await home.first("verify_security_log", answer=True)
    assert verdict["broken_seq"] == 2


async def test_of_a_miniserver_that_is_gone(home: HistoryHome, tmp_path: Path) -> None:
    """What stayed of a removed Miniserver is forgotten without it."""
    people = await async_get_people(home.hass)
    pseudonyms = [people.pseudonym(one) for one in (TAG, USER)]
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    await home.hass.async_block_till_done()
    assert where(await bytes_of(home, tmp_path), *pseudonyms)
    persons = await async_persons(home.hass, [TAG, pseudonyms[1]])
    assert persons.pseudonyms == set(pseudonyms)
    answer = await home.hass.services.async_call(
        DOMAIN,
        "delete_personal_data",
        {"users": [TAG, pseudonyms[1]]},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    assert answer["sessions"] == 3
    assert where(await bytes_of(home, tmp_path), *pseudonyms) == set()


async def test_who_may(home: HistoryHome) -> None:
    """Only administrators; nobody forgotten is said, and without their name."""
    guest = await user_id(home.hass, GUEST, "user")
    with pytest.raises(ServiceValidationError) as refused:
        await forget(home, NAME, by=guest)
    assert refused.value.translation_key == "security_administrator_needed"
    [told] = await logged(home.hass, home.simulator, "action_denied")
    assert told["detail"]["action"] == "delete_personal_data"
    assert home.entry.options["people"][TAG] == NAME
    with pytest.raises(ServiceValidationError) as nobody:
        await forget(home, "Nobody at all")
    assert nobody.value.translation_key == "personal_data_nobody"
    assert "Nobody" not in str(nobody.value.translation_placeholders)
    admin = await user_id(home.hass)
    await forget(home, "Charles", admin)
    assert (await logged(home.hass, home.simulator, "data_deleted"))[0][
        "source"
    ] == "integration"


async def test_a_database_that_is_away(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are done, the owner is told, and a second call does the rest."""
    monkeypatch.setattr(recorder, "RETRY_S", (0.1,))
    pseudonym = (await async_get_people(home.hass)).pseudonym(TAG)
    instance = get_instance(home.hass)
    engine, instance.engine = instance.engine, None
    try:
        with pytest.raises(HomeAssistantError) as away:
            await home.first("delete_personal_data", answer=True, users=[NAME])
    finally:
        instance.engine = engine
    assert away.value.translation_key == "personal_data_database_away"
    content = json.dumps(
        [one.as_dict() for one in home.ledger().month("2026-01").records]
    )
    assert pseudonym not in content
    # The database may be ready with it before anybody asks again.
    store = async_get_store(home.hass)
    await eventually(lambda: not store.behind)
    answer = await forget(home, TAG)
    assert answer["traces"].startswith("none")
    assert len(await logged(home.hass, home.simulator, "data_deleted")) == 1
    with pytest.raises(HomeAssistantError) as nobody:
        await forget(home, TAG)
    assert nobody.value.translation_key == "personal_data_nobody"
