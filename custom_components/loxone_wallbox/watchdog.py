"""Show the Miniserver that we are there, so that it can free a car when we are not.

Nothing of ours can lift what we forbade once Home Assistant has crashed. Where the owner
names a virtual input, it gets a pulse each minute while all is well; a program on the
Miniserver allows charging when the pulses stay away. What may go wrong: there is no such
input, or no right to it; then a repair says so, and it is tried again each minute.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .coordinator import LoxoneWallboxRuntimeData, WallboxCoordinator
from .miniserver.errors import CommandError, MiniserverError

CONF_WATCHDOG_INPUT = "watchdog_input"
PULSE_EVERY = timedelta(seconds=60)
# A decision that was due so long ago was forgotten: then nobody decides here.
OVERDUE = timedelta(seconds=60)


def watchdog_input(options: Any) -> str | None:
    """Return the virtual input the owner named, None where there is none."""
    name = str(options.get(CONF_WATCHDOG_INPUT) or "").strip()
    return name or None


class Watchdog:
    """The pulses to one Miniserver."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Take the Miniserver's entry."""
        self._hass = hass
        self._entry = entry
        self._issue_id = f"watchdog_refused_{entry.entry_id}"
        self._runtime: LoxoneWallboxRuntimeData | None = None
        self._named: str | None = None
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def start(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Give pulses from now on, where the owner wants them."""
        self._runtime = runtime
        self._timer = async_track_time_interval(
            self._hass, self._async_pulse, PULSE_EVERY, cancel_on_shutdown=True
        )
        self.look()

    @callback
    def look(self) -> None:
        """Take another input, or none, as soon as the owner says so."""
        named = watchdog_input(self._entry.options)
        if self._runtime is None or named == self._named:
            return
        self._named = named
        self._show(input_name=named, refused=False, last_at=None)
        if named is None:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        self._entry.async_create_background_task(
            self._hass, self._async_pulse(), f"pulse to {self._entry.title}"
        )

    @callback
    def stop(self) -> None:
        """Give no more pulses."""
        if self._timer is not None:
            self._timer()
            self._timer = None
        self._runtime = self._named = None
        if not self._hass.is_stopping:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def _async_pulse(self, _now: datetime | None = None) -> None:
        """Give a pulse if all is well; never raises."""
        runtime, named = self._runtime, self._named
        if runtime is None or named is None or not _all_is_well(runtime):
            return
        try:
            await runtime.miniserver.client.pulse(named)
        except CommandError as err:
            self._refused(named, err)
        except MiniserverError as err:
            LOGGER.debug("No pulse could be given: %s", err)
        else:
            if self._named == named:
                self._show(refused=False, last_at=dt_util.utcnow())
                ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    def _refused(self, named: str, err: CommandError) -> None:
        """Tell the owner that there is no such input, or no right to it."""
        if self._named != named:
            return
        self._show(refused=True)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="watchdog_refused",
            translation_placeholders={
                "input": named,
                "miniserver": self._entry.title,
                "code": str(err.code),
            },
        )

    def _show(self, **changes: Any) -> None:
        """Show how the pulses stand."""
        if self._runtime is not None:
            miniserver = self._runtime.miniserver
            miniserver.pulses = replace(miniserver.pulses, **changes)


def _all_is_well(runtime: LoxoneWallboxRuntimeData) -> bool:
    """Tell whether every wallbox that can be reached is decided about."""
    return runtime.miniserver.connected and all(
        _is_decided_about(wallbox) for wallbox in runtime.wallboxes.values()
    )


def _is_decided_about(wallbox: WallboxCoordinator) -> bool:
    """Tell whether what was due for a wallbox was done, and it can be decided now.

    A decision that fails leaves the last one, which may forbid a car for ever.
    """
    if not wallbox.linked:
        return True
    decision = wallbox.controller.decision
    if decision is None:
        return False
    wake_at = decision.wake_at
    if wake_at is not None and dt_util.utcnow() - wake_at >= OVERDUE:
        return False
    try:
        wallbox.controller.evaluate()
    except Exception:  # noqa: BLE001 - whatever it is, nobody decides
        LOGGER.exception("Nothing can be decided about %s", wallbox.title)
        return False
    return True
