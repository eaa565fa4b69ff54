"""What tests of the compliance report share: wallboxes that it holds for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface
from .stage import GB_NIGHT as NIGHT
from custom_components.loxone_wallbox import evidence
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from simulator import Simulator

GB_NIGHT: dict[str, Any] = dict(NIGHT)


class Office:
    """A company whose wallboxes are in Great Britain."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take what is set up."""
        self.hass = hass
        self.simulator = simulator
        self.entry = entry
        self.see = Surface(hass, simulator)
        self.act = Actions(hass, simulator)

    async def report(self, **data: Any) -> Any:
        """Ask for a report."""
        return await self.act("generate_compliance_report", answer=True, **data)

    @property
    def failing(self) -> list[str]:
        """Return what the sensor says is not met."""
        found: list[str] = self.see.attribute("compliance_status", "failing")
        return found

    @property
    def wallbox(self) -> WallboxCoordinator:
        """Return the first wallbox."""
        wallboxes: dict[str, WallboxCoordinator] = self.entry.runtime_data.wallboxes
        return next(iter(wallboxes.values()))


@asynccontextmanager
async def offices(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """Set an office up, as if its Miniserver were a real one."""
    monkeypatch.setattr(evidence, "is_demonstration", lambda _host: False)
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator, **GB_NIGHT))
    yield Office(hass, simulator, entry)
    await hass.config_entries.async_unload(entry.entry_id)
