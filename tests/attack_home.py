"""A home under attack: a car charges, and only administrators may override."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .actions import Actions, device_of, user_id
from .conftest import CLIENT_ID, PASSWORD, StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .security_home import logged
from .stage import GB_NIGHT
from simulator import Car, Simulator, WallboxConfig

CLIENT = "https://example.com/app"


class Attacked:
    """The home, its secrets, and what its security log has."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator) -> None:
        """Take what is set up later."""
        self.hass = hass
        self.simulator = simulator
        self.entry: MockConfigEntry
        self.see = Surface(hass, simulator)
        self._secrets = {PASSWORD, CLIENT_ID}

    @property
    def box(self) -> str:
        """Return the device of the wallbox."""
        return device_of(self.hass, self.simulator)

    @property
    def client(self) -> Any:
        """Return the client of the Miniserver."""
        return self.entry.runtime_data.miniserver.client

    @property
    def secrets(self) -> set[str]:
        """Return the password, the client's id and every token there has been."""
        self._secrets |= {one.text for one in self.simulator.unit.accounts.tokens}
        return self._secrets

    async def begin(self) -> None:
        """Set it up and have a car charge."""
        for component in (
            "api",
            "websocket_api",
            "config",
            "diagnostics",
            "repairs",
            "system_health",
        ):
            assert await async_setup_component(self.hass, component, {})
        rights: dict[str, Any] = {**GB_NIGHT, "first_use": None, "override_users": []}
        self.entry = await set_up(self.hass, make_entry(self.simulator, **rights))
        self.act = Actions(self.hass, self.simulator)
        self.simulator.wallboxes[0].plug(Car(capacity_kwh=77, energy_kwh=17))
        await eventually(lambda: self.see("status") == "random_delay")
        await self.act("override", mode="charge")
        await self.charges()
        assert len(self.secrets) > 2

    async def charges(self) -> None:
        """Expect that the link is there and the car charges."""
        await eventually(
            lambda: bool(self.client.connected) and self.see("status") == "charging", 10
        )
        await self.hass.async_block_till_done()

    async def token(self, name: str, kind: str) -> str:
        """Return what somebody logs in to Home Assistant with."""
        if kind == "nobody":
            user = await self.hass.auth.async_create_user(name)
        else:
            known = await user_id(self.hass, name, kind)
            found = await self.hass.auth.async_get_user(known)
            assert found is not None
            user = found
        refresh = await self.hass.auth.async_create_refresh_token(user, CLIENT)
        return self.hass.auth.async_create_access_token(refresh)

    def check_nothing_told(self, told: str) -> None:
        """Expect that no secret is in what somebody was told."""
        assert [one for one in self.secrets if one in told] == []

    async def denied(self) -> list[str]:
        """Return what the security log has of refusals, the oldest first."""
        records = await logged(self.hass, self.simulator, "action_denied")
        assert {one["outcome"] for one in records} <= {"attempt_failed"}
        return [one["detail"]["action"] for one in records]


@asynccontextmanager
async def attacked_home(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[Attacked]:
    """Set a home up in which a car charges."""
    box = WallboxConfig(name="Garage", self_test_s=0)
    home = Attacked(hass, await start_simulator(wallboxes=(box,)))
    await home.begin()
    yield home
    await hass.config_entries.async_unload(home.entry.entry_id)
