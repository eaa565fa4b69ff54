"""A Modbus library that does not load costs the meter, never the wallbox."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
import subprocess
import sys
import threading
from types import ModuleType
from typing import override

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator
from .helpers import eventually
from .meter_fast import House, house
from .meter_flow import Home, build, port_of
from custom_components.loxone_wallbox import PLATFORMS, meter_library
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.flow_meter_taken import company_of
from custom_components.loxone_wallbox.meter_settings import Sharing
from custom_components.loxone_wallbox.power_actions import source_of
from simulator import MeterConfig
import simulator.meters.device  # noqa: F401  (loads pymodbus before it is blocked)

PACKAGE = "custom_components.loxone_wallbox"
MODBUS = "homeassistant.components.modbus"
LIBRARIES = ("modbus_connection", "pymodbus", "tmodbus")
# What is loaded when a meter is read.
LATE = (
    "modbus_connection",
    MODBUS,
    f"{PACKAGE}.meter.link",
    f"{PACKAGE}.meter.dedicated",
)
# What each kind of connection cannot do without.
NEEDS = (
    (Sharing.SHARED, "modbus_connection"),
    (Sharing.SHARED, "tmodbus"),
    (Sharing.SHARED, MODBUS),
    (Sharing.DEDICATED, "modbus_connection"),
    (Sharing.DEDICATED, "pymodbus"),
)
# What Home Assistant itself loads of an integration besides its platforms.
MODULES = ("config_flow", "diagnostics", "repairs", "system_health")


def _is_late(name: str) -> bool:
    """Tell whether a module is one of those, or a part of one."""
    return any(name == late or name.startswith(f"{late}.") for late in LATE)


@contextmanager
def unloaded() -> Iterator[pytest.MonkeyPatch]:
    """Take what a meter's reading loads out of memory, and put it back."""
    before = {name: module for name, module in sys.modules.items() if _is_late(name)}
    for name in before:
        del sys.modules[name]
    try:
        with pytest.MonkeyPatch.context() as patch:
            yield patch
    finally:
        for name in [name for name in sys.modules if _is_late(name)]:
            del sys.modules[name]
        sys.modules.update(before)
        for name, module in before.items():
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, module)


class Watcher(MetaPathFinder):
    """Notes which thread looks for a module that a meter's reading loads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.found: dict[str, threading.Thread] = {}

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find nothing, which lets the next finder look."""
        if _is_late(fullname):
            self.found[fullname] = threading.current_thread()
        return None


@pytest.mark.parametrize("names", [(*LIBRARIES, MODBUS), ()], ids=["all", "none"])
@pytest.mark.slow
def test_everything_loads_without(names: tuple[str, ...]) -> None:
    """Neither the package nor a platform nor the flow needs a library to load.

    Where they are there nothing looks for them either, so none of them alone matters.
    """
    modules = ["", *(f".{name}" for name in (*PLATFORMS, *MODULES))]
    script = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({names!r}))\n"
        f"for name in {[str(name) for name in modules]!r}:\n"
        "    importlib.import_module('custom_components.loxone_wallbox' + name)\n"
        f"late = [name for name in {(*LATE, *LIBRARIES)!r} if sys.modules.get(name)]\n"
        "sys.exit(f'loaded before their time: {late}' if late else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def repair(home: House) -> ir.IssueEntry | None:
    """Return the repair of a library that does not load, None where there is none."""
    [subentry_id] = home.entry.subentries
    issue_id = meter_library.library_issue(subentry_id)
    return ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)


@pytest.mark.parametrize(("sharing", "blocked"), NEEDS)
async def test_charges_without(  # noqa: PLR0917  (fixtures)
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sharing: Sharing,
    blocked: str,
) -> None:
    """The car charges, obeys and is measured; once the library loads, by the meter."""
    monkeypatch.setattr(meter_library, "RETRY", timedelta(seconds=0.2))
    with unloaded() as patch:
        patch.setitem(sys.modules, blocked, None)
        async with house(hass, start_simulator, monkeypatch, sharing=sharing) as home:
            assert home.entry.state is ConfigEntryState.LOADED
            issue = repair(home)
            assert issue is not None
            assert issue.translation_key == "meter_library_missing"
            assert issue.translation_placeholders is not None
            assert blocked in issue.translation_placeholders["error"]
            await home.charge()
            before = home.energy
            await eventually(lambda: home.energy > before, 15)
            assert home.see("status") == "charging"
            assert home.see("meter_connection") == "off"
            assert source_of(home.wallbox) == {"source": "miniserver", "coarse": True}
            await home.see.call("switch.turn_off", "charging_allowed")
            await eventually(lambda: home.see("status") != "charging", 15)
            await home.see.call("switch.turn_on", "charging_allowed")
            await eventually(lambda: home.see("status") == "charging", 15)
            assert caplog.text.count("cannot be read: Modbus does not load") == 1
            counted = home.energy
            patch.undo()
            await eventually(lambda: home.see("meter_connection") == "on", 15)
            await eventually(lambda: home.power > 10_000, 15)
            assert source_of(home.wallbox) == {"source": "meter", "coarse": False}
            assert repair(home) is None
            assert home.energy >= counted


