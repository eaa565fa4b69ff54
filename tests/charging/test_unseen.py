"""Cars that come while nobody looks: their sessions add up to what the meter counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .stays import Stay, rules, utc
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.rest import Rest, begin_wh
from custom_components.loxone_wallbox.charging.session import (
    SessionRecord,
    check_no_overlap,
)
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.tally import Reading

START = utc("2027-01-13T21:40:00")
RULES = rules()
seconds = st.integers(1, 9_000)
energies = st.integers(0, 30_000)
# How far the Miniserver's word of an energy is off, in Wh.
errors = st.integers(-5, 5)
nonsense = st.one_of(st.none(), st.floats(), st.integers(-100_000, 100_000))
# A car comes and leaves before us, comes in an absence and stays, is found gone.
events = st.one_of(
    st.tuples(st.just("visit"), seconds, energies),
    st.tuples(st.just("idle"), seconds),
    st.tuples(st.just("restart"), seconds),
    st.tuples(st.just("arrive"), seconds, energies, nonsense),
    st.tuples(st.just("leave"), seconds, energies),
    st.tuples(st.just("swap"), seconds, energies, energies, nonsense),
)


@dataclass
class Unseen(Stay):
    """A wallbox whose Home Assistant may be away; the counter is in whole Wh."""

    wh: float = 1_234_000.0
    present: bool = False
    visits: int = 0
    # None has the Miniserver tell the truth.
    word: Any = None
    records: dict[str, SessionRecord] = field(default_factory=dict)

    def life(self, wait_s: int, wh: int = 0) -> None:
        """Let time and energy pass that nobody sees."""
        self.now += timedelta(seconds=wait_s)
        self.wh += wh

    def back(self, **found: Any) -> None:
        """Come back from an absence with what was saved, or with nothing."""
        self.power_w = 0.0
        self.saved = self.saved or json.dumps(self.book.as_dict())
        visit = str(self.visits) if self.present else None
        self.restart(connected=self.present, visit_id=visit, **found)

    def on_idle(self, wait_s: int) -> None:
        """Let time pass."""
        self.life(wait_s)
        self.read()

    def on_visit(self, stay_s: int, wh: int) -> None:
        """Have a car come, charge and leave before our eyes."""
        if self.present:
            return
        self.visits += 1
        self.take(self.book.plugged(self.now, RULES, self.wh, str(self.visits)))
        self.flow(7_400.0)
        self.life(stay_s, wh)
        self.power_w = 0.0
        self.read()
        self.unplug()

    def on_restart(self, away_s: int) -> None:
        """Be away for a time in which nothing happens."""
        self.life(away_s)
        self.back()

    def on_arrive(self, away_s: int, wh: int, word: Any) -> None:
        """Have a car come and charge in an absence."""
        if self.present:
            return
        self.present, self.visits = True, self.visits + 1
        self.life(1)
        since = self.now
        self.life(away_s, wh)
        self.back(visit_since=since, visit_wh=word)

    def on_leave(self, away_s: int, wh: int) -> None:
        """Have the car charge and leave in an absence."""
        if self.present:
            self.life(away_s, wh)
            self.present = False
            self.back()

    def on_swap(self, away_s: int, before: int, after: int, word: Any) -> None:
        """Have the car leave and another come in one absence."""
        if self.present:
            self.life(away_s, before)
            self.visits += 1
            since = self.now
            self.life(away_s, after)
            self.back(visit_since=since, visit_wh=word)

    def end(self) -> list[SessionRecord]:
        """Let the car leave before our eyes; returns all sessions."""
        self.life(1)
        self.read()
        if self.book.open is not None:
            self.unplug()
        last = {one.record.id: one.record for one in self.told}
        return sorted(last.values(), key=lambda one: one.seq)


def played(story: Sequence[tuple[Any, ...]]) -> tuple[Unseen, list[SessionRecord]]:
    """Play a story at a wallbox that was seen empty once."""
    wallbox = Unseen(now=START)
    wallbox.read()
    for name, *numbers in story:
        getattr(wallbox, f"on_{name}")(*numbers)
    return wallbox, wallbox.end()


@given(st.lists(events, max_size=12))
@settings(max_examples=60, deadline=None)
def test_never_more_than_the_meter_counted(story: list[tuple[Any, ...]]) -> None:
    """Whatever the Miniserver says of what a stay took."""
    wallbox, records = played(story)
    assert sum(one.import_wh for one in records) <= wallbox.wh - 1_234_000
    check_no_overlap(records)
    for one in records:
        one.check()


near = st.one_of(
    st.tuples(st.just("visit"), seconds, energies),
    st.tuples(st.just("idle"), seconds),
    st.tuples(st.just("restart"), seconds),
    st.builds(
        lambda away, wh, off: ("arrive", away, wh, float(max(wh + off, 0))),
        *(seconds, energies, errors),
    ),
    st.tuples(st.just("leave"), seconds, energies),
    st.builds(
        lambda away, old, new, off: ("swap", away, old, new, float(max(new + off, 0))),
        *(seconds, energies, energies, errors),
    ),
)


@given(st.lists(near, max_size=12))
@settings(max_examples=60, deadline=None)
def test_just_what_the_meter_counted(story: list[tuple[Any, ...]]) -> None:
    """A word that is a few watt-hours off makes no difference to the sum."""
    wallbox, records = played(story)
    assert sum(one.import_wh for one in records) == wallbox.wh - 1_234_000


@pytest.mark.parametrize("off", [-3, 3])
@pytest.mark.parametrize("idle_s", [1, 90])
def test_a_kill_before_the_car_came(off: int, idle_s: int) -> None:
    """The case of every day: a visit, a while later Home Assistant is gone."""
    wallbox, records = played(
        [
            ("visit", 600, 1_500),
            ("idle", idle_s),
            ("idle", idle_s),
            ("arrive", 600, 1_400, 1_400.0 + off),
        ]
    )
    assert wallbox.now > START
    assert [one.import_wh for one in records] == [1_500, 1_400]
    assert records[1].meter_start_wh == records[0].meter_stop_wh


def test_standby_is_nobodys() -> None:
    """What the wallbox itself needs in a night without a car is in no session."""
    wallbox = Unseen(now=START)
    wallbox.on_visit(600, 1_500)
    for _ in range(8 * 60):
        wallbox.life(60)
        wallbox.wh += 0.1
        wallbox.read()
    wallbox.on_arrive(600, 1_400, 1_398.0)
    records = wallbox.end()
    # The disk has it every five minutes.
    assert [one.import_wh for one in records] == [1_500, pytest.approx(1_400, abs=1)]
    assert wallbox.wh - 1_234_000 == pytest.approx(1_500 + 48 + 1_400)


def away(book: SessionBook, at: datetime, wh: float, **found: Any) -> SessionBook:
    """Return the book after a restart that finds a car there."""
    book = SessionBook.from_dict(json.loads(json.dumps(book.as_dict())))
    reading = Reading(at=at, wh=wh, power_w=0.0)
    seen = Found(connected=True, reading=reading, visit_id="there", **found)
    return book.resumed(seen, RULES).book


def begun(book: SessionBook) -> int | None:
    """Return where the running session began."""
    assert book.open is not None
    return book.open.start_wh


def seen_empty(wh: float = 5_000.0) -> SessionBook:
    """Return the book of a wallbox that was seen without a car."""
    empty = Found(connected=False, reading=Reading(at=START, wh=wh, power_w=0.0))
    return SessionBook(wallbox="box").resumed(empty, RULES).book


def test_what_others_took_between() -> None:
    """A stay that only the Miniserver watched has its energy, the next one the rest."""
    later = START + timedelta(hours=9)
    there = {"visit_since": later - timedelta(hours=1), "visit_wh": 2_997.0}
    assert begun(away(seen_empty(), later, 10_000, **there, between_wh=2_001)) == 7_001
    # Nobody tells of a stay, and something took it.
    assert begun(away(seen_empty(), later, 10_000, **there)) == 7_003
    # A stay of another time, by a clock that is wrong, did not take it.
    assert begun(away(seen_empty(), later, 8_000, **there, between_wh=2_001)) == 5_000


@pytest.mark.parametrize(("risen", "own"), [(550, 550), (600, 0)])
@pytest.mark.parametrize("stayed_s", [5, 3_600, None])
def test_a_word_from_before_the_car_charged(
    stayed_s: int | None, risen: int, own: int
) -> None:
    """What can have flowed since then at full power is this car's, and not another's.

    Since when it is there is told by another clock, which may be ahead of ours.
    """
    later = START + timedelta(hours=9)
    since = None if stayed_s is None else later - timedelta(seconds=stayed_s)
    strong = replace(RULES, max_w=11_000.0)
    reading = Reading(at=later, wh=5_000.0 + risen, power_w=11_000.0)
    found = Found(connected=True, reading=reading, visit_since=since, visit_wh=0.0)
    book = seen_empty().resumed(found, strong).book
    assert begun(book) == 5_000 + risen - own


def test_a_stay_that_is_accounted_for_is_not_named_between_again() -> None:
    """Found empty, the rest is behind the newest stay that only the wallbox saw."""
    book = seen_empty()
    assert book.rest is not None
    book = replace(book, rest=replace(book.rest, visit="a"))
    at = START + timedelta(hours=2)
    empty = Found(
        connected=False,
        reading=Reading(at=at, wh=5_079.0, power_w=0.0),
        between_wh=79,
        last_visit="b",
    )
    rest = book.resumed(empty, RULES).book.rest
    assert rest is not None
    assert (rest.wh, rest.visit) == (5_079, "b")


def test_who_left_unseen_and_stays_after_that() -> None:
    """The session before, a stay that nobody saw and the present one share the rise."""
    first = seen_empty().plugged(START, RULES, 5_000.0, "first").book
    first = first.read(Reading(at=START, wh=5_000.0, power_w=7_400.0), RULES).book
    later = START + timedelta(hours=9)
    seen = Found(
        connected=True,
        reading=Reading(at=later, wh=10_000.0, power_w=0.0),
        visit_id="there",
        visit_since=later - timedelta(hours=1),
        visit_wh=1_003.0,
        ended_at=START + timedelta(hours=1),
        between_wh=999,
    )
    step = first.resumed(seen, RULES)
    assert step.told[0].record.import_wh == 10_000 - 5_000 - 1_003 - 999
    assert begun(step.book) == 10_000 - 1_003


def test_a_late_counter_and_a_stay_nobody_saw() -> None:
    """What a silent counter owes to the last session does not include another's."""
    book = seen_empty().plugged(START, RULES, 5_000.0, "first").book
    book = book.link_lost(START, RULES).book
    gone = START + timedelta(hours=1)
    book = book.unplugged(gone, RULES).book
    assert book.awaits
    assert book.idle_since == gone
    later = START + timedelta(hours=9)
    empty = Found(
        connected=False,
        reading=Reading(at=later, wh=10_000.0, power_w=0.0),
        between_wh=2_000,
    )
    step = book.resumed(empty, RULES)
    assert [one.record.import_wh for one in step.told] == [3_000]
    assert begun(away(step.book, later, 10_500.0, visit_wh=497.0)) == 10_000


