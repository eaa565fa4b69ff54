"""Who may do what, and that a refusal changes nothing and is not forgotten."""

from collections.abc import AsyncIterator
from datetime import timedelta
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .actions import Actions, refused, user_id
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, entity_id, eventually
from .security_home import logged
from .stage import GB_NIGHT
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import Car, Simulator

ENTITIES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("button.press", "charge_now", {}),
    ("button.press", "pause_now", {}),
    ("button.press", "resume_schedule", {}),
    ("button.press", "skip_random_delay", {}),
    ("button.press", "dsr_opt_out", {}),
    ("switch.turn_off", "charging_allowed", {}),
    ("switch.turn_on", "charging_allowed", {}),
    ("switch.turn_off", "default_hours", {}),
    ("number.set_value", "target_power", {"value": 6}),
    ("number.set_value", "max_random_delay", {"value": 300}),
    ("select.select_option", "charge_mode", {"option": "Eco"}),
    ("select.select_option", "mode_after_unplug", {"option": "Eco"}),
    ("select.select_option", "end_delay", {"option": "after_boundary"}),
    ("select.select_option", "handover", {"option": "leave"}),
    ("select.select_option", "tamper_policy", {"option": "stop"}),
)


def actions() -> tuple[tuple[str, dict[str, object]], ...]:
    """Return every action that changes something, with what it needs."""
    end = (dt_util.utcnow() + timedelta(hours=1)).isoformat()
    return (
        ("override", {"mode": "charge"}),
        ("override", {"mode": "pause", "on_behalf_of_user": True}),
        ("cancel_override", {}),
        ("skip_delay", {}),
        ("set_default_hours", {"preset": "gb_complement"}),
        ("remove_default_hours", {}),
        ("dsr_start", {"event_id": "A", "end": end}),
        ("dsr_update", {"event_id": "A"}),
        ("dsr_cancel", {"event_id": "A"}),
    )


class House:
    """A household with one wallbox, whose members do things with it."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator) -> None:
        """Take what is set up later."""
        self.hass = hass
        self.simulator = simulator
        self.entry: MockConfigEntry
        self.see = Surface(hass, simulator)

    async def settle(self, **settings: object) -> None:
        """Set the wallbox up with these rights, and plug a car in."""
        rights: dict[str, Any] = {**GB_NIGHT, "first_use": None, **settings}
        self.entry = await set_up(
            self.hass,
            make_entry(self.simulator, **rights),
        )
        self.act = Actions(self.hass, self.simulator)
        self.simulator.wallboxes[0].plug(Car())
        await eventually(lambda: self.see("status") == "random_delay")
        await self.hass.async_block_till_done()

    async def use(self, service: str, key: str, by: str | None, **data: object) -> None:
        """Use an entity as somebody."""
        domain, _, name = service.partition(".")
        await self.hass.services.async_call(
            domain,
            name,
            {"entity_id": entity_id(self.hass, self.simulator, key), **data},
            blocking=True,
            context=Context(user_id=by),
        )


@pytest.fixture
async def house(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[House]:
    """Return a household; each test says who has which right."""
    simulator = await start_simulator()
    house = House(hass, simulator)
    yield house
    await hass.config_entries.async_unload(house.entry.entry_id)


async def check_all_refused(
    house: House,
    by: str | None,
    caplog: pytest.LogCaptureFixture,
    but: str = "nothing at all",
) -> None:
    """Expect that somebody can do nothing, `but` actions whose names begin so."""
    commands = list(house.see.commands)
    for service, key, data in ENTITIES:
        if house.see(key) == "unavailable":
            continue
        caplog.clear()
        async with refused(house.entry, "not_permitted"):
            await house.use(service, key, by, **data)
        assert f"action_denied: attempt_failed {{'action': '{key}'}}" in caplog.text
    for action, data in actions():
        if action.startswith(but):
            continue
        caplog.clear()
        async with refused(house.entry, "not_permitted"):
            await house.act(action, by=by, **data)
        assert f"action_denied: attempt_failed {{'action': '{action}'}}" in caplog.text
    assert house.see.commands == commands


async def check_may(house: House, by: str | None) -> None:
    """Expect that somebody can change and override."""
    await house.act("override", by=by, mode="pause")
    assert house.see("reason") == "override_pause"
    await house.act("cancel_override", by=by)
    await house.use("select.select_option", "handover", by, option="leave")
    assert house.see("handover") == "leave"
    await house.use("switch.turn_off", "charging_allowed", by)
    assert house.see("charging_allowed") == "off"


async def test_a_user_without_the_right(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is not named can look, and that is all."""
    hass = house.hass
    named = await user_id(hass, "Ann", "user")
    await house.settle(override_users=[named])
    await check_all_refused(house, await user_id(hass, "Bob", "user"), caplog)
    assert (await house.act("dsr_list", answer=True)) == {house.act.devices[0]: []}


async def test_who_may_see_nothing(house: House) -> None:
    """A user in no group is told of no grid event, of a wallbox or of the site."""
    await house.settle()
    hass, miniserver = house.hass, house.entry.runtime_data.miniserver
    await user_id(hass)
    nobody = (await hass.auth.async_create_user("Eve")).id
    for device_id in (*house.act.devices, miniserver.device_id):
        house.act.devices = [device_id]
        async with refused(house.entry, "history_not_readable"):
            await house.act("dsr_list", answer=True, by=nobody)


