"""Have a wallbox do what was decided: one command after the other, each confirmed.

Takes the aim, gives commands until the wallbox is there. What may go wrong: it does not
obey (said once by an alert, tried again after a while), another wallbox has to give way
first (then the command waits until that is confirmed).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .adoption import Adoption
from .charging.delay import SAME_KW, Target
from .charging.observe import MANUAL, Observation, Step, next_step
from .charging.owner import OwnerState
from .commander import Commander
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

    `has_room` tells whether a power in kW may be drawn now; `failed` is called with
    every command that was not obeyed.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        wallbox: DrivenWallbox,
        adoption: Adoption,
        *,
        aim: Callable[[], Aim | None],
        has_room: Callable[[float], bool],
        failed: Callable[[], None],
    ) -> None:
        """Take the wallbox and who says where it is to go."""
        self._hass = hass
        self._wallbox = wallbox
        self._adoption = adoption
        self._aim = aim
        self._has_room = has_room
        self._failed = failed
        self._turn = asyncio.Lock()
        self._commanded_kw = 0.0
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
        """Have the wallbox told, unless it is being told already or waits."""
        aim = self._aim()
        if (
            aim is None
            or self._turn.locked()
            or self._adoption.two_masters
            or not self._wallbox.writable
            or (self.retry_at is not None and now < self.retry_at)
        ):
            return
        self.held = False
        if next_step(aim.target, aim.state, seen) is None:
            self.retry_at = None
            return
        self.retry_at = None
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

    async def _async_drive(self) -> None:
        """Give one command after the other until the wallbox is where it should be.

        Where that is may change meanwhile; only towards one aim the steps are counted.
        """
        async with self._turn:
            steps, target = 0, None
            while (aim := self._aim()) is not None:
                seen = self._wallbox.observe()
                step = next_step(aim.target, aim.state, seen)
                if step is None:
                    return
                steps = steps + 1 if aim.target == target else 1
                target = aim.target
                if steps > MAX_STEPS:
                    self._try_later()
                    return
                if not self._may_give(*step, seen):
                    self.held = True
                    return
                try:
                    await self.async_give(*step)
                except HomeAssistantError:
                    self._try_later()
                    raise

    def _may_give(self, step: Step, value: float, seen: Observation) -> bool:
        """Tell whether nobody has to give way first to what a command lets flow."""
        power = _power_after(step, value, seen)
        raises = bool(seen.connected) and power > self.potential_kw + SAME_KW
        return not raises or self._has_room(power)

    def _try_later(self) -> None:
        """Try again after a while."""
        self.retry_at = dt_util.utcnow() + RETRY_AFTER
        self._failed()

    async def async_give(self, step: Step, value: float) -> None:
        """Give one command, and remember that it is ours."""
        self._adoption.commanding(step, value)
        self._commanded_kw = _power_after(step, value, self._wallbox.observe())
        try:
            await self._wallbox.commander.async_execute(_command(step, value))
            self._commanded_kw = 0.0
        finally:
            self._adoption.commanded(step, dt_util.utcnow())

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
