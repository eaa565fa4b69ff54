"""A Modbus library that does not load costs the meter, never the wallbox."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

from .conftest import StartSimulator
from .helpers import eventually
from .test_meter import house
from custom_components.loxone_wallbox import PLATFORMS, meter_coordinator
from custom_components.loxone_wallbox.flow_connection import FlowError
from custom_components.loxone_wallbox.flow_meter_taken import company_of
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from simulator import Car
import simulator.meters.device  # noqa: F401  (loads pymodbus before it is blocked)

LIBRARIES = ("pymodbus", "tmodbus")
# What is loaded when a meter is read, and brings the libraries in.
LATE = (
    "modbus_connection.pymodbus",
    "modbus_connection.tmodbus",
    "homeassistant.components.modbus",
)
# The library that each kind of connection needs.
NEEDS = {Sharing.SHARED: "tmodbus", Sharing.DEDICATED: "pymodbus"}
# What Home Assistant itself loads of an integration besides its platforms.
MODULES = ("config_flow", "diagnostics", "repairs", "system_health", "calendar")


def _is_late(name: str) -> bool:
    """Tell whether a module is one of those, or a part of one."""
    return any(name == late or name.startswith(f"{late}.") for late in LATE)


@contextmanager
def unloaded() -> Iterator[pytest.MonkeyPatch]:
    """Take what a meter's reading loads out of memory, and put it back."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if _is_late(name)]:
            patch.delitem(sys.modules, name)
        yield patch
        for name in [name for name in sys.modules if _is_late(name)]:
            del sys.modules[name]


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


@pytest.mark.parametrize("blocked", [*LIBRARIES, "all"])
def test_everything_loads_without(blocked: str) -> None:
    """Neither the package nor a platform nor the flow needs a library to load."""
    names = LIBRARIES if blocked == "all" else (blocked,)
    modules = ["", *(f".{name}" for name in (*PLATFORMS, *MODULES))]
    script = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({names!r}))\n"
        f"for name in {[str(name) for name in modules]!r}:\n"
        "    importlib.import_module('custom_components.loxone_wallbox' + name)\n"
        f"late = [name for name in {LATE!r} if name in sys.modules]\n"
        "sys.exit(f'loaded before their time: {late}' if late else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sharing", list(Sharing))
async def test_charges_without(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sharing: Sharing,
) -> None:
    """The car charges and obeys, the meter is silent; once it loads, it is read."""
    monkeypatch.setattr(meter_coordinator, "RETRY_S", 5.0)
    with unloaded() as patch:
        patch.setitem(sys.modules, NEEDS[sharing], None)
        async with house(hass, start_simulator, monkeypatch, sharing=sharing) as home:
            assert home.entry.state is ConfigEntryState.LOADED
            home.simulator.wallboxes[0].plug(Car(capacity_kwh=500, energy_kwh=10))
            await eventually(lambda: home.see("status") == "charging", 15)
            assert home.see("meter_connection") == "off"
            await home.see.call("switch.turn_off", "charging_allowed")
            await eventually(lambda: home.see("status") != "charging", 15)
            await home.see.call("switch.turn_on", "charging_allowed")
            await eventually(lambda: home.see("status") == "charging", 15)
            assert caplog.text.count("gives no readings") == 1
            assert f"not load (import of {NEEDS[sharing]} halted" in caplog.text
            assert "cannot be read" not in caplog.text
            patch.undo()
            await eventually(lambda: home.see("meter_connection") == "on", 15)
            await eventually(lambda: home.power > 0, 15)


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


@pytest.mark.parametrize("sharing", list(Sharing))
async def test_the_flow_says_so(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, sharing: Sharing
) -> None:
    """Who sets a meter up where Modbus does not load is told, and the log has why."""
    with unloaded() as patch:
        patch.setitem(sys.modules, NEEDS[sharing], None)
        settings = MeterSettings(profile_id="eastron_sdm630", sharing=sharing)
        with pytest.raises(FlowError, match="unknown"):
            await company_of(hass, settings)
    assert "A meter cannot be set up: Modbus does not load" in caplog.text
