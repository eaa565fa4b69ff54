"""The integration's entities, found through the entity registry by their unique ids."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.demo_lib.api import HomeAssistant
from scripts.demo_lib.paths import DOMAIN
from scripts.demo_lib.progress import DemoError

# What the demo works with.
NEEDED = (
    "charge_now",
    "charging_allowed",
    "charging_power",
    "default_hours",
    "dsr_active",
    "dsr_opt_out",
    "target_power",
    "power_limit",
    "energy_total",
    "last_session_energy",
    "sessions",
    "vehicle_connected",
    "charging",
    "next_change",
    "random_delay_active",
    "random_delay_ends",
    "skip_random_delay",
    "status",
)
# Of a wallbox with an energy meter of its own.
METERED = ("meter_connection", "meter_coverage")
WATTS = {"W": 1.0, "kW": 1000.0}


@dataclass(frozen=True)
class Wallbox:
    """One wallbox in Home Assistant."""

    api: HomeAssistant
    name: str
    device_id: str
    entity_ids: dict[str, str]

    async def state(self, key: str) -> str:
        """Return the state of the entity with this key."""
        state: str = (await self.api.state(self.entity_ids[key]))["state"]
        return state

    async def instant(self, key: str) -> datetime | None:
        """Return the instant that an entity shows, None while it shows none."""
        state = await self.state(key)
        try:
            return datetime.fromisoformat(state)
        except ValueError:
            return None

    async def since(self, key: str) -> datetime:
        """Return since when an entity has been in its state."""
        state = await self.api.state(self.entity_ids[key])
        return datetime.fromisoformat(state["last_changed"])

    async def watts(self, key: str) -> float | None:
        """Return a power in W, None while it is not known."""
        state = await self.api.state(self.entity_ids[key])
        try:
            value = float(state["state"])
        except ValueError:
            return None
        return value * WATTS[state["attributes"]["unit_of_measurement"]]

    async def highest(self, key: str) -> float:
        """Return the highest value that a number takes."""
        state = await self.api.state(self.entity_ids[key])
        return float(state["attributes"]["max"])

    async def turn(self, key: str, word: str) -> None:
        """Turn a switch on or off."""
        await self.api.call(f"switch.turn_{word}", entity_id=self.entity_ids[key])

    async def press(self, key: str) -> None:
        """Press a button."""
        await self.api.call("button.press", entity_id=self.entity_ids[key])

    async def set_number(self, key: str, value: float) -> None:
        """Set a number."""
        await self.api.call(
            "number.set_value", entity_id=self.entity_ids[key], value=value
        )

    async def grid_events(self) -> list[dict[str, Any]]:
        """Return the grid events that the integration keeps for this wallbox."""
        events = await self.api.ask(f"{DOMAIN}.dsr_list", device_id=self.device_id)
        of_device: list[dict[str, Any]] = events[self.device_id]
        return of_device

    async def act(self, action: str, **data: Any) -> None:
        """Perform an action of the integration on this wallbox."""
        await self.api.call(f"{DOMAIN}.{action}", device_id=self.device_id, **data)


async def wallbox_of(api: HomeAssistant, name: str, prefix: str) -> Wallbox:
    """Return the wallbox whose entities' unique ids begin like this."""
    entities = {
        entry["unique_id"].removeprefix(f"{prefix}_"): entry
        for entry in await api.command("config/entity_registry/list")
        if entry["platform"] == DOMAIN and entry["unique_id"].startswith(f"{prefix}_")
    }
    if missing := [key for key in NEEDED if key not in entities]:
        raise DemoError(f"The wallbox {prefix} has no {', '.join(missing)}.")
    return Wallbox(
        api=api,
        name=name,
        device_id=entities[NEEDED[0]]["device_id"],
        entity_ids={key: entry["entity_id"] for key, entry in entities.items()},
    )
