"""Whose energy it was that a counter shows after it was silent.

Takes the sessions that followed each other while nobody read the counter, and what it
shows at last. Gives each its part: by what the wallbox says that each has taken, else by
the time in which it charged and its power. The parts add up to the watt-hour.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

from .following import OpenSession
from .slices import SessionRules
from .tally import Reading

HOUR = timedelta(hours=1)
# So much can flow at 11 kW between two words of the wallbox about its energy.
WORD_BEHIND_WH = 200


def shared(
    chain: Sequence[OpenSession], reading: Reading, rules: SessionRules
) -> list[OpenSession]:
    """Return the sessions with their parts of what a counter has risen by.

    The first knows where the counter stood. The last, if it is still open, begins where
    the one before ended, and takes its part with the reading itself.
    """
    wh = reading.counted_wh
    assert wh is not None  # noqa: S101  (only a counter can be shared)
    begin = chain[0].tally.wh
    if begin is None or begin > wh:
        # Nobody knows what flowed before.
        begin = wh
    weights = _weights(chain, reading, wh - begin)
    ends = [begin + part for part in _parts(wh - begin, weights)]
    disputed = sum(weight > 0 for weight in weights) > 1
    found = []
    for session, start, end, weight in zip(
        chain, (begin, *ends), ends, weights, strict=False
    ):
        one = begun(session, start)
        if one.ended is not None:
            one = one.corrected(end, rules)
            one = replace(one, revision=one.revision + 1)
        vague = one.estimated or (disputed and weight > 0 and end > start)
        found.append(replace(one, estimated=vague))
    return found


def begun(session: OpenSession, wh: int | None) -> OpenSession:
    """Return a session that knows where the counter stood as it began."""
    if session.tally.wh is not None or wh is None:
        return session
    return replace(session, start_wh=wh, tally=replace(session.tally, wh=wh))


def _parts(wh: int, weights: Sequence[float]) -> list[int]:
    """Return the running sums of the parts of an energy, the last is all of it."""
    whole = sum(weights)
    sums = [round(wh * part / whole) for part in accumulate(weights)]
    return [*(min(one, wh) for one in sums[:-1]), wh]


def _weights(chain: Sequence[OpenSession], reading: Reading, risen: int) -> list[float]:
    """Return how much each can have taken, beside each other; their sum is not zero."""
    found = _told(chain, risen) or _timed(chain, reading)
    if sum(found) > 0:
        return found
    # Nobody says that anything flowed: who was there for longer took more.
    stays = [(one.ended or one.timed(reading.at)[1]) - one.connected for one in chain]
    return [max(stay.total_seconds(), 1.0) for stay in stays]


def _told(chain: Sequence[OpenSession], risen: int) -> list[float]:
    """Return what each has still to get by the wallbox's word, nothing without one.

    The wallbox's counter is a coarser one than ours: its words are taken as parts of all
    that these sessions took, what they have already included.
    """
    told = [one.told_wh for one in chain if one.told_wh is not None]
    if len(told) < len(chain) or sum(told) <= 0:
        return []
    left = [max(wh - one.booked_wh, 0.0) for wh, one in zip(told, chain, strict=True)]
    more = risen - sum(left)
    if chain[-1].ended is None and 0 <= more <= WORD_BEHIND_WH:
        # The word of who still charges is a little old, those of the others are not.
        return [*left[:-1], left[-1] + more] if risen else []
    scale = (risen + sum(one.booked_wh for one in chain)) / sum(told)
    left = [
        max(scale * wh - one.booked_wh, 0.0)
        for wh, one in zip(told, chain, strict=True)
    ]
    return left if sum(left) > 0 else []


def _timed(chain: Sequence[OpenSession], reading: Reading) -> list[float]:
    """Return the time in which each charged unseen, at its own power where known."""
    tallies = [
        (one if one.ended is not None else one.unwatched(reading.at)).tally
        for one in chain
    ]
    powers: list[float] = []
    for tally in tallies:
        hours = tally.unseen / HOUR
        assumed_w = tally.unseen_wh / hours if hours else 0.0
        powers.append(assumed_w or tally.max_w)
    if not powers[-1] and chain[-1].ended is None:
        powers[-1] = max(reading.sane_power_w or 0.0, 0.0)
    usual = max(powers) or 1.0
    return [
        (power or usual) * (tally.unseen / HOUR)
        for power, tally in zip(powers, tallies, strict=True)
    ]
