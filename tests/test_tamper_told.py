"""The owner is told of tampering once the security log has it, and of each kind of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
import threading
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import map_inputs
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .security_home import log_of, logged
from .test_alerts import Heard
from .test_tamper import raised
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.links import Links
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.security_log import SecurityLog
from simulator import Simulator, WallboxConfig


class Guarded:
    """A home with one wallbox, whose housing has a contact."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take what is set up."""
        self.hass = hass
        self.simulator = simulator
        self.entry = entry
        self.see = Surface(hass, simulator)
        self.heard = Heard(hass, simulator)

    @property
    def wallbox(self) -> WallboxCoordinator:
        """Return the wallbox."""
        [wallbox] = self.entry.runtime_data.wallboxes.values()
        assert isinstance(wallbox, WallboxCoordinator)
        return wallbox

    async def contact(self, *, on: bool) -> None:
        """Open or close the housing."""
        self.simulator.wallboxes[0].set_contact("Tamper", on)
        await eventually(lambda: self.see("tamper") == ("on" if on else "off"))

    async def restart(self) -> None:
        """Restart Home Assistant's side."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def later(self, seconds: float) -> None:
        """Have timers that are due by then come."""
        async_fire_time_changed(
            self.hass, dt_util.utcnow() + timedelta(seconds=seconds)
        )
        await asyncio.sleep(0.1)


@pytest.fixture
async def home(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[Guarded]:
    """Return a home that is set up."""
    box = WallboxConfig(name="Garage", contacts=True)
    simulator = await start_simulator(wallboxes=(box,))
    entry = await set_up(hass, make_entry(simulator))
    await map_inputs(hass, entry, simulator)
    yield Guarded(hass, simulator, entry)
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Return what has to be set before the disk takes anything."""
    gate, append = threading.Event(), SecurityLog.append

    def waits(log: SecurityLog, *args: Any) -> dict[str, Any]:
        """Write once it is allowed."""
        gate.wait(30)
        return append(log, *args)

    monkeypatch.setattr(SecurityLog, "append", waits)
    yield gate
    gate.set()


async def test_it_is_written_first(home: Guarded, slow: threading.Event) -> None:
    """Alert and repair wait for the record; what is done about it does not."""
    await home.contact(on=True)
    await asyncio.sleep(0.3)
    assert home.see("power_limit") == "4.16"
    assert home.heard.kinds == []
    assert raised(home.hass) == set()
    slow.set()
    await eventually(lambda: home.heard.kinds == ["tamper"])
    assert raised(home.hass) == {"tamper_contact"}
    assert home.heard.all[0]["cause"] == "contact"
    assert home.heard.all[0]["causes"] == ["contact"]


async def test_a_moment_of_tampering(home: Guarded, slow: threading.Event) -> None:
    """Over before it was written, it is told all the same."""
    await home.contact(on=True)
    await home.contact(on=False)
    slow.set()
    await eventually(lambda: home.heard.kinds == ["tamper", "tamper_cleared"])
    assert raised(home.hass) == set()


async def test_a_disk_that_does_not_answer(
    home: Guarded, slow: threading.Event
) -> None:
    """Seconds later it is told without the record, and not again with it."""
    await home.contact(on=True)
    await home.later(4)
    assert home.heard.kinds == []
    await home.later(6)
    assert home.heard.kinds == ["tamper"]
    assert raised(home.hass) == {"tamper_contact"}
    await home.contact(on=False)
    await home.later(6)
    assert home.heard.kinds == ["tamper", "tamper_cleared"]
    slow.set()
    await home.hass.async_block_till_done()
    records = await logged(home.hass, home.simulator, "tamper_on", "tamper_off")
    assert [one["kind"] for one in records] == ["tamper_on", "tamper_off"]
    assert home.heard.kinds == ["tamper", "tamper_cleared"]
    assert home.wallbox.data.links.told == ()


async def test_a_full_disk(home: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is silenced by that, and nothing waits."""

    def fails(*_args: Any) -> None:
        """Fail like a full disk."""
        raise JournalError("full")

    monkeypatch.setattr(SecurityLog, "append", fails)
    await home.contact(on=True)
    await eventually(lambda: home.heard.kinds == ["tamper"])
    assert raised(home.hass) == {"tamper_contact"}
    assert log_of(home.hass, home.simulator).failing
    await home.contact(on=False)
    assert home.heard.kinds == ["tamper", "tamper_cleared"]


async def test_another_way_of_tampering(
    home: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of its own; it is over when all of it is."""

    def cut(*, breached: bool) -> None:
        """Have the link of the wallbox be cut or whole."""
        links = home.wallbox.links
        link = replace(links.boundary.wallbox, seen=True, away=0.0, breached=breached)
        links.boundary = replace(links.boundary, wallbox=link)
        home.wallbox.async_refresh_state()

    monkeypatch.setattr(Links, "look", lambda links: links._told.look(links.causes))
    await home.contact(on=True)
    await eventually(lambda: home.heard.kinds == ["tamper"])
    cut(breached=True)
    await eventually(lambda: home.heard.kinds == ["tamper", "tamper"])
    assert home.heard.all[1]["cause"] == "wallbox_link"
    assert home.heard.all[1]["causes"] == ["contact", "wallbox_link"]
    records = await logged(home.hass, home.simulator, "tamper_on")
    causes = [one["detail"]["cause"] for one in records]
    assert causes == ["contact", "wallbox_link"]
    home.simulator.wallboxes[0].set_contact("Tamper", False)
    await eventually(lambda: home.wallbox.data.links.told == ("wallbox_link",))
    assert home.heard.kinds == ["tamper", "tamper"]
    cut(breached=False)
    await eventually(lambda: home.heard.kinds[2:] == ["tamper_cleared"])


async def test_told_over_a_restart(home: Guarded) -> None:
    """The repair is there at once, and nothing is told again."""
    await home.contact(on=True)
    await eventually(lambda: home.heard.kinds == ["tamper"])
    await home.restart()
    await eventually(lambda: raised(home.hass) == {"tamper_contact"}, seconds=2)
    await home.later(6)
    assert home.heard.kinds == ["tamper"]
