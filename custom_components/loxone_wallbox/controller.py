"""Run the rules for one wallbox.

Takes what the wallbox shows and what the owner does, asks the rules what should hold,
keeps the answer before it is waited for, and has the wallbox told. One timer, set to
the next instant that matters. What may go wrong: the disk takes nothing (charging goes
on by what is in memory), the wallbox does not obey (said once, tried again later), the
link is lost (nothing is decided until it is back).
"""

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta, tzinfo
import random
from typing import Protocol

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .adoption import Adoption
from .charging.decision import Decision, decide
from .charging.delay import DelayRules
from .charging.observe import (
    Observation,
    Step,
    next_step,
    observe,
    situation,
)
from .charging.owner import HandOver, OwnerState
from .charging.regulation import Profile
from .charging.schedule import Schedule
from .charging.wish import Reason
from .commander import Commander
from .const import LOGGER
from .miniserver import Allow, Command, SetManualLimit, SetMode
from .records.journal import JournalError
from .records.state import StateKeeper

# A link that was away for longer counts as lost (a restart, a power cut).
RECONNECT_AFTER = timedelta(seconds=30)
# After a command that was not obeyed; the owner's own word is carried out at once.
RETRY_AFTER = timedelta(seconds=60)
MAX_STEPS = 4
# Home Assistant gives its own shutdown not much longer.
HAND_OVER_S = 5.0
# What a wallbox must not go on waiting for when nobody is there to end it.
LET_GO = {Reason.OUTSIDE_DEFAULT_HOURS, Reason.RANDOM_DELAY, Reason.DSR}


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
        draw: Callable[[int], int] | None = None,
    ) -> None:
        """Take the wallbox and the state that was kept for it.

        Without `delays` somebody else randomises: everything happens at its boundary.
        """
        self._hass = hass
        self._wallbox = wallbox
        self._keeper = keeper
        self.state = state
        self.profile = profile
        self.zone = zone
        self._strict = strict
        self._delays = delays
        system = random.SystemRandom()
        self.draw = draw or (lambda longest: system.randint(0, longest))
        self.decision: Decision | None = None
        self._first = True
        self._decided: tuple[Observation, OwnerState, datetime | None] | None = None
        self._lost_at: datetime | None = None
        self._reconnected_at: datetime | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._driving = asyncio.Lock()
        self._drive_task: asyncio.Task[None] | None = None
        self._saving = asyncio.Lock()
        self._retry_at: datetime | None = None
        self._disk_failed = False
        self.adoption = Adoption()
        self._stopped = False

    @property
    def _rules(self) -> DelayRules:
        """Return what is delayed and how long."""
        return DelayRules(
            wallbox=self._wallbox.wallbox_id,
            max_delay_s=self.state.max_delay_s if self._delays else 0,
            delayed=self.profile.delayed,
        )

    @callback
    def evaluate(self) -> None:
        """Look, decide, keep, show, and have the wallbox told."""
        if self._stopped:
            return
        now = dt_util.utcnow()
        if not self._wallbox.linked:
            self._lost_at = self._lost_at or now
            return
        self._take_note_of_link(now)
        seen = self._wallbox.observe()
        if self._is_settled(seen, now):
            return
        before = self.state
        state = observe(self.state, seen, now, first=self._first)
        if not self._first:
            state = self.adoption.adopt(state, seen, now, self.next_boundary(now))
        self.adoption.remember(seen)
        self._first = False
        self.decision, delay = decide(
            situation(
                state,
                seen,
                self.profile,
                self.zone,
                strict=self._strict,
                reconnected_at=self._reconnected_at,
            ),
            state.delay,
            self._rules,
            now,
            self.draw,
        )
        self.state = replace(state, delay=delay)
        self._decided = (seen, self.state, self._reconnected_at)
        if self.state != before:
            self._hass.async_create_task(self._async_save(), eager_start=True)
        self._arm(self.decision, now)
        self._wallbox.async_decided()
        self._drive(seen, now)

    def _is_settled(self, seen: Observation, now: datetime) -> bool:
        """Tell whether nothing that decides has changed since the last decision.

        Power and energy come every second and decide nothing.
        """
        wake = None if self.decision is None else self.decision.wake_at
        return (
            self.decision is not None
            and self._decided == (seen, self.state, self._reconnected_at)
            and (wake is None or now < wake)
            and self._retry_at is None
        )

    def next_boundary(self, now: datetime) -> datetime | None:
        """Return the next opening or closing of the default charging hours."""
        schedule = self.state.hours.schedule(self.zone)
        return None if schedule is None else schedule.next_boundary(now)

    def in_default_hours(self, now: datetime) -> bool | None:
        """Tell whether an instant is in the default charging hours."""
        schedule = self.state.hours.schedule(self.zone)
        return None if schedule is None else schedule.is_open(now)

    def in_peak_hours(self, now: datetime) -> bool | None:
        """Tell whether an instant is in the peak, None where the profile has none."""
        if not self.profile.peak:
            return None
        return Schedule(windows=self.profile.peak, zone=self.zone).is_open(now)

    def dsr_events(self, now: datetime) -> tuple[str, ...]:
        """Return the ids of the grid events that hold at an instant."""
        return tuple(sorted(event.event_id for event in self.state.dsr.active(now)))

    async def async_change(
        self,
        change: Callable[[OwnerState, datetime], OwnerState],
        *,
        lasting: bool = False,
    ) -> None:
        """Change the owner's state, keep it, and carry out what follows from it.

        Raises a translated error when the wallbox does not follow; then the change is
        undone, so that what is shown is what is. A lasting one, such as a grid event or
        new hours, stays and is tried again later.
        """
        self.adoption.forgive()
        before = self.state
        after = self.state = change(before, dt_util.utcnow())
        await self._async_save()
        self._retry_at = None
        self.evaluate()
        task = self._drive_task
        if task is None:
            return
        try:
            await asyncio.shield(task)
        except HomeAssistantError:
            if lasting:
                return
            self.state = _undone(self.state, before, after)
            self._retry_at = None
            await self._async_save()
            self.evaluate()
            raise

    async def async_hand_over(self) -> None:
        """Leave the wallbox able to charge without us, as the owner chose.

        What the rules hold back is let go; what the owner paused or a protection
        stopped stays. Never raises: whatever ends must not be kept from ending.
        """
        decision = self.decision
        if (
            self.state.hand_over is not HandOver.ALLOW
            or decision is None
            or decision.reason not in LET_GO
            or not self._wallbox.linked
        ):
            return
        self._stopped = True
        self._disarm()
        try:
            async with asyncio.timeout(HAND_OVER_S):
                await self.async_give(Step.ALLOW, 0)
        except (HomeAssistantError, TimeoutError) as err:
            LOGGER.warning(
                "%s could not be handed over and may wait for Home Assistant: %s",
                self._wallbox.title,
                repr(err),
            )

    async def async_stop(self) -> None:
        """Stop deciding; what was decided is kept."""
        self._stopped = True
        self._disarm()
        if self._drive_task is not None:
            self._drive_task.cancel()
            await asyncio.gather(self._drive_task, return_exceptions=True)
        await self._async_save()

    def _take_note_of_link(self, now: datetime) -> None:
        """Note a link that is back after a real loss: that is a relevant time."""
        if self._lost_at is None:
            return
        if not self._first and now - self._lost_at > RECONNECT_AFTER:
            self._reconnected_at = now
        self._lost_at = None

    async def _async_save(self) -> None:
        """Keep the state; without a disk charging goes on by what is in memory."""
        async with self._saving:
            try:
                await self._hass.async_add_executor_job(
                    self._keeper.save, self.state.as_dict()
                )
            except JournalError as err:
                if not self._disk_failed:
                    LOGGER.error(
                        "The state of %s could not be kept: %s. Charging goes on, but "
                        "a restart may forget a delay or an override",
                        self._wallbox.title,
                        err,
                    )
                self._disk_failed = True
            else:
                self._disk_failed = False

    async def _async_evaluate_when_kept(self) -> None:
        """Wait for the disk, then decide."""
        async with self._saving:
            pass
        self.evaluate()

    @callback
    def _arm(self, decision: Decision, now: datetime) -> None:
        """Set the timer to the next instant that matters."""
        self._disarm()
        wakes = [
            at
            for at in (decision.wake_at, self._retry_at, self._next_shown(now))
            if at is not None
        ]
        if not wakes:
            return

        @callback
        def wake(_now: datetime) -> None:
            """Decide again, once what was decided before is kept."""
            self._timer = None
            if self._saving.locked():
                self._hass.async_create_task(self._async_evaluate_when_kept())
            else:
                self.evaluate()

        self._timer = async_track_point_in_utc_time(
            self._hass,
            HassJob(
                wake, f"decision of {self._wallbox.title}", cancel_on_shutdown=True
            ),
            max(min(wakes), now + timedelta(milliseconds=1)),
        )

    def _next_shown(self, now: datetime) -> datetime | None:
        """Return when the peak begins or ends, or a window does, as it is shown."""
        peak = Schedule(windows=self.profile.peak, zone=self.zone)
        edges = (peak.next_boundary(now), self.next_boundary(now))
        return min((edge for edge in edges if edge is not None), default=None)

    @callback
    def _disarm(self) -> None:
        """Take the timer away."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def _drive(self, seen: Observation, now: datetime) -> None:
        """Have the wallbox told, unless it is being told already or waits."""
        decision = self.decision
        if (
            decision is None
            or self._driving.locked()
            or self.adoption.two_masters
            or not self._wallbox.writable
            or (self._retry_at is not None and now < self._retry_at)
            or next_step(decision.target, self.state, seen) is None
        ):
            return
        self._retry_at = None
        self._drive_task = self._hass.async_create_background_task(
            self._async_drive(), f"commands to {self._wallbox.title}", eager_start=True
        )
        self._drive_task.add_done_callback(self._driven)

    @callback
    def _driven(self, task: asyncio.Task[None]) -> None:
        """Take note of how the commands went; the owner was told by an alert."""
        if self._drive_task is task:
            self._drive_task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.debug("A command of ours failed: %s", error)

    async def _async_drive(self) -> None:
        """Give one command after the other until the wallbox is where it should be."""
        async with self._driving:
            for _ in range(MAX_STEPS):
                if self.decision is None or self._stopped:
                    return
                step = next_step(
                    self.decision.target, self.state, self._wallbox.observe()
                )
                if step is None:
                    return
                try:
                    await self.async_give(*step)
                except HomeAssistantError:
                    self._retry_at = dt_util.utcnow() + RETRY_AFTER
                    self._arm(self.decision, dt_util.utcnow())
                    raise

    async def async_give(self, step: Step, value: float) -> None:
        """Give one command, and remember that it is ours."""
        self.adoption.commanding(step, value)
        try:
            await self._wallbox.commander.async_execute(_command(step, value))
        finally:
            self.adoption.commanded(step, dt_util.utcnow())


def _command(step: Step, value: float) -> Command:
    """Return the command of a step."""
    match step:
        case Step.ALLOW:
            return Allow(on=True)
        case Step.FORBID:
            return Allow(on=False)
        case Step.MODE:
            return SetMode(round(value))
        case Step.LIMIT:
            return SetManualLimit(value)


def _undone(now: OwnerState, before: OwnerState, after: OwnerState) -> OwnerState:
    """Return a state without a change, as far as nothing newer stands there."""
    changed = {
        one.name: getattr(before, one.name)
        for one in fields(before)
        if getattr(before, one.name)
        != getattr(after, one.name)
        == getattr(now, one.name)
    }
    return replace(now, **changed)
