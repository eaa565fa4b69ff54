"""Questions to a meter, for setting it up and for whenever it refuses something.

Takes in a link and a profile; gives what the meter says of itself (`identify`), how to
read it (`refit`), and both with a first reading (`probe`). Remembers nothing.

What may go wrong: the chosen model is not the one that answers. A meter that names
another model contradicts, and so do values that no grid has. One that names no model
fits otherwise, and only its owner can tell, who compares the energy with the meter's
display.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from . import decode
from .clock import MeterClock, SystemClock
from .errors import (
    LateAnswerError,
    MeterError,
    NoAnswerError,
    Refusal,
    RefusedError,
    TargetSilentError,
)
from .fit import Answers, Fit, Schedule, holds, values_of, words_of
from .model import Identification, Measured, MeterProfile, Pace, Quantity, Read
from .sample import Instant, MeterSample, sample_of

if TYPE_CHECKING:
    from .link import MeterLink

# How long to wait for a link on which a late answer may still come, and how often.
PATIENCE_S = 5.0
AGAIN_S = 0.5
# Every meter has these; without them there is nothing to measure.
REQUIRED = frozenset({Measured.POWER, Measured.IMPORT})
UNKNOWN = Identification(matches=None, serial=None)
# A meter needs a voltage to run at all, and only the first phase is sure to have one.
GRID = {Measured.VOLTAGE_L1: (150.0, 300.0), Measured.FREQUENCY: (40.0, 70.0)}


class Verdict(StrEnum):
    """What a probe says of the chosen model."""

    FITS = auto()
    CONTRADICTS = auto()
    SILENT = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """What a probe found.

    `error` says why a meter is silent or what it refuses. `sample` has everything the
    meter gives, the slow values too. `identification.matches` is None where the meter
    does not say what it is.
    """

    verdict: Verdict
    identification: Identification = UNKNOWN
    fit: Fit
    sample: MeterSample | None = None
    error: MeterError | None = None

    @property
    def serial(self) -> str | None:
        """Return the serial number, None where the meter gives none."""
        return self.identification.serial


def identity_reads(profile: MeterProfile) -> tuple[Read, ...]:
    """Return what to read to know a meter; milliseconds of work, so keep it."""
    return Fit().reads(profile, Pace.IDENTITY)


async def identify(
    link: MeterLink, profile: MeterProfile, reads: Sequence[Read] | None = None
) -> Identification:
    """Return what a meter says of itself; raise MeterError if nobody answers.

    What it refuses to say counts as not said: old firmware lacks the registers.
    `reads` are the `identity_reads`, if they are known already.
    """
    answers: list[tuple[Read, list[int]]] = []
    for read in identity_reads(profile) if reads is None else reads:
        try:
            answers.append((read, await link.read(read)))
        except RefusedError:
            continue
    return decode.identify(profile, words_of(answers))


async def refit(
    link: MeterLink, profile: MeterProfile, fit: Fit, refusal: RefusedError
) -> Fit:
    """Return a fit without what was refused, the same one if nothing helps.

    An address that is refused (2) can be that of a single register or lie in a gap: so
    each value of the read that not every unit has is asked for by itself. A refused
    count (3) is a matter of the block. Raises MeterError.
    """
    if refusal.code == Refusal.ILLEGAL_DATA_ADDRESS:
        absent = frozenset(
            [
                measured
                for measured, quantity in profile.quantities.items()
                if _may_lack(fit, refusal.read, measured, quantity)
                and await _lacks(link, quantity)
            ]
        )
        if absent:
            return replace(fit, without=fit.without | absent)
    elif refusal.code != Refusal.ILLEGAL_DATA_VALUE:
        return fit
    return replace(fit, cautious=True)


async def probe(
    link: MeterLink,
    profile: MeterProfile,
    fit: Fit | None = None,
    *,
    clock: MeterClock | None = None,
) -> ProbeResult:
    """Find out whether a meter is of a model and how to read it.

    Takes a handful of requests, more where a unit refuses blocks; begins with a fit
    that is known already. What goes wrong is in the result.
    """
    fit, found = fit or Fit(), UNKNOWN
    try:
        found = await identify(link, profile)
        if found.matches is False:
            return ProbeResult(
                verdict=Verdict.CONTRADICTS, identification=found, fit=fit
            )
        fit, sample = await _heard(link, profile, fit, clock or SystemClock())
    except MeterError as err:
        refused = isinstance(err, RefusedError)
        return ProbeResult(
            verdict=Verdict.CONTRADICTS if refused else Verdict.SILENT,
            identification=found,
            fit=fit,
            error=err,
        )
    return ProbeResult(
        verdict=Verdict.FITS if _is_grid(sample) else Verdict.CONTRADICTS,
        identification=found,
        fit=fit,
        sample=replace(sample, serial=found.serial),
    )


async def _heard(
    link: MeterLink, profile: MeterProfile, fit: Fit, clock: MeterClock
) -> tuple[Fit, MeterSample]:
    """Read all there is, in short reads where long ones are not answered.

    Not every meter refuses what is too long for it; some say nothing. Where nothing at
    all has been answered before, that is not waited for long.
    """
    try:
        return await _fitted(link, profile, fit, clock)
    except (NoAnswerError, TargetSilentError) as silence:
        if fit.cautious:
            raise
        waits = PATIENCE_S if identity_reads(profile) else 0.0
        until = clock.monotonic() + waits
        while True:
            try:
                shorter = replace(fit, cautious=True)
                return await _fitted(link, profile, shorter, clock)
            except LateAnswerError:
                if clock.monotonic() >= until:
                    raise silence from None
                await clock.sleep(AGAIN_S)
            except MeterError:
                raise silence from None


async def _fitted(
    link: MeterLink, profile: MeterProfile, fit: Fit, clock: MeterClock
) -> tuple[Fit, MeterSample]:
    """Read all there is, and less as long as something is refused."""
    while True:
        try:
            return fit, await _everything(link, Schedule.of(profile, fit), clock)
        except RefusedError as refusal:
            smaller = await refit(link, profile, fit, refusal)
            if smaller == fit:
                raise
            fit = smaller


async def _everything(
    link: MeterLink, schedule: Schedule, clock: MeterClock
) -> MeterSample:
    """Read all there is, fast and slow."""
    asked_at = clock.monotonic()
    fast = [(read, await link.read(read)) for read in schedule.fast]
    answered = Instant.now(clock)
    values = values_of(schedule.fast_values, fast)
    for read, quantities in zip(schedule.slow, schedule.slow_values, strict=True):
        slow: Answers = [*fast, (read, await link.read(read))]
        values |= values_of(quantities, slow)
    return sample_of(
        values,
        fast,
        answered,
        latency_s=answered.monotonic - asked_at,
        serial=None,
    )


def _is_grid(sample: MeterSample) -> bool:
    """Tell whether voltage and frequency, where a meter gives them, are those of a grid.

    The registers of another model hold some numbers, too.
    """
    return all(
        low <= sample.values.get(measured, low) <= high
        for measured, (low, high) in GRID.items()
    )


def _may_lack(fit: Fit, read: Read, measured: Measured, quantity: Quantity) -> bool:
    """Tell whether a read holds something that a unit may lack."""
    if measured in REQUIRED or measured in fit.without:
        return False
    return any(holds(read, register) for register in quantity.registers)


async def _lacks(link: MeterLink, quantity: Quantity) -> bool:
    """Tell whether a meter refuses to give a quantity by itself."""
    for register in quantity.registers:
        alone = Read(space=register.space, start=register.address, count=register.count)
        try:
            await link.read(alone)
        except RefusedError as refusal:
            if refusal.code == Refusal.ILLEGAL_DATA_ADDRESS:
                return True
    return False
