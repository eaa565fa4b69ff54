"""Forget people: what tells who charged, or who did something, wherever we keep it.

Takes what somebody is called (the owner's name, a user or tag of the Miniserver, our own
pseudonym, or a user of Home Assistant), forgets them in running sessions, ledgers, security
logs, the database and the options. What they add up to stays: energy, time, cost. What may
go wrong: a disk or a database that does not answer; then what was done stays done, and the
owner is told to try again. Copies are out of reach: backups, exported files, what Home
Assistant itself knows of its users.
"""

import asyncio
from collections.abc import Collection, Mapping, Set as AbstractSet
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
import re
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from .charging.session import PSEUDONYM, SessionRecord
from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry
from .history import async_get_store, ledger_of, turn_of, wallbox_key
from .naming import CONF_PEOPLE, named_people
from .people import async_get_people
from .personal_users import async_forget_in_states, forget_in_settings
from .records.forgetting import Whom, forget_in_folder
from .records.ledger import Ledger
from .records.security_log import SecurityLog
from .security import security_of

if TYPE_CHECKING:
    from .records.forgotten_rows import Rows

RECORDER = "recorder"
# A database that is packed anew takes its time.
DATABASE_PATIENCE_S = 1800.0
_USER = re.compile(r"[0-9a-f]{32}")


class DatabaseBusyError(Exception):
    """The database did not take the change."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Persons:
    """Whom to forget: `ids` of Miniservers, `users` by Home Assistant's ids, `names`.

    `pseudonyms` are ours, of all of them.
    """

    ids: frozenset[str]
    users: frozenset[str]
    names: frozenset[str]
    pseudonyms: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """Return what they are called, by themselves or by others."""
        return self.ids | self.names

    @property
    def whom(self) -> Whom:
        """Return how they are known in sessions."""
        return Whom.of(self.pseudonyms, self.words)

    def is_person(self, pseudonym: str) -> bool:
        """Tell whether somebody is one of them."""
        return pseudonym in self.pseudonyms


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was forgotten: names, settings, files, sessions, records of logs, rows."""

    names: int
    settings: int
    files: int
    sessions: int
    records: int
    rows: Rows | None

    @property
    def anything(self) -> bool:
        """Tell whether there was anything to forget."""
        kept = self.files or self.sessions or self.records
        return bool(self.names or self.settings or kept)

    @property
    def leaves_traces(self) -> bool:
        """Tell whether the database may still have something in what it freed."""
        return self.rows is not None and not self.rows.clean


async def async_persons(hass: HomeAssistant, asked: Collection[str]) -> Persons:
    """Return who is meant by some names, users, tags or pseudonyms."""
    people = await async_get_people(hass)
    wanted = {one.strip().casefold() for one in asked}
    ids, names = set(), {one.strip() for one in asked}
    for entry in hass.config_entries.async_entries(DOMAIN):
        for one, name in named_people(entry.options).items():
            called = {one.casefold(), name.strip().casefold(), people.pseudonym(one)}
            if called & wanted:
                ids.add(one)
                names.add(name)
    users = await hass.auth.async_get_users()
    ours = {
        user.id
        for user in users
        if {user.id, (user.name or "").casefold(), people.pseudonym(user.id)} & wanted
    }
    # Somebody may be no user any more, and still be kept as one.
    ours |= {one for one in wanted if _USER.fullmatch(one)}
    given = {one for one in names if PSEUDONYM.fullmatch(one)}
    # What is no name that we know may be a user or tag that nobody named.
    ids |= names - given - ours
    pseudonyms = {people.pseudonym(one) for one in ids | ours} | given
    return Persons(
        ids=frozenset(ids),
        users=frozenset(ours),
        names=frozenset(names),
        pseudonyms=frozenset(pseudonyms),
    )


