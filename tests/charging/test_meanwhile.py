"""Whose energy it is that a meter counts while nobody tells whose car is there."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from .stays import Stay, utc
from custom_components.loxone_wallbox.charging.forgetting import forgotten
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.meanwhile import Meanwhile
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.charging.transition import TransitionKind

BEGIN = utc("2026-11-23 12:00:00")
# A watt-hour each second.
POWER_W = 3600.0


@dataclass
class Away:
    """A car that charges at a wallbox whose Miniserver has just gone away."""

    stay: Stay = field(default_factory=lambda: Stay(now=BEGIN))
    meanwhile: Meanwhile = field(default_factory=lambda: Meanwhile(None))
    ahead: timedelta = timedelta()

    def __post_init__(self) -> None:
        """Let the car come and charge for 600 seconds."""
        self.stay.plug()
        book = self.stay.book
        assert book.open is not None
        named = replace(book.open, visit_id="one", user_id="somebody")
        self.stay.book = replace(book, open=named)
        self.stay.flow(POWER_W)
        self.stay.until(BEGIN + timedelta(seconds=600))
        self.meanwhile = Meanwhile(self.stay.book.open)

    def run(self, seconds: int, power_w: float) -> datetime:
        """Let a power flow for some seconds from now on; return when they are over."""
        self.stay.flow(power_w)
        self._look()
        end = self.stay.now + timedelta(seconds=seconds)
        self.stay.until(end, each=self._look)
        return end

    def silence(self, seconds: int, power_w: float) -> None:
        """Let a power flow for some seconds in which the meter says nothing."""
        stay = self.stay
        stay.take(stay.book.link_lost(stay.now, stay.rules))
        self._look()
        stay.power_w = power_w
        stay.pass_unread(timedelta(seconds=seconds))

    def _look(self) -> None:
        """Take the session as it is."""
        self.meanwhile.take(self.stay.book.open, self.ahead)

    def set_clock(self, step: timedelta, *, away: bool = True) -> None:
        """Set our clock; no time passes."""
        self.stay.now += step
        self.ahead += step
        self.stay.read()
        self.meanwhile.take(self.stay.book.open, self.ahead, away=away)

    def back(self, **found: object) -> list[SessionRecord]:
        """Look what is there; return what ended and, of a present car, what it has."""
        stay = self.stay
        reading = Reading(at=stay.now, wh=stay.wh, power_w=stay.power_w)
        seen = {"connected": True, "visit_id": "other", "reading": reading, **found}
        known = self.meanwhile.completed(
            Found(**seen),  # type: ignore[arg-type]
            stay.book.open,
        )
        stay.take(stay.book.resumed(known, stay.rules))
        ended = TransitionKind.SESSION_FINISHED
        records = [one.record for one in stay.told if one.kind is ended]
        if stay.book.open is not None:
            records.append(stay.book.open.record(stay.rules))
        for record in records:
            record.check()
        return records


def _energies(records: list[SessionRecord]) -> list[int]:
    """Return what each took in Wh."""
    return [one.import_wh for one in records]


def test_another_car() -> None:
    """Each has what was counted while it was there; a pause is no end."""
    away = Away()
    away.run(60, 0)
    left = away.run(100, POWER_W)
    came = away.run(30, 0)
    away.run(400, POWER_W)
    # The Miniserver's word of the other one is an old one.
    records = away.back(ended_at=left, visit_since=came, visit_wh=100)
    assert _energies(records) == [700, 400]
    assert records[0].disconnected_utc == left
    assert records[0].importing_s == 700
    assert records[1].connected_utc == came


def test_only_the_arrival_is_told() -> None:
    """The car has left by when another one came."""
    away = Away()
    came = away.run(30, 0)
    away.run(200, POWER_W)
    assert _energies(away.back(visit_since=came)) == [600, 200]


def test_the_same_car() -> None:
    """What flows after a pause is its own."""
    away = Away()
    away.run(30, 0)
    away.run(200, POWER_W)
    assert _energies(away.back(visit_id="one", visit_since=BEGIN)) == [800]


def test_nobody_there() -> None:
    """A car that came and left in between is not the first one's."""
    away = Away()
    left = away.stay.now
    away.run(30, 0)
    away.run(200, POWER_W)
    away.run(10, 0)
    found = away.back(connected=False, visit_id=None, ended_at=left, between_wh=190)
    assert _energies(found) == [600]
    assert found[0].disconnected_utc == left


@pytest.mark.parametrize("behind", [0, 20, 90])
def test_a_short_charge_before_it_left(behind: int) -> None:
    """Nobody came after it, so all is its own, whatever the Miniserver's clock says."""
    away = Away()
    away.run(8, 0)
    left = away.run(8, POWER_W)
    away.run(60, 0)
    told = left - timedelta(seconds=behind)
    found = away.back(connected=False, visit_id=None, ended_at=told)
    assert _energies(found) == [608]
    assert found[0].disconnected_utc == left


