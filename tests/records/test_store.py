"""Sessions between their ledgers and the recorder of a real Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.core import HomeAssistant

from custom_components.loxone_wallbox.charging.session import Kind, SessionRecord
from custom_components.loxone_wallbox.charging.transition import session_id
from custom_components.loxone_wallbox.records import recorder, table
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.reconciling import Kept
from custom_components.loxone_wallbox.records.recorder import SessionStore
from custom_components.loxone_wallbox.records.rows import Wanted

LONDON = ZoneInfo("Europe/London")
BOX = "504F94_garage"
START = datetime(2027, 1, 4, 22, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick() -> Any:
    """Try again soon."""
    with patch.object(recorder, "RETRY_S", (0.05,)):
        yield


def made(number: int, **changes: Any) -> SessionRecord:
    """Return a short session of a day."""
    at = START + timedelta(days=number)
    usual: dict[str, Any] = {
        "id": session_id(BOX, at, number),
        "wallbox": BOX,
        "seq": number,
        "connected_utc": at,
        "disconnected_utc": at + timedelta(hours=9),
        "connected_s": 9 * 3600,
        "kind": Kind.OCCASION,
        "revision": 1,
    }
    return SessionRecord(**{**usual, **changes})


class Kit:
    """A ledger, a store and what stands in the database."""

    def __init__(self, hass: HomeAssistant, folder: Path) -> None:
        """Take a folder for the ledger."""
        self.hass = hass
        self.ledger = Ledger(folder, "garage")
        self.repaired: list[str] = []
        self.store = SessionStore(hass, repaired=self.repaired.append)
        self.store.attach(BOX, Kept(ledger=self.ledger, zone=LONDON))

    def keep(self, *records: SessionRecord) -> None:
        """Write records as a wallbox does: the ledger first."""
        for record in records:
            self.ledger.write(record, "test")
            self.store.put(record)

    async def settled(self) -> None:
        """Wait until the database has everything."""
        async with asyncio.timeout(20):
            while self.store.behind:
                await asyncio.sleep(0.01)

    async def in_database(self) -> set[str]:
        """Return the ids in the database, whatever the store thinks."""
        instance = get_instance(self.hass)

        def ask() -> set[str]:
            """Ask it."""
            assert instance.engine is not None
            return set(table.revisions(instance.engine, BOX))

        return await instance.async_add_executor_job(ask)

    async def do(self, work: Callable[[sa.Engine], Any]) -> None:
        """Do something to the database behind the store's back."""
        instance = get_instance(self.hass)
        assert instance.engine is not None
        await instance.async_add_executor_job(work, instance.engine)

    async def listed(self) -> list[str]:
        """Return the ids that are listed."""
        records, total = await self.store.async_listed(Wanted(visits=True), limit=100)
        assert len(records) == total
        return [one["id"] for one in records]


@pytest.fixture
async def kit(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    tmp_path: Path,
) -> AsyncIterator[Kit]:
    """Return a store at work."""
    one = Kit(hass, tmp_path / "ledger")
    one.store.start()
    yield one
    await one.store.async_stop()


ONE, TWO, THREE = made(1), made(2), made(3)


async def test_what_is_kept_is_listed(kit: Kit) -> None:
    """A session is in the database soon after it is in the ledger."""
    kit.keep(ONE, TWO)
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id}
    assert await kit.listed() == [TWO.id, ONE.id]


async def test_what_a_ledger_had_before_follows(kit: Kit) -> None:
    """Sessions that were written while the database was away are brought."""
    kit.ledger.write(ONE, "test")
    kit.store.compare()
    await kit.settled()
    assert await kit.in_database() == {ONE.id}


async def test_what_a_ledger_lost_comes_back(kit: Kit) -> None:
    """A ledger without its files takes them from the database, once."""
    kit.keep(ONE, TWO)
    await kit.settled()
    for file in list(kit.ledger._folder.iterdir()):
        file.unlink()
    kit.store.compare()
    await kit.settled()
    found = [kit.ledger.get(one.id) for one in (ONE, TWO)]
    assert found == [ONE, TWO]
    assert kit.repaired == [BOX]
    assert await kit.in_database() == {ONE.id, TWO.id}


