"""Play a wallbox's days through the decision code, instant by instant."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.loxone_wallbox.charging.decision import Decision, decide
from custom_components.loxone_wallbox.charging.delay import (
    DelayMemory,
    DelayRules,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.regulation import (
    PRESETS,
    PROFILES,
    Preset,
)
from custom_components.loxone_wallbox.charging.schedule import Schedule
from custom_components.loxone_wallbox.charging.wish import Situation, TargetPower

LONDON = ZoneInfo("Europe/London")


def night(zone: ZoneInfo = LONDON) -> Schedule:
    """Return the preset for the night."""
    return Schedule(windows=PRESETS[Preset.GB_NIGHT], zone=zone)


def situation(**changes: Any) -> Situation:
    """Return an 11 kW wallbox under the night preset."""
    usual = {
        "min_kw": 4.16,
        "max_kw": 11.0,
        "target": TargetPower(limit_kw=11.0, previous_kw=11.0),
        "dsr": DsrBook(),
        "hours": night(),
        "end_before": timedelta(seconds=600),
    }
    return Situation(**{**usual, **changes})


@dataclass
class Player:
    """Decides at every instant that matters and writes down what changed."""

    now: datetime
    draws: list[int]
    situation: Situation = field(default_factory=situation)
    memory: DelayMemory = field(default_factory=DelayMemory)
    max_delay_s: int = 600
    log: list[tuple[str, float]] = field(default_factory=list)
    drawn: int = 0
    decision: Decision | None = None
    zone: ZoneInfo = LONDON

    @property
    def rules(self) -> DelayRules:
        """Return the rules of the profile."""
        return DelayRules(
            wallbox="box",
            max_delay_s=self.max_delay_s,
            delayed=PROFILES["gb_2021"].delayed,
        )

    def draw(self, maximum: int) -> int:
        """Give the next draw of the story."""
        self.drawn += 1
        number = self.draws.pop(0)
        assert 0 <= number <= maximum
        return number

    def decide(self) -> Decision:
        """Decide now and write down what holds, where it is new."""
        self.decision, self.memory = decide(
            self.situation, self.memory, self.rules, self.now, self.draw
        )
        power = self.decision.target.power_kw
        if not self.log or self.log[-1][1] != power:
            at = self.now.astimezone(self.zone).strftime("%d %H:%M:%S")
            self.log.append((at, power))
        return self.decision

    def plug(self) -> Decision:
        """Plug a car in now."""
        self.memory = self.memory.plug_in(self.now)
        self.situation = replace(self.situation, plugged_at=self.now)
        return self.decide()

    def unplug(self) -> Decision:
        """Plug it out now."""
        self.memory = self.memory.unplug(self.now)
        self.situation = replace(self.situation, plugged_at=None, override=None)
        return self.decide()

    def change(self, **changes: Any) -> Decision:
        """Change something of the situation now."""
        self.situation = replace(self.situation, **changes)
        return self.decide()

    def until(self, when: datetime) -> Decision:
        """Let time pass, deciding at each instant that was asked for."""
        while True:
            assert self.decision is not None
            wake = self.decision.wake_at
            if wake is None or wake > when:
                self.now = when
                return self.decide()
            assert wake >= self.now
            self.now = wake if wake > self.now else self.now + timedelta(seconds=1)
            self.decide()

    def restart(self) -> None:
        """Forget everything but what is saved."""
        self.memory = DelayMemory.from_dict(self.memory.as_dict())


def local(text: str, zone: ZoneInfo = LONDON) -> datetime:
    """Return a UTC instant of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def event(event_id: str, start: datetime, end: datetime, **changes: Any) -> DsrEvent:
    """Return a limit of 6 kW between two instants."""
    usual = {"kind": DsrKind.LIMIT, "limit_kw": 6.0, "heard_at": start}
    return DsrEvent(event_id=event_id, start=start, end=end, **{**usual, **changes})


def book(now: datetime, *events: DsrEvent) -> DsrBook:
    """Return a book with events."""
    found = DsrBook()
    for one in events:
        found = found.add(one, now)
    return found


def powers(log: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return a log with rounded powers."""
    return [(at, round(power, 3)) for at, power in log]


type Story = Callable[[], Player]
FULL = Target(allowed=True, limit_kw=11.0)
