"""What a new session costs does not grow with the sessions that are there."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from homeassistant.components.recorder import (
    Recorder,
    get_instance,
    statistics as recorder_statistics,
)
from homeassistant.core import HomeAssistant

from .nights import stay, utc
from custom_components.loxone_wallbox.charging.hourly import added_up, hours_of
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.records.hours import LedgerHours
from custom_components.loxone_wallbox.records.importing import plan
from custom_components.loxone_wallbox.records.journal import Content, Journal, Mark
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.statistics import SessionStatistics

BOX = "504F94_garage"
ENERGY = "loxone_wallbox:504f94_garage_energy"
UNTIL = utc("2030-01-01T00:00")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger of two years with two sessions a month."""
    ledger = Ledger(tmp_path, "garage")
    for month in range(24):
        for day in (3, 20):
            at = f"{2026 + month // 12}-{month % 12 + 1:02}-{day:02}T18:10"
            ledger.write(made(at), "test")
    return ledger


def made(start: str, hours: float = 2.0) -> SessionRecord:
    """Return a session of half a kWh an hour."""
    book = SessionBook(wallbox=BOX, seq=utc(start).toordinal())
    return stay(utc(start), hours, book)[1][-1].record


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the months that are read from now on."""
    seen: list[str] = []
    read, read_on = Journal.read, Journal.read_on

    def watched(self: Journal) -> Content:
        """Note which file is read."""
        if ".sessions.2" in self.path.name:
            seen.append(self.path.name.split(".")[2])
        return read(self)

    def watched_on(self: Journal, mark: Mark | None) -> Any:
        """Note how much of a file is read."""
        found = read_on(self, mark)
        seen.append(f"{self.path.name.split('.')[2]}: {len(found[0])}")
        return found

    monkeypatch.setattr(Journal, "read", watched)
    monkeypatch.setattr(Journal, "read_on", watched_on)
    return seen


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many hours the recorder is asked for from now on, each time."""
    seen: list[int] = []
    ask: Callable[..., dict[str, list[Any]]] = (
        recorder_statistics.statistics_during_period
    )

    def watched(*args: Any) -> dict[str, list[Any]]:
        """Count what comes."""
        found = ask(*args)
        seen.append(sum(len(rows) for rows in found.values()))
        return found

    monkeypatch.setattr(recorder_statistics, "statistics_during_period", watched)
    return seen


@pytest.fixture
def statistics(
    recorder_mock: Recorder, hass: HomeAssistant, ledger: Ledger
) -> SessionStatistics:
    """Return the statistics of the ledger."""
    return SessionStatistics(hass, BOX, ledger, name="Garage", names={})


async def energy(hass: HomeAssistant) -> dict[datetime, tuple[float, float]]:
    """Return what the recorder has of the energy once all is written."""
    instance = get_instance(hass)
    await instance.async_block_till_done()
    found = await instance.async_add_executor_job(
        recorder_statistics.statistics_during_period,
        *(hass, utc("2020-01-01T00:00"), None, {ENERGY}, "hour", None),
        {"state", "sum"},
    )
    return {
        datetime.fromtimestamp(one["start"]).astimezone(): (
            one.get("state") or 0.0,
            one.get("sum") or 0.0,
        )
        for one in found[ENERGY]
    }


async def test_a_new_session(
    hass: HomeAssistant,
    ledger: Ledger,
    statistics: SessionStatistics,
    files: list[str],
    hours: list[int],
) -> None:
    """Only its month is read, then only what is new, and of the recorder what is near."""
    await statistics.async_update()
    before = list((await energy(hass)).values())[-1][1]
    record = made("2027-12-28T18:10")
    ledger.write(record, "test")
    files.clear()
    hours.clear()
    await statistics.async_update(record.connected_utc)
    assert files == ["2027-12: 3"]
    assert sum(hours) <= 4 * 3 * 24
    found = await energy(hass)
    assert list(found.values())[-1][1] == pytest.approx(before + record.import_wh / 1e3)
    assert len(found) == 49 * 2
    record = made("2027-12-30T18:10")
    ledger.write(record, "test")
    files.clear()
    await statistics.async_update(record.connected_utc)
    assert files == ["2027-12: 1"]
    kept = list((await energy(hass)).values())
    assert len(kept) == 50 * 2
    await SessionStatistics(hass, BOX, ledger, name="Garage", names={}).async_update()
    assert list((await energy(hass)).values()) == kept