async def test_a_day_later(kit: Kit) -> None:
    """Months that are what they were are not read; whatever changed is noticed."""
    other = made(40)
    kit.keep(ONE, TWO, other)
    await kit.settled()
    kit.store.compare()
    await kit.settled()
    with patch.object(kit.ledger, "month", wraps=kit.ledger.month) as read:
        kit.store.compare()
        await kit.settled()
    assert read.call_args_list == []
    await kit.do(lambda engine: table.remove(engine, [ONE.id]))
    kit.store.compare()
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id, other.id}
    kit.ledger._journal("2027-02").delete()
    kit.store.compare()
    await kit.settled()
    assert kit.ledger.month("2027-02").records == (other,)
    later = replace(TWO, revision=2, import_wh=0, connected_s=7)
    kit.ledger.write(later, "test")
    kit.store.compare()
    await kit.settled()
    [record, _], _ = await kit.store.async_listed(
        Wanted(visits=True, end=other.connected_utc.timestamp()), limit=9
    )
    assert record == later.as_dict()


async def test_a_tombstone_wins_on_both_sides(kit: Kit) -> None:
    """What was deleted does not come back from the database."""
    kit.keep(ONE, TWO)
    await kit.settled()
    kit.ledger.delete(ONE.id, START, "owner")
    kit.store.compare()
    await kit.settled()
    assert await kit.in_database() == {TWO.id}
    assert kit.ledger.get(ONE.id) is None
    assert not kit.repaired


async def test_an_expired_month_leaves_the_database(kit: Kit) -> None:
    """Retention is one, for files and database."""
    old = made(-900)
    kit.keep(old, ONE)
    await kit.settled()
    assert kit.ledger.expire(START) == [f"{old.connected_utc:%Y-%m}"]
    kit.store.compare()
    await kit.settled()
    assert await kit.in_database() == {ONE.id}


async def test_a_dropped_table_is_filled_again(kit: Kit) -> None:
    """Whoever drops our tables loses nothing."""
    kit.keep(ONE, TWO)
    await kit.settled()
    await kit.do(table.METADATA.drop_all)
    assert await kit.listed() == [TWO.id, ONE.id]
    kit.keep(THREE)
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id, THREE.id}
    # Whatever took them took the statistics as well.
    assert kit.repaired == [BOX]
    kit.store.compare()
    await kit.settled()
    assert kit.repaired == [BOX]


async def test_without_a_database_the_ledgers_answer(kit: Kit) -> None:
    """Lists and sums are the same while it is away."""
    kit.keep(ONE, TWO, THREE)
    await kit.settled()
    wanted = Wanted(end=THREE.connected_utc.timestamp(), visits=True)
    sums = await kit.store.async_sums([wanted, Wanted()])
    with patch.object(get_instance(kit.hass), "engine", None):
        assert await kit.listed() == [THREE.id, TWO.id, ONE.id]
        assert await kit.store.async_sums([wanted, Wanted()]) == sums
    assert sums[0][0].connected_s == 18 * 3600


async def test_what_changes_while_it_is_away_follows(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once that it is away, and once that it is back."""
    kit.keep(ONE)
    await kit.settled()
    with patch.object(get_instance(kit.hass), "engine", None):
        kit.keep(TWO)
        kit.keep(made(1, revision=2, user_id="u1"))
        async with asyncio.timeout(20):
            while "cannot be put into the database" not in caplog.text:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    await kit.settled()
    assert await kit.in_database() == {ONE.id, TWO.id}
    listed, _ = await kit.store.async_listed(
        Wanted(users=("u1",), visits=True), limit=10
    )
    assert [one["id"] for one in listed] == [ONE.id]
    assert caplog.text.count("cannot be put into the database") == 1
    assert caplog.text.count("has all sessions again") == 1


async def test_a_new_start_finds_everything(kit: Kit) -> None:
    """Another store on the same ledger and database changes nothing."""
    kit.keep(ONE, TWO)
    await kit.settled()
    await kit.store.async_stop()
    later = SessionStore(kit.hass)
    later.attach(BOX, Kept(ledger=kit.ledger, zone=LONDON))
    with patch.object(table, "write", wraps=table.write) as write:
        later.start()
        records, _ = await later.async_listed(Wanted(visits=True), limit=5)
        assert not any(call.args[1] for call in write.call_args_list)
    assert len(records) == 2
    await later.async_stop()
