"""The book of grid events: what of it holds at any instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import math
from typing import get_args, get_type_hints

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.dsr import (
    KEEP_ENDED,
    LET_GO,
    DsrBook,
    DsrError,
    DsrEvent,
    DsrKind,
)
from custom_components.loxone_wallbox.charging.owner import new_book
from custom_components.loxone_wallbox.charging.regulation import PROFILES

NOW = datetime(2027, 1, 13, 22, tzinfo=UTC)
# How long the book of section 14a keeps to an event of a silent source.
HELD = timedelta(hours=2)
SILENCES = [LET_GO, HELD]
# The fields of an event that hold a number, those of later versions too.
NUMBERS = sorted(
    name
    for name, kind in get_type_hints(DsrEvent).items()
    if {int, float} & {kind, *get_args(kind)}
)


def seconds(first: int, last: int) -> st.SearchStrategy[timedelta]:
    """Return whole seconds between two numbers."""
    return st.integers(first, last).map(lambda number: timedelta(seconds=number))


@st.composite
def events(draw: st.DrawFn) -> DsrEvent:
    """Return any event around now."""
    start = NOW + draw(seconds(-3600, 3600))
    return DsrEvent(
        event_id=draw(st.sampled_from("ABCDE")),
        program=draw(st.sampled_from(["", "winter"])),
        start=start,
        end=start + draw(seconds(1, 86_400)),
        kind=draw(st.sampled_from(DsrKind)),
        heard_at=NOW,
        limit_kw=draw(st.floats(0, 100)),
        response_service=draw(st.booleans()),
        already_randomised=draw(st.booleans()),
        priority=draw(st.integers(0, 100)),
        reward_per_kwh=draw(st.none() | st.floats(0, 9)),
        validity_s=draw(st.none() | st.integers(1, 7200)),
        version=draw(st.integers(1, 9)),
    )


def filled(found: list[DsrEvent], silence: timedelta, floor: float) -> DsrBook:
    """Return a book with those of the events that it takes."""
    book = DsrBook(silence=silence, floor_kw=floor)
    for event in found:
        try:
            book = book.add(event, NOW)
        except DsrError:
            continue
    return book


@given(
    found=st.lists(events(), max_size=8),
    silence=st.sampled_from(SILENCES),
    floor=st.sampled_from([0.0, 4.2]),
    after=seconds(0, 90_000),
)
def test_the_lowest_limit_holds(
    found: list[DsrEvent], silence: timedelta, floor: float, after: timedelta
) -> None:
    """At any instant the limit is the lowest of the reductions that are active."""
    book, at = filled(found, silence, floor), NOW + after
    limits, increases = [], False
    for event in book.events.values():
        end = event.end
        if event.validity_s is not None:
            end = min(end, NOW + timedelta(seconds=event.validity_s) + silence)
        if not event.start <= at < end:
            continue
        if event.kind is DsrKind.INCREASE:
            increases = True
        else:
            asked = event.limit_kw if event.kind is DsrKind.LIMIT else 0.0
            limits.append(max(asked or 0.0, floor))
    assert book.reduction(at) == min(limits, default=None)
    assert book.increases(at) is increases
    parts = [book.reduction(at, exempt=exempt) for exempt in (True, False)]
    known = [part for part in parts if part is not None]
    assert min(known, default=None) == book.reduction(at)


@given(found=st.lists(events(), max_size=8), at=seconds(0, 90_000))
def test_never_below_the_floor(found: list[DsrEvent], at: timedelta) -> None:
    """Section 14a leaves 4.2 kW, whatever is asked for."""
    book = new_book(PROFILES["de_14a"])
    for event in filled(found, book.silence, 0).events.values():
        book = book.add(event, NOW)
    reduction = book.reduction(NOW + at)
    assert reduction is None or reduction >= 4.2


@given(found=st.lists(events(), max_size=8), at=seconds(0, 90_000))
def test_between_edges_nothing_changes(found: list[DsrEvent], at: timedelta) -> None:
    """What holds at an instant holds since the edge before."""
    book, when = filled(found, LET_GO, 0), NOW + at
    edges = [edge for edge, _ in book.edges(NOW) if edge <= when]
    if edges:
        assert book.reduction(max(edges)) == book.reduction(when)
    else:
        assert book.reduction(when) is None


@given(event=events(), version=st.integers(1, 9))
def test_versions(event: DsrEvent, version: int) -> None:
    """Only a newer version of the same event replaces it."""
    if event.end <= NOW:
        with pytest.raises(DsrError, match="dsr_is_over"):
            DsrBook().add(event, NOW)
        return
    book = DsrBook().add(event, NOW)
    # The same again would be a heartbeat.
    limit = 2.0 if event.limit_kw == 1.0 else 1.0
    other = replace(event, version=version, limit_kw=limit)
    if version <= event.version:
        with pytest.raises(DsrError, match="dsr_version_not_newer"):
            book.add(other, NOW)
        return
    newer = book.add(other, NOW)
    assert len(newer.events) == 1
    assert newer.events[event.key].version == version
    assert newer.events[event.key].limit_kw == limit


@given(
    found=st.lists(events(), min_size=1, max_size=8),
    by=st.none() | st.text(),
    by_hand=st.booleans(),
)
def test_opting_out_outlives_a_new_version(
    found: list[DsrEvent], by: str | None, by_hand: bool
) -> None:
    """The owner's word is about the event, in whatever version."""
    book = filled(found, LET_GO, 0)
    if not list(book.active(NOW)):
        with pytest.raises(DsrError, match="dsr_nothing_active"):
            book.opt_out(NOW, by, by_hand=by_hand)
        return
    left = book.opt_out(NOW, by, by_hand=by_hand)
    assert set(left.events) == set(book.events)
    assert list(left.active(NOW)) == []
    for event in left.events.values():
        later = NOW + timedelta(seconds=5)
        if event.opted_out_at is None or event.end <= later:
            continue
        assert (event.opted_out_by, event.opted_out_by_hand) == (by, by_hand)
        again = replace(
            event,
            version=99,
            opted_out_at=None,
            opted_out_by=None,
            opted_out_by_hand=False,
        )
        newer = left.add(again, later)
        taken = newer.events[event.key]
        assert taken.opted_out_at == NOW
        assert (taken.opted_out_by, taken.opted_out_by_hand) == (by, by_hand)
        assert event.key not in {one.key for one in newer.active(later)}


