"""Compare the Miniserver's clock with ours, and tell the owner where they differ.

Looks a minute after each connection, as a Miniserver that has just started may not have
asked its time server yet, and once a day. Nothing waits for it; whoever does not answer
is not asked again, because a question without an answer costs the link, and nothing is
said of a clock that nobody can look at.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .coordinator import LoxoneWallboxRuntimeData
from .miniserver import MiniserverClock, Verdict
from .miniserver.errors import (
    AuthenticationError,
    MiniserverError,
    MiniserverTimeoutError,
)

LOOK_AFTER_S = 60.0
LOOK_EVERY = timedelta(days=1)
# What is looked at first: one zone that fits is enough.
ORDER = (Verdict.RIGHT, Verdict.UNSURE, Verdict.OTHER_ZONE, Verdict.OFF)
TEXTS: Mapping[Verdict, str] = {
    Verdict.OFF: "miniserver_clock",
    Verdict.OTHER_ZONE: "miniserver_zone",
}


class ClockRepair:
    """The repair of a Miniserver whose clock shows something else than ours."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Take the Miniserver's entry."""
        self._hass = hass
        self._entry = entry
        self._runtime: LoxoneWallboxRuntimeData | None = None
        self._issue_id = f"miniserver_clock_{entry.entry_id}"
        self._soon: CALLBACK_TYPE | None = None
        self._daily: CALLBACK_TYPE | None = None
        self._looking = False
        self._silent = False

    @callback
    def start(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Look from now on; the wallboxes' rules say which time zone is meant."""
        self._runtime = runtime
        self._daily = async_track_time_interval(
            self._hass, self._look, LOOK_EVERY, cancel_on_shutdown=True
        )
        self.look_soon()

    @callback
    def look_soon(self) -> None:
        """Look in a minute: there is a new link, or the rules changed."""
        if self._daily is None:
            return
        self._forget_soon()
        self._soon = async_call_later(
            self._hass, LOOK_AFTER_S, HassJob(self._look, cancel_on_shutdown=True)
        )

    @callback
    def stop(self) -> None:
        """Look no more; what the owner ignores stays ignored over a restart."""
        self._forget_soon()
        if self._daily is not None:
            self._daily()
            self._daily = None
        if not self._hass.is_stopping:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    @callback
    def _forget_soon(self) -> None:
        """Take the timer away."""
        if self._soon is not None:
            self._soon()
            self._soon = None

    @callback
    def _look(self, _now: datetime) -> None:
        """Ask in the background."""
        self._soon = None
        if self._looking or self._silent:
            return
        self._looking = True
        self._entry.async_create_background_task(
            self._hass, self._async_look(), f"clock of {self._entry.title}"
        )

    async def _async_look(self) -> None:
        """Ask, compare and report; nothing depends on it."""
        runtime = self._runtime
        try:
            if runtime is not None:
                read = await runtime.miniserver.client.clock(dt_util.utcnow)
                self._report(runtime, read)
        except MiniserverError as err:
            self._silent = isinstance(err, AuthenticationError | MiniserverTimeoutError)
            if self._silent:
                ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            LOGGER.debug(
                "The clock of %s could not be read%s: %s",
                self._entry.title,
                " and is not asked for again" if self._silent else "",
                err,
            )
        finally:
            self._looking = False

    @callback
    def _report(self, runtime: LoxoneWallboxRuntimeData, read: MiniserverClock) -> None:
        """Raise the repair, or clear it; who is unsure does neither."""
        zones = {one.controller.zone for one in runtime.wallboxes.values()}
        zone = min(
            zones or {dt_util.get_default_time_zone()},
            key=lambda one: (ORDER.index(read.verdict(one)), str(one)),
        )
        verdict, ahead = read.verdict(zone), read.ahead(zone)
        runtime.miniserver.clock = {
            "verdict": verdict.value,
            "ahead_s": round(ahead.total_seconds()),
            "zone": str(zone),
        }
        if verdict is Verdict.RIGHT:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
        elif verdict is not Verdict.UNSURE:
            self._raise(TEXTS[verdict], read, zone)

    @callback
    def _raise(self, key: str, read: MiniserverClock, zone: tzinfo) -> None:
        """Raise the repair, with what both clocks showed."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={
                "miniserver": self._entry.title,
                "shown": f"{read.local:%Y-%m-%d %H:%M:%S}",
                "expected": f"{read.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                "seconds": str(round(abs(read.ahead(zone)).total_seconds())),
                "zone": str(zone),
            },
        )
