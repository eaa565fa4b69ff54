"""Keep the wallboxes of one Miniserver under a limit they share.

Takes the wallboxes as they join, tells each its share of a limit of the whole site, and
whether there is room for more. Lower, confirm, then raise: a wallbox is not told to
draw more before the others have shown that they draw less. Who joins late or cannot be
told is reckoned with what it may draw.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .charging.delay import SAME_KW
from .charging.dsr import DsrEvent
from .charging.owner import OwnerState
from .charging.site import Claim, split


class SiteMember(Protocol):
    """What a site needs of a wallbox's controller."""

    state: OwnerState

    @property
    def potential_kw(self) -> float:
        """Return the most the wallbox may draw, as shown or as told, in kW."""

    def claim(self, now: datetime) -> Claim:
        """Return what the wallbox would draw without limits of the site."""

    def evaluate(self) -> None:
        """Decide anew."""


class Site:
    """The wallboxes of one Miniserver, as far as they share a limit."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without wallboxes."""
        self._hass = hass
        self._members: list[SiteMember] = []
        # The last shares of each wallbox, of limits that are over too.
        self._known: dict[str, dict[tuple[str, str], float]] = {}
        self._called = False

    def join(self, member: SiteMember) -> None:
        """Reckon with a wallbox from now on."""
        self._members.append(member)

    def leave(self, member: SiteMember) -> None:
        """Reckon with a wallbox no longer; may come twice."""
        if member in self._members:
            self._members.remove(member)
            self.changed()

    def is_shared(self, now: datetime) -> bool:
        """Tell whether several wallboxes share a limit now or soon."""
        return len(self._members) > 1 and any(
            any(one.state.dsr.site_limits(now)) for one in self._members
        )

    def shares(self, member: SiteMember, now: datetime) -> dict[tuple[str, str], float]:
        """Return a wallbox's shares in kW of the limits that are known.

        Of one that is over it is the last share: what touches it begins from there.
        """
        book, wallbox = member.state.dsr, member.claim(now).wallbox
        present = list(book.site_limits(now))
        open_keys = {event.key for event in present}
        shares = {
            key: share
            for key, share in self._known.get(wallbox, {}).items()
            if key in book.events and key not in open_keys
        }
        for event in present:
            claims = [_claim_under(one, event, now) for one in self._members]
            share = split(event.limit(book.floor_kw), claims).get(wallbox)
            if share is not None:
                shares[event.key] = share
        self._known[wallbox] = shares
        return shares

    def has_room(self, member: SiteMember, power_kw: float) -> bool:
        """Tell whether a wallbox may be told to draw a power.

        A limit binds from the instant its reductions are due: at once where it acts
        without a delay, otherwise when the longest delay is over.
        """
        now = dt_util.utcnow()
        others = sum(one.potential_kw for one in self._members if one is not member)
        return all(
            others + power_kw <= event.limit(member.state.dsr.floor_kw) + SAME_KW
            for event in member.state.dsr.site_limits(now)
            if self._due(event) <= now and _claim_under(member, event, now).bound
        )

    def _due(self, event: DsrEvent) -> datetime:
        """Return when everybody's reduction has to be there."""
        if event.exempt:
            return event.effective_start
        longest = max(one.state.max_delay_s for one in self._members)
        return event.effective_start + timedelta(seconds=longest)

    @callback
    def changed(self) -> None:
        """Have everybody decide anew, soon and once, where a limit is shared."""
        if self._called or not self.is_shared(dt_util.utcnow()):
            return
        self._called = True
        self._hass.loop.call_soon(self._decide)

    @callback
    def _decide(self) -> None:
        """Have everybody decide anew."""
        self._called = False
        for member in tuple(self._members):
            member.evaluate()


def _claim_under(member: SiteMember, event: DsrEvent, now: datetime) -> Claim:
    """Return what a wallbox would draw, and whether this limit binds it.

    Who cannot be told is reckoned with what it may draw.
    """
    claim = member.claim(now)
    if not claim.bound:
        return replace(claim, wish_kw=max(claim.wish_kw, member.potential_kw))
    known = member.state.dsr.events.get(event.key)
    bound = known is not None and now < known.effective_end(member.state.dsr.silence)
    return replace(claim, bound=bound)
