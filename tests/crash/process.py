"""A real Home Assistant that is told what to do on its standard input.

Runs as a process: `python -m tests.crash.process FOLDER`. It has Home Assistant's core,
its registries and config entries, the recorder on the folder's database and our
integration; no frontend, which is no part of what is tested. Each line that comes in is
one question in JSON, each line that goes out one answer.
"""

import asyncio
import json
import logging
from pathlib import Path
import sys
from types import MappingProxyType
from typing import Any

from homeassistant import bootstrap, loader
from homeassistant.config_entries import ConfigEntries, ConfigEntry
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.setup import async_setup_component

DOMAIN = "loxone_wallbox"
ENTRY_FILE = "first-entry.json"
RECORDER_FILE = "recorder.json"
CORE_CONFIG = {"time_zone": "Europe/London", "currency": "GBP", "country": "GB"}


async def begin(folder: Path) -> HomeAssistant:
    """Start Home Assistant as its bootstrap does, without what is not tested."""
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, CORE_CONFIG)
    for domain in bootstrap.CORE_INTEGRATIONS:
        assert await async_setup_component(hass, domain, {}), domain
    recorder = folder / RECORDER_FILE
    settings = json.loads(await asyncio.to_thread(recorder.read_text))
    if settings is not None:
        async_initialize_recorder(hass)
        assert await async_setup_component(hass, "recorder", {"recorder": settings})
    assert await async_setup_component(hass, DOMAIN, {})
    await first_entry(hass, folder / ENTRY_FILE)
    await hass.async_start()
    return hass


async def first_entry(hass: HomeAssistant, path: Path) -> None:
    """Add the entry that the config flow would have made, at the first start."""
    if hass.config_entries.async_entries(DOMAIN):
        return
    entry = json.loads(await asyncio.to_thread(path.read_text))
    await hass.config_entries.async_add(
        ConfigEntry(
            **entry,
            version=1,
            minor_version=1,
            domain=DOMAIN,
            source="user",
            options={},
            discovery_keys=MappingProxyType({}),
        )
    )


def state_of(hass: HomeAssistant, unique_id: str) -> str:
    """Return the state of an entity by its unique id."""
    for entity in er.async_get(hass).entities.values():
        if entity.unique_id == unique_id:
            state = hass.states.get(entity.entity_id)
            return STATE_UNKNOWN if state is None else state.state
    return STATE_UNKNOWN


async def carry_out(hass: HomeAssistant, question: dict[str, Any]) -> Any:
    """Do what a line asks for and return the answer."""
    kind = question["do"]
    if kind == "state":
        return state_of(hass, question["unique_id"])
    if kind == "devices":
        registry = er.async_get(hass).entities.values()
        return sorted(
            {one.device_id for one in registry if one.unique_id in question["of"]}
        )
    if kind == "call":
        return await hass.services.async_call(
            question["domain"],
            question["service"],
            question["data"],
            blocking=True,
            return_response=question["answer"],
        )
    raise ValueError(kind)


async def main(folder: Path) -> None:
    """Answer until told to stop."""
    hass = await begin(folder)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    say({"ready": True})
    while line := await reader.readline():
        question = json.loads(line)
        if question["do"] == "stop":
            break
        try:
            say({"result": await carry_out(hass, question)})
        except Exception as err:  # noqa: BLE001 - whoever asked is to see it
            say({"error": repr(err)})
    await hass.async_stop()
    say({"stopped": True})


def say(answer: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(answer, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1])))
