"""Selects of a wallbox."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxWriter, async_setup_wallbox_platform
from .miniserver import Command, SetMode, SetModeAfterUnplug, WallboxState
from .modes import modes_after_unplug, selectable_modes

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class WallboxSelectDescription(SelectEntityDescription):
    """A select: its modes by option, the present one and the command for another."""

    modes_fn: Callable[[WallboxCoordinator], dict[str, int]]
    current_fn: Callable[[WallboxState], int | None]
    command_fn: Callable[[int], Command]


DESCRIPTIONS = (
    WallboxSelectDescription(
        key="charge_mode",
        modes_fn=lambda wallbox: selectable_modes(wallbox.info),
        current_fn=lambda state: state.mode,
        command_fn=SetMode,
    ),
    WallboxSelectDescription(
        key="mode_after_unplug",
        entity_category=EntityCategory.CONFIG,
        modes_fn=lambda wallbox: modes_after_unplug(wallbox.info),
        current_fn=lambda state: state.mode_after_unplug,
        command_fn=SetModeAfterUnplug,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the selects up; a wallbox that is read-only has none."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.SELECT,
        async_add_entities,
        lambda wallbox: (
            ()
            if wallbox.info.read_only
            else (WallboxSelect(wallbox, description) for description in DESCRIPTIONS)
        ),
    )


class WallboxSelect(WallboxWriter, SelectEntity):
    """A choice among the charge modes."""

    entity_description: WallboxSelectDescription

    def __init__(
        self, coordinator: WallboxCoordinator, description: WallboxSelectDescription
    ) -> None:
        """Take the wallbox and its modes."""
        super().__init__(coordinator, description)
        self._modes = description.modes_fn(coordinator)
        self._attr_options = list(self._modes)

    @property
    @override
    def current_option(self) -> str | None:
        """Return the present mode, unknown where it has no name."""
        current = self.entity_description.current_fn(self.coordinator.state)
        return next(
            (option for option, mode in self._modes.items() if mode == current), None
        )

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose another mode."""
        command = self.entity_description.command_fn(self._modes[option])
        await self.coordinator.commander.async_execute(command)