async def test_the_meter_keeps_its_entities(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the owner made of them is not lost while the library does not load."""
    async with house(hass, start_simulator, monkeypatch) as home:
        await eventually(lambda: home.see("meter_connection") == "on", 15)
        ids = {one.entity_id for one in home.wallbox.entities}
        with unloaded() as patch:
            patch.setitem(sys.modules, "modbus_connection", None)
            await hass.config_entries.async_reload(home.entry.entry_id)
            assert repair(home) is not None
            assert {one.entity_id for one in home.wallbox.entities} == ids
            await hass.config_entries.async_unload(home.entry.entry_id)
            assert repair(home) is None
        await hass.config_entries.async_setup(home.entry.entry_id)
        await eventually(lambda: home.see("meter_connection") == "on", 15)


@pytest.mark.parametrize("sharing", list(Sharing))
async def test_loads_in_a_thread(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    sharing: Sharing,
) -> None:
    """The event loop does not wait for the files of a library."""
    watcher, loop_thread = Watcher(), threading.current_thread()
    with unloaded() as patch:
        patch.setattr(sys, "meta_path", [watcher, *sys.meta_path])
        async with house(hass, start_simulator, monkeypatch, sharing=sharing) as home:
            await eventually(lambda: home.see("meter_connection") == "on", 15)
            assert home.wallbox.meter is not None
            await company_of(hass, home.wallbox.meter.settings)
    assert watcher.found
    in_loop = [name for name, by in watcher.found.items() if by is loop_thread]
    assert not in_loop


async def one_meter(hass: HomeAssistant, start_simulator: StartSimulator) -> Home:
    """Set a wallbox up whose meter is not set up yet."""
    return await build(hass, start_simulator, MeterConfig(profile="sdm630"))


async def test_the_flow_needs_the_library(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who wants a meter where none can be read is told at once, and can go on."""
    home = await one_meter(hass, start_simulator)
    with unloaded() as patch:
        patch.setitem(sys.modules, "modbus_connection", None)
        wizard = await home.wizard()
        assert wizard.step == "meter"
        assert wizard.errors == {"base": "meter_library_missing"}
        assert "modbus_connection" in wizard.texts["error"]
        assert "A meter cannot be set up: Modbus does not load" in caplog.text
        assert await wizard.model("eastron_sdm630") == "meter"
        assert wizard.errors == {"base": "meter_library_missing"}
        assert await wizard.model("no_meter") == "abort"
        assert wizard.result["reason"] == "reconfigure_successful"
        assert home.stored is None


@pytest.mark.parametrize(
    ("sharing", "blocked", "error"),
    [
        (Sharing.SHARED, MODBUS, "meter_shared_missing"),
        (Sharing.DEDICATED, "pymodbus", "meter_backend_missing"),
    ],
)
async def test_the_flow_offers_the_other_connection(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    sharing: Sharing,
    blocked: str,
    error: str,
) -> None:
    """One kind of connection that does not load is told with the answer for it."""
    home = await one_meter(hass, start_simulator)
    with unloaded() as patch:
        patch.setitem(sys.modules, blocked, None)
        wizard = await home.wizard()
        assert not wizard.errors
        assert await wizard.model("eastron_sdm630") == "meter_network"
        place = {"host": "127.0.0.1", "port": port_of(home.meter)}
        assert await wizard.say(**place, sharing=sharing) == "meter_network"
        assert wizard.errors == {"sharing": error}
        assert blocked in wizard.texts["error"]


async def test_a_connection_of_its_own_needs_only_the_library(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A meter is set up and read where Home Assistant's Modbus is broken."""
    home = await one_meter(hass, start_simulator)
    with unloaded() as patch:
        patch.setitem(sys.modules, MODBUS, None)
        wizard = await home.wizard()
        await wizard.model("eastron_sdm630")
        place = {"host": "127.0.0.1", "port": port_of(home.meter)}
        assert await wizard.say(**place, sharing="dedicated") == "meter_values"
        assert await wizard.say(meter_next="skip") == "abort"
        assert home.stored is not None
        [wallbox] = home.entry.runtime_data.wallboxes.values()
        assert wallbox.meter is not None
        await eventually(lambda: wallbox.meter.shown.connected, 15)
        await hass.config_entries.async_unload(home.entry.entry_id)
