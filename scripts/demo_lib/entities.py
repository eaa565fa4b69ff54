"""The integration's entities, found through the entity registry by their unique ids."""

from dataclasses import dataclass

from scripts.demo_lib.api import HomeAssistant
from scripts.demo_lib.paths import DOMAIN
from scripts.demo_lib.progress import DemoError

# What the demo works with.
NEEDED = (
    "charging_power",
    "charging_allowed",
    "target_power",
    "power_limit",
    "energy_total",
    "vehicle_connected",
    "charging",
    "status",
)
WATTS = {"W": 1.0, "kW": 1000.0}


@dataclass(frozen=True)
class Wallbox:
    """One wallbox in Home Assistant."""

    api: HomeAssistant
    device_id: str
    entity_ids: dict[str, str]

    async def state(self, key: str) -> str:
        """Return the state of the entity with this key."""
        state: str = (await self.api.state(self.entity_ids[key]))["state"]
        return state

    async def watts(self, key: str) -> float | None:
        """Return a power in W, None while it is not known."""
        state = await self.api.state(self.entity_ids[key])
        try:
            value = float(state["state"])
        except ValueError:
            return None
        return value * WATTS[state["attributes"]["unit_of_measurement"]]

    async def turn(self, key: str, word: str) -> None:
        """Turn a switch on or off."""
        await self.api.call(f"switch.turn_{word}", self.entity_ids[key])

    async def set_number(self, key: str, value: float) -> None:
        """Set a number."""
        await self.api.call("number.set_value", self.entity_ids[key], value=value)


async def wallbox_of(api: HomeAssistant, prefix: str) -> Wallbox:
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
        device_id=entities[NEEDED[0]]["device_id"],
        entity_ids={key: entry["entity_id"] for key, entry in entities.items()},
    )
