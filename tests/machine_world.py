"""Everything there is: people who act, and what must hold when all is at rest."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
import json
from typing import Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .machine_box import Obeys
from .machine_deciding import LATE
from .machine_home import BLINK, PATIENCE, Home
from .machine_judge import Act, last_record
from .machine_model import Model
from .machine_words import WrongError
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.rights import Actor

type Deed = Coroutine[Any, Any, None]

OWNER = Actor(user_id="owner", by_hand=True)
# A limit is written with two digits, and two limits may be the same to a device.
SAME_LIMIT_KW = 0.0151
TRIED_S = 305.0
# The facts that an act may change.
CHANGED = (
    "permitted",
    "permitted_at",
    "word",
    "mode",
    "manual_kw",
    "asks",
    "hours",
    "enabled",
)


class World(Home):
    """A home with people in it."""

    _last_checked: OwnerState | None = None
    _disk_owes: OwnerState | None = None
    _owed_at: float = 0.0

    @property
    def unsafe(self) -> bool:
        """Tell whether an override may endanger somebody, or reaches nobody."""
        return self.harmful or not self.face.linked

    @property
    def harmful(self) -> bool:
        """Tell whether an override may endanger somebody."""
        state = self.face.state
        protected = state.lock or state.load_shedding or self.face.fault
        return bool(protected or self.face.tampered)

    @property
    def refuses_commands(self) -> bool:
        """Tell whether the wallbox would take no command now."""
        return self.face.state.lock is not None or not self.face.linked

    def back_to_schedule(self) -> None:
        """Take everything away that is not the schedule, and see that it is back."""
        if self.broken:
            return
        if self.disk_fails:
            self.set_disk(fails=False)
        if self.loop.disk.slow:
            self.set_slow(slow=False)
        self.device.obeys = Obeys.AT_ONCE
        if not self.running:
            self.start()
        if not self.face.linked:
            self.set_link(linked=True)
        self.wait(self.now + BLINK)
        nothing: dict[str, Any] = {"lock": None, "load_shedding": False}
        self.device_changes(fault=False, tampered=False, **nothing)
        self.wait(self.now + 2 * PATIENCE)
        for key in list(self.model.facts.asks):
            if self.model.is_open_ended(key, self.now):
                self._undo(
                    partial(self.face.acts.async_cancel_event, ("", key)),
                    partial(Model.cancel, key=key),
                )
        self._undo(lambda: self.face.acts.async_resume(OWNER), Model.resume)
        self._undo(
            lambda: self.face.acts.async_permit(OWNER, allowed=True),
            lambda model: model.permit(allowed=True, cause="user"),
        )
        for _ in range(9):
            self.wait(self.now + timedelta(seconds=2200))
            self.check()
            if self.model.waits is None:
                break
        decision, facts = self.controller.decision, self.model.facts
        if decision is None or self.model.waits is not None:
            raise WrongError("it does not come to rest")
        expected = facts.is_open(self.now) if facts.plugged else None
        if expected is not None and decision.target.allowed is not expected:
            raise WrongError(f"the schedule says {expected}, decided is {decision}")

    def _undo(self, make: Callable[[], Deed], change: Callable[[Model], None]) -> None:
        """Take something back, a moment after what was before."""
        self.wait(self.now + BLINK)
        self.act(make, change, refused=False, what="back to the schedule")

    # What people do.

    def act(
        self,
        make: Callable[[], Deed],
        change: Callable[[Model], None],
        *,
        refused: bool,
        lasting: bool = False,
        what: str = "",
        known: str = "",
        unsaid: bool = False,
    ) -> None:
        """Have somebody act; the model follows as soon as the act is taken."""
        judge, before = self.judge, self.controller.state
        judge.say(f"act {what}")
        self.model.track(self.now)

        async def work() -> None:
            """Act, up to where it first waits."""
            try:
                act = make()
            except ServiceValidationError as err:
                self._refused(err, before, expected=refused)
                return
            task = asyncio.eager_task_factory(self.loop, act)
            if task.done() and isinstance(task.exception(), ServiceValidationError):
                self._refused(task.exception(), before, expected=refused)
                return
            if refused:
                raise WrongError(f"{what} was not refused")
            old = {name: getattr(self.model.facts, name) for name in CHANGED}
            wished = self.model.facts.wish(self.now)
            change(self.model)
            if unsaid or not self.model.facts.wish(self.now).same(wished):
                judge.excuse(known)
            judge.reversals = []
            record = Act(
                before=before,
                after=self.controller.state,
                facts={
                    name: (old[name], getattr(self.model.facts, name))
                    for name in CHANGED
                    if old[name] is not getattr(self.model.facts, name)
                },
                lasting=lasting,
            )
            judge.acts.append(record)
            task.add_done_callback(lambda done: self._acted(record, done, what))

        self.run(work())

    def _refused(
        self, error: BaseException | None, before: OwnerState, *, expected: bool
    ) -> None:
        """Take note of a refusal: nothing may have changed."""
        self.judge.say(f"refused: {getattr(error, 'translation_key', error)}")
        if not expected:
            raise WrongError(f"refused without a reason: {error!r}")
        if self.controller.state is not before:
            raise WrongError("a refused act changed something")

    def _acted(self, record: Act, task: asyncio.Task[None], what: str) -> None:
        """Take note of how an act ended."""
        self.judge.acts.remove(record) if record in self.judge.acts else None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.model.track(self.now)
            self.judge.look_at(record)
            self.judge.unsure = self.judge.unsure or not record.lasting
        self.judge.say(f"{what} ended with {error!r}")
        if error is not None and not isinstance(error, HomeAssistantError):
            self.judge.wrong.append(f"{what} raised {error!r}")

    # What must hold when everything is at rest.

    def check(self) -> None:
        """Judge what can be seen between the steps."""
        try:
            self._check()
        except BaseException as err:
            self.broken = True
            err.add_note("\n".join(self.judge.trace[-40:]))
            raise

    def _check(self) -> None:
        """Judge what can be seen."""
        for context in self.loop.errors:
            raise WrongError(f"{context}") from context.get("exception")
        if self.judge.wrong:
            raise WrongError(self.judge.wrong[0])
        if not self.running:
            return
        self.model.track(self.now) if not self.is_blind else None
        self._check_disk()
        if self.is_blind:
            return
        self._check_decision()
        self._check_timer()
        self._check_device()

    def _check_decision(self) -> None:
        """See that nothing else is wanted now than what was decided last."""
        decision = self.controller.decision
        assert decision is not None

        def no_draw(_longest: set[int]) -> int:
            """Say that a draw is missing."""
            raise WrongError("a relevant time was slept through")

        goal = self.model.decide(self.now, no_draw)
        self.judge._compare(goal, decision)

    def _check_timer(self) -> None:
        """Something is set for whenever there is something to be done."""
        wake, timer = self.model.next_wake(), self.loop.next_timer
        if wake is not None and (timer is None or timer > wake + LATE):
            raise WrongError(f"{wake} is slept through, awake at {timer}")

    def _check_device(self) -> None:
        """See that the device does what was decided, unless it would not."""
        device, decision = self.device, self.controller.decision
        assert decision is not None
        state, target = device.state, decision.target
        free = (
            device.obeys in {Obeys.AT_ONCE, Obeys.SOON}
            and state.lock is None
            and not self.judge.two_masters
        )
        if not free or (device.obeys is Obeys.SOON and device.under_way):
            self.trouble_at = self.now
            return
        if self.trouble_at is not None and self.now - self.trouble_at <= PATIENCE:
            return
        if device.under_way:
            return
        if state.allowed and not target.allowed:
            raise WrongError(f"the wallbox is allowed, decided is {target}")
        if target.allowed and not state.allowed and not state.load_shedding:
            raise WrongError(f"the wallbox is forbidden, decided is {target}")
        if not target.allowed or self.model.facts.managed:
            return
        assert state.limit_kw is not None
        if abs(state.limit_kw - target.limit_kw) > SAME_LIMIT_KW:
            raise WrongError(
                f"the wallbox has {state.limit_kw} kW, decided is {target}"
            )

    def _check_disk(self) -> None:
        """See that what is in memory is on the disk."""
        state = self.controller.state
        if self.disk_fails or self.loop.disk.slow:
            self._last_checked = None
            self._disk_owes, self._owed_at = state, self.loop.time()
            return
        # What the disk did not take is tried again within this time.
        owes = self._disk_owes == state and self.loop.time() - self._owed_at <= TRIED_S
        if self._last_checked == state or owes:
            return
        self._disk_owes = None
        if last_record(self.path) != json.loads(json.dumps(state.as_dict())):
            raise WrongError("what is on the disk is not what is in memory")
        self._last_checked = state
