"""A wallbox's life in any order: what must hold after every step."""

from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
import typing

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from .nights import Player, event, local, night, situation
from custom_components.loxone_wallbox.charging.decision import Decision
from custom_components.loxone_wallbox.charging.delay import (
    OFF,
    DelayMemory,
    Draw,
    Outcome,
    Pending,
    Target,
)
from custom_components.loxone_wallbox.charging.dsr import DsrBook, DsrError, DsrKind
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.charging.wish import (
    Permission,
    Reason,
    TargetPower,
    wish_at,
)

MAX_DELAY = 600
# Longer than any delay with the rest after a change.
SURE = timedelta(minutes=25)


class WallboxLife(RuleBasedStateMachine):
    """Drives the rules and checks them after each step."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.player = Player(now=local("2027-01-13T17:00:00"), draws=[])
        self.before = OFF
        # The numbers that were dealt since the last look, and all that are known.
        self.dealt: list[int] = []
        self.ids: dict[str, int] = {}

    @initialize(
        hours=st.booleans(), minimum=st.sampled_from([1.38, 4.16]), early=st.booleans()
    )
    def start(self, hours: bool, minimum: float, early: bool) -> None:
        """Choose the wallbox and its rules."""
        self.player.situation = situation(
            hours=night() if hours else None,
            min_kw=minimum,
            end_before=timedelta(seconds=MAX_DELAY if early else 0),
        )
        self.player.draw = self._draw  # type: ignore[method-assign]
        self._took(self.player.decide())

    def _draw(self, maximum: int) -> int:
        """Draw something that can be told apart."""
        self.player.drawn += 1
        self.dealt.append((self.player.drawn * 97) % (maximum + 1))
        return self.dealt[-1]

    def _took(self, decision: Decision) -> None:
        """Keep what holds."""
        self.before = decision.target

    @rule(seconds=st.one_of(st.integers(1, 900), st.integers(900, 40_000)))
    def time_passes(self, seconds: int) -> None:
        """Let time pass; each transition is at its second."""
        end = self.player.now + timedelta(seconds=seconds)
        while True:
            decision = self.player.decision
            assert decision is not None
            wake = decision.wake_at
            when = end if wake is None or wake > end else max(wake, self.player.now)
            quiet, memory = self.player.now, self.player.memory
            self.player.now = when
            new = self.player.decide()
            # Without a car nothing flows, so nothing there waits for anything.
            if self.player.situation.plugged_at is not None:
                self._judge_step(quiet, memory, decision, new)
            self._took(new)
            if new.wake_at is not None and new.wake_at <= when:
                raise AssertionError("it would never come to rest")
            if when == end:
                return

    def _judge_step(
        self, quiet: datetime, memory: DelayMemory, old: Decision, new: Decision
    ) -> None:
        """Check that what changed by itself changed at its second, and for a reason.

        What acts without a delay may change it at its start and end; anything else only
        a draw that is over just now.
        """
        now, after = self.player.now, self.player.memory
        assert after.pending is None or after.pending.due > now
        edges = self.player.situation.dsr.edges(quiet)
        at_once = any(at == now and one.exempt for at, one in edges)
        if after.settled.same_as(memory.settled):
            assert at_once or new.target.same_as(old.target)
            return
        last = after.draws[-1] if after.draws != memory.draws else None
        applied = last is not None and last.outcome is Outcome.APPLIED
        assert at_once or (applied and last is not None and last.due == now)

    @invariant()
    def every_relevant_time_has_its_own_draw(self) -> None:
        """Check that each draw was dealt for one relevant time, and is waited for."""
        memory = self.player.memory
        records: list[Draw | Pending] = list(memory.draws)
        records += [memory.pending] if memory.pending else []
        new = [one for one in records if one.relevant_time_id not in self.ids]
        if self.player.max_delay_s == 0:
            assert not any(one.drawn_s for one in new)
        else:
            assert [one.drawn_s for one in new] == self.dealt
            for one in new:
                assert one.due >= one.relevant_at + timedelta(seconds=one.drawn_s)
        self.dealt.clear()
        for one in records:
            assert self.ids.setdefault(one.relevant_time_id, one.drawn_s) == one.drawn_s

    @precondition(lambda self: self.player.situation.plugged_at is None)
    @rule()
    def plug(self) -> None:
        """Plug a car in."""
        self._took(self.player.plug())

    @precondition(lambda self: self.player.situation.plugged_at is not None)
    @rule()
    def unplug(self) -> None:
        """Plug it out."""
        self._took(self.player.unplug())

    @rule(
        mode=st.sampled_from(OverrideMode),
        hours=st.one_of(st.none(), st.integers(1, 9)),
    )
    def override(self, mode: OverrideMode, hours: int | None) -> None:
        """Override, with an end or until the car leaves."""
        now = self.player.now
        end = None if hours is None else now + timedelta(hours=hours)
        wish = Override(mode=mode, start=now, end=end)
        self._took(self.player.change(override=wish))

    @precondition(lambda self: self.player.situation.override is not None)
    @rule()
    def resume(self) -> None:
        """End the override."""
        override = self.player.situation.override
        assert override is not None
        self._took(self.player.change(override=override.ended(self.player.now)))

    @rule(allowed=st.booleans())
    def permit(self, allowed: bool) -> None:
        """Give or take the permission."""
        if allowed is not self.player.situation.permission.allowed:
            permission = Permission(allowed=allowed, at=self.player.now)
            self._took(self.player.change(permission=permission))

    @rule(limit=st.sampled_from([4.16, 6.0, 8.0, 11.0]), by_hand=st.booleans())
    def wish_power(self, limit: float, by_hand: bool) -> None:
        """Set the target power, by hand or by an automation."""
        known = self.player.situation.target
        target = TargetPower(
            limit_kw=limit,
            previous_kw=known.limit_kw,
            at=self.player.now,
            cause=Cause.USER if by_hand else Cause.AUTOMATION,
        )
        self._took(self.player.change(target=target))

    @rule(
        number=st.integers(0, 3),
        start=st.integers(-600, 7200),
        length=st.integers(60, 7200),
        kind=st.sampled_from(DsrKind),
        limit=st.sampled_from([0.0, 2.0, 4.5, 6.0, 9.0]),
        response=st.booleans(),
    )
    def grid_event(  # noqa: PLR0917
        self,
        number: int,
        start: int,
        length: int,
        kind: DsrKind,
        limit: float,
        response: bool,
    ) -> None:
        """Take an event or a newer version of one."""
        begin = self.player.now + timedelta(seconds=start)
        known = self.player.situation.dsr.events.get(("", str(number)))
        new = event(
            str(number),
            begin,
            begin + timedelta(seconds=length),
            kind=kind,
            limit_kw=limit,
            response_service=response,
            version=1 if known is None else known.version + 1,
        )
        try:
            book = self.player.situation.dsr.add(new, self.player.now)
        except DsrError:
            assert new.end <= self.player.now
            return
        self._took(self.player.change(dsr=book))

    @rule()
    def opt_out(self) -> None:
        """Leave what holds now."""
        try:
            book = self.player.situation.dsr.opt_out(
                self.player.now, None, by_hand=True
            )
        except DsrError:
            return
        self._took(self.player.change(dsr=book))

    @rule(reason=st.sampled_from([None, Reason.FAULT, Reason.LOCKED, Reason.TAMPER]))
    def protect(self, reason: Reason | None) -> None:
        """Let a protection begin or end."""
        blocked = self.player.situation.blocked_by is not None
        cleared = self.player.now if blocked and reason is None else None
        changes = {"blocked_by": reason}
        if cleared is not None:
            self.player.situation = replace(self.player.situation, cleared_at=cleared)
        self._took(self.player.change(**changes))

    @rule(tampered=st.booleans())
    def limit(self, tampered: bool) -> None:
        """Let somebody tamper with it, or no more."""
        life = self.player.situation
        if not tampered and life.limited_to_kw is not None:
            self.player.situation = replace(life, eased_at=self.player.now)
        limit = life.min_kw if tampered else None
        self._took(self.player.change(limited_to_kw=limit))

    @rule(confirmed=st.sampled_from([None, 0.0, 4.16, 6.0, 11.0]))
    def shed(self, confirmed: float | None) -> None:
        """Let the Miniserver shed load, or no more."""
        has = confirmed and Target(allowed=True, limit_kw=confirmed)
        shedding = OFF if confirmed == 0 else has or None
        self._took(self.player.change(shedding=shedding))

    @rule()
    def restart(self) -> None:
        """Restart; what is pending is pending with the same deadline."""
        pending, drawn = self.player.memory.pending, self.player.drawn
        self.player.restart()
        decision = self.player.decide()
        if pending is not None and decision.pending is not None:
            assert decision.pending.due == pending.due
        assert self.player.drawn == drawn
        self._took(decision)

    @rule()
    def skip(self) -> None:
        """Skip the delay; twice is once."""
        self.player.memory = self.player.memory.skip(self.player.now, "owner")
        again = self.player.memory.skip(self.player.now, "owner")
        assert again == self.player.memory
        self._took(self.player.decide())

    @rule(maximum=st.sampled_from([0, 1, 600]))
    def new_maximum(self, maximum: int) -> None:
        """Change the longest delay; what runs is only ever shortened."""
        due = (
            None
            if self.player.memory.pending is None
            else self.player.memory.pending.due
        )
        self.player.max_delay_s = maximum
        self.player.memory = self.player.memory.clamp(maximum, self.player.now)
        if self.player.memory.pending is not None:
            assert due is not None
            assert self.player.memory.pending.due <= due
        self._took(self.player.decide())

    @invariant()
    def protection_comes_first(self) -> None:
        """Nothing is allowed while a protection holds."""
        if self.player.situation.blocked_by is not None and (
            self.player.situation.plugged_at is not None
        ):
            assert not self.before.allowed

    @invariant()
    def a_protection_leaves_no_more(self) -> None:
        """Nothing above a protection's limit, nor above what a shed load has."""
        life = self.player.situation
        if life.limited_to_kw is not None:
            assert self.before.power_kw <= life.limited_to_kw
        if life.shedding is not None:
            assert self.before.power_kw <= life.shedding.power_kw

    @invariant()
    def a_limit_is_one_the_wallbox_has(self) -> None:
        """Check that allowed means a limit between minimum and maximum."""
        if self.before.allowed:
            assert (
                self.player.situation.min_kw
                <= self.before.limit_kw
                <= self.player.situation.max_kw
            )

    @invariant()
    def a_response_is_never_exceeded(self) -> None:
        """Check that an exempt reduction holds at once, unless the owner overrides."""
        now, life = self.player.now, self.player.situation
        if (
            life.plugged_at is None
            or wish_at(life, now).reason is Reason.OVERRIDE_CHARGE
        ):
            return
        limit = life.dsr.reduction(now, exempt=True)
        if limit is not None:
            assert self.before.power_kw <= limit

    @invariant()
    def a_delay_is_never_too_long(self) -> None:
        """No draw is longer than the maximum it was drawn under."""
        for draw in self.player.memory.draws:
            assert 0 <= draw.drawn_s <= MAX_DELAY
            if draw.outcome is Outcome.APPLIED:
                assert draw.at >= draw.due

    @typing.override
    def teardown(self) -> None:
        """Take away what is above the schedule: within two days only that holds."""
        if self.player.decision is None:
            return
        player = copy(self.player)
        if player.situation.plugged_at is None:
            player.plug()
        player.change(
            dsr=DsrBook(),
            override=None,
            permission=Permission(),
            blocked_by=None,
            limited_to_kw=None,
            shedding=None,
        )
        for _ in range(48):
            decision = player.until(player.now + SURE)
            decision = player.until(player.now + timedelta(minutes=35))
            hours, limit = player.situation.hours, player.situation.target.limit_kw
            around = [player.now - SURE, player.now, player.now + SURE]
            opens = [hours is None or hours.is_open(at) for at in around]
            if all(opens):
                assert decision.target == Target(allowed=True, limit_kw=limit)
            elif not any(opens):
                assert not decision.target.allowed


TestWallboxLife = WallboxLife.TestCase
TestWallboxLife.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