def event(**changes: object) -> DsrEvent:
    """Return an hour at 6 kW."""
    usual = {
        "event_id": "A",
        "start": NOW,
        "end": NOW + timedelta(hours=1),
        "kind": DsrKind.LIMIT,
        "heard_at": NOW,
        "limit_kw": 6.0,
    }
    return DsrEvent(**{**usual, **changes})  # type: ignore[arg-type]


@given(given=st.fixed_dictionaries({}, optional=dict.fromkeys(NUMBERS, st.floats())))
def test_every_number_is_finite(given: dict[str, float]) -> None:
    """An event is refused, or each of its numbers can be counted with and written."""
    try:
        taken = event(**given)
    except DsrError:
        return
    for name in NUMBERS:
        number = getattr(taken, name)
        assert number is None or math.isfinite(number), name


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("limit_kw", "dsr_limit_invalid"),
        ("priority", "dsr_priority_invalid"),
        ("reward_per_kwh", "dsr_reward_invalid"),
        ("validity_s", "dsr_validity_invalid"),
        ("version", "dsr_version_invalid"),
    ],
)
def test_what_is_no_number(name: str, key: str, bad: float) -> None:
    """It is refused by name, from an action and from what was kept."""
    for kind in DsrKind:
        with pytest.raises(DsrError, match=key):
            event(**{name: bad, "kind": kind})
    with pytest.raises(DsrError, match=key):
        DsrEvent.from_dict({**event().as_dict(), name: bad})


def test_numbers_of_any_size() -> None:
    """A reward may be a fine, and a version a time; neither is a matter of size."""
    assert event(reward_per_kwh=-0.3).reward_per_kwh == -0.3
    assert event(version=10**400).version == 10**400


@pytest.mark.parametrize(
    ("silence", "after", "limit"),
    [
        (LET_GO, 299, 6.0),
        (LET_GO, 300, None),
        (HELD, 300, 6.0),
        (HELD, 7499, 6.0),
        (HELD, 7500, None),
    ],
)
def test_silence(silence: timedelta, after: int, limit: float | None) -> None:
    """A source that falls silent lets go, or holds for so much longer."""
    long = event(validity_s=300, end=NOW + timedelta(hours=9))
    book = DsrBook(silence=silence).add(long, NOW)
    assert book.reduction(NOW + timedelta(seconds=after)) == limit


def test_a_source_that_is_heard_again() -> None:
    """Repeating the word keeps it valid; of an unknown event there is no word."""
    book = DsrBook().add(event(validity_s=300), NOW)
    book = book.heard(("", "A"), NOW + timedelta(seconds=200))
    assert book.reduction(NOW + timedelta(seconds=499)) == 6.0
    assert book.reduction(NOW + timedelta(seconds=500)) is None
    with pytest.raises(DsrError, match="dsr_unknown"):
        book.heard(("", "B"), NOW)


def test_calling_off() -> None:
    """An event that is called off ends there, and only once."""
    book = DsrBook().add(event(), NOW)
    later = NOW + timedelta(minutes=5)
    book = book.cancel(("", "A"), later)
    assert book.reduction(later - timedelta(seconds=1)) == 6.0
    assert book.reduction(later) is None
    with pytest.raises(DsrError, match="dsr_is_over"):
        book.cancel(("", "A"), later)


def test_an_event_cannot_have_been_before_it_was_known() -> None:
    """One that is heard late starts then."""
    late = NOW + timedelta(minutes=10)
    book = DsrBook().add(event(), late)
    assert book.reduction(late - timedelta(seconds=1)) is None
    assert book.reduction(late) == 6.0
    assert min(at for at, _ in book.edges(NOW)) == late


def test_pruning() -> None:
    """Events stay for a while after their end, then they go."""
    book = DsrBook().add(event(), NOW)
    assert book.prune(NOW + KEEP_ENDED).events
    assert not book.prune(NOW + KEEP_ENDED + timedelta(hours=2)).events


@given(found=st.lists(events(), max_size=4))
def test_round_trip(found: list[DsrEvent]) -> None:
    """What is kept comes back as it was."""
    book = filled(found, LET_GO, 0)
    for one in book.events.values():
        assert DsrEvent.from_dict(one.as_dict()) == one