async def async_forget(hass: HomeAssistant, persons: Persons) -> Forgotten:
    """Forget people everywhere; raises `JournalError` or `DatabaseBusyError`.

    First where the next record would come from, then what is kept, the database last:
    it can always be made anew from the files.
    """
    entries: list[LoxoneWallboxConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    names = sum(_forget_names(hass, entry, persons) for entry in entries)
    settings = sum(forget_in_settings(hass, one, persons.users) for one in entries)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        for wallbox in entry.runtime_data.wallboxes.values():
            if wallbox.recording is not None:
                wallbox.recording.forget(persons.pseudonyms)
    files, sessions, records = await async_forget_in_states(hass, persons.users), 0, 0
    told, whom = set(persons.words), persons.whom
    for folder in await hass.async_add_executor_job(_folders, hass):
        changed, theirs = await _async_forget_files(hass, folder, persons)
        files, sessions = files + changed, sessions + len(theirs)
        # As it stood there, which may be in other letters than what was asked for.
        told |= {who for one in theirs for who in one.personal if whom.are(who)}
        records += await _async_forget_log(hass, folder, persons)
    rows = await _async_forget_rows(hass, persons, told)
    if rows is not None:
        # The database may have what the files have lost.
        sessions = max(sessions, rows.sessions)
    return Forgotten(
        names=names,
        settings=settings,
        files=files,
        sessions=sessions,
        records=records,
        rows=rows,
    )


def _forget_names(
    hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, persons: Persons
) -> int:
    """Take people out of the names of an entry's options; returns how many."""
    known = named_people(entry.options)
    left = {one: name for one, name in known.items() if one not in persons.ids}
    if left != known:
        options: Mapping[str, Any] = {**entry.options, CONF_PEOPLE: left}
        hass.config_entries.async_update_entry(entry, options=options)
    return len(known) - len(left)


def _folders(hass: HomeAssistant) -> list[Path]:
    """Return the folders of all Miniservers there are or were. Blocking."""
    whole = Path(hass.config.path(DOMAIN))
    return sorted(one for one in whole.glob("*") if one.is_dir())


async def _async_forget_files(
    hass: HomeAssistant, folder: Path, persons: Persons
) -> tuple[int, list[SessionRecord]]:
    """Forget people in the files of a Miniserver while nobody writes to them.

    Returns in how many files, and their sessions as they were before.
    """
    serial = folder.name
    anywhere = persons.pseudonyms | persons.users
    found = await hass.async_add_executor_job(_wallbox_ids, folder)
    ledgers = [ledger_of(hass, serial, one) for one in found]

    def forget() -> tuple[int, list[SessionRecord]]:
        """Forget, and return whose sessions they were before."""
        theirs = _sessions_of(ledgers, persons)
        return forget_in_folder(folder, anywhere, persons.words), theirs

    async with AsyncExitStack() as turns:
        for one in found:
            await turns.enter_async_context(turn_of(hass, wallbox_key(serial, one)))
        changed, theirs = await hass.async_add_executor_job(forget)
    for record in theirs:
        # What waits for the database must not bring anybody back.
        async_get_store(hass).put(record.without_person())
    return changed, theirs


def _wallbox_ids(folder: Path) -> list[str]:
    """Return the wallboxes of which a folder has files. Blocking."""
    names = {one.name.partition(".")[0] for one in folder.glob("*.jsonl*")}
    return sorted(names - {"security", "retention"})


def _sessions_of(ledgers: list[Ledger], persons: Persons) -> list[SessionRecord]:
    """Return the sessions of some people. Blocking."""
    whom = persons.whom
    return [
        record
        for ledger in ledgers
        for month in ledger.months()
        for record in ledger.month(month).records
        if any(map(whom.are, record.personal))
    ]


async def _async_forget_log(hass: HomeAssistant, folder: Path, persons: Persons) -> int:
    """Forget people in the security log of a Miniserver, set up now or not."""
    security = security_of(hass, folder.name)
    if security is not None:
        return await security.async_forget(persons.is_person)
    log = SecurityLog(folder)
    return await hass.async_add_executor_job(log.forget, persons.is_person)


async def _async_forget_rows(
    hass: HomeAssistant, persons: Persons, told: AbstractSet[str]
) -> Rows | None:
    """Forget people in the database; None where there is none.

    `told` is under which names sessions told of them. Raises `DatabaseBusyError`.
    """
    if RECORDER not in hass.config.components:
        return None
    from .records.forgotten_rows import ForgetTask, Rows  # noqa: PLC0415

    instance = get_instance(hass)
    answer: asyncio.Future[Any] = hass.loop.create_future()

    def done(result: Any) -> None:
        """Take what came of it, from the recorder's thread."""
        hass.loop.call_soon_threadsafe(_answer, answer, result)

    instance.queue_task(
        ForgetTask(
            people=sorted(persons.pseudonyms),
            words=sorted(told - persons.users - persons.pseudonyms),
            users=sorted(persons.users),
            done=done,
        )
    )
    try:
        async with asyncio.timeout(DATABASE_PATIENCE_S):
            result = await answer
    except TimeoutError as err:
        raise DatabaseBusyError("no answer") from err
    if not isinstance(result, Rows):
        raise DatabaseBusyError(str(result).partition("\n")[0]) from result
    return result


def _answer(answer: asyncio.Future[Any], result: Any) -> None:
    """Give an answer, unless nobody waits for it any more."""
    if not answer.done():
        answer.set_result(result)
