"""What can be done to a wallbox by a person or an automation.

Each act is checked first and changes nothing when it is refused; then it is kept, then
carried out. Raises translated errors.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from .charging.dsr import DsrError, DsrEvent
from .charging.observe import MANUAL, Observation, owner_limit
from .charging.override import (
    AUTOMATION,
    OverrideError,
    OverrideMode,
    Until,
    make_override,
)
from .charging.owner import DefaultHours, EndDelay, HandOver, OwnerState
from .charging.wish import Reason
from .commander import Commander
from .const import DOMAIN
from .controller import Controller
from .miniserver import Allow, SetManualLimit, SetMode
from .rights import Actor, SecurityEvent, SecuritySink, log_security

# Nothing of these may be overridden, it could harm somebody (regulation 8).
UNSAFE = {
    Reason.FAULT: "unsafe_fault",
    Reason.LOCKED: "wallbox_locked",
    Reason.TAMPER: "unsafe_tamper",
}


# An act that was checked when it was named, to be carried out or closed.
type Act = Coroutine[Any, Any, None]


class ActedOn(Protocol):
    """What acts need of a wallbox."""

    title: str
    commander: Commander
    controller: Controller

    @property
    def linked(self) -> bool:
        """Tell whether the wallbox can be reached."""

    def observe(self) -> Observation:
        """Return what the wallbox shows now."""


class Acts:
    """The acts on one wallbox."""

    def __init__(
        self, wallbox: ActedOn, *, security: SecuritySink = log_security
    ) -> None:
        """Take the wallbox and who keeps the security log."""
        self._wallbox = wallbox
        self._security = security

    async def async_permit(self, actor: Actor, *, allowed: bool) -> None:
        """Give or take the owner's permission."""
        self._wallbox.commander.check(Allow(allowed))

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the permission."""
            permission = state.permission.said(allowed, now, actor.cause)
            return replace(state, permission=permission)

        await self._wallbox.controller.async_change(change)

    async def async_wish_power(self, actor: Actor, power_kw: float) -> None:
        """Set the power the owner wishes, in kW."""
        self._wallbox.commander.check(SetManualLimit(power_kw))
        seen = self._wallbox.observe()

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the wish."""
            return replace(
                state,
                owner_mode=MANUAL,
                target_kw=power_kw,
                target_previous_kw=owner_limit(state, seen),
                target_at=now,
                target_cause=actor.cause,
            )

        await self._wallbox.controller.async_change(change)

    async def async_choose_mode(self, actor: Actor, mode: int) -> None:
        """Choose the charge mode; while a limit of ours holds it comes afterwards.

        Manual means the target power as the limit.
        """
        self._wallbox.commander.check(SetMode(mode))
        seen = self._wallbox.observe()

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the mode."""
            return replace(
                state,
                owner_mode=mode,
                target_previous_kw=owner_limit(state, seen),
                target_at=now,
                target_cause=actor.cause,
            )

        await self._wallbox.controller.async_change(change, mode=mode)

    def async_override(
        self,
        actor: Actor,
        mode: OverrideMode,
        until: Until = Until.UNPLUG,
        *,
        end: datetime | None = None,
        duration: timedelta | None = None,
    ) -> Act:
        """Charge or pause now, until something ends it."""
        if mode is OverrideMode.CHARGE:
            self._check_safe(actor, "override")

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the override."""
            override = make_override(
                mode,
                until,
                now,
                next_boundary=self._wallbox.controller.next_boundary(now),
                end=end,
                duration=duration,
                by=actor.user_id,
                source="user" if actor.by_hand else AUTOMATION,
            )
            return replace(state, override=override)

        return self._checked(change)

    def async_resume(self, _actor: Actor) -> Act:
        """End an override; what follows is an automatic change."""

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """End what there is."""
            ended = None if state.override is None else state.override.ended(now)
            return replace(state, override=ended)

        return self._checked(change)

    def async_skip_delay(self, actor: Actor) -> Act:
        """End the present delay; twice is once.

        Only a person may: an automation that did would let thousands of homes start in
        the same second, which is what the delay is there to prevent.
        """
        self._check_safe(actor, "skip_delay")
        if not actor.by_hand:
            self._refuse(actor, "skip_delay", "skip_needs_person")
        return self._checked(
            lambda state, now: replace(
                state, delay=state.delay.skip(now, actor.user_id)
            )
        )

    def async_opt_out(self, actor: Actor) -> Act:
        """Leave the grid events that hold now."""
        self._check_safe(actor, "dsr_opt_out")
        return self._checked(
            lambda state, now: replace(
                state,
                dsr=state.dsr.opt_out(now, actor.user_id, by_hand=actor.by_hand),
            )
        )

    def async_add_event(self, event: DsrEvent) -> Act:
        """Take a grid event, or a newer version of one."""
        return self._checked(
            lambda state, now: replace(state, dsr=state.dsr.prune(now).add(event, now)),
            lasting=True,
        )

    def async_cancel_event(self, key: tuple[str, str]) -> Act:
        """Call a grid event off."""
        return self._checked(
            lambda state, now: replace(state, dsr=state.dsr.cancel(key, now)),
            lasting=True,
        )

    def async_set_hours(self, hours: DefaultHours) -> Act:
        """Set, suspend or remove the default charging hours."""
        return self._checked(
            lambda state, now: replace(state, hours=replace(hours, changed_at=now)),
            lasting=True,
        )

    async def async_set_max_delay(self, actor: Actor, seconds: int) -> None:
        """Set the longest random delay in seconds.

        A person shortens with it what is under way, an automation only what comes.
        """
        controller = self._wallbox.controller
        before = controller.state.max_delay_s
        try:
            controller.state.with_max_delay(seconds, dt_util.utcnow())
        except ValueError as err:
            raise _invalid("max_delay_invalid") from err

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the longest delay."""
            after = state.with_max_delay(seconds, now)
            return after if actor.by_hand else replace(after, delay=state.delay)

        await controller.async_keep(change)
        self._security(
            SecurityEvent(
                kind="config_security_changed",
                outcome="info",
                user_id=actor.user_id,
                detail={"what": "max_random_delay", "from": before, "to": seconds},
            )
        )

    async def async_set_end_delay(self, end_delay: EndDelay) -> None:
        """Choose where the delay at the end of a window lies."""
        await self._wallbox.controller.async_keep(
            lambda state, _now: replace(state, end_delay=end_delay)
        )

    async def async_set_hand_over(self, hand_over: HandOver) -> None:
        """Choose what the wallbox is left with when Home Assistant stops."""
        await self._wallbox.controller.async_keep(
            lambda state, _now: replace(state, hand_over=hand_over)
        )

    def _checked(
        self,
        change: Callable[[OwnerState, datetime], OwnerState],
        *,
        lasting: bool = False,
    ) -> Act:
        """Return a change to be carried out, refused here and now where it cannot be.

        It is made anew on the state that stands when it is carried out.
        """

        def translated(state: OwnerState, now: datetime) -> OwnerState:
            """Make the change, with the reason in words where it cannot be."""
            try:
                return change(state, now)
            except (DsrError, OverrideError) as err:
                raise _invalid(err.key) from err

        controller = self._wallbox.controller
        translated(controller.state, dt_util.utcnow())
        return controller.async_change(translated, lasting=lasting)

    def _check_safe(self, actor: Actor, act: str) -> None:
        """Refuse an override where it may endanger somebody (regulation 8)."""
        seen = self._wallbox.observe()
        key = None
        if not self._wallbox.linked:
            key = "wallbox_unreachable"
        elif seen.blocked_by is not None:
            key = UNSAFE[seen.blocked_by]
        elif seen.load_shedding:
            key = "unsafe_load_shedding"
        if key is not None:
            self._refuse(actor, act, key)

    def _refuse(self, actor: Actor, act: str, key: str) -> NoReturn:
        """Refuse an override, and tell the security log."""
        self._security(
            SecurityEvent(
                kind="override_refused",
                outcome="attempt_failed",
                user_id=actor.user_id,
                detail={"action": act, "reason": key},
            )
        )
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={"wallbox": self._wallbox.title},
        )


def _invalid(key: str) -> ServiceValidationError:
    """Return the error for an input that makes no sense."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
