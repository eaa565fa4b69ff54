"""Sessions as long-term statistics in the recorder of a real Home Assistant."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant

from ..charging.stays import Stay
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.statistics import SessionStatistics

BOX = "504F94_0F0F-box"
PREFIX = "loxone_wallbox:504f94_0f0f_box_"


def night(
    book: SessionBook, start: datetime, power_w: float = 7400.0
) -> tuple[SessionBook, SessionRecord]:
    """Charge from 20 minutes past an hour for two hours and a half."""
    before = 0.0 if book.closing is None else 18_500.0 * book.seq
    stay = Stay(now=start, book=book, wh=1_234_000.0 + before)
    stay.plug()
    stay.until(start + timedelta(minutes=20), timedelta(minutes=1))
    stay.flow(power_w)
    stay.until(stay.now + timedelta(hours=2, minutes=30), timedelta(minutes=1))
    stay.flow(0)
    stay.until(stay.now + timedelta(minutes=10), timedelta(minutes=1))
    record = stay.unplug()
    return stay.book, record


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger of a wallbox."""
    return Ledger(tmp_path, "garage")


@pytest.fixture
def statistics(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    ledger: Ledger,
) -> SessionStatistics:
    """Return the statistics of that ledger."""
    return SessionStatistics(
        hass, BOX, ledger, name="Garage", names={"energy": "energy"}
    )


async def rows(hass: HomeAssistant, key: str) -> list[dict[str, Any]]:
    """Return the hours of a statistic once all is written."""
    instance = get_instance(hass)
    await instance.async_block_till_done()

    def ask() -> list[dict[str, Any]]:
        """Ask the recorder."""
        start = datetime(2020, 1, 1, tzinfo=UTC)
        found = statistics_during_period(
            hass, start, None, {PREFIX + key}, "hour", None, {"state", "sum"}
        )
        return [dict(one) for one in found.get(PREFIX + key, [])]

    return await instance.async_add_executor_job(ask)


START = datetime(2027, 1, 4, 22, tzinfo=UTC)


async def test_energy_is_in_the_hour_it_flowed_in(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """40 minutes, an hour and 50 minutes of 7.4 kW, to the watt-hour."""
    _, record = night(SessionBook(wallbox=BOX), START)
    ledger.write(record, "finished")
    await statistics.async_update()
    found = await rows(hass, "energy")
    assert [one["state"] for one in found] == pytest.approx(
        [7.4 * 40 / 60, 7.4, 7.4 * 50 / 60], abs=0.0011
    )
    assert found[-1]["sum"] == pytest.approx(record.import_wh / 1000, abs=1e-9)
    assert found[0]["start"] == START.timestamp()
    times = await rows(hass, "charging_time")
    assert times[-1]["sum"] * 3600 == pytest.approx(record.importing_s)
    counts = await rows(hass, "sessions")
    assert [one["state"] for one in counts] == [1, 0, 0]


async def test_sums_go_on_from_one_session_to_the_next(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """The sum never falls, whether it is written at once or bit by bit."""
    book, total = SessionBook(wallbox=BOX), 0
    for day in range(3):
        start = START + timedelta(days=day)
        book, record = night(book, start)
        total += record.import_wh
        ledger.write(record, "finished")
        await statistics.async_update(start)
    bit_by_bit = await rows(hass, "energy")
    assert bit_by_bit[-1]["sum"] == pytest.approx(total / 1000, abs=1e-9)
    sums = [one["sum"] for one in bit_by_bit]
    assert sums == sorted(sums)
    await statistics.async_update()
    assert await rows(hass, "energy") == bit_by_bit


async def test_a_session_that_changes_changes_what_follows(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """A session that was deleted leaves empty hours and lower sums behind."""
    book, first = night(SessionBook(wallbox=BOX), START)
    _, second = night(book, START + timedelta(days=1))
    ledger.write(first, "finished")
    ledger.write(second, "finished")
    await statistics.async_update()
    ledger.delete(first.id, START, "owner")
    await statistics.async_update(START)
    found = await rows(hass, "energy")
    assert [one["state"] for one in found[:3]] == [0, 0, 0]
    assert found[-1]["sum"] == pytest.approx(second.import_wh / 1000, abs=1e-9)


async def test_what_the_ledger_has_forgotten_stays(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """Statistics are kept for ever, also of months whose sessions have expired."""
    old = START - timedelta(days=900)
    book, first = night(SessionBook(wallbox=BOX), old)
    _, second = night(book, START)
    ledger.write(first, "finished")
    ledger.write(second, "finished")
    await statistics.async_update()
    before = await rows(hass, "energy")
    assert ledger.expire(START)
    await statistics.async_update()
    assert await rows(hass, "energy") == before


async def test_all_is_forgotten(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """Also where no session is left at all."""
    _, record = night(SessionBook(wallbox=BOX), START - timedelta(days=900))
    ledger.write(record, "finished")
    await statistics.async_update()
    before = await rows(hass, "energy")
    assert before
    assert ledger.expire(START)
    await statistics.async_update()
    assert await rows(hass, "energy") == before


async def test_nothing_is_written_twice(
    hass: HomeAssistant, ledger: Ledger, statistics: SessionStatistics
) -> None:
    """Without a change the recorder is left alone; later only the changes go there."""
    _, record = night(SessionBook(wallbox=BOX), START)
    ledger.write(record, "finished")
    await statistics.async_update()
    await rows(hass, "energy")
    instance = get_instance(hass)
    waiting = instance.backlog
    await statistics.async_update()
    assert instance.backlog == waiting


async def test_nothing_begins_after_the_end(statistics: SessionStatistics) -> None:
    """A record that a thread has written meanwhile waits for the next start."""
    statistics.changed()
    await statistics.async_stop()
    statistics.changed()
    assert statistics._task is None
