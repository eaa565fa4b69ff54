"""Call the integration's actions as different people, and look at refusals."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.auth.const import (
    GROUP_ID_ADMIN,
    GROUP_ID_READ_ONLY,
    GROUP_ID_USER,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .helpers import entity_id
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.diagnostic_inputs import likely_inputs
from simulator import Simulator
from simulator.wallbox import Wallbox

FOLDER = Path(__file__).parent.parent / "custom_components" / DOMAIN / "translations"
TEXTS = {
    language: json.loads((FOLDER / f"{language}.json").read_text())["exceptions"]
    for language in ("en", "de")
}
GROUPS = {
    "admin": GROUP_ID_ADMIN,
    "user": GROUP_ID_USER,
    "guest": GROUP_ID_READ_ONLY,
}


def device_of(hass: HomeAssistant, simulator: Simulator, box: int = 0) -> str:
    """Return the id of a wallbox's device."""
    entity = er.async_get(hass).async_get(entity_id(hass, simulator, "status", box))
    assert entity is not None
    assert entity.device_id is not None
    return entity.device_id


async def user_id(hass: HomeAssistant, name: str = "Admin", kind: str = "admin") -> str:
    """Return the id of a user, who is created at the first time.

    The first of all users owns Home Assistant, so that has to be the administrator.
    """
    if name != "Admin":
        await user_id(hass)
    for user in await hass.auth.async_get_users():
        if user.name == name:
            return user.id
    user = await hass.auth.async_create_user(name, group_ids=[GROUPS[kind]])
    return user.id


class Actions:
    """The actions on some wallboxes, called by a person or an automation."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator, *boxes: int) -> None:
        """Take wallboxes by their numbers, the first by default."""
        self._hass = hass
        self.devices = [device_of(hass, simulator, box) for box in boxes or (0,)]

    async def __call__(
        self,
        action: str,
        *,
        by: Any = "",
        answer: Any = False,
        **data: Any,
    ) -> Any:
        """Call an action; `by` is a user's id, None an automation, else the admin."""
        who = await user_id(self._hass) if by == "" else by
        return await self._hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": self.devices, **data},
            blocking=True,
            context=Context(user_id=who),
            return_response=answer,
        )


def states_of(entry: MockConfigEntry) -> list[Any]:
    """Return what is kept of every wallbox of an entry."""
    return [
        asdict(wallbox.controller.state)
        for wallbox in entry.runtime_data.wallboxes.values()
    ]


@asynccontextmanager
async def refused(entry: MockConfigEntry, key: str) -> AsyncIterator[None]:
    """Expect a translated refusal that changes nothing."""
    before = states_of(entry)
    with pytest.raises(HomeAssistantError) as caught:
        yield
    assert caught.value.translation_key == key
    assert caught.value.translation_domain == DOMAIN
    placeholders = caught.value.translation_placeholders or {}
    for texts in TEXTS.values():
        assert texts[key]["message"].format(**placeholders)
    assert states_of(entry) == before


async def map_inputs(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    simulator: Simulator,
    box: Wallbox | None = None,
) -> None:
    """Map the diagnostic inputs of a wallbox, by default of the first."""
    box = box or simulator.wallboxes[0]
    structure = entry.runtime_data.miniserver.client.structure
    inputs = likely_inputs(structure.wallboxes[box.uuid], structure)
    assert {"online", "error_code"} <= set(inputs)
    subentry = next(
        one for one in entry.subentries.values() if one.unique_id == box.uuid
    )
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "diagnostic_inputs": inputs}
    )
    await hass.async_block_till_done()
