"""A year of three sessions a day, on each database that Home Assistant knows.

Every occasion, every month and the last twelve months are asked for and held against
sums that the test makes of the same readings in its own way.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant

from .nights import RULES
from .test_store import Kit
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.slices import month_span
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.records.rows import Wanted

LONDON = RULES.zone
FIRST_DAY = datetime(2027, 1, 1, tzinfo=LONDON).date()
DAYS = 365
HALF_HOUR = timedelta(minutes=30)
# When a car comes by the clock, for how many half hours, and Wh in each of them.
VISITS = ((time(7), 4, 900), (time(12, 30), 6, 1400), (time(22), 11, 3571))
BOX = "504F94_garage"


class Year:
    """The sessions of a year and what flowed in each half hour of it."""

    def __init__(self) -> None:
        """Play the year with the book that records real sessions."""
        self.records: list[SessionRecord] = []
        self.flows: list[tuple[datetime, int]] = []
        book, total = SessionBook(wallbox=BOX), 0
        for day in range(DAYS):
            for at, halves, wh in VISITS:
                date = FIRST_DAY + timedelta(days=day)
                start = datetime.combine(date, at, LONDON).astimezone(UTC)
                book = book.plugged(start, RULES, float(total)).book
                for half in range(halves + 1):
                    reading = Reading(
                        at=start + half * HALF_HOUR,
                        wh=float(total),
                        power_w=wh * 2.0 * (half < halves),
                    )
                    book = book.read(reading, RULES).book
                    if half < halves:
                        self.flows.append((reading.at, wh))
                        total += wh
                step = book.unplugged(start + halves * HALF_HOUR, RULES)
                book = step.book
                self.records.append(step.told[-1].record)
        self.total = total

    def flowed(self, start: datetime, end: datetime) -> int:
        """Return the Wh that flowed between two instants."""
        return sum(wh for at, wh in self.flows if start <= at < end)


@pytest.fixture(scope="module")
def year() -> Year:
    """Return the year, which is made once."""
    return Year()


@pytest.fixture
async def kit(
    recorder_mock: Recorder, hass: HomeAssistant, tmp_path: Path
) -> AsyncIterator[Kit]:
    """Return a store at work."""
    one = Kit(hass, tmp_path / "ledger")
    one.store.start()
    yield one
    await one.store.async_stop()


@pytest.mark.slow
async def test_a_year_adds_up(kit: Kit, year: Year) -> None:
    """Any occasion, any month, any twelve months, to the watt-hour."""
    assert sum(one.import_wh for one in year.records) == year.total
    for record in year.records:
        kit.ledger.write(record, "session_finished")
    kit.store.compare()
    await kit.settled()

    records, count = await kit.store.async_listed(Wanted(), limit=2000)
    listed = {one["id"]: one["import_wh"] for one in records}
    assert count == len(listed) == DAYS * len(VISITS)
    assert listed == {one.id: one.import_wh for one in year.records}

    spans = [month_span(2027, month, LONDON) for month in range(1, 13)]
    wanted = [
        Wanted(start=span.start.timestamp(), end=span.end.timestamp()) for span in spans
    ]
    sums = [one for (one,) in await kit.store.async_sums(wanted)]
    assert [one.energy_wh for one in sums] == [
        year.flowed(span.start, span.end) for span in spans
    ]
    began = Counter(one.connected_utc.astimezone(LONDON).month for one in year.records)
    assert [one.sessions for one in sums] == [began[month] for month in range(1, 13)]

    # Both ends lie in the middle of a night's session: its slices count.
    start = datetime(2027, 1, 2, tzinfo=LONDON).astimezone(UTC)
    end = datetime(2027, 12, 31, tzinfo=LONDON).astimezone(UTC)
    inside = Wanted(start=start.timestamp(), end=end.timestamp())
    [[rolling]] = await kit.store.async_sums([inside])
    assert rolling.sessions == DAYS * len(VISITS) - 6
    assert rolling.energy_wh == year.flowed(start, end)
