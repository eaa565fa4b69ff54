"""Records of sessions to keep: real ones, made by the sessions' book."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.slices import SessionRules
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.charging.transition import Transition

RULES = SessionRules(zone=ZoneInfo("Europe/London"))
BOX = SessionBook(wallbox="box")


def utc(text: str) -> datetime:
    """Return an instant of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stay(
    at: datetime, hours: float = 2.0, book: SessionBook = BOX
) -> tuple[SessionBook, list[Transition]]:
    """Charge 1 kWh an hour from an instant on; return what was told of it."""
    half, end = at + timedelta(hours=hours / 2), at + timedelta(hours=hours)
    told: list[Transition] = []
    step = book.plugged(at, RULES, 0.0)
    told += step.told
    for when, wh, power in ((at, 0.0, 1000.0), (half, 500.0 * hours, 0.0)):
        step = step.book.read(Reading(at=when, wh=wh, power_w=power), RULES)
        told += step.told
    step = step.book.user_known(RULES, "somebody")
    step = step.book.unplugged(end, RULES)
    return step.book, told + list(step.told)


def night(at: datetime, hours: float = 2.0) -> SessionRecord:
    """Return the record of a finished session."""
    return stay(at, hours)[1][-1].record
