"""Serial devices that cannot be opened are said to be so, and why."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .meter_flow import ONE_PHASE, build
from custom_components.loxone_wallbox import flow_meter_probe
from simulator import MeterConfig

pytestmark = pytest.mark.usefixtures("unload_all")


async def test_serial_devices(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A device that is missing or somebody else's is said to be so."""
    config = MeterConfig(profile="sdm120", link="pty")
    home = await build(hass, start_simulator, config, wallboxes=(ONE_PHASE,))
    wizard = await home.wizard()
    await wizard.model("eastron_sdm120", "serial")
    assert await wizard.say(device="/dev/no-such-line") == "meter_serial"
    assert wizard.errors == {"device": "meter_port_missing"}
    device = home.meter.address
    held = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        await wizard.say(device=device)
    finally:
        os.close(held)
    assert wizard.errors == {"device": "meter_port_in_use"}
    assert wizard.suggested["device"] == device
    assert await wizard.say() == "meter_values"
    wizard.leave()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EBUSY, "meter_port_in_use"),
        (errno.ENOENT, "meter_port_missing"),
        (errno.EACCES, "meter_port_failed"),
    ],
)
def test_devices_that_do_not_open(
    monkeypatch: pytest.MonkeyPatch, code: int, error: str
) -> None:
    """The reason of the system decides on the text."""

    def refuse(*_: object) -> int:
        """Open nothing."""
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    assert flow_meter_probe._port_error("/dev/ttyS0") == error


def test_devices_that_are_no_files() -> None:
    """Of a device behind an address nothing more is known."""
    assert flow_meter_probe._port_error("esphome://it") == "meter_port_failed"


def test_device_that_opens(tmp_path: Path) -> None:
    """Where it was free again meanwhile, nothing more is known."""
    path = tmp_path / "tty"
    path.touch()
    assert flow_meter_probe._port_error(str(path)) == "meter_port_failed"
