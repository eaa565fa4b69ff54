"""Hold what a controller does against what should be done, at every single decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
import json
from pathlib import Path
from typing import Any

from .machine_box import Face, Given
from .machine_guard import (
    SAME_LIMIT_KW,
    check_reason,
    check_shed,
    ordered,
    protect,
    told,
)
from .machine_model import Model
from .machine_resync import date, is_over, resync
from .machine_wish import MANUAL, Goal
from .machine_words import WrongError
from custom_components.loxone_wallbox.charging.decision import Decision
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.miniserver import (
    Allow,
    Command,
    SetManualLimit,
    SetMode,
    WallboxState,
)

# What follows a command within this time is its doing.
OURS = timedelta(seconds=10)
TWO_MASTERS = timedelta(minutes=10)
# Two visits that begin so far apart are two for everybody.
SURELY = timedelta(seconds=15)


@dataclass(kw_only=True)
class Act:
    """An act that is under way: what it changed, and what it was before."""

    before: OwnerState
    after: OwnerState
    facts: Mapping[str, tuple[Any, Any]]
    lasting: bool
    undone: bool = False

    def is_undone(self, state: OwnerState) -> bool:
        """Tell whether the controller took the act back."""
        if self.lasting or self.undone:
            return False
        changed = [
            one.name
            for one in fields(state)
            if getattr(self.before, one.name) != getattr(self.after, one.name)
        ]
        if changed == ["delay"]:
            # Where something newer stands there, it is what the wallbox shows.
            return state.delay.settled != self.after.delay.settled
        return bool(changed) and all(
            getattr(state, name) == getattr(self.before, name)
            for name in changed
            if name != "delay"
        )


# A setting of the delay that moves the end of a window across the present instant. The
# rules then look back with the end where it lies now, as if it had always been there:
# one that has come to lie behind us is a relevant time of then, and one that lies ahead
# again leaves the window's opening as the last one, whose draw is known. The model knows
# only what happened while it looked, and cannot say. `test_moved_ends` does.
UNSAID = {"early"}


class Judge:
    """Follows one wallbox with a model and keeps what is wrong."""

    def __init__(self, model: Model, draws: list[int]) -> None:
        """Take the model and the numbers that are drawn, over and over."""
        self.model = model

        self.face: Face
        self._numbers = draws
        self._draws: list[int] = []
        self._longest = 0
        self.count = 0
        self.wrong: list[str] = []
        self.trace: list[str] = []
        self.ids: dict[str, int] = {}
        self.acts: list[Act] = []
        self.given_log: list[Given] = []
        self.first = True
        self.ever = False
        self.by_app = False
        self.lost_at: datetime | None = None
        self.visit: datetime | None = None
        self._unseen_since: datetime | None = None
        # What cannot be known is taken over from the controller at its next decision.
        self.unsure = False
        self.seen: WallboxState | None = None
        self.reversals: list[datetime] = []
        self._told = ""
        self.handing_over = False

    @property
    def two_masters(self) -> bool:
        """Tell whether somebody else steers the wallbox too."""
        return len(self.reversals) == 3 and (
            self.reversals[-1] - self.reversals[0] <= TWO_MASTERS
        )

    def draw(self, longest: int) -> int:
        """Draw a number, and take note of it."""
        number = self._numbers[self.count % len(self._numbers)] % (longest + 1)
        self.count += 1
        self._draws.append(number)
        self._longest = longest
        return number

    def excuse(self, known: str) -> None:
        """Take the next decision as it is, where it is known to be wrong."""
        self.unsure = self.unsure or known in UNSAID

    def say(self, text: str) -> None:
        """Write down what happened."""
        self.trace.append(f"{self.face.now():%d %H:%M:%S.%f} {text}")

    def set_clock(self, step: timedelta) -> None:
        """Keep how long ago things were, on a clock that was set."""
        self.unsure = True
        self.given_log = [replace(one, at=one.at + step) for one in self.given_log]
        self.reversals = [at + step for at in self.reversals]
        self.lost_at = self.lost_at and self.lost_at + step

    def guard(self, judge: Callable[[], None]) -> None:
        """Judge, and keep what is wrong for when the step is over."""
        try:
            judge()
        except WrongError as err:
            self.say(f"WRONG: {err}")
            self.wrong.append(str(err))
            self.unsure = True

    # What is seen of the wallbox.

    def looked(self) -> None:
        """Follow what the wallbox shows, as soon as it does."""
        self.guard(self._look)

    def _look(self) -> None:
        """Take note of what is new."""
        model, face, state = self.model, self.face, self.face.state
        now = face.now()
        model.track(now)
        self._unseen_since = self.lost_at or now
        if self.lost_at is not None:
            if not self.first:
                model.reconnect(self.lost_at)
            self.lost_at = None
        if self.first:
            model.resumed = now
        facts = model.facts
        if not self.ever:
            self.ever = True
            if not facts.hours:
                facts.permitted = bool(state.allowed)
        if facts.mode is None:
            facts.mode = state.mode
            if state.mode == MANUAL:
                facts.manual_kw = state.limit_kw
        protect(model, face)
        # Of what came to light together the car is the reason.
        if state.connected is not facts.plugged or self._is_another(state):
            self._plugs(state, now)
        self.visit = None if state.session is None else state.session.connected_at
        if not self.first and self.seen is not None:
            self._adopt(self.seen, state, now)
        self.seen, self.first, self.by_app = state, False, False

    def _is_another(self, state: WallboxState) -> bool:
        """Tell whether the car is another one that came when nobody looked."""
        if not state.connected or self.visit is None or state.session is None:
            return False
        at = state.session.connected_at
        if at is None or at == self.visit:
            return False
        if abs(at - self.visit) <= SURELY:
            # So soon after another it may count as the same visit.
            self.unsure = True
        return abs(at - self.visit) > SURELY

    def _plugs(self, state: WallboxState, now: datetime) -> None:
        """Follow a car that comes or goes."""
        if not state.connected:
            self.model.unplug()
            return
        at, unseen = now, self.first or self.model.facts.plugged
        if unseen and state.session and state.session.connected_at:
            at = state.session.connected_at
        if self.model.facts.plugged:
            self.model.swap(at)
        else:
            self.model.plug(at)
        if unseen and state.charging:
            limit = None if self.model.facts.managed else state.limit_kw
            kw = self.face.info.max_kw if limit is None else limit
            self.model.holds = Goal(True, kw)

    def _adopt(self, before: WallboxState, state: WallboxState, now: datetime) -> None:
        """Follow what others do: it is the owner's word, unless a protection does it."""
        if before.load_shedding or state.load_shedding or before.lock or state.lock:
            return
        managed = self.model.facts.managed
        if self._others(before, state, now, "mode") and not managed:
            values = {"mode": state.mode}
            if state.mode == MANUAL:
                values["manual_kw"] = state.limit_kw  # type: ignore[assignment]
            self.model.set("user", values)
        if not self._others(before, state, now, "allowed"):
            return
        if self.model.facts.plugged and not self.two_masters:
            # Two masters they are until the owner says something.
            self.reversals = [*self.reversals, now][-3:]
        if managed:
            return
        if not self.model.facts.plugged:
            self.model.permit(allowed=bool(state.allowed), cause="user")
            return
        end = self.model.facts.next_edge(now)
        self.model.override(charge=bool(state.allowed), end=end, cause="user")

    def _others(
        self, before: WallboxState, state: WallboxState, now: datetime, what: str
    ) -> bool:
        """Tell whether somebody else changed permission or mode."""
        if what == "allowed":
            changed = (
                before.allowed is not state.allowed
                and before.connected is state.connected
            )
        else:
            changed = before.mode != state.mode or (
                state.mode == MANUAL and before.limit_kw != state.limit_kw
            )
        if not changed or self.by_app:
            return changed
        since = self._unseen_since or now
        if not any(
            since - one.at <= OURS
            and one.command.confirmed_by(state)
            and isinstance(one.command, Allow) is (what == "allowed")
            for one in self.given_log
        ):
            # The effect of a command that is seen late may count as somebody else's.
            self.unsure = True
        return False

    # What the controller does.

    def decided(self) -> None:
        """Compare a decision with what it should be; without a link there is none."""
        if not self.face.linked:
            return
        self.guard(self._decide)

    def _decide(self) -> None:
        """Compare."""
        controller, now = self.face.controller, self.face.now()
        decision, state = controller.decision, controller.state
        assert decision is not None
        if (text := told(decision)) != self._told:
            self.say(text)
            self._told = text
        drawn, self._draws = self._draws, []
        self._note_draws(state, len(drawn))
        for act in self.acts:
            self.look_at(act)
        self.model.track(now)
        if self.unsure:
            self.unsure = False
            resync(self.model, state)
            return

        def next_draw(longest: set[int]) -> int:
            """Return what was drawn."""
            if not drawn:
                raise WrongError("a relevant time has no draw")
            if self._longest not in longest:
                raise WrongError(f"drew up to {self._longest} s")
            return drawn.pop(0)

        goal = self.model.decide(now, next_draw)
        self._compare(goal, decision)
        if drawn:
            if not is_over(self.model, state, drawn, now):
                raise WrongError(f"drew {drawn} without a new relevant time")
            resync(self.model, state)

    def _note_draws(self, state: OwnerState, count: int) -> None:
        """Check that no relevant time is drawn twice, whatever happens."""
        records: list[Any] = list(state.delay.draws[-3:])
        records += [one for one in (state.delay.pending, state.delay.unplugged) if one]
        new = set()
        for one in records:
            known = self.ids.setdefault(one.relevant_time_id, one.drawn_s)
            if known != one.drawn_s:
                raise WrongError(
                    f"{one.relevant_time_id} drew {known} and {one.drawn_s}"
                )
            new.add(one.relevant_time_id)
        if count > 1:
            raise WrongError(f"drew {count} times for one decision")

    def look_at(self, act: Act) -> None:
        """Take an act back that was undone, as far as nothing newer stands there."""
        if not act.is_undone(self.face.controller.state):
            return
        act.undone = True
        values = {
            name: before
            for name, (before, after) in act.facts.items()
            if getattr(self.model.facts, name) is after
        }
        self.model.set("auto", values)
        self.unsure = True

    def _compare(self, goal: Goal, decision: Decision) -> None:
        """Compare what holds and what waits."""
        target, goal = decision.target, ordered(goal, self.face)
        check_reason(decision, plugged=self.model.facts.plugged)
        if not goal.same(Goal(target.allowed, target.limit_kw)):
            raise WrongError(
                f"should be {goal}, decided is {target} ({decision.reason})"
            )
        date(self.model, decision.pending, self.face.now())
        waits, pending = self.model.waits, decision.pending
        if (waits is None) is not (pending is None):
            raise WrongError(f"should wait for {waits}, waits for {pending}")
        if waits is None or pending is None:
            return
        ours = (waits.since, waits.drawn_s, waits.due)
        theirs = (pending.relevant_at, pending.drawn_s, pending.due)
        if ours != theirs:
            raise WrongError(f"should wait for {waits}, waits for {pending}")

    def given(self, given: Given) -> None:
        """Judge a command as it reaches the device."""
        self.given_log.append(given)
        self.say(f"command {given.command.text}")
        if given.shown.load_shedding:
            self.guard(lambda: check_shed(given.command, given.shown, self.face))
        self.guard(lambda: self._command(given.command, given))

    def _command(self, command: Command, given: Given) -> None:
        """Judge what is asked for against what is decided and shown just then."""
        shown, face = given.shown, self.face
        # A shed load pauses by itself, and must not be forbidden when that is over.
        shed = bool(shown.load_shedding) and not self.handing_over
        protected = given.fault or shown.lock is not None or shed
        match command:
            case Allow(on=True):
                if protected:
                    raise WrongError(f"allowed under a protection: {shown}")
                if not given.target_allowed and not self.handing_over:
                    raise WrongError("allowed against the decision")
            case Allow(on=False):
                if given.target_allowed:
                    raise WrongError("forbidden against the decision")
            case SetManualLimit(limit_kw=limit):
                if not face.info.min_kw <= limit <= face.info.max_kw:
                    raise WrongError(f"{limit} kW is no limit of this wallbox")
                if given.target_allowed and limit > given.target_kw + SAME_LIMIT_KW:
                    raise WrongError(f"{limit} kW is more than {given.target_kw} kW")
            case SetMode(mode=mode):
                if mode != self.model.facts.mode and not self.acts:
                    raise WrongError(f"mode {mode} is not the owner's")
        if self.two_masters:
            raise WrongError("commanded against a second master")


def last_record(path: Path) -> Any:
    """Return the last whole record of a state file, None where there is none."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines[:-1]):
        try:
            return json.loads(line)["r"]
        except ValueError, KeyError:
            continue
    return None
