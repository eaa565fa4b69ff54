"""The action that gives the power of each second.

Takes wallboxes and a session or a time, gives what is in memory of it: points, and how
many of the seconds have one. Changes nothing.
"""

from datetime import UTC, datetime
from typing import Any

import probatio

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.const import ATTR_DEVICE_ID, Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv, entity_registry as er

from .charging.session import Source
from .const import DOMAIN
from .coordinator import WallboxCoordinator
from .meter.series import Point, VisitSeries
from .rights import denied
from .targets import invalid, utc_instant, wallboxes_of

ATTR_SESSION = "session"
ATTR_START = "start"
ATTR_END = "end"
SESSION_CURRENT = "current"
SESSION_LAST = "last"
# So many seconds are answered at once, of all wallboxes together.
MOST_S = 86_400

type Span = tuple[float, float]

POWER_SCHEMA: dict[Any, Any] = {
    # Not only the two there are now: a session has an id as well.
    probatio.Optional(ATTR_SESSION): cv.string,
    probatio.Optional(ATTR_START): cv.datetime,
    probatio.Optional(ATTR_END): cv.datetime,
}


async def async_get_power_series(call: ServiceCall) -> ServiceResponse:
    """Return the power of each second by device; raises translated errors."""
    wallboxes = wallboxes_of(call.hass, call.data[ATTR_DEVICE_ID])
    user = await _async_user(call)
    spans: dict[str, Span] = {}
    for device_id, wallbox in wallboxes.items():
        if user is not None:
            check_may_read(call.hass, user, wallbox, call.service)
        spans[device_id] = _span(wallbox, call.data)
    if sum(end - start for start, end in spans.values()) > MOST_S:
        raise invalid("power_too_much")
    answer: dict[str, Any] = {}
    for device_id, (start, end) in spans.items():
        wallbox = wallboxes[device_id]
        described, series = (
            source_of(wallbox),
            wallbox.measuring.feed.sliced(start, end),
        )
        # A day of seconds is more than the loop should wait for.
        described |= await call.hass.async_add_executor_job(
            _described, series, start, end
        )
        answer[device_id] = described
    return answer


def check_may_read(
    hass: HomeAssistant, user: User, wallbox: WallboxCoordinator, act: str
) -> None:
    """Refuse who may not see the charging power; raises `Unauthorized`.

    The security log is told of the refused `act`.
    """
    unique_id = f"{wallbox.miniserver.serial}_{wallbox.wallbox_id}_charging_power"
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.SENSOR, DOMAIN, unique_id
    )
    if entity_id is None:
        allowed = user.permissions.access_all_entities(POLICY_READ)
    else:
        allowed = user.permissions.check_entity(entity_id, POLICY_READ)
    if not allowed:
        wallbox.security(denied(user.id, act))
        raise Unauthorized(user_id=user.id, entity_id=entity_id, permission=POLICY_READ)


def source_of(wallbox: WallboxCoordinator) -> dict[str, Any]:
    """Return who measures; what the Miniserver tells holds until it tells anew."""
    source = wallbox.data.power_source
    return {"source": source.value, "coarse": source is not Source.METER}


async def _async_user(call: ServiceCall) -> User | None:
    """Return who asks, None for an automation."""
    if call.context.user_id is None:
        return None
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user


def _span(wallbox: WallboxCoordinator, asked: dict[str, Any]) -> Span:
    """Return from when to when, in seconds UTC; the future is left out."""
    session, start, end = (
        asked.get(name) for name in (ATTR_SESSION, ATTR_START, ATTR_END)
    )
    if session is not None and start is None and end is None:
        return _session(wallbox, session)
    if session is not None or start is None or end is None:
        raise invalid("power_session_or_times")
    begin, until = utc_instant(start).timestamp(), utc_instant(end).timestamp()
    if until <= begin:
        raise invalid("power_end_before_start")
    now = wallbox.measuring.now
    if begin >= now:
        raise invalid("power_in_future")
    return begin, min(until, now)


def _session(wallbox: WallboxCoordinator, session: str) -> Span:
    """Return when a session was."""
    series = wallbox.measuring.feed.series
    known = {SESSION_CURRENT: series.current, SESSION_LAST: series.last}
    if session not in known:
        raise invalid("power_session_unknown")
    visit = known[session]
    if visit is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="power_no_last_session"
            if session == SESSION_LAST
            else "power_no_session",
            translation_placeholders={"wallbox": wallbox.title},
        )
    end = wallbox.measuring.now if visit.end is None else visit.end
    return visit.start, max(visit.start, end)


def _described(series: VisitSeries, start: float, end: float) -> dict[str, Any]:
    """Return the points of a time and how complete they are."""
    points = series.between(start, end)
    return {**_figures(points, start, end), "points": _written(points)}


def _figures(points: list[Point], start: float, end: float) -> dict[str, Any]:
    """Return how many seconds were asked for and how many have a reading."""
    seconds = round(end - start)
    measured = min(sum(power is not None for _, power in points), seconds)
    return {
        "start": _instant(start),
        "end": _instant(end),
        "seconds": seconds,
        "measured_seconds": measured,
        "coverage": round(measured / seconds, 4) if seconds else None,
    }


def _written(points: list[Point]) -> list[dict[str, Any]]:
    """Return points as an automation reads them."""
    return [{"at": _instant(at), "power_w": power_w} for at, power_w in points]


def _instant(at: float) -> str:
    """Return an instant as text."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
