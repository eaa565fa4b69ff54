"""P4: a meter read once a second: what is asked, what is missed, what it costs."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
import time
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .house import home_assistant, make_entry
from .meter_server import Asked, Served, meter_server
from .report import Figure
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.model import Pace, Read
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.sample import MeterSample
from custom_components.loxone_wallbox.meter_coordinator import MeterCoordinator
from custom_components.loxone_wallbox.meter_settings import MeterSettings

PROFILE = PROFILES["eastron_sdm630"]
SECONDS = 1000
# Each floor takes this part of it, the comparison that.
FLOOR_PART, BESIDE_PART = 0.12, 0.3
SETTLE_S = 10.0
TARGET_MISSED = 1.0
TARGET_CPU = 0.5
VALUES = 10
FUNCTIONS = {"holding": 3, "input": 4}

type Request = tuple[int, int, int]


@dataclass(kw_only=True)
class Stretch:
    """A stretch of real time: its beginning and length in seconds, and its cost."""

    begin: float
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def cpu(self) -> float:
        """Return what this process took, in percent of a core."""
        return 100 * self.cpu_s / self.seconds

    def of(self, asked: tuple[Asked, ...]) -> list[Asked]:
        """Return the requests that came in meanwhile."""
        return [one for one in asked if 0 <= one.at - self.begin < self.seconds]


@dataclass(kw_only=True)
class Ours:
    """What a meter of ours gave in a stretch of time."""

    stretch: Stretch
    samples: list[MeterSample] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    before: list[Asked] = field(default_factory=list)


def meter_reading(seconds: int | None = None) -> tuple[Figure, ...]:
    """Measure a meter, beside nothing and beside Home Assistant's own platform."""
    return asyncio.run(_measure(SECONDS if seconds is None else seconds))


async def _measure(seconds: int) -> tuple[Figure, ...]:
    """Measure the floors, our meter and the comparison one after the other."""
    floor_s = max(seconds * FLOOR_PART, 1.0)
    beside_s = max(seconds * BESIDE_PART, 1.0)
    async with home_assistant() as hass:
        await asyncio.sleep(SETTLE_S)
        idle = await _watch(floor_s)
        without = await _without_meter(hass, floor_s)
        ours = await _with_meter(hass, seconds)
    theirs, other_idle, asked = await _yaml_platform(floor_s, beside_s)
    shortened = seconds < SECONDS
    power = _request(Fit().reads(PROFILE, Pace.FAST)[0])
    yaml = Counter((one.function, one.address, one.count) for one in asked)
    rate = yaml.total() / theirs.seconds
    yaml_missed = _missed_at_server(asked, _yaml_requests()[0], theirs)
    beside = (
        f"Home Assistant's Modbus platform, {VALUES} sensors, scan_interval 1, "
        f"{theirs.seconds:.0f} s:"
    )
    return (
        _plan_figure(ours, shortened, f"{beside} {rate:.2f} requests a second"),
        _missed_figure(
            ours,
            power,
            shortened,
            f"{beside} {1000 * yaml_missed / theirs.seconds:.3g} missed in 1,000",
        ),
        Figure(
            id="P4",
            name="meter_cpu_percent",
            value=ours.stretch.cpu - idle.cpu,
            target=TARGET_CPU,
            floor=idle.cpu,
            floor_name="the same Home Assistant idle, % of a core",
            shortened=shortened,
            notes=(
                "a wallbox that charges, its meter and its Miniserver together",
                f"the same without the meter {without.cpu - idle.cpu:.3g} %",
                f"{beside} {theirs.cpu - other_idle.cpu:.3g} % for the meter alone",
            ),
        ),
    )


async def _watch(seconds: float) -> Stretch:
    """Let time pass, and return what this process did meanwhile."""
    stretch = Stretch(begin=time.time())
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    stretch.seconds = time.monotonic() - began
    stretch.cpu_s = time.process_time() - cpu
    return stretch


async def _without_meter(hass: HomeAssistant, seconds: float) -> Stretch:
    """Watch a wallbox that charges and has no meter."""
    async with meter_server() as server:
        entry = make_entry(server.port, [server.wallbox_id])
        await _set_up(hass, entry)
        stretch = await _watch(seconds)
        await hass.config_entries.async_remove(entry.entry_id)
    return stretch


async def _with_meter(hass: HomeAssistant, seconds: float) -> Ours:
    """Watch a wallbox that charges and has a meter."""
    async with meter_server() as server:
        meter = MeterSettings(
            profile_id=PROFILE.id, host="127.0.0.1", port=server.meter_port
        )
        entry = make_entry(server.port, [server.wallbox_id], meter=meter.as_dict())
        with _sampling() as samples:
            await _set_up(hass, entry)
            await _after_a_tick(samples)
            samples.clear()
            stretch = await _watch(seconds)
            taken = list(samples)
        await hass.config_entries.async_remove(entry.entry_id)
    before = [one for one in server.asked if one.at < stretch.begin]
    return Ours(
        stretch=stretch,
        samples=taken,
        asked=stretch.of(server.asked),
        before=before,
    )


