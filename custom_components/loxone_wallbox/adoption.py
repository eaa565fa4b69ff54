"""Take up what others do to a wallbox, instead of fighting it.

A change of permission, mode or limit that no command of ours explains was made in
Loxone's app or by a program: it becomes the owner's override until unplugging or the
next boundary, without a car the owner's permission. Three such changes in ten minutes
mean two masters: then we stop. How long ago something was is told by the clock that
nobody can set.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from .charging.delay import SAME_KW
from .charging.observe import MANUAL, Observation, Step, owner_limit
from .charging.override import Override, OverrideMode, boundary_end
from .charging.owner import OwnerState
from .charging.regulation import Cause
from .clock import seconds

# What follows a command of ours within this time is its doing.
OURS_S = 10.0
REVERSALS = 3
REVERSALS_WITHIN_S = 600.0
SOURCE = "miniserver"


@dataclass(kw_only=True, slots=True)
class _Ours:
    """A command of ours; `ended` is when we were done with it, None while we are not.

    Seconds of the monotonic clock.
    """

    step: Step
    value: float
    ended: float | None = None


class Adoption:
    """Tells the others' doings from ours."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: Observation | None = None
        self._commands: list[_Ours] = []
        # Since when nothing is seen, because the link is lost.
        self._blind_since: float | None = None
        # A mode or limit we did not ask for may be how a command of ours is obeyed.
        self._undecided = False
        self._reversals: deque[float] = deque(maxlen=REVERSALS)
        self.two_masters = False

    def commanding(self, step: Step, value: float) -> Callable[[], None]:
        """Take note of a command of ours; returns what takes note of its end."""
        self._commands = [one for one in self._commands if self._counts(one)]
        ours = _Ours(step=step, value=value)
        self._commands.append(ours)

        def ended() -> None:
            """Take note that it has ended, one way or the other."""
            ours.ended = seconds()

        return ended

    def _counts(self, ours: _Ours) -> bool:
        """Tell whether what is seen next may be the doing of a command.

        What comes to light after a lost link happened when nobody looked.
        """
        if ours.ended is None:
            return True
        since = self._blind_since
        return (seconds() if since is None else since) - ours.ended < OURS_S

    def _explains(self, step: Step, value: float) -> bool:
        """Tell whether a command of ours asked for what is seen."""
        return any(
            # A limit is written with two digits.
            one.step is step
            and abs(one.value - value) < 2 * SAME_KW
            and self._counts(one)
            for one in self._commands
        )

    @property
    def _commands_power(self) -> bool:
        """Tell whether a command of ours for a mode or a limit is under way."""
        return any(
            one.ended is None and one.step in {Step.MODE, Step.LIMIT}
            for one in self._commands
        )

    def lose_sight(self) -> None:
        """Take note that nothing is seen any more until something is remembered."""
        if self._blind_since is None:
            self._blind_since = seconds()

    def remember(self, seen: Observation) -> None:
        """Keep what was seen, to compare with."""
        if self._undecided and self._seen is not None:
            before = self._seen
            seen = replace(seen, mode=before.mode, limit_kw=before.limit_kw)
        self._seen = seen
        self._blind_since = None

    def forgive(self) -> None:
        """Start over, because the owner said what is wanted."""
        self._reversals.clear()
        self.two_masters = False

    def adopt(
        self,
        state: OwnerState,
        seen: Observation,
        now: datetime,
        next_boundary: datetime | None,
    ) -> OwnerState:
        """Return the state with what others did taken up."""
        before, self._undecided = self._seen, False
        if before is None or _protected(before, seen):
            return state
        theirs = not seen.managed and self._mode_is_theirs(before, seen)
        self._undecided = theirs and self._commands_power
        if theirs and not self._undecided:
            manual = seen.mode == MANUAL and seen.limit_kw is not None
            state = replace(
                state,
                owner_mode=seen.mode,
                target_kw=seen.limit_kw if manual else state.target_kw,
                target_previous_kw=owner_limit(state, before),
                target_at=now,
                target_cause=Cause.USER,
            )
        elif _limit_is_theirs(state, before, seen):
            state = replace(
                state,
                target_previous_kw=before.limit_kw,
                target_at=now,
                target_cause=Cause.USER,
            )
        if not self._permission_is_theirs(before, seen):
            return state
        if state.plugged_at is not None:
            self._count()
        if seen.managed:
            # A manager is no owner; but neither is it fought for ever.
            return state
        if state.plugged_at is None:
            permission = state.permission.said(bool(seen.allowed), now, Cause.USER)
            return replace(state, permission=permission)
        mode = OverrideMode.CHARGE if seen.allowed else OverrideMode.PAUSE
        # Without a boundary ahead it lasts until the car is unplugged.
        end = next_boundary and boundary_end(next_boundary, now)
        return replace(
            state, override=Override(mode=mode, start=now, end=end, source=SOURCE)
        )

    def _count(self) -> None:
        """Count a reversal; three within ten minutes are two masters."""
        now = seconds()
        self._reversals.append(now)
        if (
            len(self._reversals) == REVERSALS
            and now - self._reversals[0] <= REVERSALS_WITHIN_S
        ):
            self.two_masters = True

    def _permission_is_theirs(self, before: Observation, seen: Observation) -> bool:
        """Tell whether somebody else gave or took the permission."""
        if (
            before.allowed is None
            or seen.allowed is None
            or before.allowed is seen.allowed
            or before.connected is not seen.connected
        ):
            return False
        step = Step.ALLOW if seen.allowed else Step.FORBID
        return not self._explains(step, 0)

    def _mode_is_theirs(self, before: Observation, seen: Observation) -> bool:
        """Tell whether somebody else chose a mode or a manual limit."""
        if seen.mode is None or before.mode is None:
            return False
        if seen.mode == MANUAL:
            if seen.limit_kw is None or (
                before.mode == MANUAL
                and before.limit_kw is not None
                and abs(seen.limit_kw - before.limit_kw) < SAME_KW
            ):
                return False
            return not self._explains(Step.LIMIT, seen.limit_kw)
        return seen.mode != before.mode and not self._explains(Step.MODE, seen.mode)


def _limit_is_theirs(state: OwnerState, before: Observation, seen: Observation) -> bool:
    """Tell whether a program moved the limit of the owner's own mode.

    It is followed at once, as what one home's program does is done by no other's.
    """
    return (
        not seen.managed
        and before.mode == seen.mode == state.owner_mode != MANUAL
        and before.limit_kw is not None
        and seen.limit_kw is not None
        and abs(seen.limit_kw - before.limit_kw) >= SAME_KW
    )


def _protected(before: Observation, seen: Observation) -> bool:
    """Tell whether a protection explains a change."""
    return seen.load_shedding or before.load_shedding or seen.locked or before.locked
