"""The headless check: drive a wallbox through Home Assistant's API and watch it obey."""

from collections.abc import Awaitable, Callable
import time

from scripts.demo_lib.board import Board
from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.metering import Metering
from scripts.demo_lib.night import Night
from scripts.demo_lib.paying import Paying
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.stage import Stage

PATIENCE_S = 30
LIMIT_KW = 6.0
LIMIT_W = LIMIT_KW * 1000
# What a car may stay below or above the limit it was given.
TOLERANCE_W = 300
IDLE_W = 50
# How long a limit or a pause must hold before it is believed.
HOLD_S = 3

type Scene = tuple[str, Callable[[], Awaitable[None]]]


async def check_all(
    stage: Stage, findings: Findings, *, night: bool, no_clock: str
) -> None:
    """Check a wallbox under its owner and the rules, a meter, the cost, the dashboard.

    `no_clock` says why there is no clock to play a night on.
    """
    findings.begin()
    await _play(Paying(stage, findings).scenes)
    await _play(Visit(stage, findings).scenes)
    if not night:
        print("the night: left out", flush=True)
    elif no_clock:
        raise DemoError(f"The night cannot be played: {no_clock}.")
    else:
        await _play(Night(stage, findings).scenes)
    await _play(Metering(stage, findings).scenes)
    await _play(Board(stage.home.api, findings).scenes)


async def _play(scenes: list[Scene]) -> None:
    """Play one scene after the other."""
    for title, scene in scenes:
        print(f"{title}:", flush=True)
        await scene()


def check_what_is_left(stage: Stage, findings: Findings) -> None:
    """Hold what is left behind against what should be."""
    print("afterwards:")
    children = (stage.home.child, stage.world.child)
    if left := [child.name for child in children if child.alive]:
        raise DemoError(f"Still running: {', '.join(left)}.")
    findings.note("both processes have ended")
    if complaints := stage.home.complaints():
        raise DemoError("In Home Assistant's log:\n" + "\n".join(complaints))
    findings.note("Home Assistant's log has no error and no warning about us")


class Visit:
    """A car's visit without hours to wait for, its delay skipped: the owner's word."""

    def __init__(self, stage: Stage, findings: Findings) -> None:
        """Look at the first wallbox of the stage."""
        self._world = stage.world
        self._findings = findings
        self._wallbox: Wallbox = stage.wallboxes[0]
        self._energy = 0.0
        self.scenes: list[Scene] = [
            ("pause, before a car comes", self.pause_empty),
            ("plug in", self.plug_in),
            ("allow", self.allow),
            (f"limit to {LIMIT_KW:g} kW", self.limit),
            ("pause", self.pause),
            ("unplug", self.unplug),
        ]

    async def becomes(self, key: str, wanted: str) -> None:
        """Wait for a state of an entity."""
        await self._findings.becomes(self._wallbox, key, wanted, PATIENCE_S)

    async def power_becomes(
        self, what: str, fits: Callable[[float], bool], key: str = "charging_power"
    ) -> None:
        """Wait until a power fits and holds for a while."""
        seen: float | None = None
        since: float | None = None

        async def look() -> float | None:
            """Return the power once it has held."""
            nonlocal seen, since
            seen = await self._wallbox.watts(key)
            if seen is None or not fits(seen):
                since = None
                return None
            since = since or time.monotonic()
            return seen if time.monotonic() - since >= HOLD_S else None

        try:
            watts = await self._findings.wait(f"{key} to be {what}", look, PATIENCE_S)
        except DemoError as err:
            raise DemoError(f"{err} It is {seen} W.") from None
        self._findings.note(f"{key} is {watts:.0f} W: {what}, for {HOLD_S} s")

    async def pause_empty(self) -> None:
        """Start from a wallbox that is free and paused."""
        await self.becomes("vehicle_connected", "off")
        await self._wallbox.turn("default_hours", "off")
        await self._wallbox.turn("charging_allowed", "off")
        await self.becomes("charging_allowed", "off")
        self._energy = float(await self._wallbox.state("energy_total"))

    async def plug_in(self) -> None:
        """Let a car arrive; it must not charge yet."""
        await self._world.plug(self._wallbox.name)
        await self.becomes("vehicle_connected", "on")
        await self.power_becomes("no charge", lambda watts: watts < IDLE_W)
        await self.becomes("charging", "off")
        await self.becomes("status", "paused")

    async def allow(self) -> None:
        """Allow charging; the car takes what it can."""
        await self._wallbox.turn("charging_allowed", "on")
        await self.becomes("charging_allowed", "on")
        # The plug-in drew one, which may still run.
        await self._wallbox.press("skip_random_delay")
        await self.power_becomes(
            "more than the limit to come", lambda watts: watts > LIMIT_W + TOLERANCE_W
        )
        await self.becomes("charging", "on")
        await self.becomes("status", "charging")

    async def limit(self) -> None:
        """Limit the power; the car keeps to it."""
        await self._wallbox.set_number("target_power", LIMIT_KW)
        await self.power_becomes(
            f"about {LIMIT_KW:g} kW",
            lambda watts: abs(watts - LIMIT_W) <= TOLERANCE_W,
        )
        await self.power_becomes(
            f"{LIMIT_KW:g} kW", lambda watts: abs(watts - LIMIT_W) < 1, "power_limit"
        )
        flowing = await self._world.watts(self._wallbox.name)
        self._findings.require(
            abs(flowing - LIMIT_W) <= TOLERANCE_W,
            f"in the simulated world {flowing:.0f} W flow",
        )

    async def pause(self) -> None:
        """Pause; the car stops and stays connected."""
        await self._wallbox.turn("charging_allowed", "off")
        await self.power_becomes("no charge", lambda watts: watts < IDLE_W)
        await self.becomes("charging", "off")
        await self.becomes("vehicle_connected", "on")
        energy = float(await self._wallbox.state("energy_total"))
        self._findings.require(
            energy > self._energy,
            f"energy_total went from {self._energy:g} to {energy:g} kWh",
        )

    async def unplug(self) -> None:
        """Let the car leave, and the wallbox be as it was before."""
        await self._world.unplug(self._wallbox.name)
        await self.becomes("vehicle_connected", "off")
        await self.becomes("status", "disconnected")
        for key in ("charging_allowed", "default_hours"):
            await self._wallbox.turn(key, "on")
        most = await self._wallbox.highest("target_power")
        await self._wallbox.set_number("target_power", most)
