"""Tell the security log of settings that decide who may do what, and what is kept.

Takes the entry whenever it was changed, gives events with what it was before; people
are counted, not named.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import callback

from .const import (
    CONF_AUTOMATIONS_MAY_OVERRIDE,
    CONF_DIAGNOSTIC_INPUTS,
    CONF_DSR_ENTITIES,
    CONF_OVERRIDE_USERS,
    CONF_PROFILE,
    CONF_STRICT,
    CONF_TLS,
    CONF_VERIFY_SSL,
    CONF_WALLBOX_ID,
    CONF_WHO_DELAYS,
    INPUT_ONLINE,
    INPUT_TAMPER,
    SUBENTRY_WALLBOX,
    WALLBOX_DEFAULTS,
)
from .control_hold import CONF_HOLD, holds
from .coordinator import LoxoneWallboxConfigEntry
from .firmware_news import CONF_FIRMWARE_SOURCE, source_of
from .flow_hours import signature
from .history_keeping import CONF_ON_REMOVAL, CONF_RETENTION, history_goes, retention_of
from .meter_settings import CONF_METER, meter_settings
from .rights import SecurityEvent
from .security import Security
from .watchdog import CONF_WATCHDOG_INPUT, watchdog_input

type Settings = dict[str, Any]

_OF_WALLBOX = (
    CONF_AUTOMATIONS_MAY_OVERRIDE,
    CONF_DSR_ENTITIES,
    CONF_PROFILE,
    CONF_STRICT,
    CONF_WHO_DELAYS,
)


class OptionsWatch:
    """The settings of one entry as they were when they were looked at last."""

    def __init__(self, entry: LoxoneWallboxConfigEntry, security: Security) -> None:
        """Take the entry as it is."""
        self._entry = entry
        self._security = security
        self._whole, self._boxes = _whole(entry), _boxes(entry)

    @callback
    def look(self) -> None:
        """Tell what is not as it was; a new wallbox has no settings before."""
        whole, boxes = _whole(self._entry), _boxes(self._entry)
        self._tell(self._whole, whole, {})
        for subentry_id, (whose, settings) in boxes.items():
            known = self._boxes.get(subentry_id)
            if known is not None:
                self._tell(known[1], settings, whose)
        self._whole, self._boxes = whole, boxes

    def _tell(
        self, before: Settings, after: Settings, whose: Mapping[str, str]
    ) -> None:
        """Tell each change, and who made it where that is known."""
        for name, now in after.items():
            if now == before[name]:
                continue
            self._security.record(
                SecurityEvent(
                    kind="config_security_changed",
                    outcome="info",
                    user_id=signature()["by"],
                    detail={
                        **whose,
                        "what": name,
                        "from": _plain(name, before[name]),
                        "to": _plain(name, now),
                    },
                )
            )


def _whole(entry: LoxoneWallboxConfigEntry) -> Settings:
    """Return the settings of the Miniserver."""
    return {
        CONF_RETENTION: retention_of(entry.options),
        CONF_ON_REMOVAL: "goes" if history_goes(entry.options) else "stays",
        CONF_FIRMWARE_SOURCE: source_of(entry.options),
        CONF_HOLD: holds(entry.options),
        CONF_WATCHDOG_INPUT: watchdog_input(entry.options),
        CONF_TLS: entry.data.get(CONF_TLS, False),
        CONF_VERIFY_SSL: entry.data.get(CONF_VERIFY_SSL, True),
    }


def _boxes(
    entry: LoxoneWallboxConfigEntry,
) -> dict[str, tuple[dict[str, str], Settings]]:
    """Return whose settings they are, and the settings, of each wallbox."""
    found = {}
    for one in entry.get_subentries_of_type(SUBENTRY_WALLBOX):
        chosen = {**WALLBOX_DEFAULTS, **one.data}
        users = one.data.get(CONF_OVERRIDE_USERS)
        settings: Settings = {name: _frozen(chosen[name]) for name in _OF_WALLBOX}
        settings[CONF_OVERRIDE_USERS] = None if users is None else frozenset(users)
        # The boundary that is watched: the links of the wallbox and of its meter.
        inputs = one.data.get(CONF_DIAGNOSTIC_INPUTS, {})
        settings |= {name: inputs.get(name) for name in (INPUT_ONLINE, INPUT_TAMPER)}
        settings[CONF_METER] = _meter(one.data)
        whose = {"wallbox": one.title, "wallbox_id": one.data[CONF_WALLBOX_ID]}
        found[one.subentry_id] = (whose, settings)
    return found


def _meter(data: Mapping[str, Any]) -> str | None:
    """Return which meter a wallbox has, and where it is read; None without one."""
    meter = meter_settings(data)
    if meter is None:
        return None
    line = f"{meter.host}:{meter.port}" if meter.host else meter.device
    return f"{meter.profile_id} {meter.transport} {line} unit {meter.unit_id}"


def _frozen(value: Any) -> Any:
    """Return a value that nobody changes in place."""
    return tuple(value) if isinstance(value, list | tuple) else value


def _plain(name: str, value: Any) -> Any:
    """Return how a setting is told."""
    if name == CONF_OVERRIDE_USERS:
        return "everybody" if value is None else len(value)
    return ", ".join(value) if isinstance(value, tuple) else value
