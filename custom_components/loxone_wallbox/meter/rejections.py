"""What of a meter's samples was not believed, for whoever keeps a log of attempts.

A line that others can reach is an input like any other: values that cannot be may be a
fault, or somebody's attempt. Takes each second's sample, gives the first rejection of a
kind at once and then, once an hour for as long as it goes on, how many more there were.
"""

from dataclasses import dataclass, replace

from .checks import Fault
from .errors import Missing
from .sample import MeterSample

# What goes on is summed up so often.
SUMMED_S = 3600.0
# A spoilt answer is noise on the line; so many in a row are none.
BURST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """What was rejected; instants in seconds UTC.

    `measured` is empty where a whole answer was of no use, `value` None where it was no
    number. `repeated` is how many more of the kind came from `first` to `last`, 0 for
    one that is told by itself.
    """

    reason: str
    measured: str
    value: float | None
    first: float
    last: float
    repeated: int = 0


class Rejections:
    """What was rejected lately."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._spoilt = 0
        # What has come since a kind was told last, and when that was.
        self._told: dict[str, tuple[Rejection, float]] = {}

    def take(self, sample: MeterSample, fault: Fault | None) -> list[Rejection]:
        """Take a sample and what was wrong with it; return what is to be told."""
        at = sample.utc.timestamp()
        told = self._due(at)
        reason, measured, value = self._reason(sample, fault)
        if reason is None:
            return told
        new = Rejection(
            reason=reason, measured=measured, value=value, first=at, last=at
        )
        if reason not in self._told:
            self._told[reason] = (new, at)
            return [*told, new]
        old, since = self._told[reason]
        first = old.first if old.repeated else at
        again = replace(new, first=first, repeated=old.repeated + 1)
        self._told[reason] = (again, since)
        return told

    def flush(self) -> list[Rejection]:
        """Return what has not been told yet: nothing comes any more."""
        told = [one for one, _ in self._told.values() if one.repeated]
        self._told.clear()
        return told

    def _due(self, now: float) -> list[Rejection]:
        """Sum up what has gone on for long; a clock that was set back ends it all."""
        told: list[Rejection] = []
        for reason, (one, since) in tuple(self._told.items()):
            if 0 <= now - since < SUMMED_S:
                continue
            if not one.repeated:
                del self._told[reason]
                continue
            told.append(one)
            self._told[reason] = (replace(one, repeated=0), now)
        return told

    def _reason(
        self, sample: MeterSample, fault: Fault | None
    ) -> tuple[str | None, str, float | None]:
        """Return why a sample or something of it is rejected, None where it is not."""
        missing = sample.missing
        self._spoilt = self._spoilt + 1 if missing is Missing.WRONG_ANSWER else 0
        if missing is Missing.OTHER_METER or self._spoilt >= BURST:
            return str(missing), "", None
        if fault is None:
            return None, "", None
        return fault.reason.value, fault.measured.value, fault.value
