"""A day of a wallbox with a meter, in minutes, into a real recorder.

The second of the story is the simulator's, the meter reader's and Home Assistant's at
once, and a read goes to the simulated meter's registers without a wire, which takes
time of its own. All else is as in life: the meter is read and judged each second, Home
Assistant writes states, its recorder commits them into SQLite and compiles each five
minutes' statistics when they are over.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
import os
from types import SimpleNamespace
from typing import override
from unittest.mock import patch

from sqlalchemy import func, select

from homeassistant import core
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.db_schema import States, StatesMeta
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.components.recorder.tasks import StatisticsTask, SynchronizeTask
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity, entity_registry as er
from homeassistant.helpers.recorder import (
    async_initialize_recorder,
    get_instance,
    session_scope,
)
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .house import PASSWORD, SERIAL, USERNAME, home_assistant, make_entry
from custom_components.loxone_wallbox import clock as watched_clock, meter_coordinator
from custom_components.loxone_wallbox.meter.link import MeterLink
from custom_components.loxone_wallbox.meter.model import Read
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.shown import BEFORE_MARK_S, ShowGate
from custom_components.loxone_wallbox.meter_coordinator import MeterCoordinator
from custom_components.loxone_wallbox.meter_settings import MeterSettings
from simulator import (
    Car,
    ManualClock,
    MeterConfig,
    Simulator,
    SimulatorConfig,
    User,
    WallboxConfig,
)
from simulator.meters.meter import SimulatedMeter

BEGIN = datetime(2027, 1, 13, 12, tzinfo=UTC)
PERIOD_S = 300
HOUR_S = 3600
MINUTE_S = 60
# The meter's library loads in a thread, in real time.
PATIENCE_S = 60
LOOK_S = 0.001
# Second of the day, energy the car comes with in kWh, second it leaves.
VISITS = ((MINUTE_S, 52.0, 3 * HOUR_S), (6 * HOUR_S, 15.0, 20 * HOUR_S))
# The meter as the simulator calls it, and its profile.
MODELS = {"sdm630": "eastron_sdm630", "ale3": "saia_ale3"}
METER = os.environ.get("BENCH_METER", "sdm630")
PROFILE = PROFILES[MODELS[METER]]
FUNCTIONS = {"holding": 3, "input": 4}


class StoryClock(ManualClock):
    """Stands still until it is moved, and wakes who sleeps until then."""

    def __init__(self) -> None:
        """Start when the story begins."""
        super().__init__(BEGIN.timestamp())
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved so far."""
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.monotonic() + seconds, woken))
        self._asleep.set()
        await woken

    async def asleep(self) -> None:
        """Wait until somebody sleeps."""
        await self._asleep.wait()

    @override
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        super().advance(seconds)
        now = self.monotonic()
        late = [woken for when, woken in self._sleepers if when <= now]
        self._sleepers = [one for one in self._sleepers if one[0] > now]
        if not self._sleepers:
            self._asleep.clear()
        for woken in late:
            if not woken.done():
                woken.set_result(None)


class Registers:
    """A link to the registers of a simulated meter, without a wire."""

    budget_s: float | None = None
    generation = 1

    def __init__(self, meter: SimulatedMeter) -> None:
        """Take the meter."""
        self.requests = 0
        self._meter = meter

    @asynccontextmanager
    async def open_link(self, *_: object, **_named: object) -> AsyncIterator[MeterLink]:
        """Hold it."""
        yield self

    async def read(self, read: Read) -> list[int]:
        """Return the words of a read."""
        self.requests += 1
        return self._meter.words(FUNCTIONS[read.space], read.start, read.count)

    async def drop(self) -> None:
        """End nothing."""

    async def close(self) -> None:
        """Leave nothing behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """What the recorder says of an hour, and what the meter's counter did in it; kWh.

    `counted_kwh` is from and to the last second that is shown before a full hour.
    """

    start: datetime
    recorded_kwh: float | None
    counted_kwh: float


@dataclass(kw_only=True)
class Day:
    """What a day left behind.

    `rows` in the database by entity; `readings` the meter gave, and its counter by hour.
    """

    seconds: int
    rows: Counter[str] = field(default_factory=Counter)
    hours: list[Hour] = field(default_factory=list)
    readings_kwh: dict[int, float] = field(default_factory=dict)
    readings: int = 0


async def play_day(seconds: int, *, each_reading: bool = False) -> Day:
    """Play so many seconds of the day; `each_reading` shows every one of the meter's."""
    clock, day = StoryClock(), Day(seconds=seconds)
    with ExitStack() as stack:
        stack.enter_context(_levels())
        if each_reading:
            always = patch.object(ShowGate, "opens", lambda *_: True)
            stack.enter_context(always)
        async with (
            _simulator(clock) as simulator,
            _house(clock, Registers(simulator.meters[0])) as hass,
        ):
            await _Story(hass, simulator, clock, day).play()
    return day


