"""Which changes between charging and not are told: a flapping car fills no ledger.

Takes a session before and after a reading, gives it with what was told and what is to
be told now. The charging time is counted elsewhere, second by second, whatever is told.
"""

from dataclasses import replace
from datetime import timedelta

from .following import OpenSession
from .transition import TransitionKind

# A stretch that is over sooner may be a car that flaps about the threshold.
SHORT = timedelta(seconds=60)
# One short stretch is a car or an owner with second thoughts, two running are not.
MOST_SHORT = 1


def switched(
    before: OpenSession, after: OpenSession
) -> tuple[OpenSession, TransitionKind | None]:
    """Return a session after a reading, and which change is to be told now.

    A change is told at once, after several short stretches only when it has lasted.
    """
    at = after.tally.at
    if after.charging is not before.charging:
        short = before.switched is not None and at - before.switched < SHORT
        after = replace(after, switched=at, short=before.short + 1 if short else 0)
        lasts = after.short <= MOST_SHORT
    else:
        lasts = after.switched is None or at - after.switched >= SHORT
    if not lasts or after.charging is after.told:
        return after, None
    kind = TransitionKind.CHARGING_PAUSED
    if after.charging:
        kind = TransitionKind.CHARGING_STARTED
    return replace(after, told=after.charging), kind
