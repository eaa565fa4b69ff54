"""The headless check: drive a wallbox through Home Assistant's API and watch it obey."""

from collections.abc import Awaitable, Callable
import time

from scripts.demo_lib.api import wait_for
from scripts.demo_lib.entities import Wallbox, wallbox_of
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.stage import Stage

PATIENCE = 30
LIMIT_KW = 6.0
LIMIT_W = LIMIT_KW * 1000
# What a car may stay below or above the limit it was given.
TOLERANCE_W = 300
IDLE_W = 50
# How long a limit or a pause must hold before it is believed.
HOLD_S = 3


class Check:
    """One pass through a charge, every observation printed and counted."""

    def __init__(self, stage: Stage) -> None:
        """Look at the first wallbox of the stage."""
        self._stage = stage
        self._wallbox: Wallbox | None = None
        self._began = time.monotonic()
        self._energy = 0.0
        self.passed = 0

    @property
    def wallbox(self) -> Wallbox:
        """Return the wallbox under test."""
        if self._wallbox is None:
            raise DemoError("The wallbox has not been looked up.")
        return self._wallbox

    def note(self, text: str) -> None:
        """Print an observation that agrees with what was expected."""
        self.passed += 1
        print(f"  {time.monotonic() - self._began:5.1f} s  {text}", flush=True)

    async def state_becomes(self, key: str, wanted: str) -> None:
        """Wait for a state of an entity."""
        seen = ""

        async def look() -> str | None:
            nonlocal seen
            seen = await self.wallbox.state(key)
            return seen if seen == wanted else None

        try:
            await wait_for(f"{key} to be {wanted}", look, PATIENCE)
        except DemoError as err:
            raise DemoError(f"{err} It is {seen}.") from None
        self.note(f"{key} is {wanted}")

    async def power_becomes(
        self, what: str, fits: Callable[[float], bool], key: str = "charging_power"
    ) -> None:
        """Wait until a power fits and holds for a while."""
        seen: float | None = None
        since: float | None = None

        async def look() -> float | None:
            nonlocal seen, since
            seen = await self.wallbox.watts(key)
            if seen is None or not fits(seen):
                since = None
                return None
            since = since or time.monotonic()
            return seen if time.monotonic() - since >= HOLD_S else None

        try:
            watts = await wait_for(f"{key} to be {what}", look, PATIENCE)
        except DemoError as err:
            raise DemoError(f"{err} It is {seen} W.") from None
        self.note(f"{key} is {watts:.0f} W: {what}, for {HOLD_S} s")

    async def run(self) -> None:
        """Plug in, allow, limit, pause, unplug."""
        prefix = await self._stage.world.identity()
        self._wallbox = await wallbox_of(self._stage.home.api, prefix)
        self._began = time.monotonic()
        for title, act in (
            ("pause, before a car comes", self.pause_empty),
            ("plug in", self.plug_in),
            ("allow", self.allow),
            (f"limit to {LIMIT_KW:g} kW", self.limit),
            ("pause", self.pause),
            ("unplug", self.unplug),
        ):
            print(f"{title}:", flush=True)
            await self._step(act)

    async def _step(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do one step; a process that died in it is the better explanation."""
        try:
            await act()
        except DemoError:
            self._stage.home.child.ensure_running()
            self._stage.world.child.ensure_running()
            raise

    async def pause_empty(self) -> None:
        """Start from a wallbox that is free and paused."""
        await self.state_becomes("vehicle_connected", "off")
        await self.wallbox.turn("charging_allowed", "off")
        await self.state_becomes("charging_allowed", "off")
        self._energy = float(await self.wallbox.state("energy_total"))

    async def plug_in(self) -> None:
        """Let a car arrive; it must not charge yet."""
        await self._stage.world.plug()
        await self.state_becomes("vehicle_connected", "on")
        await self.power_becomes("no charge", lambda watts: watts < IDLE_W)
        await self.state_becomes("charging", "off")
        await self.state_becomes("status", "paused")

    async def allow(self) -> None:
        """Allow charging; the car takes what it can."""
        await self.wallbox.turn("charging_allowed", "on")
        await self.state_becomes("charging_allowed", "on")
        await self.power_becomes(
            "more than the limit to come", lambda watts: watts > LIMIT_W + TOLERANCE_W
        )
        await self.state_becomes("charging", "on")
        await self.state_becomes("status", "charging")

    async def limit(self) -> None:
        """Limit the power; the car keeps to it."""
        await self.wallbox.set_number("target_power", LIMIT_KW)
        await self.power_becomes(
            f"about {LIMIT_KW:g} kW",
            lambda watts: abs(watts - LIMIT_W) <= TOLERANCE_W,
        )
        await self.power_becomes(
            f"{LIMIT_KW:g} kW", lambda watts: abs(watts - LIMIT_W) < 1, "power_limit"
        )
        flowing = await self._stage.world.watts()
        if abs(flowing - LIMIT_W) > TOLERANCE_W:
            raise DemoError(f"In the simulated world {flowing:.0f} W flow.")
        self.note(f"in the simulated world {flowing:.0f} W flow")

    async def pause(self) -> None:
        """Pause; the car stops and stays connected."""
        await self.wallbox.turn("charging_allowed", "off")
        await self.power_becomes("no charge", lambda watts: watts < IDLE_W)
        await self.state_becomes("charging", "off")
        await self.state_becomes("vehicle_connected", "on")
        energy = float(await self.wallbox.state("energy_total"))
        if energy <= self._energy:
            raise DemoError(f"energy_total is still {energy} kWh: nothing was counted.")
        self.note(f"energy_total rose from {self._energy:g} to {energy:g} kWh")

    async def unplug(self) -> None:
        """Let the car leave."""
        await self._stage.world.unplug()
        await self.state_becomes("vehicle_connected", "off")
        await self.state_becomes("status", "disconnected")


def after_the_run(check: Check, stage: Stage) -> None:
    """Hold what is left behind against what should be."""
    print("afterwards:")
    children = (stage.home.child, stage.world.child)
    if left := [child.name for child in children if child.alive]:
        raise DemoError(f"Still running: {', '.join(left)}.")
    check.note("both processes have ended")
    if complaints := stage.home.complaints():
        raise DemoError("In Home Assistant's log:\n" + "\n".join(complaints))
    check.note("Home Assistant's log has no error and no warning about us")
