"""A wallbox's controller told in the test's own words: what happens, who does what."""

from collections.abc import Callable, Mapping
import copy
from datetime import datetime, timedelta
from typing import Any

from .machine_deciding import OFF, Deciding
from .machine_wish import Ask, Goal, Hours, Word
from .machine_words import Since

REPLUG = timedelta(seconds=60)
LOST_AFTER = timedelta(seconds=30)
HORIZON = timedelta(days=8)


class Model(Deciding):
    """The facts, what holds and what waits, as they change."""

    def copy(self) -> Model:
        """Return the model as it is now, for when Home Assistant comes back to it."""
        return copy.deepcopy(self)

    def plug(self, at: datetime) -> None:
        """Plug a car in at an instant that may be past; nothing flows at first."""

        def there() -> None:
            """Have a car."""
            self.facts.plugged = True

        before = self.now
        self.said, self.now = False, min(at, self.now)
        self.change("plug_in", there)
        # What is wanted of this car is wanted since it is there, or since later.
        if self.now >= self.since_any.at:
            # A person who said so before has overridden the delay.
            word, by_word = self.facts.word, self.facts.wish(self.now).why == "charge"
            cause = "user" if by_word and word and word.cause == "user" else "plug_in"
            self.since_switch = self.since_any = Since(self.now, cause)
            self.since_rise = self.since_any
        self.now = before
        self.holds = OFF
        soon = self.left is not None and self.now - self.left <= REPLUG
        self.waits = self.replug if soon else None
        # The old deadline stands, though it may have passed without a car.
        self.blind = self.now
        self.replug = self.left = None

    def unplug(self) -> None:
        """Plug it out: what waits is void, a start is kept for a minute."""
        self.replug = None if self.holds.allowed else self.waits
        self.left, self.waits = self.now, None
        word = self.facts.word

        def gone() -> None:
            """Have no car; an override until then is over."""
            self.facts.plugged, self.facts.kept = False, None
            if word is not None and word.end is None:
                self.facts.word = None

        self.change("plug_in", gone)

    def swap(self, at: datetime) -> None:
        """Have another car, plugged in at an instant when nobody looked."""
        self.unplug()
        self.replug = None
        self.plug(at)

    def block(self, *, blocked: bool) -> None:
        """Let a protection begin or end; a person's word is above what ends with it."""
        before, self.facts.blocked = self.facts.blocked, blocked
        cause = "user" if self.facts.is_by_hand(self.now) else "auto"
        self.facts.blocked = before
        self.change(cause, lambda: setattr(self.facts, "blocked", blocked))

    def reconnect(self, lost: datetime) -> None:
        """Have the link back."""
        if self.now - lost > LOST_AFTER:
            self.reconnected = self.now

    def set_clock(self, now: datetime) -> None:
        """Have another now; what has happened does not lie ahead of it."""
        self.now = self.blind = now
        if self.reconnected is not None:
            self.reconnected = min(self.reconnected, now)
        self.resumed = self.resumed and min(self.resumed, now)

    def set(
        self, cause: str, values: Mapping[str, Any], says: tuple[str, ...] = ()
    ) -> None:
        """Set facts."""

        def mutate() -> None:
            """Set them."""
            for name, value in values.items():
                setattr(self.facts, name, value)

        self.change(cause, mutate, says=says)
        if {"mode", "manual_kw"} & values.keys():
            # A person's power waits for nothing, whatever else still does, and is had
            # now, though more may be still to come.
            self.said = cause == "user"
            self.since_rise = Since(self.now, cause) if self.said else self.since_rise

    def override(self, *, charge: bool, end: datetime | None, cause: str) -> None:
        """Charge or pause now."""
        word = Word(charge=charge, start=self.now, end=end, cause=cause)
        says = ("charge" if charge else "pause",)
        self.lift(cause, lambda: self.set(cause, {"word": word}, says))

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
        facts.replace(key, ask, self.now)
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
        values = {"hours": hours, "enabled": enabled, "utc": False, "kept": None}
        self.set("auto", values, ("hours", "closed", "dsr"))

    def skip(self) -> None:
        """End the present delay."""
        if self.waits is not None:
            goal, self.waits = self.waits.goal, None
            self._hold(goal, self.now)

    def set_max_delay(self, seconds: int, *, clamps: bool) -> None:
        """Set the longest delay; what waits is only ever shortened, and by a person."""
        self.max_delay_s = seconds
        self._move_ends(at_once=clamps)
        if self.waits is not None and clamps:
            due = min(self.waits.due, self.now + timedelta(seconds=seconds))
            self.waits = copy.replace(self.waits, due=due)

    def set_end(self, *, early: bool, at_once: bool) -> None:
        """Choose whether windows end early enough for the delay."""
        self.begins_early = early
        self._move_ends(at_once=at_once)

    def stop_waits(self, *, behind: bool) -> bool:
        """Tell whether the stop of a window waits, before or behind the window's end."""
        waits = self.waits
        if waits is None or waits.goal.allowed:
            return False
        end = self.facts.window_end(waits.since)
        return end is not None and (self.now >= end) is behind

    def _move_ends(self, *, at_once: bool) -> None:
        """Have windows end elsewhere; a stop that has come may stay where it was."""

        def move() -> None:
            """Have the ends elsewhere."""
            before = self.facts.come(self.now)
            self.set_early()
            self.facts.keep(before, self.now, at_once=at_once)

        self.change("auto", move)

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
        self.lift(cause, lambda: self.set(cause, {"asks": asks}))

    def lift(self, cause: str, act: Callable[[], None]) -> None:
        """Do what may lift a reduction without a delay; an automation's rise waits."""
        before = self._laid_over()
        act()
        rises = self._laid_over().kw > before.kw
        if cause == "auto" and rises and self.facts.plugged:
            self.holds = before
            self._take(before)
            self.since_switch = self.since_any = Since(self.now, cause)

    def _laid_over(self) -> Goal:
        """Return what holds now with what reduces without a delay over it."""
        return self.facts.overlaid(self.holds, self.now, self.facts.wish(self.now).why)

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
