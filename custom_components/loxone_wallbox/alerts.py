"""The alerts of one wallbox: what its owner should know, none told twice.

Follows what the wallbox shows, its sessions, its grid events, the security log and the
month; tells whoever shows alerts. What was told is kept in a file of its own, so that a
restart repeats nothing. What may go wrong: the disk takes or gives nothing, then it is
said once and goes on by what is in memory.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .alert_causes import (
    BURST,
    COMPLIANCE,
    announced_at,
    compliance_of,
    conditions_of,
    meter_link_of,
    news_of,
    news_of_delivery,
    news_of_event,
    news_of_record,
    news_of_session,
    obeys,
    refused_logins,
)
from .alert_month import async_month, month_due
from .charging.alerting import QUIET, AlertKind, AlertMemory, Condition, News
from .charging.transition import Transition
from .const import DOMAIN, LOGGER
from .coordinator import WallboxCoordinator
from .records.journal import JournalError
from .records.state import StateKeeper
from .rules import state_file
from .security import ATTR_WALLBOX_ID
from .standing_repairs import StandingRepairs
from .wallbox_data import WallboxData

# A restart finds out one thing after the other: what the meter, the files and whoever is
# asked on the internet say. What is missing until then has not changed.
SETTLES_AFTER = timedelta(minutes=5)


def alerts_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where it is kept what the owner of a wallbox was told."""
    path = state_file(folder, serial, wallbox_id)
    return path.with_name(path.name.replace(".state.", ".alerts."))


