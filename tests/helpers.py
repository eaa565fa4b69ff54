"""Small helpers for tests on a Home Assistant with a simulated Miniserver."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er

from simulator import Simulator

OWNER = "Owner"


def entity_id(hass: HomeAssistant, simulator: Simulator, key: str, box: int = 0) -> str:
    """Return the entity of a wallbox by its key."""
    found = find_entity(hass, simulator, key, box)
    assert found is not None, f"no entity {key}"
    return found


def find_entity(
    hass: HomeAssistant, simulator: Simulator, key: str, box: int = 0
) -> str | None:
    """Return the entity of a wallbox by its key, None where there is none."""
    unique_id = f"{simulator.config.serial}_{simulator.wallboxes[box].uuid}_{key}"
    for entity in er.async_get(hass).entities.values():
        if entity.unique_id == unique_id:
            return entity.entity_id
    return None


class Surface:
    """A wallbox as the owner sees it: states to read, services to call."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator, box: int = 0) -> None:
        """Take a wallbox by its number in the simulator."""
        self._hass = hass
        self._simulator = simulator
        self._box = box

    def __call__(self, key: str) -> str:
        """Return the state of an entity."""
        found = self._hass.states.get(
            entity_id(self._hass, self._simulator, key, self._box)
        )
        return "" if found is None else found.state

    def attribute(self, key: str, name: str) -> Any:
        """Return an attribute of an entity."""
        found = self._hass.states.get(
            entity_id(self._hass, self._simulator, key, self._box)
        )
        return None if found is None else found.attributes.get(name)

    async def call(self, service: str, key: str, **data: object) -> None:
        """Call a service, given as `domain.service`, on an entity."""
        domain, _, name = service.partition(".")
        target = entity_id(self._hass, self._simulator, key, self._box)
        await self._hass.services.async_call(
            domain,
            name,
            {"entity_id": target, **data},
            blocking=True,
            context=await self._context(),
        )

    async def _context(self) -> Context:
        """Return the context of the owner: a person's act, not an automation's."""
        for user in await self._hass.auth.async_get_users():
            if user.name == OWNER:
                return Context(user_id=user.id)
        user = await self._hass.auth.async_create_user(
            OWNER, group_ids=[GROUP_ID_ADMIN]
        )
        return Context(user_id=user.id)

    @property
    def commands(self) -> list[str]:
        """Return the commands the simulator got for the wallbox."""
        uuid = self._simulator.wallboxes[self._box].uuid
        return [
            command.text.partition(f"{uuid}/")[2]
            for command in self._simulator.commands
            if uuid in command.text
        ]


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
