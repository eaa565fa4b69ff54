"""Run the rules for one wallbox.

Takes what the wallbox shows and what the owner does, asks the rules what should hold,
keeps the answer before it is waited for, and has the wallbox told. One timer, set to
the next instant that matters. What may go wrong: the disk takes nothing (charging goes
on by what is in memory), the wallbox does not obey (said once, tried again later), the
link is lost (nothing is decided until it is back), the clock is set (what is left of a
delay stays).
"""

import asyncio
from collections.abc import Callable, Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
import random
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .adoption import Adoption
from .alarm import Alarm
from .charging.clock_step import after_clock_step
from .charging.days_off import DaysOff
from .charging.decision import Decision, decide
from .charging.delay import DelayRules
from .charging.dsr import DsrBook
from .charging.observe import Observation, observe, situation
from .charging.owner import OwnerState
from .charging.regulation import Profile
from .charging.schedule import Schedule
from .charging.site import Claim
from .charging.wish import Reason, Situation, wish_at
from .commander import Commander
from .driving import Aim, Driver
from .handover import async_hand_over, waits_for_us
from .interruptions import Interruptions
from .records.state import StateKeeper
from .rights import SecuritySink, log_security
from .saving import Saver
from .site import Site
from .undoing import Attempt, Attempts

type Change = Callable[[OwnerState, datetime], OwnerState]
type _Decided = tuple[
    Observation, OwnerState, datetime | None, dict[tuple[str, str], float]
]


class ControlledWallbox(Protocol):
    """What a controller needs of a wallbox."""

    title: str
    commander: Commander

    @property
    def wallbox_id(self) -> str:
        """Return the id of the wallbox block."""

    @property
    def linked(self) -> bool:
        """Tell whether the wallbox's states are up to date."""

    @property
    def writable(self) -> bool:
        """Tell whether the wallbox takes commands from this user at all."""

    @property
    def back_at(self) -> datetime | None:
        """Return when the Miniserver was last back from a restart that was seen."""

    def observe(self) -> Observation:
        """Return what the wallbox shows now."""

    def async_decided(self) -> None:
        """Show a new decision."""