@contextmanager
def _levels() -> Iterator[None]:
    """Keep out of the log what a day in minutes has too much of."""
    loggers = {
        logging.getLogger("homeassistant.loader"): logging.ERROR,
        # Where tests run, it tells every statement.
        logging.getLogger("sqlalchemy.engine"): logging.WARNING,
    }
    before = {logger: logger.level for logger in loggers}
    for logger, level in loggers.items():
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)


@asynccontextmanager
async def _simulator(clock: StoryClock) -> AsyncIterator[Simulator]:
    """Run a Miniserver and a meter by the story's clock."""
    config = SimulatorConfig(
        serial=SERIAL,
        generation=1,
        tls_port=None,
        users=(User(name=USERNAME, password=PASSWORD),),
        wallboxes=(WallboxConfig(name="Garage"),),
        meters=(MeterConfig(profile=METER, energy_kwh=1234.56),),
        idle_timeout_s=1e7,
        token_lifetime_s=1e7,
        key_lifetime_s=1e7,
    )
    async with Simulator(config, clock=clock) as simulator:
        yield simulator


@asynccontextmanager
async def _house(
    clock: StoryClock, registers: Registers
) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant with a recorder by the story's clock."""
    with ExitStack() as patches:
        for patched in (
            patch.object(dt_util, "utcnow", lambda: _at(clock.time())),
            patch.object(core, "time", SimpleNamespace(time=clock.time)),
            patch.object(entity, "timer", clock.time),
            patch.object(watched_clock, "monotonic", clock.monotonic),
            patch.object(meter_coordinator, "SystemClock", lambda: clock),
            patch.object(meter_coordinator, "open_link", registers.open_link),
            # Its timer runs by real time; the story compiles by its own.
            patch.object(Recorder, "async_periodic_statistics", lambda _: None),
        ):
            patches.enter_context(patched)
        async with home_assistant() as hass:
            async_initialize_recorder(hass)
            assert await async_setup_component(hass, "recorder", {"recorder": {}})
            yield hass


