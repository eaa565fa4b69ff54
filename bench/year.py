"""P7: a year of a wallbox through the decision code."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
import random
import time
from typing import Any
from zoneinfo import ZoneInfo

from .report import Figure
from custom_components.loxone_wallbox.charging.decision import Decision, decide
from custom_components.loxone_wallbox.charging.delay import (
    DelayMemory,
    DelayRules,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.regulation import (
    PRESETS,
    PROFILES,
    Cause,
    Preset,
)
from custom_components.loxone_wallbox.charging.schedule import Schedule
from custom_components.loxone_wallbox.charging.wish import (
    Permission,
    Reason,
    Situation,
    TargetPower,
)

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = 365
TARGET_S = 10.0
# Plug in and out, in hours of the day: morning, afternoon, night.
VISITS = ((6.5, 10.0), (12.0, 15.0), (17.5, 30.5))
MIN_KW, MAX_KW = 4.16, 11.0
DAYS_OFF = frozenset({date(2026, 5, 4), date(2026, 12, 25), date(2027, 1, 1)})


@dataclass
class Year:
    """Plays visits, each with a grid event, an override, a restart and an incident."""

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
        for visit in _visits():
            quarter = (visit.unplugged - visit.plugged) / 4
            begin, restart, again, over = (
                visit.plugged + quarter * number for number in range(4)
            )
            self.memory = self.memory.plug_in(begin)
            book = self.situation.dsr.prune(begin).add(visit.event, begin)
            self.change(plugged_at=begin, dsr=book)
            self.until(begin, restart)
            override = Override(
                mode=visit.override, start=restart, end=restart + quarter
            )
            self.change(override=override, resumed_at=restart)
            self.memory = DelayMemory.from_dict(self.memory.as_dict())
            self.until(restart, again)
            self.change(**visit.incident(again))
            self.until(again, over)
            self.change(**visit.over(over))
            self.until(over, visit.unplugged)
            self.memory = self.memory.unplug(visit.unplugged)
            self.change(plugged_at=None, override=None)
            self.decide(visit.unplugged)

    def change(self, **changes: Any) -> None:
        """Let something be different from now on."""
        self.situation = replace(self.situation, **changes)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A car that comes and goes, and what happens meanwhile."""

    number: int
    plugged: datetime
    unplugged: datetime
    event: DsrEvent
    override: OverrideMode

    def incident(self, at: datetime) -> dict[str, Any]:
        """Return what happens to the wallbox, or what its owner wants of it."""
        return (
            {"target": _wish(6.0, before=MAX_KW, at=at)},
            {"blocked_by": Reason.FAULT},
            {"limited_to_kw": MIN_KW},
            {"shedding": Target(allowed=True, limit_kw=MIN_KW)},
            {"permission": Permission().said(False, at, Cause.AUTOMATION)},
            {"reconnected_at": at},
        )[self.number % 6]

    def over(self, at: datetime) -> dict[str, Any]:
        """Return how that ends."""
        return (
            {"target": _wish(MAX_KW, before=6.0, at=at)},
            {"blocked_by": None, "cleared_at": at},
            {"limited_to_kw": None, "eased_at": at},
            {"shedding": None},
            {"permission": Permission()},
            {},
        )[self.number % 6]


def _wish(limit_kw: float, *, before: float, at: datetime) -> TargetPower:
    """Return an owner's wish for a power."""
    return TargetPower(limit_kw=limit_kw, previous_kw=before, at=at)


def _visits() -> Iterator[Visit]:
    """Return the year's visits."""
    for number in range(DAYS * len(VISITS)):
        day, visit = divmod(number, len(VISITS))
        midnight = START + timedelta(days=day)
        plugged, unplugged = (midnight + timedelta(hours=at) for at in VISITS[visit])
        event = DsrEvent(
            event_id=f"{day}-{visit}",
            start=plugged + timedelta(minutes=40),
            end=plugged + timedelta(minutes=70),
            kind=tuple(DsrKind)[(day + visit) % 3],
            limit_kw=6.0,
            response_service=day % 2 == 0,
            heard_at=plugged,
        )
        yield Visit(
            # Each kind of visit sees each incident.
            number=day + visit,
            plugged=plugged,
            unplugged=unplugged,
            event=event,
            override=tuple(OverrideMode)[day % 2],
        )


def year_seconds() -> Figure:
    """Measure a year of decisions, beside the bare walk over its instants.

    The processor's time counts: the code waits for nothing, so what passes on the clock
    beyond that is what other programs took. Both are told.
    """
    year = Year(
        Situation(
            min_kw=MIN_KW,
            max_kw=MAX_KW,
            target=TargetPower(limit_kw=MAX_KW, previous_kw=MAX_KW),
            dsr=DsrBook(),
            hours=Schedule(
                windows=PRESETS[Preset.GB_NIGHT], zone=LONDON, days_off=DAYS_OFF
            ),
            end_before=timedelta(seconds=600),
            keeps_end=True,
        )
    )
    began, start = time.perf_counter(), time.process_time()
    year.play()
    seconds = time.process_time() - start
    passed = time.perf_counter() - began
    start = time.process_time()
    visits = sum(1 for _ in _visits())
    floor = time.process_time() - start
    return Figure(
        id="P7",
        name="year_s",
        value=seconds,
        target=TARGET_S,
        floor=floor,
        floor_name="making the year's visits and events alone, s",
        notes=(
            f"processor time; {passed:.4g} s passed on the clock",
            f"{visits} visits, {year.decisions} decisions, {year.switches} switches",
            f"{year.decisions / seconds:.0f} decisions a second of it",
            "night preset, Europe/London; in each visit a grid event, an override, a",
            "restart and an incident: a fault, tampering, a shed load, a lost link, ...",
        ),
    )