class Alerts:
    """What the owner of one wallbox is told."""

    def __init__(self, hass: HomeAssistant, wallbox: WallboxCoordinator) -> None:
        """Take the wallbox, at whose desk they are handed in and passed on."""
        self._hass = hass
        self._wallbox = wallbox
        self._tell = wallbox.alert_desk.tell
        folder, serial = Path(hass.config.path(DOMAIN)), wallbox.miniserver.serial
        self._keeper = StateKeeper(alerts_file(folder, serial, wallbox.wallbox_id))
        self._memory = AlertMemory()
        self._turn = asyncio.Lock()
        # What comes before it is known what was told; None when that is known.
        self._early: list[Callable[[], None]] | None = []
        self._before: WallboxData | None = None
        # What the last look cannot see by itself, by name.
        self._said: dict[str, Condition] = {}
        self._refused: list[tuple[datetime, int]] = []
        self._month: date | None = None
        self._repairs = StandingRepairs(hass, wallbox.subentry_id, wallbox.title)
        self._stopping: list[CALLBACK_TYPE] = []
        self._timer: CALLBACK_TYPE | None = None
        self._armed_for: datetime | None = None
        self._failing = False
        # When it was first used, None where that was before the start.
        self._since: datetime | None = None
        # Until when a restart still finds things out, None without one.
        self._settles_at: datetime | None = None

    @callback
    def start(self) -> None:
        """Follow everything from now on."""
        wallbox = self._wallbox
        self._stopping = [
            wallbox.async_add_listener(self.look),
            wallbox.delivering.listen(lambda one: self._news(news_of_delivery(one))),
            wallbox.miniserver.security.listen(self._recorded),
            wallbox.miniserver.news.async_add_listener(self.look),
        ]
        wallbox.alert_desk.staff(self._given, self.stop)
        if wallbox.recording is not None:
            wallbox.recording.watcher = self._happened
        self._hass.async_create_task(
            self._async_load(), f"alerts of {wallbox.title}", eager_start=False
        )

    @callback
    def stop(self) -> None:
        """Follow nothing any more."""
        while self._stopping:
            self._stopping.pop()()
        self._disarm()
        self._repairs.clear()

    @callback
    def look(self) -> None:
        """Look at the wallbox, and wake up when time alone brings something."""
        if self._early is not None:
            return
        now = dt_util.utcnow()
        before, self._before = self._before, self._wallbox.data
        for news in news_of(before, self._wallbox.data, now):
            self._news(news)
        waiting = [self._settle(one, now) for one in self._conditions]
        waiting += [self._look_at_events(now), self._look_at_month(now)]
        wallbox = self._wallbox
        waiting.append(
            self._repairs.look(now, reachable=wallbox.available, obeys=obeys(wallbox))
        )
        self._arm(min((at for at in waiting if at is not None), default=None))

    @property
    def _conditions(self) -> list[Condition]:
        """Return all that lasts, as it is now."""
        seen = {one.name: one for one in conditions_of(self._wallbox)}
        return list({**self._said, **seen}.values())

    def _look_at_events(self, now: datetime) -> datetime | None:
        """Tell of the grid events that begin soon; returns when the next one does."""
        book = self._wallbox.controller.state.dsr
        for event in book.events.values():
            news = news_of_event(event, book.silence, now)
            if news is not None:
                self._news(news)
        ahead = (announced_at(one) for one in book.events.values())
        return min((at for at in ahead if at > now), default=None)

    def _look_at_month(self, now: datetime) -> datetime | None:
        """Tell of the month that is over; returns when the next one is."""
        month, due = month_due(now)
        if month is not None and month != self._month:
            self._month = month
            self._hass.async_create_task(
                self._async_tell_month(month), f"month of {self._wallbox.title}"
            )
        return due

    async def _async_tell_month(self, month: date) -> None:
        """Tell what a month added up to, if anything was charged."""
        details = await async_month(self._hass, self._wallbox, month)
        if details is not None:
            kind = AlertKind.MONTHLY_SUMMARY
            self._news(
                News(kind=kind, about=f"{month:%Y-%m}", once=True, details=details)
            )

    @callback
    def _given(self, kind: str, details: dict[str, Any]) -> None:
        """Take what another room has to tell."""
        if kind == AlertKind.COMPLIANCE_CHANGED:
            self.say(compliance_of(details))
            return
        about = str(details.get("command", ""))
        self._news(News(kind=AlertKind(kind), about=about, details=details))
        if kind == AlertKind.COMMAND_FAILED:
            self._repairs.disobeyed(dt_util.utcnow())
            self.look()

    @callback
    def say(self, condition: Condition) -> None:
        """Take something that lasts and that another room watches."""
        if self._early is not None:
            self._early.append(lambda: self.say(condition))
            return
        self._said[condition.name] = condition
        self.look()

    @callback
    def _happened(self, transition: Transition) -> None:
        """Take a change of a session; those from before the first use are no news."""
        if self._early is not None:
            self._early.append(lambda: self._happened(transition))
            return
        if not self._stopping or (self._since and transition.at < self._since):
            return
        news = news_of_session(transition, dt_util.utcnow())
        if news is not None:
            self._news(news)

    @callback
    def _recorded(self, record: Mapping[str, Any]) -> None:
        """Take a record of the security log that is about the wallbox or about all."""
        whose = record["detail"].get(ATTR_WALLBOX_ID)
        if whose not in {None, self._wallbox.wallbox_id}:
            return
        link = meter_link_of(record)
        if link is not None:
            self.say(link)
        news = news_of_record(record)
        if news is not None:
            self._news(news)
        if (count := refused_logins(record)) > 0:
            self._count_refused(count)

    def _count_refused(self, count: int) -> None:
        """Tell of refused logins once they are many."""
        now = dt_util.utcnow()
        lately = [one for one in self._refused if timedelta(0) <= now - one[0] < QUIET]
        self._refused = [*lately, (now, count)]
        total = sum(one for _, one in self._refused)
        if total >= BURST:
            details = {"count": total}
            self._news(News(kind=AlertKind.LOGIN_FAILURES, details=details))

    def _news(self, news: News) -> None:
        """Tell news that were not told already."""
        if self._early is not None:
            self._early.append(lambda: self._news(news))
            return
        memory = self._memory.take(news, dt_util.utcnow())
        if memory is not None:
            self._remember(memory)
            self._tell(news.kind.value, dict(news.details))

    def _settle(self, condition: Condition, now: datetime) -> datetime | None:
        """Tell a condition that is new; returns when to look at it again."""
        if condition.name == COMPLIANCE and self._settles(now):
            return self._settles_at
        memory, told = self._memory.settle(condition, now)
        if memory is not self._memory:
            self._remember(memory)
        if told and condition.kind is not None:
            self._tell(condition.kind.value, dict(condition.details))
        return self._memory.due(condition, now)

    def _settles(self, now: datetime) -> bool:
        """Tell whether a restart still finds things out; a clock set back ends that."""
        at = self._settles_at
        return at is not None and timedelta(0) < at - now <= SETTLES_AFTER

    def _remember(self, memory: AlertMemory) -> None:
        """Keep what was told."""
        self._memory = memory
        self._hass.async_create_task(
            self._async_save(), f"alerts of {self._wallbox.title}"
        )

    @callback
    def _arm(self, at: datetime | None) -> None:
        """Look again at an instant."""
        if at == self._armed_for:
            return
        self._disarm()
        if at is not None and self._stopping:
            self._armed_for = at
            self._timer = async_track_point_in_utc_time(
                self._hass, HassJob(self._awake, cancel_on_shutdown=True), at
            )

    @callback
    def _awake(self, _now: datetime) -> None:
        """Look again."""
        self._timer = self._armed_for = None
        self.look()

    @callback
    def _disarm(self) -> None:
        """Wake up no more."""
        if self._timer is not None:
            self._timer()
        self._timer = self._armed_for = None

    async def _async_load(self) -> None:
        """Read what was told, then tell what came meanwhile."""
        try:
            kept = await self._hass.async_add_executor_job(self._keeper.load)
            now = dt_util.utcnow()
            self._since = now if kept is None else None
            self._settles_at = None if kept is None else now + SETTLES_AFTER
            self._memory = (
                AlertMemory() if kept is None else AlertMemory.from_dict(kept)
            )
        except (JournalError, KeyError, TypeError, ValueError, AttributeError) as err:
            self._say_failing(err)
        early, self._early = self._early or [], None
        if not self._stopping:
            return
        for one in early:
            one()
        self.look()

    async def _async_save(self) -> None:
        """Keep what was told; the next alert tries again."""
        async with self._turn:
            try:
                await self._hass.async_add_executor_job(
                    self._keeper.save, self._memory.as_dict()
                )
                self._failing = False
            except JournalError as err:
                self._say_failing(err)

    def _say_failing(self, error: Exception) -> None:
        """Say once that the disk is of no help."""
        if not self._failing:
            LOGGER.warning(
                "What was told of %s is not known after a restart: %s",
                self._wallbox.title,
                error,
            )
        self._failing = True
