"""Ask a meter who it is and what it measures, for the flow that sets it up.

Takes settings, gives what was found, or raises a `FlowError` with the sentence to show
and the field it belongs to. Keeps nothing open and remembers nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
import errno
import fcntl
import os
from typing import TYPE_CHECKING, Literal

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .const import LOGGER
from .flow_connection import FlowError
from .flow_meter_forms import CONF_METER_PROFILE, CONF_UNIT_ID
from .flow_meter_job import Tell
from .flow_meter_words import Found, describe, name_of
from .meter.clock import SystemClock
from .meter.errors import MeterError, Missing
from .meter.model import MeterProfile
from .meter.probe import ProbeResult, Verdict, identify, probe
from .meter.profiles import PROFILES
from .meter.reader import MeterReader
from .meter.refresh import RefreshResult, RefreshTest
from .meter.sample import MeterSample
from .meter_link import open_link
from .meter_settings import MeterSettings, Transport

if TYPE_CHECKING:
    from .meter.link import MeterLink

type _Line = tuple[int, Literal["N", "E", "O"], Literal[1, 2]]

# How long a meter is watched to find out how often it measures anew.
TEST_S = 60.0
# Gaps do not count as watched. A test with more of them than this ends before its time.
MOST_GAPS = 0.5
# The settings that meters leave their makers with, the most frequent first.
LINES: tuple[_Line, ...] = (
    (9600, "N", 1),
    (9600, "E", 1),
    (19200, "E", 1),
    (19200, "N", 2),
    (2400, "N", 1),
)
UNIT_IDS = (1, 33, 126)
REACH_S = 3.0
CANNOT_OPEN = "meter_port_failed"

# What went wrong, and where in the form; a gap that no probe can meet is left out.
_ERRORS: Mapping[Missing, tuple[str, str]] = {
    Missing.NO_ANSWER: ("meter_silent", CONF_UNIT_ID),
    Missing.TARGET_SILENT: ("meter_target_silent", CONF_UNIT_ID),
    Missing.REFUSED: ("meter_refused", CONF_METER_PROFILE),
    Missing.WRONG_ANSWER: ("meter_wrong_answer", "base"),
    Missing.OTHER_METER: ("meter_not_this_model", CONF_METER_PROFILE),
    Missing.NO_VALUE: ("meter_no_value", "base"),
}


async def examine(hass: HomeAssistant, settings: MeterSettings) -> Found:
    """Return what a meter shows; raises `FlowError` where it is not the one expected.

    A model that says nothing of itself must not be one that does.
    """
    profile = settings.profile
    async with _link_to(hass, settings) as link:
        result = await probe(link, profile)
        if result.verdict is Verdict.CONTRADICTS:
            raise await _contradiction(link, profile, result)
        if result.verdict is Verdict.FITS and profile.identity.model is None:
            other = await _other_model(link)
            if other is not None:
                raise _named(profile, other)
    if result.error is not None:
        raise await explain(hass, settings, result.error.key, str(result.error))
    return _found(settings, result)


async def search(
    hass: HomeAssistant, settings: MeterSettings, taken: set[int], tell: Tell
) -> Found:
    """Try other usual line settings and unit ids until a meter of the model answers.

    Leaves out the unit ids that are taken. Raises `FlowError` where none does, with
    another model that did.
    """
    tries = list(_candidates(settings, taken))
    asked, other, held = 0, None, None
    for tried, candidate in enumerate(tries):
        shown = {"line": describe(candidate), "unit": str(candidate.unit_id)}
        tell(tried / len(tries), {**shown, "number": str(tried + 1)})
        try:
            async with _link_to(hass, candidate) as link:
                result = await probe(link, candidate.profile)
                if other is None and _is_another(result):
                    other = await _other_at(link, candidate)
        except FlowError as err:
            # Others read there by other settings, so the meter has none of these.
            held = err
            continue
        error = result.error
        if error is not None and error.key is Missing.CANNOT_CONNECT:
            held = await explain(hass, candidate, error.key, str(error))
            # There are adapters that do not stand some of the settings.
            if asked and CANNOT_OPEN in held.errors.values():
                continue
            raise held
        asked += 1
        if result.verdict is Verdict.FITS:
            return _found(candidate, result)
    if not asked and held is not None:
        raise held
    shown = {"model": name_of(settings.profile), "count": str(asked)}
    raise other or FlowError("meter_not_found", "base", shown)


async def watch(hass: HomeAssistant, found: Found, tell: Tell) -> RefreshResult:
    """Return how often a meter measures anew; raises `FlowError` where it is silent."""
    settings, clock, over = found.settings, SystemClock(), asyncio.Event()
    test = RefreshTest(settings.profile, found.fit, seconds=TEST_S)
    poll_s = settings.profile.poll_s
    samples: list[MeterSample] = []

    def take(sample: MeterSample) -> None:
        """Take the sample of a tick."""
        samples.append(sample)
        test.take(sample)
        result = test.result
        left = max(0, round(TEST_S - result.seconds))
        shown = {"seconds": str(left), "changes": str(result.changes)}
        tell(result.seconds / TEST_S, shown)
        if test.done or (len(samples) - 2) * poll_s > TEST_S * (1 + MOST_GAPS):
            over.set()

    async with (
        _link_to(hass, settings, clock) as link,
        asyncio.TaskGroup() as tasks,
    ):
        reader = MeterReader(link, settings.profile, take, clock=clock, fit=found.fit)
        reading = tasks.create_task(reader.run())
        await over.wait()
        reading.cancel()
    if not test.result.seconds:
        reason = samples[-1].missing or Missing.NO_ANSWER
        raise await explain(hass, settings, reason, reason.value)
    return test.result


async def explain(
    hass: HomeAssistant, settings: MeterSettings, reason: Missing, text: str
) -> FlowError:
    """Return the sentence for what went wrong on the way to a meter."""
    if reason is Missing.CANNOT_CONNECT:
        return await _unreachable(hass, settings, text)
    key, on = _ERRORS.get(reason, ("meter_silent", CONF_UNIT_ID))
    shown = {
        "model": name_of(settings.profile),
        "unit": str(settings.unit_id),
        "error": text,
    }
    return FlowError(key, on, shown)


@asynccontextmanager
async def _link_to(
    hass: HomeAssistant, settings: MeterSettings, clock: SystemClock | None = None
) -> AsyncIterator[MeterLink]:
    """Hold a link to a meter; raises `FlowError` where the line is another's."""
    try:
        async with open_link(hass, settings, clock) as link:
            yield link
    except HomeAssistantError as err:
        shown = {"place": describe(settings)}
        raise FlowError("meter_line_in_use", "base", shown) from err


