"""What a wallbox's controller should decide, told in the test's own words.

Follows the facts as they change, second by second, instead of looking back at them:
since when and why something is wanted is known because it was there when it happened.
"""

from collections.abc import Callable, Mapping
import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .machine_wish import Ask, Facts, Goal, Hours, Word

OFF = Goal(False)
REPLUG = timedelta(seconds=60)
SWITCH, STEP = timedelta(minutes=5), timedelta(seconds=60)
LOST_AFTER = timedelta(seconds=30)
# A timer is set no closer than this.
LATE = timedelta(milliseconds=2)
HORIZON = timedelta(days=8)
AT_ONCE = {"user", "safety", "exempt"}


@dataclass(frozen=True, kw_only=True)
class Waits:
    """A change that waits for its due instant."""

    since: datetime
    cause: str
    drawn_s: int
    due: datetime
    goal: Goal


@dataclass(frozen=True)
class Since:
    """Since when something is wanted, and why."""

    at: datetime
    cause: str


class WrongError(AssertionError):
    """What the controller did is not what should have been."""


@dataclass(kw_only=True)
class Model:
    """The facts, what holds and what waits."""

    facts: Facts
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
    reconnected: datetime | None = None
    drawn: dict[tuple[datetime, str, bool], int] = field(default_factory=dict)
    # The last instant at which nothing could be decided: no link, no Home Assistant.
    blind: datetime | None = None

    def __post_init__(self) -> None:
        """Start with everything as it always was."""
        self.since_switch = self.since_any = Since(self.now, "plug_in")

    def copy(self) -> Model:
        """Return the model as it is now, for when Home Assistant comes back to it."""
        return copy.deepcopy(self)

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
            if now - at > LATE and not self.was_blind(at):
                raise WrongError(f"the change at {at} was noticed at {now}")
        self.now = now

    def was_blind(self, since: datetime) -> bool:
        """Tell whether nothing could be decided at some time since an instant."""
        return self.blind is not None and self.blind >= since

    def decide(self, now: datetime, draw: Callable[[], int]) -> Goal:
        """Return what should hold now.

        `draw` gives the number that was drawn for a new relevant time, and raises when
        there was none; what is left of the draws is the caller's to look at.
        """
        self.track(now)
        facts = self.facts
        wish = facts.wish(now)
        if not facts.plugged:
            self.waits, self.holds = None, self._without_car(now)
        elif facts.blocked:
            self.waits = None
            self._hold(OFF, now)
        else:
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

    def _approach(self, wish: Goal, now: datetime, draw: Callable[[], int]) -> None:
        """Move from what holds to what is wished, after the delay there is."""
        if wish.same(self.holds):
            self.waits, self.holds = None, wish
            return
        switches = wish.allowed is not self.holds.allowed
        since = self.since_switch if switches else self.since_any
        if self.reconnected is not None and since.at < self.reconnected:
            since = Since(self.reconnected, "reconnect")
        starts = wish.allowed and not self.holds.allowed
        if starts and self.facts.starts_at_once(now, since.at):
            since = Since(since.at, "exempt")
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
            since, drawn, due = (
                Since(waits.since, waits.cause),
                waits.drawn_s,
                waits.due,
            )
        self.waits = Waits(
            since=since.at, cause=since.cause, drawn_s=drawn, due=due, goal=wish
        )
        if now < due:
            return
        if now - due > LATE and not self.was_blind(due) and waits is not None:
            raise WrongError(f"what was due at {due} was done at {now}")
        self.waits = None
        self._hold(wish, now)

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
        return max(due, end) if ends and due + SWITCH > end else due

    def _drawn(self, since: Since, draw: Callable[[], int], *, rises: bool) -> int:
        """Return the delay of a relevant time: drawn once, and never again."""
        if not self.randomises or not self.max_delay_s:
            return 0
        if since.cause not in self.delayed:
            return 0
        key = (since.at, since.cause, rises)
        if key not in self.drawn:
            self.drawn[key] = draw()
        return self.drawn[key]

    # What happens at the wallbox.

    def plug(self, at: datetime) -> None:
        """Plug a car in at an instant that may be past; nothing flows at first."""

        def there() -> None:
            """Have a car."""
            self.facts.plugged = True

        before = self.now
        self.now = min(at, self.now)
        self.change("plug_in", there)
        # What is wanted of this car is wanted since it is there, or since later.
        if self.now >= self.since_any.at:
            # A person who said so before has overridden the delay.
            word, by_word = self.facts.word, self.facts.wish(self.now).why == "charge"
            cause = "user" if by_word and word and word.cause == "user" else "plug_in"
            self.since_switch = self.since_any = Since(self.now, cause)
        self.now = before
        self.holds = OFF
        soon = self.left is not None and self.now - self.left <= REPLUG
        self.waits = self.replug if soon else None
        # The old deadline stands, though it may have passed without a car.
        self.blind = self.now
        self.replug = self.left = None

    def unplug(self) -> None:
        """Plug it out: what waits is void, but kept for a minute."""
        waits = self.waits
        self.replug = waits if waits is not None and waits.goal.allowed else None
        self.left, self.waits = self.now, None
        word = self.facts.word

        def gone() -> None:
            """Have no car; an override until then is over."""
            self.facts.plugged = False
            if word is not None and word.end is None:
                self.facts.word = None

        self.change("plug_in", gone)

    def swap(self, at: datetime) -> None:
        """Have another car, plugged in at an instant when nobody looked."""
        self.unplug()
        self.replug = None
        self.plug(at)

    def block(self, *, blocked: bool) -> None:
        """Let a protection begin or end."""
        self.change("auto", lambda: setattr(self.facts, "blocked", blocked))

    def reconnect(self, lost: datetime) -> None:
        """Have the link back."""
        if self.now - lost > LOST_AFTER:
            self.reconnected = self.now

    def set_clock(self, now: datetime) -> None:
        """Have another now; what has happened does not lie ahead of it."""
        self.now = self.blind = now
        if self.reconnected is not None:
            self.reconnected = min(self.reconnected, now)

    # What the owner does.

    def set(
        self, cause: str, values: Mapping[str, Any], says: tuple[str, ...] = ()
    ) -> None:
        """Set facts."""

        def mutate() -> None:
            """Set them."""
            for name, value in values.items():
                setattr(self.facts, name, value)

        self.change(cause, mutate, says=says)

    def override(self, *, charge: bool, end: datetime | None, cause: str) -> None:
        """Charge or pause now."""
        word = Word(charge=charge, start=self.now, end=end, cause=cause)
        self.set(cause, {"word": word}, ("charge" if charge else "pause",))

    def resume(self) -> None:
        """End an override; what follows is an automatic change."""
        word = self.facts.word
        if word is not None and (word.end is None or word.end > self.now):
            ended = Word(
                charge=word.charge, start=word.start, end=self.now, cause=word.cause
            )
            self.set("auto", {"word": ended})

    def permit(self, *, allowed: bool, cause: str) -> None:
        """Give or take the permission."""
        values = {"permitted": allowed, "permitted_at": self.now}
        self.set(cause, values, () if allowed else ("forbidden",))

    def ask(self, key: str, ask: Ask) -> None:
        """Take a grid event, or a newer version of one, which ends the older one.

        What ends and what begins with it has a delay, unless neither has one.
        """
        facts = self.facts
        after = copy.replace(facts, asks={**facts.asks, key: ask})
        ends = [one for one in facts.active(self.now) if one is facts.asks.get(key)]
        begins = [ask] if ask.begins == self.now else []
        plain, then = facts.plain.wish(self.now), after.plain.wish(self.now)
        exempt = plain.same(then) and any(
            one.exempt and not one.reduces for one in (*ends, *begins)
        )
        self.set("exempt" if exempt else "auto", {"asks": after.asks})

    def set_hours(self, hours: tuple[Hours, ...], *, enabled: bool) -> None:
        """Set the default charging hours; what they say they say from now on."""
        values = {"hours": hours, "enabled": enabled, "utc": False}
        self.set("auto", values, ("hours", "closed", "dsr"))

    def skip(self) -> None:
        """End the present delay."""
        if self.waits is not None:
            goal, self.waits = self.waits.goal, None
            self._hold(goal, self.now)

    def set_max_delay(self, seconds: int, *, clamps: bool) -> None:
        """Set the longest delay; what waits is only ever shortened, and by a person."""
        self.max_delay_s = seconds
        self.change("auto", self.set_early)
        if self.waits is not None and clamps:
            due = min(self.waits.due, self.now + timedelta(seconds=seconds))
            self.waits = copy.replace(self.waits, due=due)

    def set_end(self, *, early: bool) -> None:
        """Choose whether windows end early enough for the delay."""
        self.begins_early = early
        self.change("auto", self.set_early)

    def is_open_ended(self, key: str, now: datetime) -> bool:
        """Tell whether a grid event is known and not over."""
        ask = self.facts.asks.get(key)
        return ask is not None and ask.ends(holds_on=self.facts.holds_on) > now

    def cancel(self, key: str) -> None:
        """Call a grid event off."""
        self.ask(key, copy.replace(self.facts.asks[key], cancelled=self.now))

    def leave(self, *, cause: str) -> None:
        """Leave the grid events that hold now."""
        asks = {
            key: copy.replace(one, left=self.now)
            if one in self.facts.active(self.now)
            else one
            for key, one in self.facts.asks.items()
        }
        self.set(cause, {"asks": asks})

    def next_wake(self) -> datetime | None:
        """Return when something has to be done at the latest."""
        found = [] if self.waits is None else [self.waits.due]
        before = self._aims(self.now)
        for at, _ in self.facts.edges(self.now):
            if self.now < at <= self.now + HORIZON and self._aims(at) != before:
                found.append(at)
                break
        return min(found, default=None)

    def _aims(self, at: datetime) -> tuple[Goal, Goal]:
        """Return what is wished at an instant, and what would hold of what holds."""
        wish = self.facts.wish(at)
        if not self.facts.plugged:
            return wish, self.facts.overlaid(self._without_car(at), at, "")
        return wish, self.facts.overlaid(self.holds, at, wish.why)
