"""A real Home Assistant in this process, and a simulated Miniserver beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import sys
import tempfile
from types import MappingProxyType
from typing import Any

from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.config_entries import ConfigEntries, ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.loxone_wallbox.const import DOMAIN, SUBENTRY_WALLBOX

USERNAME = "bench"
PASSWORD = "bench of oak"
SERIAL = "504F94A00001"
REPOSITORY = Path(__file__).parent.parent


@asynccontextmanager
async def home_assistant() -> AsyncIterator[HomeAssistant]:
    """Start a Home Assistant without anything but its core."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "custom_components").symlink_to(
            REPOSITORY / "custom_components"
        )
        hass = HomeAssistant(folder)
        hass.config.skip_pip = True
        loader.async_setup(hass)
        hass.config_entries = ConfigEntries(hass, {})
        await bootstrap.async_load_base_functionality(hass)
        hass.auth = await auth_manager_from_config(hass, [], [])
        web = {"server_host": ["127.0.0.1"], "server_port": await free_port()}
        await async_setup_component(hass, "http", {"http": web})
        await hass.async_start()
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


def entry_data(port: int) -> dict[str, Any]:
    """Return the data of an entry for the simulated Miniserver."""
    return {
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "tls_port": 443,
        "verify_ssl": True,
        "username": USERNAME,
        "password": PASSWORD,
        "client_id": "11111111-2222-3333-4444555566667777",
        "serial": SERIAL,
    }


def make_entry(port: int, wallbox_ids: list[str], **settings: Any) -> ConfigEntry:
    """Return an entry with its wallboxes, which share their settings."""
    return ConfigEntry(
        data=entry_data(port),
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=1,
        options={},
        source="user",
        subentries_data=[
            ConfigSubentry(
                data=MappingProxyType(
                    {
                        "wallbox_id": wallbox_id,
                        "variant": "11kw_tree",
                        "diagnostic_inputs": {},
                        **settings,
                    }
                ),
                subentry_type=SUBENTRY_WALLBOX,
                title=f"Wallbox {number}",
                unique_id=wallbox_id,
            ).as_dict()
            for number, wallbox_id in enumerate(wallbox_ids, 1)
        ],
        title="Bench",
        unique_id=SERIAL,
        version=1,
    )


@asynccontextmanager
async def simulator_process(port: int, controls: int) -> AsyncIterator[None]:
    """Run a simulated Miniserver as a process of its own, as it is in life."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--port", str(port), "--control-port", "-1"),
        *("--tls-port", "-1", "--generation", "1", "--serial", SERIAL),
        *("--user", USERNAME, "--password", PASSWORD),
        *("--wallboxes", "2", "--extra-controls", str(controls)),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answering(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _answering(port: int) -> None:
    """Wait until a port can be connected to."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def free_port() -> int:
    """Return a port nobody uses."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
