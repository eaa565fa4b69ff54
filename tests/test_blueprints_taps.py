"""The blueprints that a person acts through: a tap on the phone, a tag at a reader."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.components.tag import async_scan_tag
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .blueprint_helpers import AUTOMATION, Phone, running, triggered, use
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from .stage import GB_NIGHT
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from simulator import Car, Simulator, WallboxConfig

NIGHT: dict[str, Any] = dict(GB_NIGHT)
NO_HOURS = {
    **NIGHT,
    "first_use": {**NIGHT["first_use"], "choice": "remove", "windows": []},
}
TAG, SECOND, STRANGER = "04-A1-B2", "04-C3-D4", "04-E5-F6"


class Wallbox:
    """A wallbox in Great Britain's rules without hours, and who is told of it."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator) -> None:
        """Take it."""
        self.hass = hass
        self.simulator = simulator
        self.box = simulator.wallboxes[0]
        self.see = Surface(hass, simulator)
        self.phone = Phone(hass, "Ann's phone")
        self.phone.reach_by("mobile_app_ann_s_phone")

    @property
    def here(self) -> WallboxCoordinator:
        """Return the wallbox in Home Assistant."""
        [entry] = self.hass.config_entries.async_loaded_entries("loxone_wallbox")
        found: WallboxCoordinator = next(iter(entry.runtime_data.wallboxes.values()))
        return found

    def id(self, key: str) -> str:
        """Return an entity's id."""
        return entity_id(self.hass, self.simulator, key)

    def plug(self) -> None:
        """Plug a car in."""
        self.box.plug(Car(capacity_kwh=77, energy_kwh=10))

    async def idle(self) -> None:
        """Wait until the automation has done what it was triggered for."""
        await self.hass.async_block_till_done()
        await eventually(lambda: running(self.hass) == 0)


@asynccontextmanager
async def wallbox(
    hass: HomeAssistant, start: StartSimulator, delay_s: int = 500
) -> AsyncIterator[Wallbox]:
    """Set it up, with the random delay that is drawn."""
    simulator = await start(wallboxes=(WallboxConfig(name="Garage", self_test_s=0.1),))
    entry = await set_up(hass, make_entry(simulator, **NO_HOURS))
    it = Wallbox(hass, simulator)
    it.here.controller.draw = lambda _longest: delay_s
    yield it
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
    )
    await hass.config_entries.async_unload(entry.entry_id)


async def delays(it: Wallbox, **inputs: Any) -> None:
    """Have random delays told of."""
    await use(
        it.hass,
        "random_delay",
        delay=it.id("random_delay_active"),
        ends=it.id("random_delay_ends"),
        phones=[it.phone.device_id],
        **inputs,
    )


