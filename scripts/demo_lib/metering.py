"""An energy meter for the first wallbox: set up as its owner would, held against the car.

A meter is read once a second, and the answer has to come within seconds. On a clock that
hurries through a night an answer from this machine takes longer than that, so a meter is
set up when the hurry is over and time passes slowly enough for each second to be read.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from scripts.demo_lib.api import wait_for
from scripts.demo_lib.entities import METERED, Wallbox
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.flow import change_subentry
from scripts.demo_lib.history import reported
from scripts.demo_lib.pace import Pace
from scripts.demo_lib.paths import DOMAIN
from scripts.demo_lib.progress import DemoError
from scripts.demo_lib.recorded import Recorded
from scripts.demo_lib.stage import Stage
from scripts.demo_lib.world import METER

# The integration's name of the simulator's models.
PROFILES = {"sdm630": "eastron_sdm630"}
# At this rate an answer that takes 20 ms comes 1.2 seconds after its request.
FASTEST_READ = 60.0
PATIENCE_S = 30
CHARGED = timedelta(minutes=30)
# Where there is only the real time, so much is charged.
LEAST_KWH = 0.05
FREE_KWH = 60
# The display of this meter has two decimals.
STEP_KWH = 0.01
# A meter's reading wanders a little around the power.
POWER_SHARE = 0.01
IDLE_W = 50
# At x60 an answer may take longer than a shown second, so many of those are missed.
# Whether each second is read is asked where there is time for it.
MEASURED_RATE = 5.0
MEASURED = timedelta(seconds=200)
LEAST_COVERAGE = 0.99

type Scene = tuple[str, Callable[[], Awaitable[None]]]


async def set_meter_up(stage: Stage) -> None:
    """Set the meter of the first wallbox up, through the flow that changes a wallbox."""
    api, name = stage.home.api, stage.wallboxes[0].name
    [entry] = await api.command("config_entries/get", domain=DOMAIN)
    entry_id = entry["entry_id"]
    subentries = await api.command("config_entries/subentries/list", entry_id=entry_id)
    subentry = next(one for one in subentries if one["title"] == name)
    answers = {
        "meter_source": "meter",
        "meter_profile": PROFILES[METER],
        "transport": "tcp",
        "host": "127.0.0.1",
        "port": stage.world.meter_port,
        # To find out how often it measures anew would take a minute.
        "meter_next": "skip",
    }
    await change_subentry(api, entry_id, subentry, answers)

    async def has_meter() -> bool | None:
        """Look whether the wallbox has been set up again, with what a meter adds."""
        await stage.find_wallboxes()
        there = stage.wallboxes[0].entity_ids
        return True if all(key in there for key in METERED) else None

    await wait_for(f"{name} with its meter", has_meter, PATIENCE_S)


class Metering:
    """A car's visit to the first wallbox, through a meter that is set up for it."""

    def __init__(self, stage: Stage, findings: Findings) -> None:
        """Take a stage; whatever car is at the wallbox will leave."""
        self._stage = stage
        self._world = stage.world
        self._found = findings
        self._energy = self._battery = 0.0
        self.scenes: list[Scene] = [
            ("an energy meter is set up", self.set_up),
            ("charge, measured each second", self.charge),
            ("what the car has taken", self.compare),
        ]

    @property
    def _wallbox(self) -> Wallbox:
        """Return the wallbox with the meter."""
        return self._stage.wallboxes[0]

    async def set_up(self) -> None:
        """Set a meter up; the energy goes on from where it stood."""
        if await self._wallbox.state("vehicle_connected") == "on":
            await self._world.unplug(self._wallbox.name)
        await self._becomes("vehicle_connected", "off")
        await self._wallbox.turn("default_hours", "off")
        await self._wallbox.turn("charging_allowed", "off")
        await self._becomes("charging_allowed", "off")
        before = float(await self._wallbox.state("energy_total"))
        await set_meter_up(self._stage)
        await self._becomes("meter_connection", "on")
        self._energy = await self._found.wait("energy_total", self._total, PATIENCE_S)
        self._found.require(
            abs(self._energy - before) <= STEP_KWH,
            f"energy_total was {before:g} kWh without the meter and is "
            f"{self._energy:g} kWh with it",
        )

    async def charge(self) -> None:
        """Let a car charge for a while; the power shown is that of the car."""
        box = self._wallbox
        await self._world.plug(box.name, FREE_KWH)
        await self._becomes("vehicle_connected", "on")
        self._battery = await self._in_battery()
        await box.turn("charging_allowed", "on")
        await self._becomes("charging_allowed", "on")
        await box.press("skip_random_delay")
        await self._becomes("charging", "on")
        await self._same_power()
        if self._stage.clock is None:
            await self._found.wait("the car to charge", self._charged, PATIENCE_S)
        else:
            pace = self._stage.pace
            async with reported(self._stage, pace):
                await pace.run_to(pace.now() + CHARGED, FASTEST_READ)
                await self._each_second(pace)
        await self._same_power()

    async def _each_second(self, pace: Pace) -> None:
        """Charge at a rate at which each second can be read, and ask for the seconds."""
        box, start = self._wallbox, pace.now()
        await pace.run_to(start + MEASURED, MEASURED_RATE)
        answer = await box.api.ask(
            f"{DOMAIN}.get_power_series",
            device_id=box.device_id,
            start=start.isoformat(),
            end=(start + MEASURED).isoformat(),
        )
        series = answer[box.device_id]
        self._found.require(
            series["source"] == "meter" and series["coverage"] >= LEAST_COVERAGE,
            f"{series['measured_seconds']} of {series['seconds']} seconds of charging "
            f"have a reading of the meter ({100 * LEAST_COVERAGE:g} % are asked)",
        )

    async def compare(self) -> None:
        """Stop; the energy in the battery is the energy counted, to the meter's step."""
        box = self._wallbox
        await box.turn("charging_allowed", "off")
        await self._becomes("charging", "off")
        counted = taken = 0.0

        async def agree() -> bool | None:
            """Look whether the two are the same."""
            nonlocal counted, taken
            taken = await self._in_battery() - self._battery
            counted = (await self._total() or 0.0) - self._energy
            power = await box.watts("charging_power")
            idle = power is not None and power < IDLE_W
            return True if idle and abs(counted - taken) <= STEP_KWH else None

        try:
            await self._found.wait("the meter to agree", agree, PATIENCE_S)
        except DemoError:
            raise DemoError(
                f"energy_total rose by {counted:.3f} kWh, and the battery has "
                f"{taken:.3f} kWh more."
            ) from None
        self._found.require(
            taken >= LEAST_KWH,
            f"the battery took {taken:.3f} kWh, energy_total rose by {counted:.3f} kWh",
        )
        await self._world.unplug(box.name)
        await self._becomes("status", "disconnected")
        await self._compare_session(taken)
        for key in ("charging_allowed", "default_hours"):
            await box.turn(key, "on")

    async def _compare_session(self, taken: float) -> None:
        """Hold the session itself against the battery, to the meter's step."""
        counted = self._stage.clock is not None
        recorded = Recorded(self._wallbox, self._found, counted=counted)
        energy: float | None = None

        async def agrees() -> bool | None:
            """Look whether the session has what the battery took."""
            nonlocal energy
            energy = await recorded.energy_of_last()
            right = energy is not None and abs(energy - taken) <= STEP_KWH
            return True if right else None

        try:
            await self._found.wait("the session to agree", agrees, PATIENCE_S)
        except DemoError:
            raise DemoError(
                f"The session has {energy} kWh, the battery {taken:.3f} kWh more."
            ) from None
        shown = float(await self._wallbox.state("last_session_energy"))
        self._found.require(
            shown == energy,
            f"the session and last_session_energy have {energy:g} kWh, the battery "
            f"took {taken:.3f} kWh",
        )
        await recorded.check()

    async def _same_power(self) -> None:
        """Wait until the power shown is the one that flows."""
        shown: float | None = None
        flows = 0.0

        async def look() -> bool | None:
            """Compare the two."""
            nonlocal shown, flows
            shown = await self._wallbox.watts("charging_power")
            flows = await self._world.watts(self._wallbox.name)
            if shown is None or flows < IDLE_W:
                return None
            return True if abs(shown - flows) <= POWER_SHARE * flows else None

        try:
            await self._found.wait("the power of the car", look, PATIENCE_S)
        except DemoError as err:
            raise DemoError(f"{err} {shown} W are shown, {flows:g} W flow.") from None
        self._found.note(f"charging_power is {shown:g} W, the car takes {flows:g} W")

    async def _becomes(self, key: str, wanted: str) -> None:
        """Wait for a state of an entity."""
        await self._found.becomes(self._wallbox, key, wanted, PATIENCE_S)

    async def _total(self) -> float | None:
        """Return the energy total in kWh, None while it is not known."""
        try:
            return float(await self._wallbox.state("energy_total"))
        except ValueError:
            return None

    async def _in_battery(self) -> float:
        """Return what is in the battery in kWh."""
        car = (await self._world.box(self._wallbox.name))["car"]
        energy: float = car["energy_kwh"]
        return energy

    async def _charged(self) -> bool | None:
        """Look whether the car has charged enough."""
        taken = await self._in_battery() - self._battery
        return True if taken >= LEAST_KWH else None