def test_a_meter_that_is_silent_as_the_car_is_found() -> None:
    """Its first reading tells where the session began: no earlier than it rested."""
    later = START + timedelta(hours=9)
    book = away(seen_empty(), later, float("nan"), visit_wh=2_990.0)
    assert begun(book) is None
    book = SessionBook.from_dict(json.loads(json.dumps(book.as_dict())))
    book = book.heard(lambda _: 3_010.0)
    book = book.read(Reading(at=later, wh=8_000.0, power_w=0.0), RULES).book
    assert begun(book) == 5_000
    ended = book.unplugged(later, RULES, 8_000.0)
    assert ended.told[-1].record.import_wh == 3_000


def test_a_car_comes_while_only_the_meter_is_read() -> None:
    """What flows without a session does not move the rest, nor does the pause after."""
    book, at, wh = seen_empty(), START, 5_000.0
    for power_w in (0.0, 0.0, 7_200.0, 7_200.0, 0.0, 0.0):
        at += timedelta(seconds=60)
        wh += power_w / 60
        book = book.read(Reading(at=at, wh=wh, power_w=power_w), RULES).book
    assert wh == 5_240
    assert begun(away(book, at, wh, visit_wh=237.0)) == 5_000
    # Once it is known who took that the counter rests where it stands.
    empty = Found(connected=False, reading=Reading(at=at, wh=wh, power_w=0.0))
    told = book.resumed(replace(empty, between_wh=237.0), RULES).book
    assert begun(away(told, at, wh + 300, visit_wh=298.0)) == wh
    # Else who is told of next may have taken it: its own word decides.
    untold = book.resumed(empty, RULES).book
    assert begun(away(untold, at, wh + 300, visit_wh=533.0)) == 5_000
    assert begun(away(untold, at, wh + 300, visit_wh=298.0)) == wh + 2


