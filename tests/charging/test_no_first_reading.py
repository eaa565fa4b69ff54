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
