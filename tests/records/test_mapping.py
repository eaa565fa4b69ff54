"""What the database holds of a session adds up to the session."""

from datetime import timedelta

import pytest

from .nights import RULES, utc
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.records.mapping import row_of


@pytest.mark.parametrize("end", ["2026-01-11T00:00", "2026-01-10T23:59:59"])
def test_unplugged_at_midnight(end: str) -> None:
    """What is told of a moment later belongs to the session and is not lost."""
    begin, stop = utc("2026-01-10T23:00"), utc(end)
    book = SessionBook(wallbox="box").plugged(begin, RULES, 1000.0).book
    half = begin + timedelta(minutes=30)
    for at, wh, power in ((begin, 1000.0, 18000.0), (half, 10000.0, 0.0)):
        book = book.read(Reading(at=at, wh=wh, power_w=power), RULES).book
    book = book.unplugged(stop, RULES, 10000.0).book
    late = Reading(at=stop + timedelta(seconds=5), wh=10004.0, power_w=0.0)
    record = book.read(late, RULES).told[0].record
    assert record.import_wh == 9004
    row = row_of(record, RULES.zone)
    assert sum(one.energy_wh for one in row.slices) == 9004
    assert sum(one.connected_s for one in row.slices) == record.connected_s
    assert sum(one.charging_s for one in row.slices) == record.importing_s
