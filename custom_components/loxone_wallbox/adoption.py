"""Take up what others do to a wallbox, instead of fighting it.

A change of permission, mode or limit that no command of ours explains was made in
Loxone's app or by a program: it becomes the owner's override until unplugging or the
next boundary, without a car the owner's permission. Three such changes in ten minutes
mean two masters: then we stop.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from .charging.delay import SAME_KW
from .charging.observe import MANUAL, Observation, Step, owner_limit
from .charging.override import Override, OverrideMode
from .charging.owner import OwnerState
from .charging.regulation import Cause
from .charging.wish import Permission, Reason

# What follows a command of ours within this time is its doing.
OURS = timedelta(seconds=10)
REVERSALS = 3
REVERSALS_WITHIN = timedelta(minutes=10)
SOURCE = "miniserver"


class Adoption:
    """Tells the others' doings from ours."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: Observation | None = None
        # What we asked for and when the wallbox was done with it, None while it is not.
        self._commands: dict[Step, tuple[float, datetime | None]] = {}
        self._reversals: deque[datetime] = deque(maxlen=REVERSALS)
        self.two_masters = False

    def commanding(self, step: Step, value: float) -> None:
        """Take note of a command of ours that begins."""
        self._commands[step] = (value, None)

    def commanded(self, step: Step, now: datetime) -> None:
        """Take note that a command of ours has ended, one way or the other."""
        value, _ = self._commands[step]
        self._commands[step] = (value, now)

    def _explains(self, step: Step, value: float, now: datetime) -> bool:
        """Tell whether a command of ours asked for what is seen."""
        if step not in self._commands:
            return False
        asked, ended = self._commands[step]
        return abs(asked - value) < SAME_KW and (ended is None or now - ended < OURS)

    def remember(self, seen: Observation) -> None:
        """Keep what was seen, to compare with."""
        self._seen = seen

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
        before = self._seen
        if before is None or _protected(before, seen):
            return state
        if not seen.managed and self._mode_is_theirs(before, seen, now):
            manual = seen.mode == MANUAL and seen.limit_kw is not None
            state = replace(
                state,
                owner_mode=seen.mode,
                target_kw=seen.limit_kw if manual else state.target_kw,
                target_previous_kw=owner_limit(state, before),
                target_at=now,
                target_cause=Cause.USER,
            )
        if not self._permission_is_theirs(before, seen, now):
            return state
        if state.plugged_at is not None:
            self._count(now)
        if seen.managed:
            # A manager is no owner; but neither is it fought for ever.
            return state
        if state.plugged_at is None:
            permission = Permission(allowed=bool(seen.allowed), at=now)
            return replace(state, permission=permission)
        mode = OverrideMode.CHARGE if seen.allowed else OverrideMode.PAUSE
        return replace(
            state,
            override=Override(mode=mode, start=now, end=next_boundary, source=SOURCE),
        )

    def _count(self, now: datetime) -> None:
        """Count a reversal; three within ten minutes are two masters."""
        self._reversals.append(now)
        if (
            len(self._reversals) == REVERSALS
            and now - self._reversals[0] <= REVERSALS_WITHIN
        ):
            self.two_masters = True

    def _permission_is_theirs(
        self, before: Observation, seen: Observation, now: datetime
    ) -> bool:
        """Tell whether somebody else gave or took the permission."""
        if (
            before.allowed is None
            or seen.allowed is None
            or before.allowed is seen.allowed
            or before.connected is not seen.connected
        ):
            return False
        step = Step.ALLOW if seen.allowed else Step.FORBID
        return not self._explains(step, 0, now)

    def _mode_is_theirs(
        self, before: Observation, seen: Observation, now: datetime
    ) -> bool:
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
            return not self._explains(Step.LIMIT, seen.limit_kw, now)
        return seen.mode != before.mode and not self._explains(
            Step.MODE, seen.mode, now
        )


def _protected(before: Observation, seen: Observation) -> bool:
    """Tell whether a protection explains a change."""
    return (
        seen.load_shedding
        or before.load_shedding
        or Reason.LOCKED in {seen.blocked_by, before.blocked_by}
    )
