"""Sessions that a silent counter has to share, whatever happens in the silence."""

from datetime import timedelta

from hypothesis import given, settings, strategies as st
import pytest

from .stays import Stay, utc
from custom_components.loxone_wallbox.charging.session import (
    SessionRecord,
    check_no_overlap,
)
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.tally import Reading

START = utc("2027-01-13T21:40:00")
# How long nobody is there, a car is there, and at which power it charges.
cars = st.lists(
    st.tuples(
        st.integers(1, 9_000),
        st.integers(1, 40_000),
        st.sampled_from((0.0, 1_400.0, 11_000.0)),
    ),
    min_size=1,
    max_size=5,
)


class Silent(Stay):
    """A wallbox whose counter says nothing until it is read again."""

    def look(self) -> None:
        """Take the wallbox's word alone."""
        reading = Reading(at=self.now, charging=self.power_w > 50, blind=True)
        self.take(self.book.read(reading, self.rules))

    def visit(self, wait_s: int, stay_s: int, power_w: float) -> float:
        """Let a car come and leave; returns what it took in Wh."""
        self.power_w = 0.0
        self.pass_unread(timedelta(seconds=wait_s))
        self.take(
            self.book.plugged(
                self.now, self.rules, None if self.book.awaits else self.wh
            )
        )
        return self.charge(stay_s, power_w)

    def charge(self, stay_s: int, power_w: float) -> float:
        """Let the car that is there charge and leave."""
        before, self.power_w = self.wh, power_w
        self.look()
        self.pass_unread(timedelta(seconds=stay_s))
        self.look()
        self.take(self.book.unplugged(self.now, self.rules))
        return self.wh - before

    def records(self) -> list[SessionRecord]:
        """Return what was told last of each session, in their order."""
        last = {one.record.id: one.record for one in self.told}
        return sorted(last.values(), key=lambda one: one.seq)


def silenced() -> Silent:
    """Return a wallbox whose counter falls silent while a car charges."""
    stay = Silent(now=START)
    stay.plug()
    stay.flow(11_000.0)
    stay.until(stay.now + timedelta(seconds=60))
    stay.take(stay.book.link_lost(stay.now, stay.rules))
    return stay


@given(cars, st.integers(1, 9_000), st.booleans(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_or_doubled(
    visits: list[tuple[int, int, float]], first_s: int, stays: bool, restart: int
) -> None:
    """The sum is the counter's rise, with a restart somewhere in the silence."""
    stay = silenced()
    begun = 1_234_000
    stay.charge(first_s, 11_000.0)
    for number, visit in enumerate(visits):
        if number == restart:
            stay.book = SessionBook.from_dict(stay.book.as_dict())
        stay.visit(*visit)
    if stays:
        stay.power_w = 0.0
        stay.pass_unread(timedelta(minutes=5))
        stay.take(stay.book.plugged(stay.now, stay.rules))
        stay.flow(7_400.0)
        stay.until(stay.now + timedelta(seconds=30))
        stay.unplug()
    else:
        stay.power_w = 0.0
        stay.pass_unread(timedelta(minutes=20))
        stay.read()
    found = stay.records()
    assert sum(one.import_wh for one in found) == round(stay.wh) - begun
    assert len(found) == 1 + len(visits) + stays
    check_no_overlap(found)
    for one in found:
        one.check()


@pytest.mark.parametrize("told", [True, False], ids=["told", "timed"])
def test_each_gets_what_it_took(told: bool) -> None:
    """By the wallbox's word, else by time: cars at one power are told apart."""
    stay = silenced()
    before = stay.wh - 1_234_000
    wh = [before + stay.charge(1_800, 11_000.0)]
    wh += [stay.visit(300, 600, 11_000.0), stay.visit(300, 60, 0.0)]
    if told:
        words = dict(zip((1, 2, 3), (0.9 * one for one in wh), strict=True))
        stay.book = stay.book.heard(lambda one: words[one.seq])
    stay.power_w = 0.0
    stay.pass_unread(timedelta(minutes=20))
    stay.read()
    found = stay.records()
    assert [one.import_wh for one in found] == [pytest.approx(one, abs=3) for one in wh]
    assert [one.quality.estimated_timing for one in found] == [True, True, False]
    assert stay.kinds[-3:] == ["session_corrected"] * 3


def test_a_new_meter_ends_the_waiting() -> None:
    """What an exchanged meter did not tell is nobody's, and nothing is made up."""
    stay = silenced()
    stay.charge(600, 11_000.0)
    stay.take(stay.book.plugged(stay.now, stay.rules))
    assert stay.book.waiting
    stay.take(stay.book.meter_broke(stay.now, stay.rules, None, 300.0))
    assert not stay.book.waiting
    stay.wh = 300.0
    stay.read()
    stay.wh = 400.0
    stay.read()
    assert stay.unplug().import_wh == 100
