"""What can be done to a wallbox by a person or an automation.

Each act is checked first and changes nothing when it is refused; then it is kept, then
carried out. Raises translated errors.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, Protocol

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .charging.delay import SAME_KW
from .charging.dsr import DsrError, DsrEvent
from .charging.leaving import Scope, to_leave
from .charging.moved_end import with_moved_end
from .charging.observe import MANUAL, Observation, owner_limit
from .charging.override import (
    AUTOMATION,
    OverrideError,
    OverrideMode,
    Until,
    make_override,
)
from .charging.owner import DefaultHours, EndDelay, HandOver, OwnerState, TamperPolicy
from .charging.safety import Danger, danger, free_limit
from .commander import Commander
from .const import DOMAIN
from .controller import Controller
from .miniserver import Allow, Command, SetManualLimit, SetMode
from .rights import Actor, SecurityEvent, SecuritySink, log_security
from .telling import chosen, invalid_event, left_events, other_hours

REFUSALS = {
    Danger.OFFLINE: "wallbox_unreachable",
    Danger.OVER_TEMPERATURE: "unsafe_over_temperature",
    Danger.FAULT: "unsafe_fault",
    Danger.LOCKED: "wallbox_locked",
    Danger.TAMPER: "unsafe_tamper",
    Danger.LOAD_SHEDDING: "unsafe_load_shedding",
    Danger.HELD: "control_held",
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
        """Give or take the owner's permission; a start is refused where it may harm."""
        starts = allowed and not self._wallbox.controller.state.permission.allowed
        self._check_command(actor, "charging_allowed", Allow(allowed), raises=starts)

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the permission."""
            permission = state.permission.said(allowed, now, actor.cause)
            return replace(state, permission=permission)

        await self._wallbox.controller.async_change(change)

    async def async_wish_power(self, actor: Actor, power_kw: float) -> None:
        """Set the power the owner wishes, in kW; more is refused where it may harm."""
        seen = self._wallbox.observe()
        free_kw = free_limit(self._wallbox.controller.state, seen)
        raises = power_kw > free_kw + SAME_KW
        command = SetManualLimit(power_kw)
        self._check_command(actor, "target_power", command, raises=raises)

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

        Manual means the target power as the limit. A mode with a higher limit is
        refused where it may harm.
        """
        seen, state = self._wallbox.observe(), self._wallbox.controller.state
        after = owner_limit(replace(state, owner_mode=mode), seen)
        raises = after > free_limit(state, seen) + SAME_KW
        self._check_command(actor, "charge_mode", SetMode(mode), raises=raises)

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

    def async_resume(self, actor: Actor) -> Act:
        """End an override; what follows is an automatic change, whoever ends it."""

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """End what there is."""
            source = "user" if actor.by_hand else AUTOMATION
            ended = state.override and state.override.ended(
                now, by=actor.user_id, source=source
            )
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

    def async_opt_out(
        self,
        actor: Actor,
        scope: Scope = Scope.EVENT,
        key: tuple[str, str] | None = None,
    ) -> Act:
        """Leave grid events: by default those that hold now."""
        self._check_safe(actor, "dsr_opt_out")
        zone = self._wallbox.controller.zone

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Leave them."""
            keys = to_leave(state.dsr, scope, now, zone, key)
            book = state.dsr.opt_out(
                now, actor.user_id, by_hand=actor.by_hand, keys=keys
            )
            return replace(state, dsr=book)

        book, now = self._wallbox.controller.state.dsr, dt_util.utcnow()
        return self._checked(
            change, told=lambda: left_events(actor, book, scope, now, zone, key)
        )

    def async_add_event(self, event: DsrEvent, actor: Actor | None = None) -> Act:
        """Take a grid event, or a newer version of one.

        Of what an `actor` tells wrongly the security log is told.
        """
        try:
            return self._checked(
                lambda state, now: replace(
                    state, dsr=state.dsr.prune(now).add(event, now)
                ),
                lasting=True,
            )
        except ServiceValidationError as err:
            if actor is not None:
                self.note_invalid(actor, str(err.translation_key), event.event_id)
            raise

    def note_invalid(self, actor: Actor, key: str, event_id: str) -> None:
        """Tell the security log of a grid event that makes no sense."""
        self._security(invalid_event(actor, key, event_id))

    def async_cancel_event(self, key: tuple[str, str]) -> Act:
        """Call a grid event off."""
        return self._checked(
            lambda state, now: replace(state, dsr=state.dsr.cancel(key, now)),
            lasting=True,
        )

    def async_set_hours(self, actor: Actor, hours: DefaultHours) -> Act:
        """Set, suspend or remove the default charging hours.

        What follows is the schedule's doing and so delayed, whoever sets them.
        """

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the hours, and whose they are."""
            new = replace(
                hours,
                changed_at=now,
                changed_by=actor.user_id,
                changed_by_hand=actor.by_hand,
            )
            return replace(state, hours=new, kept_stop=None)

        before = self._wallbox.controller.state.hours
        return self._checked(
            change, lasting=True, told=lambda: other_hours(actor, before, hours)
        )

    async def async_set_max_delay(self, actor: Actor, seconds: int) -> None:
        """Set the longest random delay in seconds.

        A person shortens with it what is under way, an automation only what comes; so
        does a person where an override may harm.
        """
        controller = self._wallbox.controller
        shortens = self._sets_at_once(actor)
        before = controller.state.max_delay_s
        try:
            controller.state.with_max_delay(seconds, dt_util.utcnow())
        except ValueError as err:
            raise _invalid("max_delay_invalid") from err

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the longest delay."""
            after = state.with_max_delay(seconds, now)
            after = after if shortens else replace(after, delay=state.delay)
            return self._moved_end(state, after, now, at_once=shortens)

        await controller.async_keep(change)
        self._security(chosen(actor, "max_random_delay", before, seconds))

    async def async_set_end_delay(self, actor: Actor, end_delay: EndDelay) -> None:
        """Choose where the delay at the end of a window lies.

        For this window a person, for those that come an automation too.
        """
        at_once = self._sets_at_once(actor)

        def change(state: OwnerState, now: datetime) -> OwnerState:
            """Keep the choice."""
            after = replace(state, end_delay=end_delay)
            return self._moved_end(state, after, now, at_once=at_once)

        await self._wallbox.controller.async_keep(change)

    def _sets_at_once(self, actor: Actor) -> bool:
        """Tell whether a setting of the delay is for what is under way too."""
        return actor.by_hand and self._danger() is None

    def _moved_end(
        self, before: OwnerState, after: OwnerState, now: datetime, *, at_once: bool
    ) -> OwnerState:
        """Return the state after a setting of the delay, which moves windows' ends."""
        controller = self._wallbox.controller
        profile, hours = controller.profile, controller.schedule
        return with_moved_end(
            before, after, profile, hours, now, only_ahead=not at_once
        )

    async def async_set_hand_over(self, actor: Actor, hand_over: HandOver) -> None:
        """Choose what the wallbox is left with when Home Assistant stops."""
        controller = self._wallbox.controller
        before = controller.state.hand_over
        await controller.async_keep(
            lambda state, _now: replace(state, hand_over=hand_over)
        )
        self._security(chosen(actor, "handover", before.value, hand_over.value))

    async def async_set_tamper_policy(
        self, actor: Actor, tamper_policy: TamperPolicy
    ) -> None:
        """Choose what is done while the wallbox is tampered with.

        While it is, only for something stricter: else it would be an override.
        """
        controller = self._wallbox.controller
        before = controller.state.tamper_policy
        if self._wallbox.observe().tampered and tamper_policy.is_laxer(before):
            self._refuse(actor, "tamper_policy", REFUSALS[Danger.TAMPER])
        await controller.async_keep(
            lambda state, _now: replace(state, tamper_policy=tamper_policy)
        )
        self._security(
            chosen(actor, "tamper_policy", before.value, tamper_policy.value)
        )

    def _checked(
        self,
        change: Callable[[OwnerState, datetime], OwnerState],
        *,
        lasting: bool = False,
        told: Callable[[], SecurityEvent | None] = lambda: None,
    ) -> Act:
        """Return a change to be carried out, refused here and now where it cannot be.

        It is made anew on the state that stands when it is carried out; then the
        security log is `told`, where there is anything to tell.
        """

        def translated(state: OwnerState, now: datetime) -> OwnerState:
            """Make the change, with the reason in words where it cannot be."""
            try:
                return change(state, now)
            except (DsrError, OverrideError) as err:
                raise _invalid(err.key) from err

        controller = self._wallbox.controller
        translated(controller.state, dt_util.utcnow())

        async def carried_out() -> None:
            """Carry it out, and say how that went."""
            event = told()
            try:
                await controller.async_change(translated, lasting=lasting)
            except HomeAssistantError:
                if event is not None:
                    self._security(replace(event, outcome="attempt_failed"))
                raise
            if event is not None:
                self._security(event)

        return carried_out()

    def _danger(self) -> Danger | None:
        """Return what an override may do harm in, as was last seen."""
        return danger(self._wallbox.observe(), linked=True)

    def _check_command(
        self, actor: Actor, act: str, command: Command, *, raises: bool
    ) -> None:
        """Refuse what the wallbox would not take, or a person's word that may harm.

        What only lowers or stops does no harm. What an automation `raises` waits for
        its delay, so it overrides nothing; a wallbox that is held it does not raise.
        """
        if not self._wallbox.linked:
            self._wallbox.commander.check(command)
        found = self._danger() if raises else None
        if found is not None and (actor.by_hand or found is Danger.HELD):
            self._refuse(actor, act, REFUSALS[found])
        self._wallbox.commander.check(command)

    def _check_safe(self, actor: Actor, act: str) -> None:
        """Refuse an override where it may endanger somebody (regulation 8)."""
        found = danger(self._wallbox.observe(), linked=self._wallbox.linked)
        if found is not None:
            self._refuse(actor, act, REFUSALS[found])

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
