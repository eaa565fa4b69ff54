"""What happens to a wallbox by itself, as rules of a machine that plays its life."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from .machine_box import LOCKED, Obeys
from .machine_home import BLINK
from .machine_model import Model
from .machine_wish import COMPLEMENT, MANUAL, NIGHT, SHORT, SMALL_HOURS
from .machine_world import World

# Beyond that nothing is waited for.
FAR = timedelta(hours=7)
# A little apart from whole seconds, at which the rules' own instants lie.
STARTS = (
    "2027-01-13T17:00:00.3",
    "2027-01-13T21:58:00.3",
    "2027-01-15T07:40:00.3",
    "2027-03-27T23:10:00.3",
    "2026-10-24T20:10:00.3",
)
HOURS = ((), NIGHT, NIGHT, COMPLEMENT, SHORT, SMALL_HOURS)
IN_THE_APP: tuple[dict[str, Any], ...] = (
    {"allowed": True},
    {"allowed": False},
    {"mode": 1},
    {"mode": 2},
    {"mode": 5},
    {"mode": MANUAL, "limit_kw": 5.0},
    {"mode": MANUAL, "limit_kw": 7.0},
)
UNPLUGGED: dict[str, Any] = {"connected": False, "session": None}


def runs(machine: Any) -> bool:
    """Tell whether a Home Assistant runs."""
    return bool(machine.world.running)


def is_plugged(machine: Any) -> bool:
    """Tell whether a car is there."""
    return bool(machine.world.device.state.connected)


class Life(RuleBasedStateMachine):
    """A world in which things happen."""

    world: World

    @initialize(
        start=st.sampled_from(STARTS),
        profile=st.sampled_from(["gb_2021", "gb_2021", "gb_2021", "de_14a", "none"]),
        hours=st.sampled_from(HOURS),
        utc=st.booleans(),
        strict=st.booleans(),
        delays=st.sampled_from([True, True, True, False]),
        large=st.booleans(),
        managed=st.sampled_from([False, False, False, True]),
        draws=st.lists(st.integers(0, 1800), min_size=1, max_size=9),
        plugged=st.sampled_from([True, True, False]),
    )
    def begin(self, start: str, plugged: bool, **settings: Any) -> None:
        """Build a world and start Home Assistant in it."""
        at = datetime.fromisoformat(start).replace(tzinfo=UTC)
        self.world = World(start=at, **settings)
        self.world.start()
        if plugged:
            self.blink()
            self.world.plug()

    @property
    def model(self) -> Model:
        """Return the model."""
        return self.world.model

    def blink(self) -> None:
        """Let a moment pass, so that nothing happens at the very same instant."""
        self.world.wait(self.world.now + BLINK)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.world.wait(self.world.now + timedelta(seconds=seconds))

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        """Let some seconds pass."""
        self.pass_time(seconds)

    @rule(seconds=st.one_of(st.integers(90, 900), st.integers(900, 12_000)))
    def wait_longer(self, seconds: int) -> None:
        """Let minutes or hours pass."""
        self.pass_time(seconds)

    @rule(times=st.integers(1, 3))
    def wake(self, times: int) -> None:
        """Go to the next instants that matter and a little beyond."""
        for _ in range(times):
            wake = self.model.next_wake()
            if wake is not None and wake - self.world.now < FAR:
                self.world.wait(max(wake, self.world.now) + BLINK)
                self.world.check()

    @precondition(lambda self: not is_plugged(self))
    @rule()
    def plug(self) -> None:
        """Plug a car in."""
        self.blink()
        self.world.plug()

    @precondition(is_plugged)
    @rule(seconds=st.sampled_from([None, 3, 59, 61]))
    def unplug(self, seconds: int | None) -> None:
        """Plug the car out, and soon in again or not."""
        self.blink()
        self.world.device_changes(**UNPLUGGED)
        if seconds is not None:
            self.pass_time(seconds)
            self.world.plug()

    @rule(obeys=st.sampled_from([Obeys.AT_ONCE, *Obeys]))
    def obey(self, obeys: Obeys) -> None:
        """Have the device obey, or not."""
        self.world.device.obeys = obeys

    @rule(
        what=st.sampled_from(["fault", "lock", "load_shedding", "tampered"]),
        drops=st.booleans(),
        lasts=st.sampled_from([None, 20, 400, 4000]),
    )
    def protect(self, what: str, drops: bool, lasts: int | None) -> None:
        """Have a protection for a while; load shedding may take the permission."""
        self.blink()
        device = self.world.device
        on: dict[str, Any] = {what: LOCKED if what == "lock" else True}
        if what == "load_shedding" and drops:
            on["allowed"] = False
        off: dict[str, Any] = {what: None if what == "lock" else False}
        told = device if what in {"fault", "tampered"} else device.state
        already = getattr(told, what)
        if already:
            self.world.device_changes(**off)
            return
        self.world.device_changes(**on)
        if lasts is not None:
            self.world.check()
            self.pass_time(lasts)
            self.world.device_changes(**off)

    @precondition(
        lambda self: (
            runs(self) and self.world.face.linked and self.world.can_be_theirs()
        )
    )
    @rule(change=st.sampled_from(IN_THE_APP))
    def app(self, change: dict[str, Any]) -> None:
        """Change something in Loxone's app."""
        self.blink()
        self.world.app(change)

    @precondition(runs)
    @rule(times=st.integers(1, 4), seconds=st.integers(46, 300))
    def quarrel(self, times: int, seconds: int) -> None:
        """Have somebody change the permission in the app, again and again."""
        for _ in range(times):
            self.pass_time(seconds)
            if self.world.face.linked and self.world.can_be_theirs():
                self.world.app({"allowed": not self.world.device.state.allowed})
                self.world.check()

    @rule(
        seconds=st.one_of(
            st.integers(-7200, 7200), st.sampled_from([-86_400, -3600, 3600, 86_400])
        )
    )
    def clock(self, seconds: int) -> None:
        """Have the clock set, forwards or backwards."""
        self.blink()
        if abs(seconds) > 9:
            self.world.set_clock(timedelta(seconds=seconds))

    @precondition(runs)
    @rule(lasts=st.sampled_from([None, 5, 29, 31, 2000]))
    def link(self, lasts: int | None) -> None:
        """Lose the link for a while."""
        self.blink()
        linked = self.world.face.linked
        self.world.set_link(linked=not linked)
        if linked and lasts is not None:
            self.pass_time(lasts)
            self.world.set_link(linked=True)

    @rule(kill=st.booleans(), lasts=st.sampled_from([None, 5, 300, 3000]))
    def power(self, kill: bool, lasts: int | None) -> None:
        """Stop Home Assistant for a while, in order or not."""
        self.blink()
        world = self.world
        if world.running:
            if kill:
                world.kill()
            else:
                world.stop()
            if lasts is None:
                return
            self.pass_time(lasts)
        world.start()

    @rule(what=st.sampled_from(["fails", "slow", "slow", "looks"]))
    def odd(self, what: str) -> None:
        """Have the disk fail or take its time, or a state come that is not new."""
        self.blink()
        world = self.world
        slow = world.loop.disk.slow
        if what == "fails" and not slow:
            world.set_disk(fails=not world.disk_fails)
        elif what == "slow" and world.running:
            world.set_slow(slow=not slow)
        elif what == "looks":
            world.device_changes(energy_kwh=1.0)
