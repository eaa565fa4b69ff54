"""Buttons of a wallbox: what the owner does now, whatever the rules say."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .acts import Acts
from .charging.override import OverrideMode
from .coordinator import LoxoneWallboxConfigEntry
from .entity import WallboxEntity, async_setup_wallbox_platform
from .rights import Actor

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class WallboxButtonDescription(ButtonEntityDescription):
    """A button and the act it stands for."""

    press_fn: Callable[[Acts, Actor], Awaitable[None]]


DESCRIPTIONS = (
    WallboxButtonDescription(
        key="charge_now",
        press_fn=lambda acts, actor: acts.async_override(actor, OverrideMode.CHARGE),
    ),
    WallboxButtonDescription(
        key="pause_now",
        press_fn=lambda acts, actor: acts.async_override(actor, OverrideMode.PAUSE),
    ),
    WallboxButtonDescription(
        key="resume_schedule",
        press_fn=lambda acts, actor: acts.async_resume(actor),
    ),
    WallboxButtonDescription(
        key="skip_random_delay",
        press_fn=lambda acts, actor: acts.async_skip_delay(actor),
    ),
    WallboxButtonDescription(
        key="dsr_opt_out",
        press_fn=lambda acts, actor: acts.async_opt_out(actor),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LoxoneWallboxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set the buttons up; a wallbox that is read-only has none."""
    async_setup_wallbox_platform(
        hass,
        entry,
        Platform.BUTTON,
        async_add_entities,
        lambda wallbox: (
            ()
            if wallbox.info.read_only
            else (WallboxButton(wallbox, description) for description in DESCRIPTIONS)
        ),
    )


class WallboxButton(WallboxEntity, ButtonEntity):
    """An act at the touch of a button.

    Where it is refused for safety the refusal says why, so it stays to be pressed.
    """

    entity_description: WallboxButtonDescription

    @override
    async def async_press(self) -> None:
        """Carry the act out for who pressed."""
        actor = await self.async_actor()
        await self.entity_description.press_fn(self.coordinator.acts, actor)