class _Story:
    """Plays the day second by second."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, clock: StoryClock, day: Day
    ) -> None:
        """Take what plays."""
        self._hass = hass
        self._simulator = simulator
        self._clock = clock
        self._day = day
        self._recorder: Recorder = get_instance(hass)

    async def play(self) -> None:
        """Play, and look at what the recorder has."""
        entry = await self._set_up()
        for second in range(1, self._day.seconds + 1):
            self._act(second)
            await self._second()
            if second % PERIOD_S == 0:
                await self._compile()
        await self._look(entry)
        await self._hass.config_entries.async_remove(entry.entry_id)

    async def _set_up(self) -> ConfigEntry:
        """Set the wallbox up, as an owner would have before."""
        simulator = self._simulator
        meter = MeterSettings(profile_id=PROFILE.id, host="127.0.0.1")
        entry = make_entry(
            simulator.port, [simulator.wallboxes[0].uuid], meter=meter.as_dict()
        )
        await self._hass.config_entries.async_add(entry)
        assert entry.state is ConfigEntryState.LOADED, entry.reason
        await self._hass.async_block_till_done()
        wallbox = next(iter(entry.runtime_data.wallboxes.values()))
        assert wallbox.meter is not None
        self._meter: MeterCoordinator = wallbox.meter
        await self._read()
        self._note_reading()
        return entry

    def _act(self, second: int) -> None:
        """Let cars come and go."""
        box = self._simulator.wallboxes[0]
        for comes, energy_kwh, leaves in VISITS:
            if second == comes:
                car = Car(capacity_kwh=77, energy_kwh=energy_kwh, taper_from=0.8)
                box.plug(car)
            elif second == leaves:
                box.unplug()

    async def _second(self) -> None:
        """Let a second pass, and wait until the meter was read."""
        self._simulator.advance(1.0, step_s=1.0)
        await self._read()
        if (self._clock.time() + BEFORE_MARK_S) % HOUR_S == 0:
            self._note_reading()

    async def _read(self) -> None:
        """Wait until the reader has read and sleeps again."""
        await self._clock.asleep()
        async with asyncio.timeout(PATIENCE_S):
            while (reader := self._meter._reader) is None or reader._reading is None:
                await asyncio.sleep(LOOK_S)
        await self._clock.asleep()
        await asyncio.wait([reader._reading])
        self._day.readings = reader.figures.valid

    def _note_reading(self) -> None:
        """Keep what the meter's counter shows."""
        shown = self._simulator.meters[0].truth()["shown"]["import"]
        # The first one is the reading that the statistics begin with.
        begin = round((self._clock.time() + BEFORE_MARK_S) // HOUR_S) * HOUR_S
        self._day.readings_kwh[begin] = shown / 1000

    async def _compile(self) -> None:
        """Have the five minutes that are over compiled, after all that was in them."""
        start = _at(self._clock.time() - PERIOD_S)
        self._recorder.queue_task(StatisticsTask(start, fire_events=False))
        await self._recorded()

    async def _recorded(self) -> None:
        """Wait until the recorder is through with all it was given.

        Its own way to wait looks at the queue only, not at what was just taken from it.
        """
        done: asyncio.Future[None] = self._hass.loop.create_future()
        self._recorder.queue_task(SynchronizeTask(done))
        await done

    async def _look(self, entry: ConfigEntry) -> None:
        """Count the rows and read the hours."""
        registry = er.async_get(self._hass)
        keys = {
            one.entity_id: one.translation_key or one.entity_id
            for one in er.async_entries_for_config_entry(registry, entry.entry_id)
            if one.config_subentry_id
        }
        await self._hass.async_block_till_done()
        await self._recorded()
        energy = next(name for name, key in keys.items() if key == "energy_total")
        work = self._recorder.async_add_executor_job
        rows = await work(_rows, self._hass)
        self._day.rows = Counter(
            {keys[name]: rows[name] for name in rows if name in keys}
        )
        self._day.hours = await work(_hours, self._hass, energy, self._day)


def _rows(hass: HomeAssistant) -> dict[str, int]:
    """Return how many rows each entity has in the table of states."""
    query = (
        select(StatesMeta.entity_id, func.count(States.state_id))
        .join(States, States.metadata_id == StatesMeta.metadata_id)
        .group_by(StatesMeta.entity_id)
    )
    with session_scope(hass=hass, read_only=True) as session:
        return {name: count for name, count in session.execute(query) if name}


def _hours(hass: HomeAssistant, statistic_id: str, day: Day) -> list[Hour]:
    """Return what the recorder and the meter say of each full hour."""
    rows = statistics_during_period(
        hass,
        BEGIN,
        BEGIN + timedelta(seconds=day.seconds),
        {statistic_id},
        "hour",
        None,
        {"change"},
    )
    recorded = {row["start"]: row.get("change") for row in rows.get(statistic_id, [])}
    return [
        Hour(
            start=_at(begin),
            recorded_kwh=recorded.get(begin),
            counted_kwh=day.readings_kwh[begin + HOUR_S] - reading,
        )
        for begin, reading in day.readings_kwh.items()
        if begin + HOUR_S in day.readings_kwh
    ]


def _at(seconds: float) -> datetime:
    """Return an instant from seconds UTC."""
    return datetime.fromtimestamp(seconds, UTC)
