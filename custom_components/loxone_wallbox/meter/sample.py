"""What a meter said in one second, or why it said nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from .clock import MeterClock
from .errors import Missing
from .fit import Answers
from .model import Measured

_NOTHING: Mapping[Measured, float] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterSample:
    """A second of a meter.

    `monotonic` (seconds) and `utc` are the instant of the answer, or of the second that
    has none; `latency_s` is the time from the first request to the last answer. Power
    and energy are in W and Wh, None where the meter has not given them this time.

    `values` holds what was read since the sample before, in the units of `Measured`.
    `earlier` names those of them that were read after the sample before and not with
    the power of this one, `before_w` is the power in W that was read with them.
    `block` is the raw words of the fast reads one after the other. `serial` is the
    serial number the meter gave on this connection, if it did. `missing` says why there
    is no power.
    """

    monotonic: float
    utc: datetime
    latency_s: float | None = None
    power_w: float | None = None
    import_wh: float | None = None
    export_wh: float | None = None
    values: Mapping[Measured, float] = field(default=_NOTHING)
    earlier: frozenset[Measured] = frozenset()
    before_w: float | None = None
    block: tuple[int, ...] = ()
    serial: str | None = None
    missing: Missing | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Instant:
    """A moment on both clocks, in seconds."""

    monotonic: float
    utc: float

    @classmethod
    def now(cls, clock: MeterClock) -> Instant:
        """Return this moment."""
        return cls(monotonic=clock.monotonic(), utc=clock.time())


def sample_of(
    values: Mapping[Measured, float],
    fast: Answers,
    answered: Instant,
    *,
    latency_s: float,
    serial: str | None,
) -> MeterSample:
    """Return the sample of what was read; without power it says that there is none."""
    power = values.get(Measured.POWER)
    return MeterSample(
        monotonic=answered.monotonic,
        utc=datetime.fromtimestamp(answered.utc, UTC),
        latency_s=latency_s,
        power_w=power,
        import_wh=values.get(Measured.IMPORT),
        export_wh=values.get(Measured.EXPORT),
        values=values,
        block=tuple(word for _, words in fast for word in words),
        serial=serial,
        missing=Missing.NO_VALUE if power is None else None,
    )