def test_a_short_charge_that_no_meter_told_of() -> None:
    """It has what the counter shows once it is back."""
    away = Away()
    away.run(8, 0)
    away.silence(8, POWER_W)
    stay, left = away.stay, away.stay.now
    stay.power_w = 0.0
    stay.pass_unread(timedelta(seconds=300))
    found = Found(connected=False, ended_at=left, reading=Reading(at=stay.now))
    known = away.meanwhile.completed(found, stay.book.open)
    stay.take(stay.book.resumed(known, stay.rules))
    stay.pass_unread(timedelta(seconds=300))
    stay.read()
    assert stay.told[-1].record.import_wh == 608
    assert stay.told[-1].record.disconnected_utc == left


def test_another_in_between() -> None:
    """What it took is neither the first one's nor the last one's."""
    away = Away()
    left = away.stay.now
    away.run(30, 0)
    away.run(150, POWER_W)
    came = away.run(300, 0)
    away.run(50, POWER_W)
    found = away.back(ended_at=left, visit_since=came, between_wh=140)
    assert _energies(found) == [600, 50]


def test_a_silent_meter() -> None:
    """What flows while the meter is silent too is not what it showed at rest."""
    away = Away()
    left = away.stay.now
    came = away.run(30, 0)
    away.silence(200, POWER_W)
    away.run(30, 0)
    assert _energies(away.back(ended_at=left, visit_since=came)) == [600, 200]


def test_a_late_counter() -> None:
    """What it shows while nothing flows any more has flowed before."""
    away = Away()
    left = away.stay.now
    away.run(5, 0)
    away.stay.wh += 7
    came = away.run(25, 0)
    away.run(200, POWER_W)
    assert _energies(away.back(ended_at=left, visit_since=came)) == [607, 200]


def test_a_clock_that_is_far_off() -> None:
    """A rest at another time says nothing of when the car left."""
    away = Away()
    away.run(30, 0)
    away.run(200, POWER_W)
    late = away.stay.now + timedelta(seconds=300)
    away.stay.now = late
    found = away.back(ended_at=late, visit_since=late)
    assert _energies(found) == [800, 0]


def test_a_person_who_was_forgotten() -> None:
    """Going back brings nobody back, and no revision the ledger had before."""
    away = Away()
    left = away.stay.now
    came = away.run(30, 0)
    away.stay.take(forgotten(away.stay.book, {"somebody"}, away.stay.rules))
    away.run(200, POWER_W)
    assert away.stay.book.open is not None
    before = away.stay.book.open.revision
    [one, _other] = away.back(ended_at=left, visit_since=came)
    assert one.user_id is None
    assert one.revision > before


steps = pytest.mark.parametrize("minutes", [-15, 10, 60 * 24 * 365])


@steps
def test_our_clock_is_set_wrong(minutes: int) -> None:
    """The Miniserver's instants are those of the clock under which the car came."""
    away, step = Away(), timedelta(minutes=minutes)
    away.run(60, 0)
    away.run(100, POWER_W)
    away.set_clock(step)
    left = away.run(50, POWER_W)
    away.run(30, 0)
    [record] = away.back(connected=False, ended_at=left - step)
    assert record.import_wh == 750
    # Back its own time does not go.
    own = timedelta(seconds=810) + max(step, timedelta())
    assert record.connected_s == pytest.approx(own.total_seconds(), abs=1)


@steps
def test_our_clock_is_set_right(minutes: int) -> None:
    """The Miniserver's instants are those of the new clock."""
    away, step = Away(), timedelta(minutes=minutes)
    away.run(60, 0)
    left = away.run(150, POWER_W)
    away.run(30, 0)
    away.run(200, POWER_W)
    away.set_clock(step)
    away.run(30, 0)
    found = away.back(connected=False, ended_at=left + step, between_wh=200)
    assert _energies(found) == [750]


@steps
def test_the_clock_under_which_the_car_came(minutes: int) -> None:
    """A clock that was another one before the car came is of no interest."""
    away, step = Away(), timedelta(minutes=minutes)
    away.meanwhile = Meanwhile(None, timedelta(days=9))
    away.set_clock(timedelta(), away=False)
    away.meanwhile.begin(away.stay.book.open)
    away.run(60, 0)
    away.set_clock(step)
    left = away.run(50, POWER_W)
    away.run(30, 0)
    away.run(200, POWER_W)
    away.run(30, 0)
    found = away.back(connected=False, ended_at=left - step, between_wh=200)
    assert _energies(found) == [650]


@steps
def test_our_clock_was_set_before(minutes: int) -> None:
    """The car came under another clock than the one when the Miniserver went away."""
    away, step = Away(), timedelta(minutes=minutes)
    away.set_clock(step, away=False)
    away.meanwhile.begin(away.stay.book.open)
    left = away.run(50, POWER_W)
    away.run(30, 0)
    away.run(200, POWER_W)
    away.run(30, 0)
    found = away.back(connected=False, ended_at=left - step, between_wh=200)
    assert _energies(found) == [650]


def test_two_clocks_that_are_not_read_at_once() -> None:
    """That is no clock that was set: the Miniserver's instant is taken as it is."""
    away = Away()
    left = away.run(50, 0)
    away.ahead += timedelta(microseconds=7)
    away.run(50, 0)
    [record] = away.back(connected=False, ended_at=left)
    assert record.disconnected_utc == left
