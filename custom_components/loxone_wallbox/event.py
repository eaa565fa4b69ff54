"""Events of a wallbox."""

from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .charging.transition import Transition, TransitionKind
from .commander import ALERT_COMMAND_FAILED
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, async_setup_wallbox_platform
from .session_shown import details_of

PARALLEL_UPDATES = 0

ALERT = EventEntityDescription(key="alert", event_types=[ALERT_COMMAND_FAILED])
SESSION = EventEntityDescription(
    key="session",
    event_types=[
        kind.value
        for kind in TransitionKind
        if kind is not TransitionKind.SESSION_CORRECTED
    ],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the events up."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.EVENT,
        async_add_entities,
        lambda wallbox: (AlertEvent(wallbox), SessionEvent(wallbox)),
    )


class AlertEvent(WallboxEntity, EventEntity):
    """What the owner should know, also while the wallbox cannot be reached."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, ALERT)

    @property
    @override
    def available(self) -> bool:
        """Stay there for what is to come."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for alerts."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_add_alert_listener(self._alert))

    @callback
    def _alert(self, kind: str, details: dict[str, Any]) -> None:
        """Pass an alert on."""
        self._trigger_event(kind, details)
        self.async_write_ha_state()


class SessionEvent(WallboxEntity, EventEntity):
    """What happens to a charging session, also while the wallbox cannot be reached."""

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, SESSION)

    @property
    @override
    def available(self) -> bool:
        """Stay there for what is to come."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for sessions, and hear what happened before."""
        await super().async_added_to_hass()
        recording = self.coordinator.recording
        if recording is not None:
            self.async_on_remove(recording.listen(self._happened))

    @callback
    def _happened(self, transition: Transition) -> None:
        """Pass a change of a session on."""
        self._trigger_event(transition.kind.value, details_of(transition))
        self.async_write_ha_state()
