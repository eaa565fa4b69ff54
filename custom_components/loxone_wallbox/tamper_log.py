"""What the security log is told when tampering begins and ends.

Takes how it is known now and how it was known when that was kept last, gives events.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from .charging.boundary import Breach
from .charging.owner import TamperPolicy
from .links import CONTACT, Links
from .rights import SecurityEvent


def known_causes(kept: Any) -> tuple[str, ...]:
    """Return by what a wallbox was tampered with when that was kept last."""
    if kept is None or isinstance(kept, bool):
        # Once there was but the contact.
        return (CONTACT,) if kept else ()
    return tuple(str(cause) for cause in kept)


def tamper_events(
    was: Iterable[str], links: Links, policy: TamperPolicy
) -> Iterator[SecurityEvent]:
    """Yield what began and what is over, with what is done about it meanwhile."""
    before, now = set(was), links.causes
    for cause in now:
        if cause not in before:
            detail = {"cause": cause, "policy": policy.value}
            yield SecurityEvent(
                kind="tamper_on",
                outcome="attempt_succeeded",
                source=_source(cause),
                detail=detail,
            )
    for cause in sorted(before.difference(now)):
        yield _over(links, cause, policy)


def _over(links: Links, cause: str, policy: TamperPolicy) -> SecurityEvent:
    """Return that it is over, and by whose word where the link is still cut."""
    link = {
        Breach.WALLBOX.value: links.boundary.wallbox,
        Breach.METER.value: links.boundary.meter,
    }.get(cause)
    by_word = link is not None and link.acknowledged
    detail = {"cause": cause, "policy": policy.value}
    return SecurityEvent(
        kind="tamper_off",
        outcome="info",
        source=_source(cause),
        user_id=links.looked_into_by if by_word else None,
        detail={**detail, "reason": "looked_into"} if by_word else detail,
    )


def _source(cause: str) -> str:
    """Return who noticed: we read the meter, the rest the Miniserver tells."""
    return "integration" if cause == Breach.METER.value else "miniserver"