async def _set_up(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Set an entry up and let it come to rest, with a car that charges."""
    await hass.config_entries.async_add(entry)
    assert entry.state is ConfigEntryState.LOADED, entry.reason
    await asyncio.sleep(SETTLE_S)
    registry = er.async_get(hass)
    shown = {
        entity.translation_key: hass.states.get(entity.entity_id)
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }
    status = shown["status"]
    assert status is not None
    assert status.state == "charging", status


async def _after_a_tick(samples: list[MeterSample]) -> None:
    """Wait for the middle between two samples, so that seconds can be counted."""
    before = len(samples)
    async with asyncio.timeout(SETTLE_S):
        while len(samples) == before:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


@contextmanager
def _sampling() -> Iterator[list[MeterSample]]:
    """Keep the samples of the meter."""
    samples: list[MeterSample] = []
    take = MeterCoordinator._take

    def taken(coordinator: MeterCoordinator, sample: MeterSample) -> None:
        """Keep a sample, and take it."""
        samples.append(sample)
        take(coordinator, sample)

    with patch.object(MeterCoordinator, "_take", taken):
        yield samples


async def _yaml_platform(
    floor_s: float, seconds: float
) -> tuple[Stretch, Stretch, list[Asked]]:
    """Watch Home Assistant's own Modbus platform on the same values, and nothing."""
    async with meter_server() as server, home_assistant() as hass:
        await asyncio.sleep(SETTLE_S)
        idle = await _watch(floor_s)
        assert await async_setup_component(hass, "modbus", _yaml(server))
        await asyncio.sleep(SETTLE_S)
        stretch = await _watch(seconds)
    return stretch, idle, stretch.of(server.asked)


def _yaml(server: Served) -> dict[str, Any]:
    """Return what an owner would write into his configuration."""
    hub = {
        "name": "meter",
        "type": "tcp",
        "host": "127.0.0.1",
        "port": server.meter_port,
        "message_wait_milliseconds": round(PROFILE.limits.spacing_s * 1000),
        "sensors": [
            {
                "name": f"value {address}",
                "slave": 1,
                "input_type": "input",
                "address": address,
                "data_type": "float32",
                "scan_interval": 1,
            }
            for _function, address, _count in _yaml_requests()
        ],
    }
    return {"modbus": [hub]}


def _yaml_requests() -> list[Request]:
    """Return a request for each of the first values, the power first."""
    registers = [quantity.registers[0] for quantity in PROFILE.quantities.values()]
    return [(4, one.address, one.count) for one in registers[:VALUES]]


def _plan_figure(ours: Ours, shortened: bool, beside: str) -> Figure:
    """Return how many requests were not as planned."""
    wrong = _unplanned([*ours.before, *ours.asked])
    counts = Counter(f"{one.address}+{one.count}: {one.outcome}" for one in ours.asked)
    told = ", ".join(f"{number} x {name}" for name, number in sorted(counts.items()))
    return Figure(
        id="P4",
        name="requests_not_planned",
        value=wrong,
        target=0,
        shortened=shortened,
        notes=(
            f"at the meter in {ours.stretch.seconds:.0f} s: {told}",
            f"{len(ours.asked) / ours.stretch.seconds:.2f} requests a second",
            beside,
        ),
    )


def _unplanned(asked: list[Asked]) -> int:
    """Return how many requests differ from the plan.

    Who the meter is comes first, then each second the fast reads and one of the slow
    ones in turn. A slow one may be left out where a second had no time for it.
    """
    plan = {pace: list(map(_request, Fit().reads(PROFILE, pace))) for pace in Pace}
    left = [(one.function, one.address, one.count) for one in asked]
    first = plan[Pace.IDENTITY]
    wrong = sum(a != b for a, b in zip(left, first, strict=False))
    left = left[len(first) :]
    fast, slow = plan[Pace.FAST], plan[Pace.SLOW]
    turn = 0
    while left:
        second = left[: len(fast)]
        wrong += sum(a != b for a, b in zip(second, fast, strict=False))
        left = left[len(fast) :]
        if left and slow and left[0] == slow[turn % len(slow)]:
            left, turn = left[1:], turn + 1
        elif left and left[0] != fast[0]:
            left, wrong = left[1:], wrong + 1
    return wrong


def _request(read: Read) -> Request:
    """Return a read as it goes over the wire."""
    return FUNCTIONS[read.space], read.start, read.count


def _missed_figure(ours: Ours, power: Request, shortened: bool, beside: str) -> Figure:
    """Return how many seconds were missed: what the server says or we say ourselves."""
    seconds = ours.stretch.seconds
    valid = sum(sample.missing is None for sample in ours.samples)
    own = max(round(seconds) - valid, 0)
    server = _missed_at_server(ours.asked, power, ours.stretch)
    gaps = Counter(sample.missing.value for sample in ours.samples if sample.missing)
    latencies = sorted(
        sample.latency_s * 1000
        for sample in ours.samples
        if sample.latency_s is not None
    )
    slowest = latencies[int(len(latencies) * 0.99)]
    return Figure(
        id="P4",
        name="seconds_missed_in_1000",
        value=1000 * max(own, server) / seconds,
        target=TARGET_MISSED,
        shortened=shortened,
        notes=(
            f"{seconds:.0f} s: {len(ours.samples)} ticks, {valid} with a reading",
            f"missed by our count {own}, by the meter's {server}",
            f"gaps: {dict(gaps) or 'none'}",
            f"latency, ms: median {median(latencies):.3g}, 99 % under {slowest:.3g}",
            beside,
        ),
    )


def _missed_at_server(asked: list[Asked], wanted: Request, stretch: Stretch) -> int:
    """Return how many seconds have no answer to a request, by when it came in."""
    times = [
        one.at
        for one in asked
        if (one.function, one.address, one.count) == wanted
        and one.outcome == "answered"
    ]
    if not times:
        return round(stretch.seconds)
    # Seconds are counted from where in them most of the requests come.
    phase = median((at - times[0] + 0.5) % 1 for at in times) + times[0] - 0.5
    return max(round(stretch.seconds) - len({round(at - phase) for at in times}), 0)
