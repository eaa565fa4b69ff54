"""What people and automations do, as rules of a machine that plays a wallbox's life."""

import copy
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from .machine_guard import choose_policy
from .machine_life import HOURS, Life, runs
from .machine_model import Model
from .machine_wish import MANUAL, SAME_KW, Ask, Hours
from .machine_world import OWNER
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.override import OverrideMode, Until
from custom_components.loxone_wallbox.charging.owner import (
    DefaultHours,
    EndDelay,
    HandOver,
    TamperPolicy,
)
from custom_components.loxone_wallbox.charging.regulation import MAX_DELAY_S
from custom_components.loxone_wallbox.charging.schedule import Window
from custom_components.loxone_wallbox.rights import Actor

BEHALF = Actor(user_id=None, by_hand=True)
AUTOMATION = Actor(user_id=None, by_hand=False)
ACTORS = st.sampled_from([OWNER, AUTOMATION, OWNER, BEHALF])


def cause_of(actor: Actor) -> str:
    """Return what an actor's act means for the delay."""
    return "user" if actor.by_hand else "auto"


class OwnedLife(Life):
    """A life with people in it."""

    def _harms(self, actor: Actor) -> bool:
        """Tell whether a person may ask for no more now."""
        return actor.by_hand and self.world.harmful

    def _raises(self, values: dict[str, Any]) -> bool:
        """Tell whether the owner would choose a higher limit."""
        model, facts = self.model, self.model.facts
        free = facts.chosen_kw
        waits, holds = model.waits, model.holds
        if waits is not None and holds.allowed and waits.goal.kw > holds.kw:
            # More than what holds would break its delay off.
            free = min(free, holds.kw)
        return copy.replace(facts, **values).chosen_kw > free + SAME_KW

    @precondition(runs)
    @rule(
        actor=ACTORS,
        mode=st.sampled_from(OverrideMode),
        until=st.sampled_from(Until),
        minutes=st.integers(1, 600),
    )
    def override(
        self, actor: Actor, mode: OverrideMode, until: Until, minutes: int
    ) -> None:
        """Charge or pause now."""
        self.blink()
        world, now = self.world, self.world.now
        charge = mode is OverrideMode.CHARGE
        length = timedelta(minutes=minutes)
        end = {
            Until.UNPLUG: None,
            Until.BOUNDARY: self.model.facts.next_edge(now) or now + timedelta(days=1),
            Until.TIME: now.replace(microsecond=0) + length,
            Until.DURATION: now + length,
        }[until]
        world.act(
            lambda: world.face.acts.async_override(
                actor, mode, until, end=end, duration=length
            ),
            lambda model: model.override(charge=charge, end=end, cause=cause_of(actor)),
            refused=charge and world.unsafe,
            what=f"{mode} until {end} by {cause_of(actor)}",
        )

    @precondition(runs)
    @rule()
    def resume(self) -> None:
        """End an override."""
        self.blink()
        self.world.act(
            lambda: self.world.face.acts.async_resume(OWNER),
            Model.resume,
            refused=False,
            what="resume",
        )

    @precondition(runs)
    @rule(actor=ACTORS)
    def skip(self, actor: Actor) -> None:
        """Skip the delay; a second time does nothing."""
        self.blink()
        world = self.world
        world.act(
            lambda: world.face.acts.async_skip_delay(actor),
            Model.skip,
            refused=world.unsafe or not actor.by_hand,
            what="skip",
        )

    @precondition(runs)
    @rule(actor=ACTORS, allowed=st.sampled_from([True, False, True]))
    def permit(self, actor: Actor, allowed: bool) -> None:
        """Give or take the permission."""
        self.blink()
        world = self.world
        world.act(
            lambda: world.face.acts.async_permit(actor, allowed=allowed),
            lambda model: model.permit(allowed=allowed, cause=cause_of(actor)),
            refused=world.refuses_commands
            or (allowed and not self.model.facts.permitted and self._harms(actor)),
            what=f"permit {allowed} by {cause_of(actor)}",
        )

    @precondition(runs)
    @rule(actor=ACTORS, power=st.sampled_from([1.38, 4.16, 5.555, 7.0, 11.0]))
    def wish_power(self, actor: Actor, power: float) -> None:
        """Set the target power."""
        self.blink()
        world, info = self.world, self.world.device.info
        values = {"mode": MANUAL, "manual_kw": power}
        world.act(
            lambda: world.face.acts.async_wish_power(actor, power),
            lambda model: model.set(cause_of(actor), values),
            refused=world.refuses_commands
            or self.model.facts.managed
            or not info.min_kw <= power <= info.max_kw
            or (self._raises(values) and self._harms(actor)),
            what=f"{power} kW by {cause_of(actor)}",
        )

    @precondition(runs)
    @rule(actor=ACTORS, mode=st.sampled_from([1, 2, 5, MANUAL]))
    def choose_mode(self, actor: Actor, mode: int) -> None:
        """Choose a mode."""
        self.blink()
        world = self.world
        world.act(
            lambda: world.face.acts.async_choose_mode(actor, mode),
            lambda model: model.set(cause_of(actor), {"mode": mode}),
            refused=world.refuses_commands
            or self.model.facts.managed
            or (self._raises({"mode": mode}) and self._harms(actor)),
            what=f"mode {mode} by {cause_of(actor)}",
        )

    @precondition(runs)
    @rule(
        key=st.sampled_from("ABC"),
        start=st.one_of(st.integers(-600, 120), st.integers(120, 5400)),
        length=st.integers(30, 14_400),
        kind=st.sampled_from([DsrKind.LIMIT, DsrKind.PAUSE, DsrKind.INCREASE]),
        limit=st.sampled_from([6.0, 0.0, 2.0, 4.5, 9.0]),
        exempt=st.sampled_from(["", "", "response_service", "already_randomised"]),
        validity=st.sampled_from([None, None, 60, 900]),
    )
    def grid_event(  # noqa: PLR0917
        self,
        key: str,
        start: int,
        length: int,
        kind: DsrKind,
        limit: float,
        exempt: str,
        validity: int | None,
    ) -> None:
        """Take a grid event, or a newer version of one."""
        self.blink()
        world, now = self.world, self.world.now
        begin = now.replace(microsecond=0) + timedelta(seconds=start)
        known = self.model.facts.asks.get(key)
        event = DsrEvent(
            event_id=key,
            start=begin,
            end=begin + timedelta(seconds=length),
            kind=kind,
            limit_kw=limit,
            response_service=exempt == "response_service",
            already_randomised=exempt == "already_randomised",
            validity_s=validity,
            version=1 if known is None else known.version + 1,
            heard_at=now,
        )
        world.act(
            lambda: world.face.acts.async_add_event(event),
            lambda model: model.ask(key, ask_of(event, known)),
            refused=event.end <= now,
            lasting=True,
            what=f"event {key} {kind} {limit} {exempt} {event.start:%d %H:%M:%S} to "
            f"{event.end:%d %H:%M:%S}, holds {validity}",
        )

    @precondition(runs)
    @rule(key=st.sampled_from("ABC"))
    def cancel_event(self, key: str) -> None:
        """Call a grid event off."""
        self.blink()
        world = self.world
        world.act(
            lambda: world.face.acts.async_cancel_event(("", key)),
            lambda model: model.cancel(key),
            refused=not self.model.is_open_ended(key, world.now),
            lasting=True,
            what=f"cancel {key}",
        )

    @precondition(runs)
    @rule(actor=ACTORS)
    def opt_out(self, actor: Actor) -> None:
        """Leave the grid events that hold now."""
        self.blink()
        world = self.world
        world.act(
            lambda: world.face.acts.async_opt_out(actor),
            lambda model: model.leave(cause=cause_of(actor)),
            refused=world.unsafe or not self.model.facts.active(world.now),
            what=f"opt out by {cause_of(actor)}",
        )

    @precondition(runs)
    @rule(hours=st.sampled_from(HOURS), enabled=st.booleans())
    def set_hours(self, hours: tuple[Hours, ...], enabled: bool) -> None:
        """Set, suspend or remove the default charging hours."""
        self.blink()
        windows = tuple(
            Window(days=frozenset(one.days), start=one.start, end=one.end)
            for one in hours
        )
        new = DefaultHours(windows=windows, enabled=enabled)
        self.world.act(
            lambda: self.world.face.acts.async_set_hours(OWNER, new),
            lambda model: model.set_hours(hours, enabled=enabled),
            refused=False,
            lasting=True,
            what=f"hours {hours} {enabled}",
        )

    @precondition(runs)
    @rule(actor=ACTORS, seconds=st.sampled_from([0, 1, 30, 600, 1800, 1801]))
    def max_delay(self, actor: Actor, seconds: int) -> None:
        """Set the longest delay."""
        self.blink()
        self.world.act(
            lambda: self.world.face.acts.async_set_max_delay(actor, seconds),
            lambda model: model.set_max_delay(
                seconds, clamps=actor.by_hand and not self.world.harmful
            ),
            refused=seconds > MAX_DELAY_S,
            what=f"at most {seconds} s by {cause_of(actor)}",
            known="early",
            unsaid=actor.by_hand and self.model.stop_waits(behind=True),
        )

    @precondition(runs)
    @rule(actor=ACTORS, early=st.booleans(), hand_over=st.sampled_from(HandOver))
    def choose(self, actor: Actor, early: bool, hand_over: HandOver) -> None:
        """Choose where the delay at an end lies, and how Home Assistant ends."""
        self.blink()
        acts = self.world.face.acts
        where = EndDelay.BEFORE_BOUNDARY if early else EndDelay.AFTER_BOUNDARY
        self.world.act(
            lambda: acts.async_set_end_delay(actor, where),
            lambda model: model.set_end(
                early=early, at_once=actor.by_hand and not self.world.harmful
            ),
            refused=False,
            what=f"delay {where} by {cause_of(actor)}",
            known="early",
            unsaid=self.model.stop_waits(behind=False)
            or (actor.by_hand and self.model.stop_waits(behind=True)),
        )
        self.blink()
        self.world.act(
            lambda: acts.async_set_hand_over(actor, hand_over),
            lambda _model: None,
            refused=False,
            what=f"hand over: {hand_over}",
        )

    @precondition(runs)
    @rule(policy=st.sampled_from(TamperPolicy))
    def choose_policy(self, policy: TamperPolicy) -> None:
        """Choose what is done in tampering; while there is some, nothing laxer."""
        self.blink()
        world, order = self.world, ["keep", "limit", "stop"]
        laxer = order.index(policy) < order.index(self.model.tampering)
        world.act(
            lambda: world.face.acts.async_set_tamper_policy(OWNER, policy),
            lambda model: choose_policy(model, world.face, policy.value),
            refused=laxer and world.face.tampered,
            what=f"tampering: {policy}",
        )


def ask_of(event: DsrEvent, known: Ask | None) -> Ask:
    """Return a grid event in the model's words; who has left it stays out of it."""
    return Ask(
        reduces=event.kind is not DsrKind.INCREASE,
        limit_kw=event.limit_kw or 0.0 if event.kind is DsrKind.LIMIT else 0.0,
        exempt=event.response_service or event.already_randomised,
        response=event.response_service,
        start=event.start,
        end=event.end,
        taken=event.heard_at,
        version=event.version,
        validity_s=event.validity_s,
        left=None if known is None else known.left,
    )
