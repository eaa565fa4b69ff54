"""What all entities of a wallbox have in common."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .rights import Actor, async_actor


class WallboxEntity(CoordinatorEntity[WallboxCoordinator]):
    """An entity of one wallbox."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: WallboxCoordinator, description: EntityDescription
    ) -> None:
        """Take the wallbox and what the entity is."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{coordinator.miniserver.serial}_{coordinator.wallbox_id}_{description.key}"
        self._attr_device_info = coordinator.device_info

    @property
    @override
    def available(self) -> bool:
        """Tell whether what is shown is up to date."""
        return self.coordinator.available

    @override
    async def async_added_to_hass(self) -> None:
        """Let the wallbox know its entities, so that it can be rebuilt alone."""
        await super().async_added_to_hass()
        self.coordinator.entities.add(self)

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Let the wallbox forget the entity."""
        self.coordinator.entities.discard(self)
        await super().async_will_remove_from_hass()

    async def async_actor(self, *, administrator: bool = False) -> Actor:
        """Return who is acting; raises a translated error for who may not."""
        return await async_actor(
            self.hass,
            self.coordinator.settings,
            self._context,
            act=self.entity_description.key,
            wallbox=self.coordinator.title,
            administrator=administrator,
            security=self.coordinator.security,
        )


class WallboxWriter(WallboxEntity):
    """An entity that gives commands; it cannot while the wallbox is locked."""

    @property
    @override
    def available(self) -> bool:
        """Tell whether a command would be taken."""
        return super().available and self.coordinator.state.lock is None


@callback
def async_setup_wallbox_platform(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    platform: Platform,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[WallboxCoordinator], Iterable[WallboxEntity]],
) -> None:
    """Add a platform's entities for every wallbox, also for those that come later.

    Entities that a wallbox no longer has, because Loxone Config made it read-only for
    instance, leave the registry.
    """

    @callback
    def add(wallbox: WallboxCoordinator) -> None:
        """Add the entities of one wallbox."""
        entities = list(create(wallbox))
        wanted = {entity.unique_id for entity in entities}
        registry = er.async_get(hass)
        for known in er.async_entries_for_config_entry(registry, entry.entry_id):
            if (
                known.config_subentry_id == wallbox.subentry_id
                and known.domain == platform
                and known.platform == DOMAIN
                and known.unique_id not in wanted
            ):
                registry.async_remove(known.entity_id)
        async_add_entities(entities, config_subentry_id=wallbox.subentry_id)

    runtime = entry.runtime_data
    for wallbox in runtime.wallboxes.values():
        add(wallbox)
    runtime.platforms.append(add)
