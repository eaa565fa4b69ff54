"""A storm of the same thing becomes two records, and nothing is lost from the count."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.records.security_record import Entry
from custom_components.loxone_wallbox.records.storm import (
    LONGEST,
    MOST_CHANGES,
    MOST_DIFFERENT,
    QUIET,
    SETTLED,
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


def tamper(*, on: bool, box: str = "garage", cause: str = "contact") -> Entry:
    """Return that tampering begins or is over."""
    detail = {"wallbox_id": box, "cause": cause, "policy": "limit"}
    kind = "tamper_on" if on else "tamper_off"
    return Entry(kind=kind, outcome="info", source="miniserver", detail=detail)


def firmware(before: str, after: str) -> Entry:
    """Return that the firmware is another one."""
    detail = {"what": "firmware", "from": before, "to": after}
    return Entry(kind="firmware_changed", outcome="info", detail=detail)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (tamper(on=True), tamper(on=False)),
        (firmware("15.0", "14.0"), firmware("14.0", "15.0")),
        (
            Entry(kind="meter_link_lost", outcome="info", detail={"since": "17:30"}),
            Entry(kind="meter_link_restored", outcome="info"),
        ),
    ],
)
def test_what_comes_goes_and_comes_is_written(one: Entry, other: Entry) -> None:
    """The last that is written is how it stands, whatever happens then."""
    storms = Storms()
    for second, entry in enumerate((one, other, one, one, other, one)):
        written = storms.take(entry, NOW + timedelta(seconds=second))
        if second == 3:
            assert written == []
        else:
            assert written[-1] == entry
        if second == 4:
            assert written[0].detail["repeated"] == 1
    assert storms.flush() == []


def test_another_wallbox_or_cause_ends_no_storm() -> None:
    """Each has a state of its own."""
    storms = Storms()
    for entry in (
        tamper(on=True),
        tamper(on=True, box="carport"),
        tamper(on=True, cause="meter_link"),
        tamper(on=False, box="carport"),
    ):
        assert storms.take(entry, NOW) == [entry]
    assert storms.take(tamper(on=True), NOW) == []


def test_a_contact_that_flutters() -> None:
    """Ten changes are written, the rest are counted, and the last once it stands."""
    storms, written, at = Storms(), list[Entry](), NOW
    for number in range(25):
        at = NOW + timedelta(seconds=number)
        written += storms.take(tamper(on=number % 2 == 0), at)
    assert len(written) == MOST_CHANGES
    assert storms.next_due == at + SETTLED
    [last] = storms.due(at + SETTLED)
    assert last.kind == "tamper_on"
    assert last.detail["repeated"] == 15
    assert last.detail["cause"] == "contact"
    assert last.detail["first"] == "2027-01-13T17:30:10.000Z"
    # How it stands now is written at once again when it was quiet for a while.
    over = tamper(on=False)
    assert storms.take(over, at + QUIET) == [over]


def test_a_contact_that_flutters_for_long() -> None:
    """One record each minute tells how it stands, and none is lost from the count."""
    storms, written = Storms(), list[Entry]()
    for number in range(600):
        at = NOW + timedelta(seconds=number)
        written += storms.take(tamper(on=number % 2 == 0), at)
    assert len(written) in range(MOST_CHANGES + 8, MOST_CHANGES + 12)
    assert counted([*written, *storms.flush()]) == 600


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 90)), max_size=200))
def test_how_it_stands_is_written(events: list[tuple[int, int]]) -> None:
    """However it changes, a moment later the last record of each tells how it stands."""
    storms, now, written = Storms(), NOW, list[Entry]()
    stands: dict[str, str] = {}
    for which, pause in events:
        now += timedelta(seconds=pause / 10)
        entry = tamper(on=which % 2 == 0, box=f"box{which // 2}")
        stands[entry.detail["wallbox_id"]] = entry.kind
        written += storms.take(entry, now)
    written += storms.due(now + SETTLED)
    assert {one.detail["wallbox_id"]: one.kind for one in written} == stands
    written += storms.flush()
    assert counted(written) == len(events)
    assert {one.detail["wallbox_id"]: one.kind for one in written} == stands
