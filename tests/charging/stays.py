"""Play a car's stay through the sessions' book, second by second or with holes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
from zoneinfo import ZoneInfo

from .nights import LONDON
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.regulation import GB_PEAK
from custom_components.loxone_wallbox.charging.schedule import Schedule
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.slices import SessionRules
from custom_components.loxone_wallbox.charging.step import Step
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.charging.transition import Transition

SECOND = timedelta(seconds=1)


def rules(zone: ZoneInfo = LONDON, *, peak: bool = True) -> SessionRules:
    """Return the rules of a zone with Great Britain's peak."""
    hours = Schedule(windows=GB_PEAK, zone=zone) if peak else None
    return SessionRules(zone=zone, peak=hours)


def utc(text: str) -> datetime:
    """Return an instant of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Stay:
    """A wallbox with a counter in Wh, and what its book makes of it."""

    now: datetime
    wh: float = 1_234_000.0
    power_w: float = 0.0
    rules: SessionRules = field(default_factory=rules)
    book: SessionBook = field(default_factory=lambda: SessionBook(wallbox="box"))
    told: list[Transition] = field(default_factory=list)
    saved: str = ""

    def take(self, step: Step) -> Step:
        """Go on to a step's state; save it where it says so."""
        self.book = step.book
        self.told += step.told
        if step.save:
            self.saved = json.dumps(self.book.as_dict())
        return step

    def plug(self) -> None:
        """Plug the car in."""
        self.take(self.book.plugged(self.now, self.rules, self.wh))

    def unplug(self) -> SessionRecord:
        """Plug it out and return the record."""
        self.take(self.book.unplugged(self.now, self.rules, self.wh))
        return self.told[-1].record

    def read(self) -> None:
        """Read meter and power now."""
        reading = Reading(at=self.now, wh=self.wh, power_w=self.power_w)
        self.take(self.book.read(reading, self.rules))

    def flow(self, power_w: float) -> None:
        """Let another power flow from now on."""
        self.power_w = power_w
        self.read()

    def pass_unread(self, time: timedelta) -> None:
        """Let time pass that nobody sees."""
        self.now += time
        self.wh += self.power_w * time.total_seconds() / 3600

    def until(
        self,
        when: datetime,
        every: timedelta = SECOND,
        each: Callable[[], None] | None = None,
    ) -> None:
        """Let time pass, with a reading so often."""
        while self.now < when:
            self.pass_unread(min(every, when - self.now))
            self.read()
            if each is not None:
                each()

    def restart(self, **found: object) -> None:
        """Lose everything but what was saved, and look what is there."""
        self.book = SessionBook.from_dict(json.loads(self.saved))
        reading = Reading(at=self.now, wh=self.wh, power_w=self.power_w)
        seen = {"connected": True, "reading": reading, **found}
        self.take(self.book.resumed(Found(**seen), self.rules))  # type: ignore[arg-type]

    @property
    def kinds(self) -> list[str]:
        """Return what was told."""
        return [one.kind.value for one in self.told]
