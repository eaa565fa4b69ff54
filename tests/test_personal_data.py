"""People are forgotten: what tells of them is gone, byte for byte, and totals stay."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
import sqlite3

import probatio
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.components.recorder import get_instance
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .actions import user_id
from .conftest import StartSimulator
from .helpers import eventually
from .history_home import HistoryHome
from .personal_home import (
    DATABASE,
    DATABASE_FILES,
    DRIVER,
    GUEST,
    NAME,
    OTHER,
    TAG,
    USER,
    bytes_of,
    forget,
    personal_home,
    where,
)
from .security_home import log_files, log_of, logged
from custom_components.loxone_wallbox.charging.following import OpenSession
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.loxone_wallbox.history import async_get_store
from custom_components.loxone_wallbox.people import async_get_people
from custom_components.loxone_wallbox.personal_data import async_persons
from custom_components.loxone_wallbox.records import recorder
from simulator import Car


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/{DATABASE}"


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with a recorder, in which three have charged."""
    async with personal_home(hass, start_simulator) as home:
        yield home


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
    own = {(one, name) for one in (guest, driver) for name in DATABASE_FILES}
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


def recorded(folder: Path) -> set[str]:
    """Return the calls that the database recorded of our actions."""
    with sqlite3.connect(folder / DATABASE) as database:
        rows = database.execute("SELECT shared_data FROM event_data").fetchall()
    return {
        text
        for (text,) in rows
        if '"service":"set_default_hours","service_data"' in text
    }


@pytest.mark.parametrize("name", ["", "  ", "e", "u"])
async def test_next_to_no_name(home: HistoryHome, tmp_path: Path, name: str) -> None:
    """A name of a letter is nobody's, none at all is refused; no other call changes."""
    hours = [{"days": ["tue"], "start": "23:00", "end": "23:30"}]
    await home.first("set_default_hours", windows=hours)
    await async_wait_recording_done(home.hass)
    before = await home.hass.async_add_executor_job(recorded, tmp_path)
    with pytest.raises((ServiceValidationError, probatio.Invalid)) as refused:
        await forget(home, name)
    if name.strip():
        assert isinstance(refused.value, ServiceValidationError)
        assert refused.value.translation_key == "personal_data_nobody"
    else:
        assert "at least one letter" in str(refused.value)
    await async_wait_recording_done(home.hass)
    after = await home.hass.async_add_executor_job(recorded, tmp_path)
    assert len(before) == 1
    assert before <= after


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
