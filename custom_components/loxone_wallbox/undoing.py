"""Take back what somebody asked for and the wallbox did not do.

Takes the acts that are under way, gives the state without them. Who asked is told by an
error; what is shown afterwards is what is, and nothing asks the wallbox again for it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from .charging.delay import Target
from .charging.observe import Observation
from .charging.owner import OwnerState, undone

type Commands = asyncio.Task[None] | None


@dataclass(kw_only=True, eq=False, slots=True)
class Attempt:
    """An act that the wallbox has not followed yet.

    `after` is the state with it, `decided` that with what followed from it; `commands`
    is the task that carries it out. A lasting one is never taken back.
    """

    before: OwnerState
    after: OwnerState
    decided: OwnerState
    commands: Commands
    lasting: bool

    def taken_back(
        self, state: OwnerState, seen: Observation, now: datetime
    ) -> OwnerState:
        """Return a state without the act, as far as nothing newer stands there."""
        without = undone(state, self.before, self.after)
        if state.delay == self.decided.delay:
            delay = state.delay.taken_back(self.before.delay, now)
            return replace(without, delay=delay)
        if without.delay.settled.allowed is seen.allowed:
            return without
        limit = seen.max_kw if seen.limit_kw is None else seen.limit_kw
        shown = Target(allowed=bool(seen.allowed), limit_kw=limit)
        return replace(without, delay=replace(without.delay, settled=shown))


class Attempts:
    """The acts on one wallbox that are under way, in their order."""

    def __init__(self) -> None:
        """Start with none."""
        self._attempts: list[Attempt] = []

    def add(self, attempt: Attempt) -> None:
        """Take note of an act."""
        self._attempts.append(attempt)

    def remove(self, attempt: Attempt) -> None:
        """Forget an act that is over; may come twice."""
        if attempt in self._attempts:
            self._attempts.remove(attempt)

    def forget(self, users: Collection[str]) -> None:
        """Forget some users, so that no act that fails brings one of them back."""
        for one in self._attempts:
            one.before = one.before.without(users)
            one.after = one.after.without(users)
            one.decided = one.decided.without(users)

    def taken_back(
        self, failed: Attempt, state: OwnerState, seen: Observation, now: datetime
    ) -> OwnerState:
        """Return a state without all acts that failed with one, the last one first.

        What an act stood upon may have failed with it. The second to ask finds it done.
        """
        together = [
            one
            for one in self._attempts
            if one is failed
            or (one.commands is not None and one.commands is failed.commands)
        ]
        for one in reversed(together):
            self.remove(one)
            if not one.lasting:
                state = one.taken_back(state, seen, now)
        return state