async def test_after_a_long_pause(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """The sum goes on from where it was, however long ago that is."""
    await statistics.async_update()
    before = list((await energy(hass)).values())[-1][1]
    record = made("2029-11-03T18:10")
    ledger.write(record, "test")
    late = SessionStatistics(hass, BOX, ledger, name="Garage", names={})
    await late.async_update(record.connected_utc)
    found = await energy(hass)
    assert list(found.values())[-1][1] == pytest.approx(before + record.import_wh / 1e3)


async def test_two_at_once(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """What the recorder was given and has not written yet counts as well."""
    await statistics.async_update()
    before = list((await energy(hass)).values())[-1][1]
    more = 0
    for day in (24, 26, 28):
        record = made(f"2027-12-{day}T18:10")
        more += record.import_wh
        ledger.write(record, "test")
        await statistics.async_update(record.connected_utc)
    assert list((await energy(hass)).values())[-1][1] == pytest.approx(
        before + more / 1e3
    )


async def test_one_that_began_last_month(
    hass: HomeAssistant,
    ledger: Ledger,
    statistics: SessionStatistics,
    files: list[str],
) -> None:
    """A session that goes on into a month is read with it, and no older one."""
    ledger.write(made("2027-12-31T23:10", 3.0), "test")
    await statistics.async_update()
    kept = await energy(hass)
    files.clear()
    await statistics.async_update(utc("2028-01-01T01:00"))
    assert files == ["2027-12: 3"]
    ledger.write(made("2028-01-04T18:10"), "test")
    files.clear()
    await statistics.async_update(utc("2028-01-01T01:00"))
    assert files == ["2028-01: 1", "2028-01", "2027-12"]
    assert kept.items() <= (await energy(hass)).items()


def test_whatever_becomes_of_a_file(ledger: Ledger) -> None:
    """What was read before is the same as what stands there now, line by line."""
    little, start = LedgerHours(ledger), utc("2027-12-10T00:00")
    path = ledger._journal("2027-12").path

    def agree() -> None:
        """Compare with what one reads who knows nothing."""
        whole = ledger.since(start).records
        hours = (hour for one in whole for hour in hours_of(one))
        found = little.since(start)
        assert found == added_up(one for one in hours if one.start >= start)

    agree()
    assert little.since(start)
    new, longer = made("2027-12-28T18:10"), made("2027-12-28T18:10", 3.0)
    ledger.write(new, "test")
    agree()
    ledger.write(longer, "corrected")
    agree()
    with path.open("ab") as file:
        file.write(b"{half a li")
    agree()
    ledger.write(made("2027-12-29T18:10"), "test")
    agree()
    ledger.delete(new.id, start, "owner")
    agree()
    ledger.rewrite(
        lambda one: None if one.connected_utc.day == 20 else one.without_person(), start
    )
    agree()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    agree()
    path.write_bytes(whole)
    agree()
    left = [one for one in whole.splitlines(keepends=True) if b"20271229" not in one]
    path.write_bytes(b"".join(left) + b"x" * len(whole) + b"\n")
    agree()


def as_it_is(name: str | None) -> str | None:
    """Return a name, where all are pseudonyms."""
    return name


def test_stays_of_a_miniserver(ledger: Ledger, files: list[str]) -> None:
    """Only the months that they can lie in are read, and it is seen what is there."""
    new, old = made("2027-06-10T18:10"), made("2026-02-03T18:10")
    upon, last = made("2026-11-03T17:10"), made("2027-12-30T23:10", 30.0)
    found = plan(
        ledger,
        BOX,
        [one.as_dict() for one in (new, old, upon, last)],
        UNTIL,
        kept=as_it_is,
    )
    assert [one.id for one in found.take] == [new.id, last.id]
    assert found.there == [old.id]
    assert [one.reason for one in found.refused] == ["sessions_overlap"]
    read = ["2026-01", "2026-02", "2026-10", "2026-11", "2027-05", "2027-06"]
    assert sorted(files) == [*read, "2027-11", "2027-12"]
    assert last.disconnected_utc == utc("2027-12-30T23:10") + timedelta(hours=30)


def test_one_that_is_there_goes_on_into_it(ledger: Ledger) -> None:
    """A session of the month before may lie upon one of the next."""
    ledger.write(made("2027-12-31T22:10", 60.0), "test")
    upon = made("2028-01-02T08:10")
    refused = plan(ledger, BOX, [upon.as_dict()], UNTIL, kept=as_it_is).refused
    assert [one.reason for one in refused] == ["sessions_overlap"]
