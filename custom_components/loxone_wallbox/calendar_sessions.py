"""The sessions of a wallbox as a calendar: the running one, and all that were."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .calendar_event import PlanEvent, local
from .charging.session import Kind
from .charging.slices import next_midnight
from .coordinator import WallboxCoordinator
from .entity import WallboxEntity
from .history import async_get_store
from .history_plain import is_timed, kwh, major
from .history_query import home_zone, key_of
from .history_watch import HistoryWatch
from .naming import Names, async_names
from .records.rows import Wanted

SESSIONS = CalendarEntityDescription(key="sessions")
# Nobody plugs in so often in the year that may be listed at once.
MOST_LISTED = 10_000
LONGEST_LISTING = timedelta(days=366)
MINUTE_S = 60
MINUTES = 60
# As many decimals as the sensors of a session have.
SHOWN = Decimal("0.01")

# Home Assistant does not translate what is in a calendar.
TEXTS = {
    "en": {
        "title": "Charged {kwh} kWh",
        "running": "Charging session, {kwh} kWh so far",
        "charging": "Charging: {time}",
        "connected": "Plugged in: {time}",
        "user": "User: {name}",
        "cost": "Cost: {cost} {currency}",
        "provisional": "Cost so far: {cost} {currency}",
        "time": "{hours} h {minutes:02} min",
        "point": ".",
    },
    "de": {
        "title": "{kwh} kWh geladen",
        "running": "Ladevorgang, bisher {kwh} kWh",
        "charging": "Geladen: {time}",
        "connected": "Angesteckt: {time}",
        "user": "Benutzer: {name}",
        "cost": "Kosten: {cost} {currency}",
        "provisional": "Kosten bisher: {cost} {currency}",
        "time": "{hours} h {minutes:02} min",
        "point": ",",
    },
}


class SessionsCalendar(WallboxEntity, CalendarEntity):
    """What was charged, also while the wallbox cannot be reached."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, SESSIONS)
        self._watch: HistoryWatch | None = None
        self._running: dict[str, Any] | None = None

    @property
    @override
    def available(self) -> bool:
        """Stay there: the history is ours."""
        return True

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the running session; its end is unknown, so it lasts for the day."""
        if self._running is None:
            return None
        zone = home_zone()
        began = datetime.fromisoformat(self._running["connected_utc"])
        now = max(dt_util.utcnow(), began)
        return self._of(self._running, next_midnight(zone, now))

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the sessions."""
        await super().async_added_to_hass()
        zone = home_zone()
        self._watch = HistoryWatch(
            self.hass, key_of(self.coordinator), zone, self._async_look
        )
        self._watch.start()

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Follow the sessions no more."""
        if self._watch is not None:
            self._watch.stop()
        await super().async_will_remove_from_hass()

    @override
    def _handle_coordinator_update(self) -> None:
        """Show nothing anew: power comes every second, and no session with it."""

    async def _async_look(self) -> None:
        """Look whether a session is running."""
        wanted = Wanted(wallboxes=(key_of(self.coordinator),), visits=True)
        records, _ = await async_get_store(self.hass).async_listed(wanted, limit=1)
        running = next((one for one in records if one["kind"] == Kind.OPEN), None)
        self._running = running
        self.async_write_ha_state()

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the sessions between two instants, the oldest first."""
        start = dt_util.as_utc(start_date)
        end = min(dt_util.as_utc(end_date), start + LONGEST_LISTING)
        store, keys = async_get_store(hass), (key_of(self.coordinator),)
        within = Wanted(start=start.timestamp(), end=end.timestamp(), wallboxes=keys)
        # Since none lies upon another, only the last one before can reach into it.
        before = Wanted(end=start.timestamp(), wallboxes=keys)
        records, _ = await store.async_listed(within, limit=MOST_LISTED)
        records += (await store.async_listed(before, limit=1))[0]
        now = dt_util.utcnow()
        names = await async_names(hass, [self.coordinator.config_entry])
        events = [self._of(one, now, names) for one in reversed(records)]
        return [one for one in events if one.end_datetime_local > start]

    def _of(
        self, record: dict[str, Any], until: datetime, names: Names | None = None
    ) -> PlanEvent:
        """Return a session; one that runs lasts `until`.

        Without `names` nobody is in it: what is a state is kept by the recorder.
        """
        start = datetime.fromisoformat(record["connected_utc"])
        ended = record["disconnected_utc"]
        end = until if ended is None else datetime.fromisoformat(ended)
        energy = self._number(kwh(record["import_wh"]) or 0.0)
        lines = [self._text("connected", time=self._time(record["connected_s"]))]
        if is_timed(record):
            charging = self._time(record["importing_s"])
            lines.insert(0, self._text("charging", time=charging))
        cost = major(record["cost_minor"], record["currency"])
        if cost is not None:
            final = record["cost_status"] == "final"
            shown = self._number(cost)
            key = "cost" if final else "provisional"
            lines.append(self._text(key, cost=shown, currency=record["currency"]))
        user = record["user_id"]
        if names is not None and user in names.by_pseudonym:
            lines.append(self._text("user", name=names.by_pseudonym[user]))
        return PlanEvent(
            start=local(start),
            end=local(max(end, start)),
            summary=self._text("title" if ended else "running", kwh=energy),
            description="\n".join(lines),
            uid=record["id"],
        )

    def _time(self, seconds: int) -> str:
        """Return a length of time in words, to the nearest minute."""
        hours, minutes = divmod((seconds + MINUTE_S // 2) // MINUTE_S, MINUTES)
        return self._text("time", hours=hours, minutes=minutes)

    def _number(self, value: float) -> str:
        """Return a number with the decimal sign of the language.

        Rounded as a browser rounds the same figure of a sensor: as it is written, a half
        goes up.
        """
        rounded = Decimal(str(value)).quantize(SHOWN, ROUND_HALF_UP)
        return f"{rounded:f}".replace(".", self._text("point"))

    def _text(self, key: str, **values: object) -> str:
        """Return a text in the language of the installation."""
        language = self.hass.config.language.partition("-")[0]
        return TEXTS.get(language, TEXTS["en"])[key].format(**values)
