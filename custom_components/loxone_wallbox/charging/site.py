"""Split a limit of the whole site among its wallboxes.

Takes the limit and what each wallbox would draw, gives each one's share. Pure. A share
under a wallbox's minimum would be no charging at all, so as many as possible get their
minimum in the order of their priority, and the rest goes to the highest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
import math

from .delay import SAME_KW

# Shares are rounded down to this, so that their sum stays under the limit.
STEPS_A_KW = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What one wallbox would draw without the limit, in kW; 0 is nothing.

    Not `bound` is one that does not follow the limit: the owner's override and opt-out
    stand above it, an unreachable one cannot be told.
    """

    wallbox: str
    priority: int
    min_kw: float
    wish_kw: float
    bound: bool = True


def split(limit_kw: float, claims: Iterable[Claim]) -> dict[str, float]:
    """Return the shares in kW of those who wish and are bound, 0 for no charging.

    What those that are not bound draw is taken off before, so that the site keeps to
    its limit as long as that is in anybody's hand.
    """
    claims = list(claims)
    left = limit_kw - sum(one.wish_kw for one in claims if not one.bound)
    wishing = [one for one in claims if one.bound and one.wish_kw > 0]
    shares = {one.wallbox: 0.0 for one in wishing}
    served = []
    for claim in sorted(wishing, key=lambda one: (-one.priority, one.wallbox)):
        least = min(claim.min_kw, claim.wish_kw)
        if least <= left + SAME_KW:
            shares[claim.wallbox] = least
            left -= least
            served.append(claim)
    for claim in served:
        more = min(claim.wish_kw - shares[claim.wallbox], max(left, 0))
        shares[claim.wallbox] += _rounded_down(more)
        left -= more
    return shares


def _rounded_down(power_kw: float) -> float:
    """Return a power that is not above another, in whole watts."""
    return math.floor(power_kw * STEPS_A_KW + 1e-6) / STEPS_A_KW
