"""A session that is surely another one finds a time of its own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st

from .nights import BOX, night, utc
from custom_components.loxone_wallbox.records.importing import beside
from custom_components.loxone_wallbox.records.ledger import Ledger

NOON = utc("2027-01-13T12:00:00")
MINUTE = timedelta(minutes=1)
minutes = st.integers(1, 300)


@given(st.lists(st.tuples(st.integers(0, 60), minutes), max_size=6), minutes, minutes)
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_lies_upon_none(
    tmp_path: Path, others: list[tuple[int, int]], start: int, length: int
) -> None:
    """Its own time where that is free, else the nearest, and never one to come."""
    ledger = Ledger(tmp_path / f"{others}{start}{length}", BOX.wallbox)
    at, spans = NOON, []
    for number, (pause, stay) in enumerate(others):
        record = replace(night(at + pause * MINUTE), seq=number)
        at = record.connected_utc + stay * MINUTE
        record = replace(record, disconnected_utc=at)
        ledger.write(record, "session_finished")
        spans.append((record.connected_utc, at))
    until = NOON + 400 * MINUTE
    begin = NOON + start * MINUTE
    end = min(begin + length * MINUTE, until)
    found = beside(ledger, replace(night(begin), id="it", disconnected_utc=end), until)
    assert found is not None
    assert found[1] <= until
    assert timedelta(seconds=1) <= found[1] - found[0] <= end - begin
    assert not any(one[0] < found[1] and one[1] > found[0] for one in spans)
    if not any(one[0] < end and one[1] > begin for one in spans):
        assert found == (begin, end)
