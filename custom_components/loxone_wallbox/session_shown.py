"""What is shown of a wallbox's running or last session.

Takes the session as it stands, gives the values of its entities and events; who charged
is not among them, since states and events are kept by others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .charging.following import OpenSession
from .charging.money import decimals
from .charging.session import SessionRecord, Source, whole_seconds
from .charging.transition import Transition


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionShown:
    """The running session, or the last one until the next plug-in; None is unknown.

    kWh, seconds, cost in the usual unit of its currency; `since` is the plug-in,
    `stopped` when it last charged where it does not any more, and `last_energy_kwh` what
    the last finished one took. `source` is whose figures the last one has.
    """

    since: datetime | None = None
    stopped: datetime | None = None
    energy_kwh: float | None = None
    charging_s: int | None = None
    connected_s: int | None = None
    cost: float | None = None
    currency: str | None = None
    last_energy_kwh: float | None = None
    source: Source | None = None


def shown_of(
    session: OpenSession | None,
    running: SessionRecord | None,
    latest: SessionRecord | None,
    occasion: SessionRecord | None,
    at: datetime,
) -> SessionShown:
    """Return what is shown; `latest` has ended, `occasion` has also taken energy.

    `running` is the session with its prices.
    """
    last_kwh = None if occasion is None else occasion.import_wh / 1000
    if session is not None:
        charging = sum((one.importing for one in session.segments), timedelta())
        if session.charging:
            charging += session.tally.segment_time
        return SessionShown(
            since=session.connected,
            stopped=session.paused_at,
            energy_kwh=session.booked_wh / 1000,
            charging_s=whole_seconds(charging),
            connected_s=max(whole_seconds(at + session.ahead - session.connected), 0),
            cost=None if running is None else cost_of(running),
            currency=None if running is None else running.currency,
            last_energy_kwh=last_kwh,
        )
    if latest is None:
        return SessionShown(last_energy_kwh=last_kwh)
    return SessionShown(
        since=latest.connected_utc,
        stopped=latest.last_import_utc,
        energy_kwh=latest.import_wh / 1000,
        charging_s=latest.importing_s,
        connected_s=latest.connected_s,
        cost=cost_of(latest),
        currency=latest.currency,
        last_energy_kwh=last_kwh,
        source=latest.quality.source,
    )


def cost_of(record: SessionRecord) -> float | None:
    """Return what a session costs in the currency's usual unit."""
    if record.cost_minor is None or record.currency is None:
        return None
    return float(record.cost_minor / 10 ** decimals(record.currency))


def details_of(transition: Transition) -> dict[str, Any]:
    """Return what an automation is told of a change of a session."""
    record, reason = transition.record, transition.record.stop_reason
    ended = record.disconnected_utc
    return {
        "session_id": record.id,
        "time": transition.at.isoformat(),
        "connected": record.connected_utc.isoformat(),
        "disconnected": None if ended is None else ended.isoformat(),
        "energy": record.import_wh / 1000,
        "charging_time": record.importing_s,
        "connected_time": record.connected_s,
        "stop_reason": None if reason is None else reason.value,
        "cost": cost_of(record),
        "currency": record.currency,
        "cost_status": record.cost_status.value,
    }
