"""P2: from login to all entities available, on a large structure file."""

import asyncio
from statistics import median
import time

import aiohttp

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .house import (
    PASSWORD,
    USERNAME,
    free_port,
    home_assistant,
    make_entry,
    simulator_process,
)
from .report import Figure
from custom_components.loxone_wallbox.miniserver import (
    Address,
    Credentials,
    MiniserverClient,
)

CONTROLS = 1000
ROUNDS = 5
TARGET_S = 2.0


def set_up_seconds() -> Figure:
    """Measure the set-up of an entry, beside a bare login of the client."""
    return asyncio.run(_measure())


async def _measure() -> Figure:
    """Set the same entry up several times."""
    port = await free_port()
    async with simulator_process(port, CONTROLS), home_assistant() as hass:
        floors = [await _log_in(port) for _ in range(ROUNDS)]
        ids = await _wallbox_ids(port)
        entry = make_entry(port, ids)
        times = []
        start = time.perf_counter()
        await hass.config_entries.async_add(entry)
        times.append(await _available(hass, entry.entry_id, start))
        for _ in range(ROUNDS - 1):
            await hass.config_entries.async_unload(entry.entry_id)
            start = time.perf_counter()
            await hass.config_entries.async_setup(entry.entry_id)
            times.append(await _available(hass, entry.entry_id, start))
    return Figure(
        id="P2",
        name="set_up_s",
        value=max(times),
        target=TARGET_S,
        floor=median(floors),
        floor_name="login, structure and states by the client alone, s",
        notes=(
            f"{CONTROLS} controls, 2 wallboxes, the Miniserver in a process of its own",
            f"worst of {ROUNDS}, the first with all imports; median {median(times):.3g}",
        ),
    )


async def _available(hass: HomeAssistant, entry_id: str, start: float) -> float:
    """Return when every entity of an entry shows something."""
    registry = er.async_get(hass)
    async with asyncio.timeout(30):
        while True:
            entities = er.async_entries_for_config_entry(registry, entry_id)
            # The switch of the hours is not there without hours, which is right.
            states = [
                hass.states.get(entity.entity_id)
                for entity in entities
                if not entity.disabled
                and not entity.unique_id.endswith("_default_hours")
            ]
            if states and all(
                state is not None and state.state != STATE_UNAVAILABLE
                for state in states
            ):
                return time.perf_counter() - start
            await asyncio.sleep(0)


async def _log_in(port: int) -> float:
    """Return the time the client needs by itself."""
    start = time.perf_counter()
    await _wallbox_ids(port)
    return time.perf_counter() - start


async def _wallbox_ids(port: int) -> list[str]:
    """Connect and return the wallboxes there are."""
    async with aiohttp.ClientSession() as session:
        client = MiniserverClient(
            session,
            Address(host="127.0.0.1", port=port),
            Credentials(
                username=USERNAME,
                password=PASSWORD,
                client_id="11111111-2222-3333-4444555566667778",
                client_name="bench",
            ),
        )
        await client.connect()
        try:
            return list(client.structure.wallboxes)
        finally:
            await client.close()
