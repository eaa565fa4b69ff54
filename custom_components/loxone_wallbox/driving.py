"""Have a wallbox do what was decided: one command after the other, each confirmed.

Takes the aim, gives commands until the wallbox is there. What may go wrong: it does not
obey (said once by an alert, tried again after a while), another wallbox has to give way
first (then the command waits until that is confirmed), something else is decided while
a command is waited for (then that one is dropped for the new one).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .adoption import Adoption
from .charging.delay import SAME_KW, Target
from .charging.observe import MANUAL, Observation, Step, next_step
from .charging.owner import OwnerState
from .commander import Commander, OvertakenError
from .const import LOGGER
from .miniserver import Allow, Command, SetManualLimit, SetMode

# After a command that was not obeyed; the owner's own word is carried out at once.
RETRY_AFTER = timedelta(seconds=60)
# A mode, a limit, a permission, and one more for what came in between.
MAX_STEPS = 4


class DrivenWallbox(Protocol):
    """What a driver needs of a wallbox."""

    title: str
    commander: Commander

    @property
    def writable(self) -> bool:
        """Tell whether the wallbox takes commands from this user at all."""

    def observe(self) -> Observation:
        """Return what the wallbox shows now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Aim:
    """What a wallbox is to do, and the owner's state from which that follows."""

    target: Target
    state: OwnerState


class Driver:
    """The commands that follow from the decisions on one wallbox.

    `has_room` tells whether a power in kW may be drawn now; `ended` is called when all
    commands of an aim were given, or one was not obeyed.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        wallbox: DrivenWallbox,
        adoption: Adoption,
        *,
        aim: Callable[[], Aim | None],
        has_room: Callable[[float], bool],
        ended: Callable[[], None],
    ) -> None:
        """Take the wallbox and who says where it is to go."""
        self._hass = hass
        self._wallbox = wallbox
        self._adoption = adoption
        self._aim = aim
        self._has_room = has_room
        self._ended = ended
        self._turn = asyncio.Lock()
        self._commanded_kw = 0.0
        self._not_obeyed: Step | None = None
        self.task: asyncio.Task[None] | None = None
        self.retry_at: datetime | None = None
        self.held = False

    @property
    def potential_kw(self) -> float:
        """Return the most the wallbox may draw, as shown or as just told, in kW."""
        seen = self._wallbox.observe()
        if not seen.connected:
            return 0.0
        return max(_power(seen), self._commanded_kw)

    @callback
    def drive(self, seen: Observation, now: datetime) -> None:
        """Have the wallbox told, unless it is being told already or waits.

        What was not obeyed waits for its next try, anything else does not.
        """
        self.reconsider()
        if self._turn.locked() or self._open_aim() is None:
            return
        self.held = False
        step = self._next_step(seen)
        waits = self.retry_at is not None and now < self.retry_at
        if step is not None and waits and step[0] is self._not_obeyed:
            return
        self.retry_at = None
        if step is None:
            self._commanded_kw = 0.0
            return
        self.task = self._hass.async_create_background_task(
            self._async_drive(), f"commands to {self._wallbox.title}", eager_start=True
        )
        self.task.add_done_callback(self._driven)

    @callback
    def _driven(self, task: asyncio.Task[None]) -> None:
        """Take note of how the commands went; the owner was told by an alert."""
        if self.task is task:
            self.task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.debug("A command of ours failed: %s", error)
        self._ended()

    @callback
    def reconsider(self) -> None:
        """Drop a command under way that is not wanted any more."""
        self._wallbox.commander.reconsider()

    def _open_aim(self) -> Aim | None:
        """Return the aim, None where there is none or we are not to command."""
        if self._adoption.two_masters or not self._wallbox.writable:
            return None
        return self._aim()

    def _next_step(self, seen: Observation) -> tuple[Step, float] | None:
        """Return the next command towards the present aim, None when it is there."""
        aim = self._open_aim()
        return None if aim is None else next_step(aim.target, aim.state, seen)

    async def _async_drive(self) -> None:
        """Give one command after the other until the wallbox is where it should be.

        Where that is may change meanwhile; only towards one aim the steps are counted.
        """
        async with self._turn:
            steps, target = 0, None
            while (aim := self._open_aim()) is not None:
                seen = self._wallbox.observe()
                step = self._next_step(seen)
                if step is None:
                    self._commanded_kw = 0.0
                    return
                steps = steps + 1 if aim.target == target else 1
                target = aim.target
                if steps > MAX_STEPS:
                    self._try_later(step[0])
                    return
                if not self._may_give(*step, seen):
                    self.held = True
                    return
                try:
                    await self.async_give(*step, partial(self._is_next, step))
                except OvertakenError:
                    LOGGER.debug("Something else is wanted than %s", step)
                except HomeAssistantError:
                    self._try_later(step[0])
                    raise

    def _is_next(self, step: tuple[Step, float]) -> bool:
        """Tell whether a command is still what comes next."""
        wanted = self._next_step(self._wallbox.observe())
        return wanted is not None and (
            wanted[0] is step[0] and abs(wanted[1] - step[1]) < SAME_KW
        )

    def _may_give(self, step: Step, value: float, seen: Observation) -> bool:
        """Tell whether nobody has to give way first to what a command lets flow."""
        power = _power_after(step, value, seen)
        raises = bool(seen.connected) and power > self.potential_kw + SAME_KW
        return not raises or self._has_room(power)

    def _try_later(self, step: Step) -> None:
        """Try a command again after a while."""
        self._not_obeyed = step
        self.retry_at = dt_util.utcnow() + RETRY_AFTER

    async def async_show_mode(self, mode: int) -> None:
        """Have the wallbox show the owner's mode where nothing else would yet."""

        def wanted() -> bool:
            """Tell whether it still is the owner's, and nothing flows.

            A shed load is told nothing that would let more flow when it is let go.
            """
            aim = self._open_aim()
            return (
                aim is not None
                and not self._wallbox.observe().load_shedding
                and not aim.target.allowed
                and aim.state.owner_mode == mode != MANUAL
            )

        if wanted():
            with suppress(OvertakenError):
                await self.async_give(Step.MODE, mode, wanted)

    async def async_give(
        self, step: Step, value: float, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Give one command, and remember that it is ours.

        Raises `OvertakenError` when `wanted` says that it is not any more.
        """
        ended = self._adoption.commanding(step, value)
        self._commanded_kw = _power_after(step, value, self._wallbox.observe())
        try:
            await self._wallbox.commander.async_execute(_command(step, value), wanted)
            self._commanded_kw = 0.0
        finally:
            ended()

    async def async_stop(self) -> None:
        """Give no further command."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


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


def _power(seen: Observation) -> float:
    """Return the most a wallbox may draw as it stands, in kW."""
    if not seen.allowed:
        return 0.0
    return seen.max_kw if seen.limit_kw is None else seen.limit_kw


def _power_after(step: Step, value: float, seen: Observation) -> float:
    """Return the most a wallbox may draw after a command, in kW."""
    if step is Step.FORBID:
        return 0.0
    if step is Step.ALLOW:
        return seen.max_kw if seen.limit_kw is None else seen.limit_kw
    if not seen.allowed:
        return 0.0
    if step is Step.LIMIT or value == MANUAL:
        return value
    return seen.mode_limits.get(round(value), seen.max_kw)
