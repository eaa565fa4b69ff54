"""P7: a year of a wallbox through the decision code."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
import random
import time
from zoneinfo import ZoneInfo

from .report import Figure
from custom_components.loxone_wallbox.charging.decision import Decision, decide
from custom_components.loxone_wallbox.charging.delay import DelayMemory, DelayRules
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.regulation import (
    PRESETS,
    PROFILES,
    Preset,
)
from custom_components.loxone_wallbox.charging.schedule import Schedule
from custom_components.loxone_wallbox.charging.wish import Situation, TargetPower

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = 365
TARGET_S = 10.0
# Plug in and out, in hours of the day: morning, afternoon, night.
VISITS = ((6.5, 10.0), (12.0, 15.0), (17.5, 30.5))


@dataclass
class Year:
    """Plays visits, grid events, overrides and a restart each day."""

    situation: Situation
    memory: DelayMemory = field(default_factory=DelayMemory)
    decisions: int = 0
    switches: int = 0

    def __post_init__(self) -> None:
        """Prepare what each decision needs."""
        self.rules = DelayRules(
            wallbox="bench", max_delay_s=600, delayed=PROFILES["gb_2021"].delayed
        )
        self.source = random.Random(7)  # noqa: S311

    def decide(self, now: datetime) -> Decision:
        """Decide once."""
        before = self.memory.settled.allowed
        decision, self.memory = decide(
            self.situation,
            self.memory,
            self.rules,
            now,
            lambda longest: self.source.randint(0, longest),
        )
        self.decisions += 1
        self.switches += before is not decision.target.allowed
        return decision

    def until(self, now: datetime, end: datetime) -> None:
        """Decide at every instant that was asked for."""
        decision = self.decide(now)
        while decision.wake_at is not None and decision.wake_at < end:
            now = max(decision.wake_at, now + timedelta(microseconds=1))
            decision = self.decide(now)

    def play(self) -> None:
        """Play the year."""
        for plugged, event, override, unplugged in _visits():
            self.memory = self.memory.plug_in(plugged)
            book = self.situation.dsr.prune(plugged).add(event, plugged)
            self.situation = replace(self.situation, plugged_at=plugged, dsr=book)
            middle = plugged + (unplugged - plugged) / 2
            self.until(plugged, middle)
            self.situation = replace(self.situation, override=override)
            self.memory = DelayMemory.from_dict(self.memory.as_dict())
            self.until(middle, unplugged)
            self.memory = self.memory.unplug(unplugged)
            self.situation = replace(self.situation, plugged_at=None, override=None)
            self.decide(unplugged)


def _visits() -> Iterator[tuple[datetime, DsrEvent, Override | None, datetime]]:
    """Return the year's visits, each with a grid event and some with an override."""
    for day in range(DAYS):
        for number, (begin, end) in enumerate(VISITS):
            midnight = START + timedelta(days=day)
            plugged = midnight + timedelta(hours=begin)
            unplugged = midnight + timedelta(hours=end)
            event = DsrEvent(
                event_id=f"{day}-{number}",
                start=plugged + timedelta(minutes=40),
                end=plugged + timedelta(minutes=70),
                kind=tuple(DsrKind)[(day + number) % 3],
                limit_kw=6.0,
                response_service=day % 2 == 0,
                heard_at=plugged,
            )
            middle = plugged + (unplugged - plugged) / 2
            override = Override(
                mode=tuple(OverrideMode)[day % 2],
                start=middle,
                end=middle + timedelta(minutes=30),
            )
            yield plugged, event, override if day % 3 == 0 else None, unplugged


def year_seconds() -> Figure:
    """Measure a year of decisions, beside the bare walk over its instants."""
    year = Year(
        Situation(
            min_kw=4.16,
            max_kw=11.0,
            target=TargetPower(limit_kw=11.0, previous_kw=11.0),
            dsr=DsrBook(),
            hours=Schedule(windows=PRESETS[Preset.GB_NIGHT], zone=LONDON),
            end_before=timedelta(seconds=600),
        )
    )
    start = time.perf_counter()
    year.play()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    visits = sum(1 for _ in _visits())
    floor = time.perf_counter() - start
    return Figure(
        id="P7",
        name="year_s",
        value=seconds,
        target=TARGET_S,
        floor=floor,
        floor_name="making the year's visits and events alone, s",
        notes=(
            f"{visits} visits, {year.decisions} decisions, {year.switches} switches",
            f"{year.decisions / seconds:.0f} decisions a second",
            "night preset, Europe/London; each visit a grid event and a restart",
        ),
    )