async def test_who_may(house: House) -> None:
    """A named user may, and an administrator always."""
    hass = house.hass
    named = await user_id(hass, "Ann", "user")
    await house.settle(override_users=[named])
    await check_may(house, named)
    await house.use("switch.turn_on", "charging_allowed", named)
    await check_may(house, await user_id(hass))


async def test_nobody_named_but_administrators(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty list means the administrators alone."""
    await house.settle(override_users=[])
    bob = await user_id(house.hass, "Bob", "user")
    await check_all_refused(house, bob, caplog)
    await check_may(house, await user_id(house.hass))


async def test_everybody(house: House) -> None:
    """Without a list everybody who may control things may, also later users."""
    await house.settle()
    await check_may(house, await user_id(house.hass, "Bob", "user"))


async def test_who_may_only_look(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A guest of Home Assistant controls nothing, whatever the list leaves open."""
    await house.settle()
    guest = await user_id(house.hass, "Guest", "guest")
    for action, data in actions():
        async with refused(house.entry, "not_permitted"):
            await house.act(action, by=guest, **data)
    async with refused(house.entry, "not_permitted"):
        await house.act("override", by="somebody who left", mode="charge")
    assert caplog.text.count("action_denied") == len(actions()) + 1


async def test_automations_forbidden(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A call without a user is refused where the owner forbids it, also on behalf."""
    await house.settle(automations_may_override=False)
    await check_all_refused(house, None, caplog, but="dsr_")
    await check_may(house, await user_id(house.hass))


async def test_the_grid_is_no_override(house: House) -> None:
    """Its events come by automations, and go through where those may not override."""
    await house.settle(automations_may_override=False)
    wallbox = next(iter(house.entry.runtime_data.wallboxes.values()))
    for action, data in actions()[-3:]:
        await house.act(action, by=None, **data)
    (event,) = wallbox.controller.state.dsr.events.values()
    assert event.version > 1
    assert event.cancelled_at is not None


async def test_automations_allowed(house: House) -> None:
    """An automation may; its changes are an automation's, on behalf a person's."""
    await house.settle()
    await check_may(house, None)
    wallbox = next(iter(house.entry.runtime_data.wallboxes.values()))
    assert wallbox.controller.state.permission.cause == "automation"
    await house.act("override", by=None, mode="charge")
    assert wallbox.controller.state.override.source == "automation"
    await house.act("override", by=None, mode="charge", on_behalf_of_user=True)
    assert wallbox.controller.state.override.source == "user"


async def test_only_an_administrator_sets_the_longest_delay(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Who may override may not do away with the delay for good; a change is logged."""
    caplog.set_level(logging.INFO, f"custom_components.{DOMAIN}")
    ann = await user_id(house.hass, "Ann", "user")
    await house.settle(override_users=[ann])
    async with refused(house.entry, "not_permitted"):
        await house.use("number.set_value", "max_random_delay", ann, value=300)
    assert "action_denied" in caplog.text
    assert "config_security_changed" not in caplog.text
    admin = await user_id(house.hass)
    await house.use("number.set_value", "max_random_delay", admin, value=300)
    assert house.see("max_random_delay") == "300"
    changed = "{'what': 'max_random_delay', 'from': 600, 'to': 300}"
    assert f"config_security_changed: info {changed}" in caplog.text
    kinds = ("action_denied", "config_security_changed")
    refusal, record = await logged(house.hass, house.simulator, *kinds)
    assert refusal["kind"] == "action_denied"
    assert record["source"].startswith("ha_user:")
    told = {"what": "max_random_delay", "from": 600, "to": 300}
    assert record["detail"].items() >= told.items()
    await house.use("number.set_value", "max_random_delay", None, value=200)
    assert house.see("max_random_delay") == "200"


async def test_one_of_two_wallboxes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Who may act on one of two wallboxes does nothing to either."""
    hass = house.hass
    ann = await user_id(hass, "Ann", "user")
    await house.settle(override_users=[])
    entry = house.entry
    first = next(
        one
        for one in entry.subentries.values()
        if one.unique_id == house.simulator.wallboxes[0].uuid
    )
    hass.config_entries.async_update_subentry(
        entry, first, data={**first.data, "override_users": [ann]}
    )
    await hass.async_block_till_done()
    both = Actions(hass, house.simulator, 0, 1)
    async with refused(entry, "not_permitted"):
        await both("override", by=ann, mode="pause")
    await house.act("override", by=ann, mode="pause")
    assert house.see("reason") == "override_pause"


async def test_the_refusal_names_the_wallbox(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """The text says which wallbox; the log holds the user but no name of theirs."""
    caplog.set_level(logging.DEBUG, f"custom_components.{DOMAIN}")
    bob = await user_id(house.hass, "Bob", "user")
    await house.settle(override_users=[])
    with pytest.raises(HomeAssistantError) as caught:
        await house.act("override", by=bob, mode="charge")
    assert caught.value.translation_placeholders == {"wallbox": "Garage"}
    ours = [
        record.message
        for record in caplog.records
        if record.name.startswith(f"custom_components.{DOMAIN}")
    ]
    assert not any("Bob" in line or bob in line for line in ours)
