"""Events of a wallbox."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .charging.alerting import AlertKind
from .charging.transition import Transition, TransitionKind
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, async_setup_wallbox_platform
from .records.security_record import KINDS
from .security import ATTR_WALLBOX_ID
from .session_shown import details_of

PARALLEL_UPDATES = 0

ALERT = EventEntityDescription(
    key="alert", event_types=[kind.value for kind in AlertKind]
)
SECURITY = EventEntityDescription(key="security", event_types=list(KINDS))
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
        lambda wallbox: (
            SessionEvent(wallbox),
            SecurityLogged(wallbox),
            AlertEvent(wallbox),
        ),
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
        """Listen for alerts, and hear what came before."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.alert_desk.listen(self._alert))

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


class SecurityLogged(WallboxEntity, EventEntity):
    """What is in the security log about the wallbox or its Miniserver.

    Who it was stands in the log alone: states are kept where nobody forgets a person.
    """

    def __init__(self, coordinator: WallboxCoordinator) -> None:
        """Take the wallbox."""
        super().__init__(coordinator, SECURITY)

    @property
    @override
    def available(self) -> bool:
        """Stay there for what is to come."""
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for records that are on the disk."""
        await super().async_added_to_hass()
        security = self.coordinator.miniserver.security
        self.async_on_remove(security.listen(self._recorded))

    @callback
    def _recorded(self, record: Mapping[str, Any]) -> None:
        """Pass a record on that is about the wallbox or about all of them."""
        whose = record["detail"].get(ATTR_WALLBOX_ID)
        if whose not in {None, self.coordinator.wallbox_id}:
            return
        facts = {
            **record["detail"],
            "seq": record["seq"],
            "utc": record["utc"],
            "outcome": record["outcome"],
            "source": record["source"].partition(":")[0],
        }
        self._trigger_event(record["kind"], facts)
        self.async_write_ha_state()
