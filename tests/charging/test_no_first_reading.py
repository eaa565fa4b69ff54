"""A car that came while Home Assistant was away, with a meter that is silent since.

Where the counter stood before is known: nothing of what it shows at last is lost, and no
session has more than it shows.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from .stays import rules, utc
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.step import Step
from custom_components.loxone_wallbox.charging.tally import Reading

BEFORE_WH = 5_000
RULES = rules()


def at(minutes: float) -> datetime:
    """Return an instant of the story."""
    return utc("2027-01-13T12:00") + timedelta(minutes=minutes)


def shown(minutes: float, wh: float | None) -> Reading:
    """Return what the counter shows, None while it is silent."""
    return Reading(at=at(minutes), wh=wh, power_w=None if wh is None else 0.0)


class Story:
    """What happens to a session whose begin no reading tells."""

    def __init__(self) -> None:
        """Find a car that charges, of which the counter has said nothing yet."""
        self.records: dict[str, SessionRecord] = {}
        self.book = SessionBook(wallbox="box")
        self.take(self.book.read(shown(0, BEFORE_WH), RULES))
        found = Found(
            connected=True,
            reading=shown(5, None),
            visit_id="1",
            visit_since=at(1),
            visit_wh=0.0,
        )
        self.take(self.book.resumed(found, RULES))
        self.charge(6, told=2_000)

    def take(self, step: Step) -> None:
        """Go on, over a restart."""
        self.book = SessionBook.from_dict(step.book.as_dict())
        self.records |= {one.record.id: one.record for one in step.told}

    def charge(self, begin: int, told: float) -> None:
        """Have the wallbox say that it charges, and what the first car took."""
        for minutes in range(begin, begin + 40):
            reading = Reading(at=at(minutes), charging=True, blind=True)
            self.take(self.book.read(reading, RULES))
        self.book = self.book.heard(lambda one: told if one.seq == 1 else 300.0)

    def resume(self, wh: float, taken: float | None) -> None:
        """Find another car, or none, and the counter back."""
        found = Found(
            connected=taken is not None,
            reading=shown(90, wh),
            visit_id=None if taken is None else "2",
            visit_since=None if taken is None else at(60),
            visit_wh=taken,
            ended_at=at(50),
        )
        self.take(self.book.resumed(found, RULES))

    def ends(self, wh: float) -> list[int]:
        """Have everybody leave; return what each session took."""
        self.take(self.book.unplugged(at(100), RULES, wh))
        for record in self.records.values():
            record.check()
        return [one.import_wh for one in self.records.values()]


class Idle(Story):
    """A car that had charged before it was found, and takes nothing any more."""

    def __init__(self, *, charging: bool | None) -> None:
        """Find it; since when it is there is told by a clock that is ahead of ours."""
        self.records = {}
        self.book = SessionBook(wallbox="box")
        self.take(self.book.read(shown(0, BEFORE_WH), RULES))
        reading = Reading(at=at(5), charging=charging, blind=True)
        found = Found(connected=True, reading=reading, visit_id="1")
        self.take(self.book.resumed(found, RULES))

    def stay(self, begin: int, end: int) -> None:
        """Let it stay, and have the wallbox say that it charges not."""
        for minutes in range(begin, end):
            reading = Reading(at=at(minutes), charging=False, blind=True)
            self.take(self.book.read(reading, RULES))


@pytest.fixture
def story() -> Story:
    """Return it up to the moment at which the car has charged for a while."""
    return Story()


def test_the_last_reading_is_the_first(story: Story) -> None:
    """The counter speaks again just when the car leaves."""
    assert story.ends(7_000) == [2_000]


def test_after_it_left(story: Story) -> None:
    """The counter speaks again when the car is gone."""
    story.take(story.book.unplugged(at(60), RULES, None))
    assert story.book.idle_since == at(60)
    story.take(story.book.read(shown(70, 7_000), RULES))
    assert story.ends(7_000) == [2_000]
    assert story.book.rest is not None
    assert story.book.rest.wh == 7_000


def test_after_another_one_came(story: Story) -> None:
    """The counter speaks again while the next car charges."""
    story.take(story.book.unplugged(at(46), RULES, None))
    story.take(story.book.plugged(at(47), RULES, None, "2"))
    story.charge(48, told=2_000)
    story.take(story.book.read(shown(90, 7_300), RULES))
    assert story.ends(7_300) == [2_000, 300]


@pytest.mark.parametrize(
    ("wh", "taken", "parts"),
    [
        (7_000, None, [2_000]),
        (7_500, 500, [2_000, 500]),
        (5_000, 946, [0, 0]),
        (5_300, 946, [0, 300]),
    ],
    ids=["gone", "another", "no rise", "little rise"],
)
def test_left_in_another_absence(
    story: Story, wh: float, taken: float | None, parts: list[int]
) -> None:
    """The counter speaks again after a second absence; its rise is the most there is."""
    story.resume(wh, taken)
    assert story.ends(wh) == parts


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, None), (None, 2_010.0), (100.0, 2_010.0)],
    ids=["never", "after it", "more after it"],
)
def test_it_leaves_at_once(
    story: Story, before: float | None, after: float | None
) -> None:
    """The wallbox may say only after that what the car took, or never."""
    assert story.book.open is not None
    running = replace(story.book.open, told_wh=before)
    story.take(replace(story.book, open=running).unplugged(at(46), RULES, None))
    [ended] = story.records.values()
    assert (ended.meter_start_wh, ended.import_wh) == (None, 0)
    story.book = story.book.heard(lambda _: after)
    story.take(story.book.read(shown(47, 7_000), RULES))
    [corrected] = story.records.values()
    assert (corrected.meter_start_wh, corrected.meter_stop_wh) == (5_000, 7_000)
    assert corrected.import_wh == 2_000
    assert story.ends(7_000) == [2_000]


@pytest.mark.parametrize(
    ("charging", "minutes"),
    [(False, 20), (False, 0), (None, 0), (True, 0)],
    ids=["stays", "just looked at", "unknown", "still charges"],
)
def test_nothing_flows_while_it_is_looked_at(
    charging: bool | None,
    minutes: int,
) -> None:
    """What it took before is its own, although no time passed in which it can have."""
    story = Idle(charging=charging)
    story.stay(6, 5 + minutes)
    story.take(story.book.unplugged(at(5 + minutes), RULES, None))
    story.take(story.book.read(shown(70, 7_000), RULES))
    for _ in range(2):
        assert [one.import_wh for one in story.records.values()] == [2_000]
        assert story.book.rest is not None
        assert (story.book.rest.wh, story.book.awaits) == (7_000, False)
        story.take(story.book.read(shown(71, 7_000), RULES))
    story.take(story.book.plugged(at(80), RULES, 7_000, "2"))
    assert story.ends(7_100) == [2_000, 100]


def test_another_comes_before_the_counter_tells() -> None:
    """The one has what the wallbox says, the other the rest of what has flowed."""
    story = Idle(charging=False)
    story.stay(6, 20)
    story.take(story.book.unplugged(at(20), RULES, None))
    story.take(story.book.plugged(at(26), RULES, None, "2"))
    story.charge(27, told=1_500)
    story.take(story.book.read(shown(90, 7_000), RULES))
    assert story.ends(7_000) == [1_500, 500]