def _found(settings: MeterSettings, result: ProbeResult) -> Found:
    """Return a meter that fits; raises `FlowError` where it lacks what is needed."""
    sample, inverted = result.sample, settings.inverted
    assert sample is not None  # noqa: S101  (a meter that fits gave one)
    power = sample.power_w
    energy = sample.export_wh if inverted else sample.import_wh
    if power is None or energy is None:
        lacks_export = inverted and sample.import_wh is not None
        raise FlowError("meter_no_export" if lacks_export else "meter_no_value")
    return Found(
        settings=replace(settings, serial=result.serial, fit=result.fit),
        fit=result.fit,
        values=sample.values,
        power_w=-power if inverted else power,
        energy_wh=energy,
    )


def _is_another(result: ProbeResult) -> bool:
    """Tell whether a meter answers that does not say that it is of the chosen model."""
    contradicts = result.verdict is Verdict.CONTRADICTS
    return contradicts and not result.identification.matches


async def _other_model(link: MeterLink) -> MeterProfile | None:
    """Return the model that a meter says it is of, None if it says none that we know."""
    with suppress(MeterError):
        for profile in PROFILES.values():
            if (await identify(link, profile)).matches:
                return profile
    return None


async def _other_at(link: MeterLink, settings: MeterSettings) -> FlowError | None:
    """Return the sentence for another model that a search came across."""
    found = await _other_model(link)
    if found is None:
        return None
    shown = {
        "model": name_of(settings.profile),
        "found": name_of(found),
        "place": describe(settings),
        "unit": str(settings.unit_id),
    }
    return FlowError("meter_other_found", CONF_METER_PROFILE, shown)


def _named(chosen: MeterProfile, found: MeterProfile) -> FlowError:
    """Return the sentence for a meter that says it is of another model."""
    shown = {"model": name_of(chosen), "found": name_of(found)}
    return FlowError("meter_other_model", CONF_METER_PROFILE, shown)


async def _contradiction(
    link: MeterLink, profile: MeterProfile, result: ProbeResult
) -> FlowError:
    """Return the sentence for another model than the chosen one."""
    if _is_another(result):
        other = await _other_model(link)
        if other is not None:
            return _named(profile, other)
    if result.error is not None:
        key = "meter_refused"
    elif result.sample is not None:
        key = "meter_no_grid"
    else:
        key = "meter_not_this_model"
    shown = {"model": name_of(profile), "error": str(result.error or "")}
    return FlowError(key, CONF_METER_PROFILE, shown)


def _candidates(settings: MeterSettings, taken: set[int]) -> Iterator[MeterSettings]:
    """Yield what to try: the chosen unit id on every line first, then other ids.

    A gateway has line settings of its own, which cannot be seen or changed from here.
    """
    configured = (settings.baudrate, settings.parity, settings.stopbits)
    lines: tuple[_Line, ...] = (configured,)
    if settings.transport is Transport.SERIAL:
        lines = tuple(dict.fromkeys((configured, *LINES)))
    usual = settings.profile.line.unit_id
    ids = dict.fromkeys((settings.unit_id, usual or 1, *UNIT_IDS))
    for unit_id in ids:
        for baudrate, parity, stopbits in lines if unit_id not in taken else ():
            yield replace(
                settings,
                unit_id=unit_id,
                baudrate=baudrate,
                parity=parity,
                stopbits=stopbits,
            )


async def _unreachable(
    hass: HomeAssistant, settings: MeterSettings, text: str
) -> FlowError:
    """Return why there is no connection."""
    shown = {"place": describe(settings), "error": text}
    if settings.transport is Transport.SERIAL:
        key = await hass.async_add_executor_job(_port_error, settings.device)
        return FlowError(key, CONF_DEVICE, shown)
    try:
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
    except ConnectionRefusedError:
        return FlowError("meter_connection_refused", CONF_PORT, shown)
    except (OSError, TimeoutError) as err:
        LOGGER.debug("No connection to %s: %s", describe(settings), err)
        return FlowError("meter_cannot_connect", CONF_HOST, shown)
    writer.close()
    return FlowError("meter_connection_ended", CONF_HOST, shown)


def _port_error(device: str) -> str:
    """Return the sentence for a serial device that cannot be opened."""
    if "://" in device:
        return CANNOT_OPEN
    try:
        port = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as err:
        if err.errno == errno.EBUSY:
            return "meter_port_in_use"
        return "meter_port_missing" if err.errno == errno.ENOENT else CANNOT_OPEN
    try:
        fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return "meter_port_in_use"
    finally:
        os.close(port)
    return CANNOT_OPEN