async def test_a_delay_is_skipped(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The phone counts the delay down, and its button ends it."""
    async with wallbox(hass, start_simulator) as it:
        await delays(it)
        it.plug()
        await eventually(lambda: it.phone.question is not None)
        question = it.phone.question
        assert question is not None
        ends = dt_util.parse_datetime(it.see("random_delay_ends"))
        assert ends is not None
        assert question["title"] == "Garage"
        assert question["message"] == (
            f"Charging starts at {dt_util.as_local(ends):%H:%M}, after a random delay."
        )
        assert question["data"]["when"] == int(ends.timestamp())
        assert len(question["data"]["tag"].encode()) <= 64
        await eventually(lambda: it.see.commands == ["allow/off"])
        it.phone.tap(it.phone.answers["Skip"])
        await eventually(lambda: it.see.commands == ["allow/off", "allow/on"])
        await it.idle()
        assert it.see("random_delay_active") == "off"
        assert it.phone.sent[-1]["message"] == "clear_notification"


async def test_a_delay_that_ends_otherwise(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """With the car the notification goes; a tap that comes too late does nothing."""
    async with wallbox(hass, start_simulator) as it:
        await delays(it)
        it.plug()
        await eventually(lambda: it.phone.question is not None)
        skip = it.phone.answers["Skip"]
        it.box.unplug()
        await eventually(lambda: it.phone.question is None)
        await it.idle()
        before = it.see.commands
        it.phone.tap(skip)
        await it.idle()
        assert it.see.commands == before
        assert it.here.controller.state.override is None


async def test_a_short_delay(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """What is over soon is not told."""
    async with wallbox(hass, start_simulator, delay_s=20) as it:
        await delays(it)
        it.plug()
        await eventually(lambda: it.see("random_delay_active") == "on")
        await eventually(lambda: triggered(hass) is not None)
        await it.idle()
        assert it.phone.sent == []


async def tags(it: Wallbox, *named: str, **inputs: Any) -> list[Any]:
    """Have tags charge; return what is told at the end of their sessions."""
    told: list[Any] = []
    it.hass.bus.async_listen("told", lambda event: told.append(event.data))
    assert await async_setup_component(it.hass, "tag", {})
    for tag in (TAG, SECOND, STRANGER):
        await it.hass.data["tag"].async_create_item({"tag_id": tag, "name": tag})
    await it.hass.async_block_till_done()
    known = {
        state.attributes["tag_id"]: state.entity_id
        for state in it.hass.states.async_all("tag")
    }
    await use(
        it.hass,
        "guest_tag",
        vehicle=it.id("vehicle_connected"),
        reason=it.id("reason"),
        session=it.id("session"),
        tags=[known[tag] for tag in named],
        at_end=[
            {
                "event": "told",
                "event_data": {"who": "{{ who }}", "energy": "{{ energy }}"},
            }
        ],
        **inputs,
    )
    return told


async def test_a_tag_charges(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Only a chosen tag charges, at once as a person's act; the end tells whose it was."""
    async with wallbox(hass, start_simulator) as it:
        told = await tags(it, TAG, SECOND)
        it.plug()
        await eventually(lambda: it.see("reason") == "random_delay")
        await async_scan_tag(hass, STRANGER, None)
        await it.idle()
        assert it.see("reason") == "random_delay"
        await async_scan_tag(hass, SECOND, None)
        await eventually(lambda: it.see.commands == ["allow/off", "allow/on"])
        await it.idle()
        assert it.see("reason") == "override_charge"
        override = it.here.controller.state.override
        assert override is not None
        assert (override.source, override.end) == ("user", None)
        await eventually(lambda: it.see("status") == "charging")
        it.box.unplug()
        await eventually(lambda: len(told) == 1)
        assert told[0]["who"] == SECOND
        assert told[0]["energy"] >= 0


async def test_a_tag_before_the_car(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Who shows the tag first need not show it again; a second look stops."""
    async with wallbox(hass, start_simulator) as it:
        await tags(it, TAG, locked=True)
        await async_scan_tag(hass, TAG, None)
        await it.idle()
        it.plug()
        await eventually(lambda: it.see("reason") == "override_charge")
        await it.idle()
        await async_scan_tag(hass, TAG, None)
        await eventually(lambda: it.see("reason") == "override_pause")
        await eventually(lambda: it.see.commands[-1] == "allow/off")


async def test_nobody_without_a_tag(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A car without a tag is paused until one is shown where it counts."""
    async with wallbox(hass, start_simulator) as it:
        readers = [_reader(it, name) for name in ("door", "street")]
        told = await tags(it, TAG, locked=True, readers=readers[:1])
        it.plug()
        await eventually(lambda: it.see("reason") == "override_pause")
        await async_scan_tag(hass, TAG, readers[1])
        await it.idle()
        assert it.see("reason") == "override_pause"
        await async_scan_tag(hass, TAG, readers[0])
        await eventually(lambda: it.see("reason") == "override_charge")
        it.box.unplug()
        await eventually(lambda: len(told) == 1)
        assert told[0]["who"] == TAG


def _reader(it: Wallbox, name: str) -> str:
    """Register a reader of tags."""
    entry_id = next(iter(it.hass.config_entries.async_entries("mobile_app"))).entry_id
    device = dr.async_get(it.hass).async_get_or_create(
        config_entry_id=entry_id, identifiers={("mobile_app", name)}, name=name
    )
    return device.id
