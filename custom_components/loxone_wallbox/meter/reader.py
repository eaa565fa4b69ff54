"""A meter's reading of every second.

Takes in a link, a profile and a clock; gives a `MeterSample` to a callback at each tick,
with a reading or with the reason why there is none. Ticks are a second apart (or what
the meter itself needs to measure anew) by a clock that nobody sets, and each brings
exactly one sample: a tick whose predecessor's read is still under way brings a gap, as
does one that this machine was too busy for. Nothing is made up for later.

A tick reads the fast reads of the plan and then one of the slow ones, whose values come
with the next sample. At every new connection, after a silence in which somebody may
have changed the meter, and where its values give rise to doubt, it is asked first who it
is; the values of another model are not taken.

What may go wrong: the link fails (see `errors`, the next tick tries again), the meter
refuses a read or never answers it for its length (its plan is changed and remembered in
`fit`), a callback raises (then the
reader ends with that: callbacks must not).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .clock import MeterClock, SystemClock
from .coverage import Coverage
from .errors import (
    LateAnswerError,
    MeterError,
    Missing,
    NoAnswerError,
    OtherMeterError,
    Refusal,
    RefusedError,
    TargetSilentError,
)
from .fit import Answers, Fit, Schedule, values_of
from .model import Identification, Measured, MeterProfile, Read
from .probe import UNKNOWN, identify, identity_reads, refit
from .sample import Instant, MeterSample, sample_of
from .silence import SilentBlocks

if TYPE_CHECKING:
    from .link import MeterLink

# So many gaps in a row are no hiccup any more: the power is unknown.
LOST_AFTER = 3
COVERAGE_MINUTES = 60
# A slow read is begun if there is so much time for its answer, and so much after it.
SLOW_ROOM_S = 0.15
BEFORE_TICK_S = 0.1
# Some meters give their serial number only when asked again.
SERIAL_TRIES = 3
# What is refused for these reasons is refused every time.
FOR_GOOD = (Refusal.ILLEGAL_DATA_ADDRESS, Refusal.ILLEGAL_DATA_VALUE)


@dataclass(kw_only=True, slots=True)
class Figures:
    """What a reader has counted since it began.

    `valid` ticks brought a reading; `skipped` are those of the others that had no read
    of their own. `latency_s` is that of the last reading.
    """

    ticks: int = 0
    valid: int = 0
    skipped: int = 0
    latency_s: float | None = None


class MeterReader:
    """Reads a meter for as long as `run` runs."""

    def __init__(
        self,
        link: MeterLink,
        profile: MeterProfile,
        on_sample: Callable[[MeterSample], None],
        *,
        on_identity: Callable[[Identification], None] | None = None,
        clock: MeterClock | None = None,
        fit: Fit | None = None,
        coverage_minutes: float = COVERAGE_MINUTES,
    ) -> None:
        """Take a link, which stays its owner's, and what is known of the unit.

        `on_identity` is told what the meter says of itself, at first and whenever it
        says something else: another serial number is another meter.
        """
        self._link = link
        self._profile = profile
        self._on_sample = on_sample
        self._on_identity = on_identity
        self._clock = clock or SystemClock()
        self._coverage = Coverage(round(coverage_minutes * 60 / profile.poll_s))
        self._reading: asyncio.Task[None] | None = None
        # A meter that is silent is asked each second.
        self._identity_reads = identity_reads(profile)
        self._identified_on: int | None = None
        self._serial_tries = 0
        self._doubted = False
        self._gaps = 0
        self._turn = 0
        self._slow_values: dict[Measured, float] = {}
        self._power_then: float | None = None
        self._refused: set[Read] = set()
        self._silent = SilentBlocks(LOST_AFTER)
        self.figures = Figures()
        self.identification = UNKNOWN
        self.last: MeterSample | None = None
        self._follow(fit or Fit())

    @property
    def power_w(self) -> float | None:
        """Return the power in W, None after three gaps in a row."""
        if self.last is None or self._gaps >= LOST_AFTER:
            return None
        return self.last.power_w

    @property
    def age_s(self) -> float | None:
        """Return how old the last reading is in seconds, None before the first."""
        return None if self.last is None else self._now - self.last.monotonic

    @property
    def coverage(self) -> float | None:
        """Return the share of the last minutes' ticks that brought a reading, 0 to 1."""
        return self._coverage.share

    def doubt(self) -> None:
        """Have the meter say who it is before the next reading.

        It may be another one without a gap in between, as behind a gateway that goes on.
        """
        self._doubted = True

    async def run(self) -> None:
        """Read until cancelled; what is under way then ends with it."""
        due, poll_s = self._now, self._profile.poll_s
        async with asyncio.TaskGroup() as tasks:
            while True:
                if self._reading is not None and not self._reading.done():
                    self._skip(Missing.UNDER_WAY, due)
                else:
                    self._reading = tasks.create_task(self._tick(due))
                due += poll_s
                while due <= self._now:
                    self._skip(Missing.TICK_MISSED, due)
                    due += poll_s
                await self._clock.sleep(due - self._now)

    async def _tick(self, due: float) -> None:
        """Bring the sample of a tick, and read something slow after it."""
        schedule = self._shorter if self._silent.tries else self._schedule
        try:
            if self._is_strange:
                await self._identify()
            sample, fast = await self._read_fast(schedule)
        except (MeterError, TimeoutError) as err:
            missing = err.key if isinstance(err, MeterError) else Missing.NO_ANSWER
            self._publish(_gap(missing, Instant.now(self._clock)))
            if not isinstance(err, LateAnswerError):
                self._silent.fails(silent=_is_silence(err))
            if isinstance(err, RefusedError):
                await self._adapt(err)
            return
        self._publish(sample)
        if self._silent.answers() and schedule is self._shorter:
            self._follow(replace(self.fit, cautious=True))
        if schedule is not self._schedule:
            return
        await self._read_slow(fast, due + self._profile.poll_s - BEFORE_TICK_S)

    async def _read_fast(self, schedule: Schedule) -> tuple[MeterSample, Answers]:
        """Return a sample of what is read each second, and the words of it."""
        asked_at = self._now
        async with asyncio.timeout(self._link.budget_s):
            fast = [(read, await self._link.read(read)) for read in schedule.fast]
        answered = Instant.now(self._clock)
        if self._link.generation != self._identified_on:
            # The connection was made anew between the reads.
            await self._identify()
        values = values_of(schedule.fast_values, fast)
        sample = sample_of(
            values | self._slow_values,
            fast,
            answered,
            latency_s=answered.monotonic - asked_at,
            serial=self.identification.serial,
        )
        earlier, before_w = frozenset(self._slow_values), self._power_then
        self._slow_values, self._power_then = {}, sample.power_w
        return replace(sample, earlier=earlier, before_w=before_w), fast

    async def _read_slow(self, fast: Answers, until: float) -> None:
        """Read what is next in turn, if there is time; nothing is lost if it fails."""
        schedule = self._schedule
        room = until - self._now
        each_s = self._profile.limits.spacing_s + SLOW_ROOM_S
        if not schedule.slow or room < each_s:
            return
        turn = self._turn = (self._turn + 1) % len(schedule.slow)
        read = schedule.slow[turn]
        if read in self._refused:
            return
        # The link may have to put something between two that are as long.
        if room < each_s * (1 + (fast[-1][0].count == read.count)):
            return
        try:
            async with asyncio.timeout(room if self._link.budget_s else None):
                answer = (read, await self._link.read(read))
        except RefusedError as refusal:
            await self._adapt(refusal)
        except MeterError, TimeoutError:
            # The next tick meets whatever it is.
            return
        else:
            self._slow_values = values_of(schedule.slow_values[turn], [*fast, answer])

    @property
    def _is_strange(self) -> bool:
        """Tell whether the meter has to say who it is."""
        anew = self._link.generation != self._identified_on
        if anew or self._doubted or self._gaps >= LOST_AFTER:
            self._serial_tries = 0
            return True
        if self.identification.matches is False:
            return True
        unread = self._profile.identity.serial and self.identification.serial is None
        return bool(unread) and self._serial_tries < SERIAL_TRIES

    async def _identify(self) -> None:
        """Ask the meter who it is; raise OtherMeterError if it is of another model."""
        self._serial_tries += 1
        known, first = self.identification, self._identified_on is None
        self.identification = await identify(
            self._link, self._profile, self._identity_reads
        )
        self._identified_on = self._link.generation
        self._doubted = False
        if self._on_identity and (first or self.identification != known):
            self._on_identity(self.identification)
        if self.identification.matches is False:
            raise OtherMeterError("Another model answers")

    async def _adapt(self, refusal: RefusedError) -> None:
        """Ask from now on for what the meter does not refuse."""
        if refusal.read in self._refused or refusal.code not in FOR_GOOD:
            return
        try:
            fit = await refit(self._link, self._profile, self.fit, refusal)
        except MeterError:
            # It is refused again at the next tick.
            return
        if fit == self.fit:
            self._refused.add(refusal.read)
        else:
            self._follow(fit)

    def _follow(self, fit: Fit) -> None:
        """Read by a fit."""
        self.fit = fit
        self._schedule = Schedule.of(self._profile, fit)
        self._shorter = Schedule.of(self._profile, replace(fit, cautious=True))
        self._turn = -1

    def _skip(self, missing: Missing, due: float) -> None:
        """Bring the gap of a tick that has no read of its own."""
        self.figures.skipped += 1
        now = Instant.now(self._clock)
        utc = now.utc - (now.monotonic - due)
        self._publish(_gap(missing, Instant(monotonic=due, utc=utc)))

    def _publish(self, sample: MeterSample) -> None:
        """Count a sample and hand it on."""
        valid = sample.missing is None
        self.figures.ticks += 1
        self.figures.valid += valid
        self._coverage.add(valid)
        if valid:
            self._gaps = 0
            self.last = sample
            self.figures.latency_s = sample.latency_s
        else:
            self._gaps += 1
        self._on_sample(sample)

    @property
    def _now(self) -> float:
        """Return seconds that never go back."""
        return self._clock.monotonic()


def _is_silence(err: Exception) -> bool:
    """Tell whether a meter did not answer what it was asked."""
    return isinstance(err, NoAnswerError | TargetSilentError | TimeoutError)


def _gap(missing: Missing, when: Instant) -> MeterSample:
    """Return the sample of a tick without a reading."""
    utc = datetime.fromtimestamp(when.utc, UTC)
    return MeterSample(monotonic=when.monotonic, utc=utc, missing=missing)