def test_a_counter_that_forgot_its_last_step() -> None:
    """A restart knows only whole steps: nothing is counted twice."""
    reading = Reading(at=START, wh=4_991.0)
    assert Rest.found(reading, kept=(5_000, START)).wh == 5_000
    assert Rest.found(reading, kept=(5_200, START)).wh == 4_991
    book = away(seen_empty(), START + timedelta(hours=1), 4_991.0, visit_wh=4.0)
    assert begun(book) == 5_000
    at = START + timedelta(hours=2)
    book = book.read(Reading(at=at, wh=5_400.0, power_w=0.0), RULES).book
    assert book.unplugged(at, RULES).told[-1].record.import_wh == 400


def test_another_counter() -> None:
    """One that has fallen far is another, and the wallbox's word is all there is."""
    assert begin_wh(5_000, 3_000, 1_000) == 2_000
    assert begin_wh(5_000, 500, 1_000) == 0
    book = seen_empty().meter_broke(START, RULES, None, 300.0).book
    assert book.rest is None


def test_a_state_of_before() -> None:
    """A state that was kept before anybody noted the rest is read, and goes on."""
    data = seen_empty().as_dict()
    del data["rest"]
    book = SessionBook.from_dict(data)
    assert book.rest is None
    assert begun(away(book, START + timedelta(hours=1), 8_000.0, visit_wh=3_000)) == (
        5_000
    )


