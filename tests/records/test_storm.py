"""A storm of the same thing becomes two records, and nothing is lost from the count."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from custom_components.loxone_wallbox.records.security_record import Entry
from custom_components.loxone_wallbox.records.storm import (
    LONGEST,
    MOST_DIFFERENT,
    QUIET,
    Storms,
)

NOW = datetime(2027, 1, 13, 17, 30, tzinfo=UTC)
FAILED = Entry(kind="auth_failed", outcome="attempt_failed", source="network")


def counted(entries: list[Entry]) -> int:
    """Return of how many events some records tell."""
    return sum(one.detail.get("repeated", 1) for one in entries)


def test_one_is_written_at_once() -> None:
    """The first of a storm waits for nothing."""
    storms = Storms()
    assert storms.take(FAILED, NOW) == [FAILED]
    assert storms.next_due == NOW + QUIET
    assert storms.due(NOW + QUIET) == []
    assert storms.next_due is None


def test_a_storm_is_two_records() -> None:
    """The second tells how many came, and the first and last instant of them."""
    storms = Storms()
    written = [
        one
        for second in range(40)
        for one in storms.take(FAILED, NOW + timedelta(seconds=second))
    ]
    assert written == [FAILED]
    [summary] = storms.due(NOW + timedelta(seconds=39) + QUIET)
    assert summary.detail == {
        "repeated": 39,
        "first": "2027-01-13T17:30:01.000Z",
        "last": "2027-01-13T17:30:39.000Z",
    }
    assert (summary.kind, summary.source) == (FAILED.kind, FAILED.source)


def test_a_long_storm_is_told_of_meanwhile() -> None:
    """Every ten minutes, also when it never ends."""
    storms = Storms()
    written = []
    for second in range(0, 3600, 10):
        written += storms.take(FAILED, NOW + timedelta(seconds=second))
    assert len(written) in range(2 * 3600 // int(LONGEST.total_seconds()) - 1, 14)
    assert counted([*written, *storms.flush()]) == 360


def test_what_differs_is_not_one_storm() -> None:
    """Another user or another reason is another record."""
    storms = Storms()
    other = Entry(kind="auth_failed", outcome="attempt_failed", source="miniserver")
    assert storms.take(FAILED, NOW) == [FAILED]
    assert storms.take(other, NOW) == [other]


def test_many_different_ones_do_not_fill_the_log() -> None:
    """Whoever sends another text each time gets one record for all of the rest."""
    storms = Storms()
    written: list[Entry] = []
    for number in range(1000):
        entry = Entry(kind="invalid_input", outcome="info", detail={"text": number})
        written += storms.take(entry, NOW + timedelta(milliseconds=number))
    assert len(written) == MOST_DIFFERENT + 1
    assert counted([*written, *storms.flush()]) == 1000


def test_a_clock_set_back() -> None:
    """What was before is written; nothing waits for an hour."""
    storms = Storms()
    storms.take(FAILED, NOW)
    storms.take(FAILED, NOW)
    [summary, again] = storms.take(FAILED, NOW - timedelta(hours=1))
    assert summary.detail["repeated"] == 1
    assert again == FAILED


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("abcdef"), st.integers(0, 200)),
        max_size=200,
    )
)
def test_every_event_is_counted(events: list[tuple[int, str, int]]) -> None:
    """However they come, the records tell of as many as there were."""
    storms, now, written = Storms(), NOW, list[Entry]()
    for kind, text, pause in events:
        now += timedelta(seconds=pause)
        entry = Entry(kind=f"kind{kind}", outcome="info", detail={"text": text})
        written += storms.take(entry, now)
    assert counted([*written, *storms.flush()]) == len(events)
