"""What calendars and sensors of others say becomes grid events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
import json
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.dsr import (
    MAX_LENGTH,
    DsrBook,
    DsrEvent,
    DsrKind,
)
from custom_components.loxone_wallbox.charging.sources import (
    MAX_EVENTS,
    Ask,
    Source,
    calendar_changes,
    limit_in,
    of_source,
    read_asks,
    source_name,
    switched_on,
)

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2027, 1, 13, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALENDAR = Source(name="calendar.saving_sessions")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("limit=6kW", 6.0),
        ("limit=6.5 kW", 6.5),
        ("LIMIT = 4,2 KW", 4.2),
        ("Saving session, limit=0kW please", 0.0),
        ("<p>limit=6&nbsp;kW</p>", 6.0),
        ("limit=6\u00a0kW", 6.0),
        ("a\nlimit=11kw\nb", 11.0),
        ("limit=6kWh", None),
        ("limit=6", None),
        ("limit=-6kW", None),
        ("unlimit=6kW", None),
        ("limit=101kW", None),
        ("limit=" + "9" * 500 + "kW", None),
        ("limit=1.2.3kW", None),
        ("limit=\u0666kW", None),
        ("", None),
        (None, None),
        (6, None),
    ],
)
def test_limit(text: Any, limit: float | None) -> None:
    """A limit is found where one is named."""
    assert limit_in(text) == limit


@given(json_values)
def test_any_description(text: Any) -> None:
    """Nothing that may stand in a description does harm."""
    limit = limit_in(text)
    assert limit is None or 0 <= limit <= 100


@given(
    st.decimals(min_value=0, max_value=100, places=3),
    st.sampled_from([".", ","]),
    st.sampled_from(["", " ", "\t", "\u00a0", "&nbsp;"]),
    st.sampled_from(["kW", "KW", "kw"]),
    st.sampled_from(["", "text ", "(", "<br>"]),
)
def test_limits_are_exact(
    value: Decimal, point: str, space: str, unit: str, before: str
) -> None:
    """Any limit is read as it is written, with a point or a comma."""
    written = str(value).replace(".", point)
    text = f"{before}limit{space}={space}{written}{space}{unit} after"
    assert limit_in(text) == float(value)


@given(json_values)
def test_any_answer(items: Any) -> None:
    """Nothing a calendar may answer does harm."""
    asks, wrong = read_asks(items, LONDON, NOW)
    assert all(ask.end > NOW for ask in asks)
    assert isinstance(items, list) or wrong


texts = st.one_of(
    st.text(),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.dates().map(lambda day: day.isoformat()),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"start": texts, "end": texts},
            optional={"summary": json_values, "description": json_values},
        )
    )
)
def test_any_event(items: list[dict[str, Any]]) -> None:
    """Whatever is read makes events that the book takes."""
    asks, _ = read_asks(items, LONDON, NOW)
    changes = calendar_changes(CALENDAR, asks, (), NOW)
    book = DsrBook()
    for event in changes.take:
        book = book.add(event, NOW)
    assert len(book.events) == len(asks)


def test_read() -> None:
    """Instants, local times and whole days are understood, the rest is named."""
    asks, wrong = read_asks(
        [
            {"start": "2027-07-02T17:00:00+01:00", "end": "2027-07-02T18:00:00+01:00"},
            {"start": "2027-07-01 17:00:00", "end": "2027-07-01 18:00:00"},
            {"start": "2027-07-03", "end": "2027-07-04", "summary": "All day"},
            {"start": "2027-07-05T00:00:00Z", "end": "2027-07-07T00:00:00Z"},
            {"start": "2027-07-05T00:00:00Z", "end": "2027-07-05T00:00:00Z"},
            {"start": "2026-07-05T00:00:00Z", "end": "2026-07-05T01:00:00Z"},
            {"start": "soon", "end": "later"},
            {"end": "2027-07-07T00:00:00Z"},
            None,
        ],
        LONDON,
        NOW,
    )
    assert [(ask.start.isoformat(), ask.end - ask.start) for ask in asks] == [
        ("2027-07-01T16:00:00+00:00", HOUR),
        ("2027-07-02T16:00:00+00:00", HOUR),
        ("2027-07-02T23:00:00+00:00", MAX_LENGTH),
        ("2027-07-05T00:00:00+00:00", MAX_LENGTH),
    ]
    assert len(wrong) == 5
    assert sum("was cut" in about for about in wrong) == 1


def test_too_many() -> None:
    """A calendar full of something else is cut short, and that is said."""
    item = {"start": "2027-07-05T00:00:00Z", "end": "2027-07-05T01:00:00Z"}
    asks, wrong = read_asks([item] * (MAX_EVENTS + 1), LONDON, NOW)
    assert len(asks) == MAX_EVENTS
    assert wrong


def test_names() -> None:
    """Names of sources and ids of events are as short as the book asks."""
    long = "binary_sensor." + "x" * 240
    assert source_name("calendar.plan") == "calendar.plan"
    assert len(source_name(long)) == 80
    assert source_name(long) != source_name(long + "x")
    source = Source(name=source_name(long), limit_kw=4.2, response=True)
    event = switched_on(source, NOW, NOW, timedelta(days=9))
    assert event.end - event.start == MAX_LENGTH
    assert (event.kind, event.limit_kw) == (DsrKind.LIMIT, 4.2)
    assert event.response_service
    take = calendar_changes(source, [Ask(start=NOW, end=NOW + HOUR)] * 3, (), NOW).take
    assert len({one.event_id for one in take}) == 3


class Calendar:
    """A calendar and a book that follows it."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.book = DsrBook()
        self.gone: set[str] = set()

    def say(self, asks: list[Ask], now: datetime = NOW) -> int:
        """Have the book follow; returns how much changed."""
        changes = calendar_changes(
            CALENDAR, asks, self.book.events.values(), now, revivable=self.gone
        )
        for event in changes.take:
            self.book = self.book.add(event, now)
            self.gone.discard(event.event_id)
        for key in changes.cancel:
            self.book = self.book.cancel(key, now)
            self.gone.add(key[1])
        return len(changes.take) + len(changes.cancel)

    @property
    def live(self) -> list[DsrEvent]:
        """Return the events that are not called off."""
        events = of_source(self.book.events.values(), CALENDAR.name)
        return [event for event in events if event.cancelled_at is None]