class Controller:
    """The rules at work on one wallbox."""

    def __init__(
        self,
        hass: HomeAssistant,
        wallbox: ControlledWallbox,
        keeper: StateKeeper,
        state: OwnerState,
        *,
        profile: Profile,
        zone: tzinfo,
        strict: bool = False,
        delays: bool = True,
        priority: int = 50,
        site: Site | None = None,
        draw: Callable[[int], int] | None = None,
        security: SecuritySink = log_security,
    ) -> None:
        """Take the wallbox and the state that was kept for it.

        Without `delays` somebody else randomises: everything happens at its boundary.
        """
        self._hass = hass
        self._wallbox = wallbox
        self.state = state
        self.profile = profile
        self.zone = zone
        self._strict = strict
        self._delays = delays
        self._priority = priority
        self.draw = draw or (lambda longest: random.SystemRandom().randint(0, longest))
        self._between = Interruptions(security)
        self.decision: Decision | None = None
        self.adoption = Adoption()
        self._days_off = DaysOff()
        self._saver = Saver(hass, keeper, wallbox.title, lambda: self.state.as_dict())  # noqa: PLW0108
        self._alarm = Alarm(hass, wallbox.title, self._saver, self._awake)
        self._driver = Driver(
            hass,
            wallbox,
            self.adoption,
            aim=self._aim,
            has_room=lambda power_kw: self._site.has_room(self, power_kw),
            ended=self._take_note_of_commands,
        )
        self._attempts = Attempts()
        self._first = True
        self._decided: _Decided | None = None
        self._claim: Claim | None = None
        self._published: tuple[Claim, float] | None = None
        self._stopped = self._ended = False
        self._site = site or Site(hass)
        self._site.join(self)

    @property
    def potential_kw(self) -> float:
        """Return the most the wallbox may draw, as shown or as told, in kW."""
        return self._driver.potential_kw

    @callback
    def evaluate(self) -> None:
        """Look, decide, have the wallbox told, keep what is waited for, and show it."""
        if self._stopped:
            return
        now = dt_util.utcnow()
        if not self._wallbox.linked:
            self._between.lose_link()
            self.adoption.lose_sight()
            self._publish(now)
            return
        seen, before = self._wallbox.observe(), self.state
        self._take_note_of_interruptions(now)
        if self._is_settled(seen, now):
            return
        self.state = observe(self.state, seen, now, first=self._first)
        if not self._first:
            boundary = self.next_boundary(now)
            self.state = self.adoption.adopt(self.state, seen, now, boundary)
        self.adoption.remember(seen)
        self._first, self._claim = False, None
        shares = self.shares(now)
        self.decision, delay = decide(
            self._situation(replace(self.state.dsr, shares=shares), seen),
            self.state.delay,
            self._rules,
            now,
            self.draw,
        )
        self.state = replace(self.state, delay=delay)
        self._decided = (seen, self.state, self._between.reconnected_at, shares)
        # What may be dangerous or dear comes before what is only to be looked at.
        self._driver.drive(seen, now)
        if self.state != before:
            self._hass.async_create_task(self._saver.async_save(), eager_start=True)
        self._arm()
        self._wallbox.async_decided()
        self._publish(now)

    @property
    def _rules(self) -> DelayRules:
        """Return what is delayed and how long."""
        return DelayRules(
            wallbox=self._wallbox.wallbox_id,
            max_delay_s=self.state.max_delay_s if self._delays else 0,
            delayed=self.profile.delayed,
        )

    def _situation(self, dsr: DsrBook, seen: Observation) -> Situation:
        """Return everything that decides, under the events of a book."""
        return self._days_off.applied(
            situation(
                replace(self.state, dsr=dsr),
                seen,
                self.profile,
                self.zone,
                strict=self._strict,
                reconnected_at=self._between.reconnected_at,
                resumed_at=self._between.resumed_at,
            )
        )

    def _is_settled(self, seen: Observation, now: datetime) -> bool:
        """Tell whether nothing that decides has changed since the last decision.

        Power and energy come every second and decide nothing.
        """
        wake = None if self.decision is None else self.decision.wake_at
        shares = self.shares(now)
        return (
            self.decision is not None
            and self._decided
            == (seen, self.state, self._between.reconnected_at, shares)
            and (wake is None or now < wake)
            and self._driver.retry_at is None
            and not self._driver.held
        )

    def shares(self, now: datetime) -> dict[tuple[str, str], float]:
        """Return the wallbox's shares in kW of the limits of the whole site."""
        return self._site.shares(self, now)

    def claim(self, now: datetime) -> Claim:
        """Return what the wallbox would draw without limits of the site.

        A start that only waits for its random delay claims its share already; a car
        that is full claims no more than it needs to start again.
        """
        if self._claim is None:
            seen = self._wallbox.observe()
            alone = self._situation(self.state.dsr.without_site_limits(), seen)
            wish = wish_at(alone, now)
            power = wish.target.power_kw
            self._claim = Claim(
                wallbox=self._wallbox.wallbox_id,
                priority=self._priority,
                min_kw=seen.least_kw,
                wish_kw=min(power, seen.least_kw) if seen.full else power,
                bound=wish.reason is not Reason.OVERRIDE_CHARGE,
            )
        return replace(self._claim, bound=self._claim.bound and self._wallbox.linked)

    def _publish(self, now: datetime) -> None:
        """Tell those who share a limit when this wallbox leaves or takes room."""
        if not self._site.is_shared(now):
            return
        published = (self.claim(now), self.potential_kw)
        if published != self._published:
            self._published = published
            self._site.changed()

    @property
    def schedule(self) -> Schedule | None:
        """Return the default charging hours with their days off, None without any."""
        return self._days_off.on(self.state.hours.schedule(self.zone))

    @property
    def days_off(self) -> frozenset[date]:
        """Return the dates on which the hours of Sunday apply."""
        return self._days_off.dates

    @callback
    def take_days_off(self, dates: AbstractSet[date], *, first: bool = False) -> None:
        """Have the hours follow these dates; the `first` ones were so all along."""
        if dates == self._days_off.dates:
            return
        hours = None if first else self.state.hours.schedule(self.zone)
        self._days_off = self._days_off.now_known(dates, hours, dt_util.utcnow())
        self._decided = None

    def next_boundary(self, now: datetime) -> datetime | None:
        """Return the next opening or closing of the default charging hours."""
        schedule = self.schedule
        return None if schedule is None else schedule.next_boundary(now)

    def in_default_hours(self, now: datetime) -> bool | None:
        """Tell whether an instant is in the default charging hours."""
        schedule = self.schedule
        return None if schedule is None else schedule.is_open(now)

    def in_peak_hours(self, now: datetime) -> bool | None:
        """Tell whether an instant is in the peak, None where the profile has none."""
        if not self.profile.peak:
            return None
        return Schedule(windows=self.profile.peak, zone=self.zone).is_open(now)

    async def async_keep(self, change: Change) -> tuple[OwnerState, OwnerState]:
        """Change the owner's state and keep it; what follows from it needs no waiting.

        Returns the state before and right after the change.
        """
        self.adoption.forgive()
        before = self.state
        after = change(before, dt_util.utcnow())
        await self._async_take(after)
        return before, after

    async def _async_take(self, state: OwnerState) -> None:
        """Keep a state and look anew, also where it is what it was before."""
        self.state = state
        await self._saver.async_save()
        self._decided = self._driver.retry_at = None
        self.evaluate()
        if not self._wallbox.linked and not self._stopped:
            # Decided it is later; what was set is shown now.
            self._wallbox.async_decided()

    async def async_change(
        self, change: Change, *, lasting: bool = False, mode: int | None = None
    ) -> None:
        """Change the owner's state, keep it, and wait until it is carried out.

        A `mode` is told to the wallbox also while nothing flows. Raises a translated
        error when the wallbox does not follow; then the change is undone, so that what
        is shown is what is. A lasting one, such as a grid event or new hours, stays and
        is tried again later. An act that a newer decision overtakes is no failure.
        """
        before, after = await self.async_keep(change)
        attempt = Attempt(
            before=before,
            after=after,
            decided=self.state,
            commands=self._driver.task,
            lasting=lasting,
        )
        self._attempts.add(attempt)
        try:
            if attempt.commands is not None:
                await asyncio.wait({attempt.commands})
                # Ended with the wallbox's set-up; what was asked for is kept for the next.
                if not attempt.commands.cancelled():
                    attempt.commands.result()
            if mode is not None:
                await self._driver.async_show_mode(mode)
        except HomeAssistantError:
            if lasting:
                return
            now, seen = dt_util.utcnow(), self._wallbox.observe()
            await self._async_take(
                self._attempts.taken_back(attempt, self.state, seen, now)
            )
            raise
        finally:
            self._attempts.remove(attempt)

    @property
    def waits_for_us(self) -> bool:
        """Tell whether the wallbox holds back what nobody else would let go.

        Of two masters the other one has had the last word, and is still there. Where
        we may only look nothing is ours to let go.
        """
        if self.adoption.two_masters or not self._wallbox.writable:
            return False
        seen, now = self._wallbox.observe(), dt_util.utcnow()
        situation = self._situation(self.state.dsr, seen)
        return waits_for_us(self.state, self.decision, seen, situation, now)

    async def async_hand_over(self) -> None:
        """Leave the wallbox able to charge without us, as the owner chose.

        What the rules hold back is let go; what the owner paused or a protection
        stopped stays. Never raises: whatever ends must not be kept from ending.
        """
        waits, linked = self.waits_for_us, self._wallbox.linked
        if waits and linked:
            self._stopped = True
            self._alarm.clear()
        handed_over = await async_hand_over(
            self._driver, self._wallbox.title, self.state, waits=waits, linked=linked
        )
        self.state = replace(self.state, handed_over=handed_over)

    async def async_forget(self, users: AbstractSet[str]) -> int:
        """Forget some users of Home Assistant; returns in how many kept states."""
        self._attempts.forget(users)
        self.state = self.state.without(users)
        return await self._saver.async_forget(users)

    async def async_stop(self) -> None:
        """Stop deciding; what was decided is kept.

        May come twice: by then the file may be a successor's.
        """
        if self._ended:
            return
        self._stopped = self._ended = True
        self._alarm.clear()
        self._site.leave(self)
        await self._driver.async_stop()
        await self._saver.async_save()
        self._saver.stop()

    @callback
    def _take_note_of_commands(self) -> None:
        """Wake up for what is tried again, and tell who waits for our room."""
        if not self._stopped:
            self._arm()
            self._publish(dt_util.utcnow())

    def _take_note_of_interruptions(self, now: datetime) -> None:
        """Look anew after a lost link; keep what is left of a delay on a new clock.

        At the first look too: the clock may have been set while we were away.
        """
        if self._between.have_link(now, self._wallbox.back_at, first=self._first):
            self._decided = None
        step = self._between.clock_step(now)
        if step is not None or self._first:
            self.state = after_clock_step(self.state, step or timedelta(0), now)
        if step is not None:
            # The hours are those of the clock as it is now.
            self._decided = self._driver.retry_at = None

    def _aim(self) -> Aim | None:
        """Return where the wallbox is to go, None for nowhere any more."""
        if self.decision is None or self._stopped:
            return None
        return Aim(target=self.decision.target, state=self.state)

    @callback
    def _arm(self) -> None:
        """Wake up at the next instant that matters, also where it is only shown."""
        now = dt_util.utcnow()
        peak = Schedule(windows=self.profile.peak, zone=self.zone).next_boundary(now)
        edges = (peak, self.next_boundary(now))
        shown = min((edge for edge in edges if edge is not None), default=None)
        if not self._wallbox.linked:
            # What is due waits for the link, which wakes us when it is back.
            self._alarm.set(now, shown)
            return
        wake_at = None if self.decision is None else self.decision.wake_at
        self._alarm.set(now, wake_at, self._driver.retry_at, shown)

    @callback
    def _awake(self) -> None:
        """Decide again, and show the hours, which may have changed by themselves."""
        self.evaluate()
        if not self._alarm.is_set and not self._stopped:
            self._wallbox.async_decided()
            self._arm()
