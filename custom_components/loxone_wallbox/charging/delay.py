"""The randomised delay of regulation 11: one draw a relevant time, and its deadline.

Takes what is wanted, since when and why, gives what holds now and what is pending.
Everything is plain data, saved before it is waited for, so that a restart neither
draws again nor forgets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
import hashlib
from typing import Any, Self

from .regulation import Cause

# The evidence of the last draws that a report shows.
KEEP_DRAWS = 100
# Plugging out and in again is neither a way around a delay nor a punishment.
REPLUG = timedelta(seconds=60)
# Contactor and car are spared needless cycles.
DWELL_SWITCH = timedelta(minutes=5)
DWELL_STEP = timedelta(seconds=60)
# A start that waits for nothing is worth the little that is left of its window.
LEAST_LEFT = timedelta(minutes=2)
# Two limits closer than this are the same to any device.
SAME_KW = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What the wallbox is to do: charge up to a limit in kW, or not."""

    allowed: bool
    limit_kw: float = 0.0

    def same_as(self, other: Target) -> bool:
        """Tell whether two targets are the same to a device."""
        if self.allowed is not other.allowed:
            return False
        return not self.allowed or abs(self.limit_kw - other.limit_kw) < SAME_KW

    def higher_than(self, other: Target) -> bool:
        """Tell whether more may flow than with the other."""
        return self.power_kw > other.power_kw

    @property
    def power_kw(self) -> float:
        """Return the most that may flow."""
        return self.limit_kw if self.allowed else 0.0


