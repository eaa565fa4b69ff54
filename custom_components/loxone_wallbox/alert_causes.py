"""What of a wallbox the owner is alerted to.

Takes what the wallbox showed before and shows now, its grid events, records of sessions
and of the security log; gives news and conditions. Names nobody: what is told is kept
in states.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from .charging.alerting import AlertKind, Condition, News
from .charging.delay import Pending, Target
from .charging.delivery import Delivery
from .charging.dsr import DsrEvent
from .charging.observe import next_step
from .charging.session import Kind
from .charging.status import Status
from .charging.transition import Transition, TransitionKind
from .const import INPUT_ONLINE
from .coordinator import WallboxCoordinator
from .miniserver.releases import is_newer
from .session_shown import SessionShown, details_of
from .tamper_repair import TEXTS
from .wallbox_data import WallboxData

# A shorter delay is over before anybody has read of it.
LONG_DELAY_S = 60.0
# A grid event is announced so long before it begins.
AHEAD = timedelta(minutes=30)
# The condition of how a wallbox stands against its regulation.
COMPLIANCE = "compliance"
# A session that ended longer ago is no news, wherever it was kept meanwhile.
OLD = timedelta(days=2)
# So many refused logins within half an hour are a burst.
BURST = 3

_OK, _LOST = "ok", "lost"


def news_of(
    before: WallboxData | None, data: WallboxData, now: datetime
) -> Iterator[News]:
    """Yield what has happened since the last look, None for the first one."""
    came = before is not None and before.state.connected is False
    if came and data.state.connected and data.in_peak_hours:
        until = data.next_change
        yield News(
            kind=AlertKind.PLUGGED_IN_PEAK,
            details={
                "reason": data.reason.value,
                "until": None if until is None else until.isoformat(),
            },
        )
    pending = data.decision and data.decision.delay
    if pending and (pending.due - now).total_seconds() > LONG_DELAY_S:
        yield News(kind=AlertKind.RANDOM_DELAY, details=_delay(pending))
    finished = data.status is Status.FINISHED
    if finished and data.session.since is not None:
        yield News(
            kind=AlertKind.CHARGE_FINISHED,
            about=data.session.since.isoformat(),
            once=True,
            details=_session(data.session),
        )


def _delay(pending: Pending) -> dict[str, Any]:
    """Return what is told of a random delay."""
    return {
        "change": _change(pending.from_target, pending.to_target),
        "cause": pending.cause.value,
        "seconds": pending.drawn_s,
        "until": pending.due.isoformat(),
    }


def _change(before: Target, after: Target) -> str:
    """Return what a target changes for the vehicle."""
    if before.allowed is not after.allowed:
        return "start" if after.allowed else "stop"
    return "increase" if after.higher_than(before) else "decrease"


def _session(shown: SessionShown) -> dict[str, Any]:
    """Return what is told of a session in which the vehicle is full."""
    return {
        "time": None if shown.stopped is None else shown.stopped.isoformat(),
        "energy": shown.energy_kwh,
        "charging_time": shown.charging_s,
        "connected_time": shown.connected_s,
        "cost": shown.cost,
        "currency": shown.currency,
        "unplugged": False,
    }


def news_of_session(transition: Transition, now: datetime) -> News | None:
    """Return that a vehicle which was charged has left, None for anything else.

    Told with the time at which it left: nobody may have looked when it did.
    """
    record = transition.record
    if (
        transition.kind is not TransitionKind.SESSION_FINISHED
        or record.kind is not Kind.OCCASION
        or now - transition.at > OLD
    ):
        return None
    told = ("time", "energy", "charging_time", "connected_time", "cost", "currency")
    details = details_of(transition)
    return News(
        kind=AlertKind.CHARGE_FINISHED,
        about=record.connected_utc.isoformat(),
        once=True,
        details={**{name: details[name] for name in told}, "unplugged": True},
    )


def announced_at(event: DsrEvent) -> datetime:
    """Return from when on a grid event is one that begins soon."""
    return event.start - AHEAD


def news_of_event(event: DsrEvent, silence: timedelta, now: datetime) -> News | None:
    """Return that a grid event begins soon, None where it does not or is called off."""
    if not announced_at(event) <= now < event.start < event.effective_end(silence):
        return None
    return News(
        kind=AlertKind.DSR_SOON,
        about=f"{event.program}|{event.event_id}|{event.start.isoformat()}",
        once=True,
        details={
            "event_id": event.event_id,
            "program": event.program,
            "event_kind": event.kind.value,
            "start": event.start.isoformat(),
            "end": event.end.isoformat(),
            "limit_kw": event.limit_kw,
        },
    )


def news_of_delivery(record: Delivery) -> News:
    """Return what came of a grid event that is over."""
    shown = record.described()
    return News(
        kind=AlertKind.DSR_RESULT,
        about=f"{record.program}|{record.event_id}|{record.began_at.isoformat()}",
        once=True,
        details={
            "event_id": record.event_id,
            "program": record.program,
            "event_kind": record.kind.value,
            "outcome": shown["outcome"],
            "delivered_wh": shown["delivered_wh"],
            "measured_wh": shown["measured_wh"],
            "began": shown["began_at"],
            "ended": shown["ended_at"],
        },
    )


def conditions_of(wallbox: WallboxCoordinator) -> Iterator[Condition]:
    """Yield what lasts; of what cannot be seen just now nothing is said."""
    there, internet = wallbox.miniserver.available, wallbox.data.links.internet
    # A link that we drop ourselves, to try out what happens, is not lost.
    if there or wallbox.miniserver.fallback is None:
        yield _link("miniserver", there=there)
    if internet is not None:
        yield _link("internet", there=internet)
    if there:
        online = wallbox.known and wallbox.diagnostic(INPUT_ONLINE) != 0
        yield _link("wallbox", there=online)
    yield from _tampering(wallbox)
    yield from _newer_firmware(wallbox)
    if wallbox.meter is not None:
        question = wallbox.meter.account.counter.question
        what = None if question is None else question.finding.kind.value
        yield Condition(
            name="meter_break",
            value=what or "none",
            usual="none",
            kind=None if what is None else AlertKind.METER_BREAK,
            details={"what": what},
        )


def _newer_firmware(wallbox: WallboxCoordinator) -> Iterator[Condition]:
    """Yield that there is a newer firmware, nothing where nobody may ask for it.

    Each version is a condition of its own, which stands however long that is ago.
    """
    installed, newest = wallbox.miniserver.firmware, wallbox.miniserver.news.newest
    if newest is not None and is_newer(newest, installed):
        yield Condition(
            name=f"firmware_{newest}",
            value="there",
            usual="unknown",
            kind=AlertKind.FIRMWARE_AVAILABLE,
            details={"before": installed, "after": newest},
        )


def _tampering(wallbox: WallboxCoordinator) -> Iterator[Condition]:
    """Yield each way of tampering: another one is no repetition.

    What the security log does not have yet waits; it is over once all of it is.
    """
    links = wallbox.data.links
    for cause in TEXTS:
        began = cause in links.told
        if not began and (wallbox.data.tampered is None or cause in links.causes):
            continue
        over = None if links.told else AlertKind.TAMPER_CLEARED
        yield Condition(
            name=f"tamper_{cause}",
            value="on" if began else "off",
            usual="off",
            kind=AlertKind.TAMPER if began else over,
            details={
                "cause": cause,
                "causes": list(links.told),
                "policy": wallbox.controller.state.tamper_policy.value,
            },
        )


def obeys(wallbox: WallboxCoordinator) -> bool | None:
    """Tell whether a wallbox is where the rules want it, None where nobody knows.

    One with two masters is not commanded, and its owner knows.
    """
    controller = wallbox.controller
    if not wallbox.linked or controller.decision is None:
        return None
    if controller.adoption.two_masters or not wallbox.writable:
        return True
    target = controller.decision.target
    return next_step(target, controller.state, wallbox.observe()) is None


def _link(name: str, *, there: bool) -> Condition:
    """Return how a link stands."""
    return Condition(
        name=f"link_{name}",
        value=_OK if there else _LOST,
        usual=_OK,
        kind=AlertKind.LINK_RESTORED if there else AlertKind.LINK_LOST,
        details={"link": name},
    )


def compliance_of(details: Mapping[str, Any]) -> Condition:
    """Return how the wallbox stands against its regulation; the first time is no news."""
    return Condition(
        name=COMPLIANCE,
        value=" ".join((details["status"], *details["failing"])),
        kind=AlertKind.COMPLIANCE_CHANGED,
        details=details,
    )


def meter_link_of(record: Mapping[str, Any]) -> Condition | None:
    """Return how the link to a meter stands, None for a record of something else."""
    match record["kind"]:
        case "meter_link_lost":
            return _link("meter", there=False)
        case "meter_link_restored":
            return _link("meter", there=True)
    return None


def news_of_record(record: Mapping[str, Any]) -> News | None:
    """Return what the security log was told that the owner should know at once."""
    if record["kind"] == "firmware_changed":
        detail = record["detail"]
        return News(
            kind=AlertKind.FIRMWARE_CHANGED,
            about=str(detail.get("to")),
            details={"before": detail.get("from"), "after": detail.get("to")},
        )
    return None


def refused_logins(record: Mapping[str, Any]) -> int:
    """Return how many refused logins a record tells of; a block is a burst."""
    match record["kind"]:
        case "auth_locked":
            return BURST
        case "auth_failed":
            return int(record["detail"].get("repeated", 1))
    return 0
