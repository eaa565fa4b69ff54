"""How often a meter really measures anew.

Takes in the samples of a minute; gives the seconds from one set of new values to the
next. Asking more often shows nothing: some meters renew their registers every ten
seconds, and some gateways answer out of a memory of their own.

It looks at the raw words of power, voltage and frequency, since those of a grid and of a
charging car never stand still. What may go wrong: they do stand still, because nothing
is charged or because the meter shows too few digits. Then nothing is proven.
"""

from dataclasses import dataclass

from .fit import Fit, Schedule, holds
from .model import Measured, MeterProfile, Register
from .sample import MeterSample

TEST_S = 60.0
# A meter for power every second may be this slow.
SUITABLE_S = 1.5
# Below it few digits of the power move.
LOADED_W = 1000.0
MOVING = (
    Measured.POWER,
    Measured.POWER_L1,
    Measured.POWER_L2,
    Measured.POWER_L3,
    Measured.VOLTAGE_L1,
    Measured.VOLTAGE_L2,
    Measured.VOLTAGE_L3,
    Measured.FREQUENCY,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshResult:
    """What a test has shown: so many changes in so many seconds.

    `not_proven` says that few changes may be the fault of what is measured.
    """

    seconds: float
    changes: int
    not_proven: bool

    @property
    def refresh_s(self) -> float | None:
        """Return the seconds between changes, None without any."""
        return self.seconds / self.changes if self.changes else None

    @property
    def suitable(self) -> bool:
        """Tell whether the meter is proven to measure power every second."""
        refresh_s = self.refresh_s
        return not self.not_proven and refresh_s is not None and refresh_s <= SUITABLE_S


class RefreshTest:
    """Counts how often the values of a meter change."""

    def __init__(
        self, profile: MeterProfile, fit: Fit | None = None, *, seconds: float = TEST_S
    ) -> None:
        """Start with nothing; `fit` is that of the reader whose samples are taken."""
        self._places, self._size = _places(profile, fit or Fit())
        # Gaps do not count: nobody knows what changed in them.
        self._longest_s = 1.5 * profile.poll_s
        self._wanted_s = seconds
        self._last: tuple[float, tuple[int, ...]] | None = None
        self._seconds = 0.0
        self._changes = 0
        self._least_w = float("inf")

    @property
    def done(self) -> bool:
        """Tell whether the test has seen enough."""
        return self._seconds >= self._wanted_s

    def take(self, sample: MeterSample) -> None:
        """Look at a sample."""
        if sample.power_w is None or len(sample.block) != self._size:
            self._last = None
            return
        words = tuple(sample.block[place] for place in self._places)
        if self._last is not None:
            before, last_words = self._last
            passed = sample.monotonic - before
            if passed <= self._longest_s:
                self._seconds += passed
                self._changes += words != last_words
                self._least_w = min(self._least_w, abs(sample.power_w))
        self._last = (sample.monotonic, words)

    @property
    def result(self) -> RefreshResult:
        """Return what is shown so far.

        Many changes prove a quick meter whatever is measured. Few prove a slow one only
        under load.
        """
        quick = self._changes * SUITABLE_S >= self._seconds > 0
        slow = self._changes > 0 and self._least_w >= LOADED_W
        return RefreshResult(
            seconds=self._seconds,
            changes=self._changes,
            not_proven=not (quick or slow),
        )


class RefreshWatch:
    """Repeats a test that has proven nothing, while a car charges.

    It takes samples that are read anyway, and leaves out those without load: under it,
    a slow meter is proven as well as a quick one. What is proven stays, so a slow one
    must be slow in two tests running: one that stood still for a moment looks slow in
    one.
    """

    def __init__(self, profile: MeterProfile) -> None:
        """Start with nothing."""
        self._profile = profile
        self._fit: Fit | None = None
        self._test: RefreshTest | None = None
        self._slow_before = False

    def take(self, sample: MeterSample, fit: Fit) -> RefreshResult | None:
        """Look at a sample that was read by `fit`; return what is proven, once it is.

        Tests that prove nothing all the same begin anew.
        """
        if self._test is None or fit != self._fit:
            self._test, self._fit = RefreshTest(self._profile, fit), fit
        if sample.power_w is not None and abs(sample.power_w) < LOADED_W:
            return None
        self._test.take(sample)
        if not self._test.done:
            return None
        result, self._test = self._test.result, None
        slow_before, self._slow_before = self._slow_before, not result.not_proven
        return (
            result if result.suitable or (slow_before and self._slow_before) else None
        )


def _places(profile: MeterProfile, fit: Fit) -> tuple[tuple[int, ...], int]:
    """Return where in a sample's block the words stand that must move, and its size."""
    schedule = Schedule.of(profile, fit)
    places: list[int] = []
    begin = 0
    for read in schedule.fast:
        for measured in MOVING:
            quantity = schedule.fast_values.get(measured)
            for register in quantity.registers if quantity else ():
                if holds(read, register):
                    places += _words(register, begin - read.start)
        begin += read.count
    return tuple(places), begin


def _words(register: Register, offset: int) -> range:
    """Return the places of a register's words."""
    first = register.address + offset
    return range(first, first + register.count)