OFF = Target(allowed=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """When and why something that decides changed.

    What is `exempt` waits for no delay, whatever its cause. `window_end` is the end of
    the window it lies in: a stop comes no later, a start so soon before it not at all.
    What goes `beyond` was not the window's: its stop has the whole draw.
    """

    at: datetime
    cause: Cause
    exempt: bool = False
    window_end: datetime | None = None
    beyond: bool = False

    @property
    def drawn_until(self) -> datetime | None:
        """Return what the draw of a stop may not go beyond.

        The end of an override is a relevant time of its own, with its whole draw.
        """
        whole = self.beyond or self.cause is Cause.OVERRIDE_END
        return None if whole else self.window_end

    def room_s(self, target: Target, longest: int) -> int:
        """Return the most seconds that may be drawn for a change to a target."""
        until = self.drawn_until
        if target.allowed or until is None:
            return longest
        return min(longest, int((until - self.at).total_seconds()))


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayRules:
    """What is delayed and how long at most."""

    wallbox: str
    max_delay_s: int
    delayed: frozenset[Cause]

    def delays(self, cause: Cause) -> bool:
        """Tell whether a cause is a relevant time of ours."""
        return self.max_delay_s > 0 and cause in self.delayed


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A change that waits for its deadline; `drawn` is whether its seconds were."""

    relevant_time_id: str
    cause: Cause
    relevant_at: datetime
    from_target: Target
    to_target: Target
    drawn_s: int
    due: datetime
    drawn: bool = True


class Outcome(StrEnum):
    """What became of a draw."""

    APPLIED = "applied"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """The record of one change that waited, as evidence of its draw."""

    relevant_time_id: str
    cause: Cause
    relevant_at: datetime
    drawn_s: int
    due: datetime
    outcome: Outcome
    at: datetime
    by: str | None = None
    drawn: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayMemory:
    """What must outlive a restart; `reduced_kw` is what is laid over what holds."""

    settled: Target = OFF
    reduced_kw: float | None = None
    changed_at: datetime | None = None
    pending: Pending | None = None
    unplugged: Pending | None = None
    unplugged_at: datetime | None = None
    draws: tuple[Draw, ...] = field(default=())
    # The reason for what holds is only shown, and need not outlive anything.
    held_for: str | None = field(default=None, compare=False)

    def plug_in(self, now: datetime) -> Self:
        """Start a visit: nothing flows in its first seconds, whatever will be wanted.

        Within a minute of plugging out the old deadline stands.
        """
        pending = None
        if self.unplugged is not None and self.unplugged_at is not None:
            pending = self.unplugged if now - self.unplugged_at <= REPLUG else None
        return replace(
            self, settled=OFF, pending=pending, unplugged=None, unplugged_at=None
        )

    def unplug(self, now: datetime) -> Self:
        """End a visit: a pending start is void, but kept for a minute."""
        kept = None if self.settled.allowed else self.pending
        memory = self._close(Outcome.CANCELLED, now)
        return replace(memory, unplugged=kept, unplugged_at=now)

    def settle(self, target: Target, now: datetime) -> Self:
        """Let a target hold now."""
        if target.same_as(self.settled):
            return replace(self, settled=target)
        return replace(self, settled=target, changed_at=now)

    def settle_safely(self, now: datetime) -> Self:
        """Stop at once and forget what was pending: safety waits for nothing."""
        return self._close(Outcome.CANCELLED, now).settle(OFF, now)

    def skip(self, now: datetime, by: str | None) -> Self:
        """End the present delay; the next relevant time draws anew."""
        if self.pending is None:
            return self
        return self._close(Outcome.SKIPPED, now, by).settle(self.pending.to_target, now)

    def clamp(self, max_delay_s: int, now: datetime) -> Self:
        """Shorten a delay that is longer than the new maximum; never lengthen one."""
        if self.pending is None:
            return self
        due = min(self.pending.due, now + timedelta(seconds=max_delay_s))
        return replace(self, pending=replace(self.pending, due=due))

    def shift(self, step: timedelta, max_delay_s: int, now: datetime) -> Self:
        """Keep what is left of a delay when the clock was stepped."""
        if self.pending is None:
            return self
        moved = replace(self.pending, due=self.pending.due + step)
        return replace(self, pending=moved).clamp(max_delay_s, now)

    def taken_back(self, before: Self, now: datetime) -> Self:
        """Return what was before an act that failed, without forgetting its draws."""
        again = None if before.pending is None else before.pending.relevant_time_id
        draws = tuple(
            one
            for one in self._close(Outcome.CANCELLED, now).draws
            if one in before.draws or one.relevant_time_id != again
        )
        return replace(before, draws=draws)

    def _close(self, outcome: Outcome, now: datetime, by: str | None = None) -> Self:
        """End what is pending and keep the record of its draw."""
        pending = self.pending
        if pending is None:
            return self
        draw = Draw(
            relevant_time_id=pending.relevant_time_id,
            cause=pending.cause,
            relevant_at=pending.relevant_at,
            drawn_s=pending.drawn_s,
            due=pending.due,
            outcome=outcome,
            at=now,
            by=by,
            drawn=pending.drawn,
        )
        return replace(self, pending=None, draws=(*self.draws, draw)[-KEEP_DRAWS:])

    def advance(
        self,
        want: Target,
        change: Change,
        rules: DelayRules,
        now: datetime,
        draw: Callable[[int], int],
    ) -> Self:
        """Move towards what is wanted.

        `draw` gives a whole number of seconds from 0 to the one it is given.
        """
        if want.same_as(self.settled):
            return self._close(Outcome.CANCELLED, now).settle(want, now)
        memory = self
        at_once = change.exempt or change.cause in {Cause.USER, Cause.SAFETY}
        if at_once and not self._is_older(change, want, now):
            return self._close(Outcome.CANCELLED, now).settle(want, now)
        rises = want.higher_than(self.settled)
        if self.pending is not None:
            if self.pending.to_target.higher_than(self.settled) is rises:
                due, until = self.pending.due, change.drawn_until
                # A window that was over before keeps nothing short that began later.
                if not want.allowed and until and self.pending.relevant_at <= until:
                    due = min(due, until)
                moved = replace(self.pending, to_target=want, due=due)
                memory = replace(self, pending=moved)
            else:
                memory = self._close(Outcome.SUPERSEDED, now)
        if memory.pending is None:
            memory = memory._begin(want, change, rules, draw)  # noqa: SLF001
        pending = memory.pending
        if pending is not None and now >= pending.due:
            return memory._close(Outcome.APPLIED, now).settle(want, now)  # noqa: SLF001
        return memory

    def _is_older(self, change: Change, want: Target, now: datetime) -> bool:
        """Tell whether a change lies before what is pending towards the same.

        What was said before a relevant time does not break its delay off.
        """
        pending = self.pending
        return (
            pending is not None
            and pending.to_target.same_as(want)
            and change.at < min(pending.relevant_at, now)
        )

    def _begin(
        self,
        want: Target,
        change: Change,
        rules: DelayRules,
        draw: Callable[[int], int],
    ) -> Self:
        """Fix the deadline of a relevant time; one that is known keeps its draw."""
        direction = "up" if want.higher_than(self.settled) else "down"
        identity = relevant_time_id(rules.wallbox, change, direction)
        known = next(
            (one for one in self.draws if one.relevant_time_id == identity), None
        )
        if known is not None:
            delays, seconds = known.drawn, known.drawn_s
        else:
            delays = rules.delays(change.cause)
            seconds = draw(change.room_s(want, rules.max_delay_s)) if delays else 0
        due = self._rested(change.at + timedelta(seconds=seconds), want, change)
        pending = Pending(
            relevant_time_id=identity,
            cause=change.cause,
            relevant_at=change.at,
            from_target=self.settled,
            to_target=want,
            drawn_s=seconds,
            due=due,
            drawn=delays,
        )
        return replace(self, pending=pending)

    def _rested(self, due: datetime, want: Target, change: Change) -> datetime:
        """Return when a change is due so that contactor and car are spared.

        The end of a window goes before that: a stop is not put off beyond it, and a
        start that could not last until then waits for it, when it is wanted no more.
        """
        switches = want.allowed is not self.settled.allowed
        end = change.window_end
        # A person who plugs in does not cycle the contactor for no reason.
        if self.changed_at is not None and change.cause is not Cause.PLUG_IN:
            rested = self.changed_at + (DWELL_SWITCH if switches else DWELL_STEP)
            if not want.allowed and end is not None:
                rested = min(rested, end)
            due = max(due, rested)
        least = DWELL_SWITCH if due > change.at else LEAST_LEFT
        if switches and want.allowed and end is not None and due + least > end:
            return max(due, end)
        return due

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        plain: dict[str, Any] = _plain(replace(self, draws=()))
        del plain["held_for"]
        return {**plain, "draws": [_plain_draw(draw) for draw in self.draws]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data."""
        return cls(
            settled=Target(**data["settled"]),
            reduced_kw=data.get("reduced_kw"),
            changed_at=_instant(data["changed_at"]),
            pending=_pending(data["pending"]),
            unplugged=_pending(data["unplugged"]),
            unplugged_at=_instant(data["unplugged_at"]),
            draws=tuple(_draw(draw) for draw in data["draws"]),
        )


def relevant_time_id(wallbox: str, change: Change, direction: str) -> str:
    """Return what makes a relevant time the same one after a restart."""
    text = f"{wallbox}|{change.cause}|{change.at.isoformat()}|{direction}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1024)
def _plain_draw(draw: Draw) -> Any:
    """Return a draw as JSON has it; it is written again with every change."""
    return _plain(draw)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


def _instant(text: str | None) -> datetime | None:
    """Read an instant."""
    return None if text is None else datetime.fromisoformat(text)


def _waited(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read what waits; older files tell of a draw only by its seconds."""
    return {
        "relevant_time_id": data["relevant_time_id"],
        "cause": Cause(data["cause"]),
        "relevant_at": datetime.fromisoformat(data["relevant_at"]),
        "drawn_s": data["drawn_s"],
        "due": datetime.fromisoformat(data["due"]),
        "drawn": data.get("drawn", data["drawn_s"] > 0),
    }


def _pending(data: Mapping[str, Any] | None) -> Pending | None:
    """Read what is pending."""
    if data is None:
        return None
    before, after = Target(**data["from_target"]), Target(**data["to_target"])
    return Pending(**_waited(data), from_target=before, to_target=after)


def _draw(data: Mapping[str, Any]) -> Draw:
    """Read the record of a draw."""
    return Draw(
        **_waited(data),
        outcome=Outcome(data["outcome"]),
        at=datetime.fromisoformat(data["at"]),
        by=data["by"],
    )
