"""Selects of a wallbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .acts import Acts
from .charging.owner import EndDelay, HandOver, OwnerState, TamperPolicy
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .entity import WallboxEntity, WallboxWriter, async_setup_wallbox_platform
from .miniserver import SetModeAfterUnplug
from .modes import modes_after_unplug, selectable_modes
from .rights import Actor
from .wallbox_data import WallboxData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class WallboxSelectDescription(SelectEntityDescription):
    """A select: its modes by option, the present one and the command for another."""

    modes_fn: Callable[[WallboxCoordinator], dict[str, int]]
    current_fn: Callable[[WallboxData], int | None]
    choose_fn: Callable[[WallboxCoordinator, Actor, int], Awaitable[None]]


def _charge_mode(data: WallboxData) -> int | None:
    """Return the owner's mode, under a manager the one it gives.

    A limit of ours takes the manual mode for a while; the owner's comes back.
    """
    if data.info.manager_id is not None or data.owner.owner_mode is None:
        return data.state.mode
    return data.owner.owner_mode


DESCRIPTIONS = (
    WallboxSelectDescription(
        key="charge_mode",
        modes_fn=lambda wallbox: selectable_modes(wallbox.info),
        current_fn=_charge_mode,
        choose_fn=lambda wallbox, actor, mode: wallbox.acts.async_choose_mode(
            actor, mode
        ),
    ),
    WallboxSelectDescription(
        key="mode_after_unplug",
        entity_category=EntityCategory.CONFIG,
        modes_fn=lambda wallbox: modes_after_unplug(wallbox.info),
        current_fn=lambda data: data.state.mode_after_unplug,
        choose_fn=lambda wallbox, _actor, mode: wallbox.commander.async_execute(
            SetModeAfterUnplug(mode)
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class PolicySelectDescription(SelectEntityDescription):
    """A policy of ours: how it stands and how it is changed."""

    current_fn: Callable[[OwnerState], str]
    choose_fn: Callable[[Acts, Actor, str], Awaitable[None]]


POLICIES = (
    PolicySelectDescription(
        key="end_delay",
        entity_category=EntityCategory.CONFIG,
        options=[policy.value for policy in EndDelay],
        current_fn=lambda owner: owner.end_delay.value,
        choose_fn=lambda acts, actor, option: acts.async_set_end_delay(
            actor, EndDelay(option)
        ),
    ),
    PolicySelectDescription(
        key="handover",
        entity_category=EntityCategory.CONFIG,
        options=[policy.value for policy in HandOver],
        current_fn=lambda owner: owner.hand_over.value,
        choose_fn=lambda acts, actor, option: acts.async_set_hand_over(
            actor, HandOver(option)
        ),
    ),
    PolicySelectDescription(
        key="tamper_policy",
        entity_category=EntityCategory.CONFIG,
        options=[policy.value for policy in reversed(TamperPolicy)],
        current_fn=lambda owner: owner.tamper_policy.value,
        choose_fn=lambda acts, actor, option: acts.async_set_tamper_policy(
            actor, TamperPolicy(option)
        ),
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
            else (
                *(WallboxSelect(wallbox, description) for description in DESCRIPTIONS),
                *(PolicySelect(wallbox, description) for description in POLICIES),
            )
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
        current = self.entity_description.current_fn(self.coordinator.data)
        return next(
            (option for option, mode in self._modes.items() if mode == current), None
        )

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose another mode."""
        actor = await self.async_actor()
        await self.entity_description.choose_fn(
            self.coordinator, actor, self._modes[option]
        )


class PolicySelect(WallboxEntity, SelectEntity):
    """A policy of ours, which is there without the wallbox too."""

    entity_description: PolicySelectDescription

    @property
    @override
    def available(self) -> bool:
        """Stay there."""
        return True

    @property
    @override
    def current_option(self) -> str:
        """Return the policy."""
        return self.entity_description.current_fn(self.coordinator.data.owner)

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the policy."""
        actor = await self.async_actor()
        await self.entity_description.choose_fn(self.coordinator.acts, actor, option)
