"""After a change that nobody announced a wallbox can be held until its owner answers."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component

from .actions import Actions, refused
from .conftest import StartSimulator, make_entry, set_up
from .helpers import entity_id, eventually
from .security_home import logged
from .stage import Stage
from .test_firmware import question
from .test_safety import Overrides, check_refused, waiting
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car

DAY = "2027-01-13T"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)


async def choose(hass: HomeAssistant, entry: Any, *, holds: bool) -> None:
    """Choose in the options."""
    shown = await hass.config_entries.options.async_init(entry.entry_id)
    shown = await hass.config_entries.options.async_configure(
        shown["flow_id"], {"next_step_id": "guard"}
    )
    assert shown["step_id"] == "guard"
    await hass.config_entries.options.async_configure(
        shown["flow_id"], {"hold_after_change": holds}
    )
    await hass.async_block_till_done()


async def change(play: Stage) -> None:
    """Put another firmware on the Miniserver, of which nobody knows."""
    simulator = play.simulator
    other = replace(simulator.config, firmware="15.0.1.1")
    simulator.config = simulator.unit.config = other
    await simulator.drop()
    await eventually(
        lambda: (
            question(play.hass, "firmware_unexpected", play.entry.entry_id) is not None
        )
    )
    await play.settle()


async def confirm(
    play: Stage, hass_client: ClientSessionGenerator, kind: str, whose: str
) -> None:
    """Say that a change was meant."""
    client = await hass_client()
    issue = {"handler": DOMAIN, "issue_id": f"{kind}_{whose}"}
    response = await client.post("/api/repairs/issues/fix", json=issue)
    flow_id = (await response.json())["flow_id"]
    await client.post(f"/api/repairs/issues/fix/{flow_id}", json={})
    await play.hass.async_block_till_done()


async def test_held_until_it_is_confirmed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    hass_client: ClientSessionGenerator,
) -> None:
    """Overrides are refused, also after a restart; what only stops is not."""
    assert await async_setup_component(hass, "repairs", {})
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        await choose(hass, play.entry, holds=True)
        await Overrides(play).press("override")
        await play.see.call("button.press", "resume_schedule")
        await play.see.call("number.set_value", "target_power", value=8.0)
        await change(play)
        await check_refused(play, told, "control_held")
        async with refused(play.entry, "control_held"):
            await play.see.call("number.set_value", "target_power", value=10.0)
        await play.see.call("number.set_value", "target_power", value=7.0)
        await play.see.call("button.press", "pause_now")
        assert play.wallbox.controller.state.override is not None
        await play.see.call("button.press", "resume_schedule")
        await play.restart()
        async with refused(play.entry, "control_held"):
            await Overrides(play).press("override")
        [refusal] = (await logged(hass, play.simulator, "override_refused"))[-1:]
        assert refusal["detail"]["reason"] == "control_held"
        await confirm(play, hass_client, "firmware_unexpected", play.entry.entry_id)
        await Overrides(play).press("override")
        await play.settle()
        assert play.see("reason") == "override_charge"


async def test_the_rules_go_on(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The delay runs out, the grid event is obeyed and ends, the window closes."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, _told):
        await choose(hass, play.entry, holds=True)
        await change(play)
        await play.at(f"{DAY}22:08:00")
        assert (play.see("reason"), play.see("power_limit")) == ("dsr", "6.0")
        await play.at(f"{DAY}23:45:00")
        assert play.see("status") == "charging"
        assert play.see("power_limit") == "11.0"
        await play.at("2027-01-14T08:00:00")
        assert play.box.enabled is False
        act = Actions(hass, play.simulator)
        async with refused(play.entry, "control_held"):
            await act("override", mode="charge")


async def test_an_automation_raises_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It overrides nothing otherwise; a wallbox that is held it does not start."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, _told):
        await choose(hass, play.entry, holds=True)
        await play.see.call("switch.turn_off", "charging_allowed")
        await change(play)
        before = list(play.see.commands)
        async with refused(play.entry, "control_held"):
            await hass.services.async_call(
                "switch",
                "turn_on",
                {"entity_id": entity_id(hass, play.simulator, "charging_allowed")},
                blocking=True,
                context=Context(),
            )
        assert play.see.commands == before
        assert play.see("charging_allowed") == "off"


async def test_only_where_it_is_chosen(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without it the question alone is asked; who chooses is in the security log."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, _told):
        await change(play)
        await Overrides(play).press("override")
        await play.settle()
        assert play.see("reason") == "override_charge"
        await choose(hass, play.entry, holds=True)
        async with refused(play.entry, "control_held"):
            await Overrides(play).press("override")
        await choose(hass, play.entry, holds=False)
        await Overrides(play).press("override")
        chosen = [
            (one["detail"]["from"], one["detail"]["to"])
            for one in await logged(hass, play.simulator, "config_security_changed")
            if one["detail"]["what"] == "hold_after_change"
        ]
        assert chosen == [(False, True), (True, False)]


async def test_another_wallbox_is_free(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A wallbox that was changed in Loxone Config holds itself alone."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    await choose(hass, entry, holds=True)
    structure = entry.runtime_data.miniserver.client.structure
    garage, carport = simulator.wallboxes[:2]
    for box in (garage, carport):
        box.plug(Car(capacity_kwh=77, energy_kwh=10))
    info = structure.wallboxes[garage.uuid]
    structure.wallboxes[garage.uuid] = replace(info, max_kw=info.max_kw - 1)
    entry.runtime_data.miniserver.client._tell(
        lambda listener: listener.structure_changed(structure)
    )
    [garage_id, _] = entry.subentries
    await eventually(
        lambda: question(hass, "wallbox_unexpected", garage_id) is not None
    )
    async with refused(entry, "control_held"):
        await Actions(hass, simulator, 0)("override", mode="charge")
    await Actions(hass, simulator, 1)("override", mode="charge")
    await hass.config_entries.async_unload(entry.entry_id)