def ask(start: float, hours: float = 1, title: str = "Save", **more: Any) -> Ask:
    """Return an event some hours from now."""
    begin = NOW + start * HOUR
    return Ask(start=begin, end=begin + hours * HOUR, title=title, **more)


def test_moved_changed_deleted_back() -> None:
    """One event is one, whatever its calendar does with it."""
    calendar = Calendar()
    calendar.say([ask(5)])
    (first,) = calendar.live
    assert (first.kind, first.version) == (DsrKind.PAUSE, 1)
    calendar.say([ask(6)])
    (moved,) = calendar.live
    assert (moved.event_id, moved.version) == (first.event_id, 2)
    assert moved.start == NOW + 6 * HOUR
    calendar.say([ask(6, title="Renamed", limit_kw=6)])
    (renamed,) = calendar.live
    assert (renamed.event_id, renamed.limit_kw) == (first.event_id, 6)
    calendar.say([])
    assert calendar.live == []
    calendar.say([ask(6)])
    (back,) = calendar.live
    assert back.event_id == first.event_id
    assert back.version == 4


def test_called_off_by_somebody_else() -> None:
    """An event that the owner called off stays so."""
    calendar = Calendar()
    calendar.say([ask(5)])
    calendar.book = calendar.book.cancel(calendar.live[0].key, NOW)
    assert calendar.say([ask(5)]) == 0
    assert calendar.live == []


def test_opt_out_outlives_a_new_version() -> None:
    """What the owner left stays left, also when it is prolonged or deleted."""
    calendar = Calendar()
    calendar.say([ask(0, 2)])
    calendar.book = calendar.book.opt_out(NOW + HOUR, None, by_hand=True)
    calendar.say([ask(0, 3)], NOW + HOUR)
    (event,) = calendar.live
    assert event.end == NOW + 3 * HOUR
    assert not list(calendar.book.active(NOW + 1.5 * HOUR))
    assert calendar.say([], NOW + 1.5 * HOUR) == 0


def test_one_at_the_old_place_of_a_moved_one() -> None:
    """Neither takes the place of the other."""
    calendar = Calendar()
    calendar.say([ask(5)])
    calendar.say([ask(6)])
    calendar.say([ask(5), ask(6)])
    assert [event.start for event in calendar.live] == [NOW + 5 * HOUR, NOW + 6 * HOUR]


listings = st.lists(
    st.lists(
        st.builds(
            ask,
            st.integers(0, 60),
            st.integers(1, 24),
            st.sampled_from(["Save", "Shift", ""]),
            limit_kw=st.none() | st.integers(0, 11),
        ),
        max_size=6,
    ),
    max_size=6,
)


@given(listings)
@example([[ask(0)], [ask(0, title="Shift"), ask(0, title="Shift", limit_kw=1)]])
def test_the_book_says_what_the_calendar_says(said: list[list[Ask]]) -> None:
    """After every listing exactly its events hold, and nothing changes twice."""
    calendar = Calendar()
    for asks in said:
        calendar.say(asks)
        held = sorted((one.start, one.end, one.limit_kw or 0) for one in calendar.live)
        assert held == sorted((one.start, one.end, one.limit_kw or 0) for one in asks)
        assert calendar.say(asks) == 0
        kept = json.loads(json.dumps([one.as_dict() for one in calendar.live]))
        assert [DsrEvent.from_dict(one) for one in kept] == calendar.live
