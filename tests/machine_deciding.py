"""What a wallbox's controller should decide, told in the test's own words.

Follows the facts as they change, second by second, instead of looking back at them:
since when and why something is wanted is known because it was there when it happened.
"""

from collections.abc import Callable
import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .machine_wish import Facts, Goal
from .machine_words import Since, Waits, WrongError

OFF = Goal(False)
SWITCH, STEP = timedelta(minutes=5), timedelta(seconds=60)
LEAST_LEFT = timedelta(minutes=2)
# A timer is set no closer than this.
LATE = timedelta(milliseconds=2)
AT_ONCE = {"user", "safety", "exempt"}


@dataclass(kw_only=True)
class Deciding:
    """The facts, what holds and what waits."""

    facts: Facts
    # What is done while somebody tampers with it.
    tampering: str = "limit"
    # The causes that are delayed; `max_delay_s` is what the owner set.
    delayed: frozenset[str]
    randomises: bool
    max_delay_s: int
    begins_early: bool
    now: datetime
    holds: Goal = OFF
    waits: Waits | None = None
    changed: datetime | None = None
    replug: Waits | None = None
    left: datetime | None = None
    since_switch: Since = field(init=False)
    since_any: Since = field(init=False)
    # Since when more is wanted than before; who wants less asks for nothing by it.
    since_rise: Since = field(init=False)
    reconnected: datetime | None = None
    # When Home Assistant first looked since it runs.
    resumed: datetime | None = None
    drawn: dict[tuple[datetime, str, bool], int] = field(default_factory=dict)
    # Whether the last word about the power was a person's that nobody heard yet.
    said: bool = False
    # The last instant at which nothing could be decided: no link, no Home Assistant.
    blind: datetime | None = None

    def __post_init__(self) -> None:
        """Start with everything as it always was."""
        self.since_switch = self.since_any = Since(self.now, "plug_in")
        self.since_rise = self.since_any

    def change(
        self, cause: str, mutate: Callable[[], None], *, says: tuple[str, ...] = ()
    ) -> None:
        """Change facts now; `says` are the reasons which that also gives a new start.

        Whoever says now what is wanted already means now.
        """
        before = self.facts.wish(self.now)
        mutate()
        after = self.facts.wish(self.now)
        now = Since(self.now, cause)
        if before.allowed is not after.allowed or after.why in says:
            self.since_switch = now
        if not before.same(after) or after.why in says:
            self.since_any = now
        if after.kw > before.kw or after.why in says:
            self.since_rise = now

    def set_early(self) -> None:
        """Set how much earlier windows end."""
        early = self.begins_early and self.randomises and "auto" in self.delayed
        self.facts.early = timedelta(seconds=self.max_delay_s if early else 0)

    def track(self, now: datetime) -> None:
        """Follow the facts up to now; raises when a change of them was slept through."""
        edges = [(at, why) for at, why in self.facts.edges(now) if self.now < at <= now]
        for at in sorted({at for at, _ in edges}):
            causes = {why for when, why in edges if when == at}
            facts = self.facts
            before, plain = facts.wish(self.now), facts.plain.wish(self.now)
            self.now = at
            after = facts.wish(at)
            # What changes only by what has no delay has none.
            exempt = "exempt" in causes and plain.same(facts.plain.wish(at))
            cause = "exempt" if exempt else "auto"
            if before.allowed is not after.allowed:
                self.since_switch = Since(at, cause)
            if before.same(after):
                continue
            self.since_any = Since(at, cause)
            if after.kw > before.kw:
                self.since_rise = self.since_any
            if now - at > LATE and not self.was_blind(at):
                raise WrongError(f"the change at {at} was noticed at {now}")
        self.now = now

    def was_blind(self, since: datetime) -> bool:
        """Tell whether nothing could be decided at some time since an instant."""
        return self.blind is not None and self.blind >= since

    def decide(self, now: datetime, draw: Callable[[set[int]], int]) -> Goal:
        """Return what should hold now.

        `draw` gives the number that was drawn for a new relevant time, up to one of the
        seconds it is given, and raises when there was none; what is left of the draws is
        the caller's to look at.
        """
        self.track(now)
        facts = self.facts
        wish = facts.wish(now)
        said, self.said = self.said, False
        if not facts.plugged:
            self.waits, self.holds = None, self._without_car(now)
        elif facts.blocked:
            self.waits = None
            self._hold(OFF, now)
        else:
            if facts.limited and self.holds.kw > facts.min_kw:
                self._hold(Goal(True, facts.min_kw), now)
                self._take(self.holds)
            if said:
                self._hear(wish, now)
            self._approach(wish, now, draw)
        return facts.overlaid(self.holds, now, wish.why)

    def _without_car(self, at: datetime) -> Goal:
        """Return what holds without a car: the permission stays, unless strictly."""
        if self.facts.blocked:
            return OFF
        with_car = self.facts.wish_with_car(at)
        forbidden = with_car.why == "pause" and not self.facts.permitted
        if self.facts.strict or forbidden or with_car.why == "forbidden":
            return with_car
        return Goal(True, self.facts.own_kw)

    def _hold(self, goal: Goal, now: datetime) -> None:
        """Let something hold from now on."""
        if not goal.same(self.holds):
            self.changed = now
        self.holds = goal

    def _take(self, goal: Goal) -> None:
        """Let no person bring back what is taken while something waits."""
        if self.waits is not None and self.waits.before.kw > goal.kw:
            self.waits = copy.replace(self.waits, before=goal)

    def _hear(self, wish: Goal, now: datetime) -> None:
        """Have a person's power now, as far as it is less than there was."""
        waits, kw = self.waits, self.holds.kw
        if waits is not None and waits.goal.kw < waits.before.kw:
            kw = waits.before.kw
        kw = min(kw, self.facts.own_kw)
        if kw:
            self._hold(Goal(kw >= self.facts.min_kw or wish.allowed, kw), now)

    def _approach(
        self, wish: Goal, now: datetime, draw: Callable[[set[int]], int]
    ) -> None:
        """Move from what holds to what is wished, after the delay there is."""
        if wish.same(self.holds):
            self.waits, self.holds = None, wish
            return
        switches = wish.allowed is not self.holds.allowed
        since = self.since_rise if wish.kw > self.holds.kw else self.since_any
        since = self.since_switch if switches else since
        unseen = self.resumed is not None and since.at < self.resumed
        if unseen and since.cause != "user" and self.facts.has_end_at(since.at):
            since = Since(self.resumed or now, since.cause)
        if self.reconnected is not None and since.at < self.reconnected:
            by_hand = self.facts.is_by_hand(now)
            since = Since(self.reconnected, "user" if by_hand else "reconnect")
        starts = wish.allowed and not self.holds.allowed
        if starts and self.facts.starts_at_once(now, since.at):
            since = Since(since.at, "exempt")
        self._keep(wish, since.at, now)
        if wish.same(self.holds):
            self.waits, self.holds = None, wish
            return
        rises = wish.kw > self.holds.kw
        if since.cause in AT_ONCE:
            self.waits = None
            self._hold(wish, now)
            return
        if self.waits is not None and (self.waits.goal.kw > self.holds.kw) is not rises:
            self.waits = None
        waits = self.waits
        if waits is None:
            drawn = self._drawn(since, draw, rises=rises)
            due = self._due(since.at + timedelta(seconds=drawn), since, wish, now)
        else:
            since = Since(waits.since, waits.cause)
            drawn, due = waits.drawn_s, waits.due
        self.waits = Waits(
            since=since.at,
            cause=since.cause,
            drawn_s=drawn,
            due=due,
            goal=wish,
            before=self.holds if waits is None else waits.before,
        )
        if now < due:
            return
        if now - due > LATE and not self.was_blind(due) and waits is not None:
            raise WrongError(f"what was due at {due} was done at {now}")
        self.waits = None
        self._hold(wish, now)

    def _keep(self, wish: Goal, since: datetime, now: datetime) -> None:
        """Let what holds be no more than what ended since a reduction is wanted."""
        if wish.kw >= self.holds.kw:
            return
        if self.waits is not None and self.waits.goal.kw < self.holds.kw:
            since = self.waits.since
        for limit in self.facts.left_behind(since, now):
            power = max(limit, wish.kw)
            if power < self.holds.kw:
                self.holds = Goal(power >= self.facts.min_kw, power)
                self._take(self.holds)

    def _due(self, due: datetime, since: Since, wish: Goal, now: datetime) -> datetime:
        """Return when a change is due, with its rest and the end of its window."""
        switches = wish.allowed is not self.holds.allowed
        rested = None
        if self.changed is not None and since.cause != "plug_in":
            rested = self.changed + (SWITCH if switches else STEP)
        if not wish.allowed:
            end = self.facts.window_end(since.at) if self.begins_early else None
            return max(due, min(one for one in (rested or due, end) if one))
        due = max(due, rested or due)
        end = self.facts.window_end(now)
        if not switches or end is None or wish.why == "charge":
            return due
        ends = not self.facts.wish(end).allowed
        least = SWITCH if due > since.at else LEAST_LEFT
        return max(due, end) if ends and due + least > end else due

    def _drawn(
        self, since: Since, draw: Callable[[set[int]], int], *, rises: bool
    ) -> int:
        """Return the delay of a relevant time: drawn once, and never again."""
        if not self.randomises or not self.max_delay_s:
            return 0
        if since.cause not in self.delayed:
            return 0
        key = (since.at, since.cause, rises)
        if key not in self.drawn:
            self.drawn[key] = draw(self._longest(since.at, rises=rises))
        return self.drawn[key]

    def _longest(self, at: datetime, *, rises: bool) -> set[int]:
        """Return up to how many seconds may be drawn: a window's stop keeps to its end.

        What ends an override or an automation's event need not.
        """
        end = self.facts.window_end(at) if self.begins_early and not rises else None
        left = self.max_delay_s if end is None else int((end - at).total_seconds())
        return {self.max_delay_s, min(self.max_delay_s, left)}