def test_another_stay_before_one_whose_meter_is_silent() -> None:
    """What only the Miniserver saw is not the next session's, however little it is."""
    later = START + timedelta(hours=9)
    there = {"visit_wh": 50.0, "between_wh": 101}
    book = away(seen_empty(), later, float("nan"), **there)
    book = SessionBook.from_dict(json.loads(json.dumps(book.as_dict())))
    book = book.heard(lambda _: 1_000.0)
    book = book.read(Reading(at=later, wh=6_102.0, power_w=0.0), RULES).book
    assert begun(book) == 5_101


def test_a_restart_after_the_clock_was_set_back() -> None:
    """The session is ahead of the clock; what flowed unseen is awaited none the less."""
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    book = seen_empty().plugged(START, RULES, 5_000.0, "first").book
    book = book.unplugged(START + hour, RULES, 5_000.0).book
    came = START + 10 * minute
    book = book.plugged(came, RULES, 5_000.0, "second").book
    assert book.open is not None
    assert book.open.ahead == 50 * minute
    book = book.read(Reading(at=came, wh=5_000.0, power_w=7_200.0), RULES).book
    seen = came + minute
    book = book.read(Reading(at=seen, wh=5_120.0, power_w=7_200.0), RULES).book
    silent = Reading(at=seen + hour, power_w=0.0)
    gone = Found(connected=False, reading=silent, ended_at=seen + minute)
    step = book.resumed(gone, RULES)
    assert step.book.awaits
    [record] = [one.record for one in step.told if one.record.disconnected_utc]
    assert record.connected_s == 120
    late = step.book.read(Reading(at=seen + 2 * hour, wh=5_240.0, power_w=0.0), RULES)
    assert [one.record.import_wh for one in late.told] == [240]


@pytest.mark.parametrize("silent", [False, True], ids=["", "silent"])
@pytest.mark.parametrize(("word", "own"), [(1_390.0, 1_400), (300.0, 300)])
def test_an_old_word_and_the_next(word: float, own: int, *, silent: bool) -> None:
    """What seemed to be another's is the car's own, if the next word says so."""
    at, wh = START + timedelta(hours=2), 6_290.0
    seen = float("nan") if silent else wh
    book = away(seen_empty(), at, seen, visit_wh=12.0)
    if silent:
        book = book.heard(lambda _: 12.0)
        book = book.read(Reading(at=at, wh=wh, power_w=0.0), RULES).book
    assert begun(book) == 6_278
    # It says the same as before until it says more.
    book = book.heard(lambda _: 12.0)
    book = SessionBook.from_dict(json.loads(json.dumps(book.as_dict())))
    at, wh = at + timedelta(minutes=1), 6_400.0
    book = book.read(Reading(at=at, wh=wh, power_w=0.0), RULES).book
    book = book.heard(lambda _: word).heard(lambda _: 5_000.0)
    [record] = [one.record for one in book.unplugged(at, RULES, wh).told]
    record.check()
    assert record.import_wh == own


def test_a_stay_without_a_reading_is_known_by_name() -> None:
    """Once the counter has told what it took it is not another's stay in between."""
    later = START + timedelta(hours=9)
    found = Found(connected=True, reading=Reading(at=later), visit_id="there")
    book = seen_empty().resumed(found, RULES).book
    book = book.unplugged(later + timedelta(seconds=5), RULES).book
    assert book.awaits
    assert book.last_visit == "there"
    for minutes in (1, 2, 10):
        at = later + timedelta(minutes=minutes)
        book = book.read(Reading(at=at, wh=5_100.0, power_w=0.0), RULES).book
        assert book.last_visit == "there"
    assert book.closing is None
    assert book.rest is not None
    assert (book.rest.wh, book.rest.visit) == (5_100, "there")


def test_a_counter_that_forgot_while_it_was_awaited() -> None:
    """What a step had told before a restart is not the next car's once more."""
    book = seen_empty().plugged(START, RULES, 5_000.0, "first").book
    at = START + timedelta(minutes=1)
    book = book.read(Reading(at=at, wh=5_120.0, power_w=7_200.0), RULES).book
    book = book.link_lost(at, RULES).book
    at += timedelta(seconds=20)
    book = book.unplugged(at, RULES).book
    assert book.awaits
    at += timedelta(minutes=10)
    step = book.read(Reading(at=at, wh=5_118.0, power_w=0.0), RULES)
    assert not step.book.awaits
    book = step.book.plugged(at, RULES, 5_118.0, "second").book
    assert begun(book) == 5_120
