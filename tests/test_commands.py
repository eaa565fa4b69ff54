"""Commands are confirmed by the state, or reported as not obeyed."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .conftest import PASSWORD, USERNAME, StartSimulator, make_entry, set_up
from .helpers import Surface, eventually, find_entity
from custom_components.loxone_wallbox import commander
from custom_components.loxone_wallbox.miniserver import Allow, SetManualLimit
from simulator import Mode, Simulator, User, WallboxConfig


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a confirmation soon."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.15)


async def one_box(
    hass: HomeAssistant,
    start: StartSimulator,
    *,
    entry_changes: Mapping[str, Any] | None = None,
    simulator_changes: Mapping[str, Any] | None = None,
    **wallbox: object,
) -> tuple[Simulator, Surface, MockConfigEntry]:
    """Set a Miniserver with one wallbox up."""
    simulator = await start(
        wallboxes=(WallboxConfig(name="Garage", **wallbox),),  # type: ignore[arg-type]
        **(simulator_changes or {}),
    )
    entry = await set_up(hass, make_entry(simulator, **(entry_changes or {})))
    return simulator, Surface(hass, simulator), entry


async def unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Close the link before the simulator goes."""
    await hass.config_entries.async_unload(entry.entry_id)


async def test_modes(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Modes go by their installer's names; two of one name stay apart."""
    simulator, state, entry = await one_box(
        hass,
        start_simulator,
        modes=(
            Mode(id=1, name="Eco", limit_kw=4.2),
            Mode(id=2, name="Eco", limit_kw=6),
            Mode(id=4, name="manual", limit_kw=8),
        ),
        mode=1,
    )
    assert state.attribute("charge_mode", "options") == [
        "Eco",
        "Eco (2)",
        "manual (4)",
        "manual",
    ]
    assert state("charge_mode") == "Eco"
    await state.call("select.select_option", "charge_mode", option="Eco (2)")
    assert state("charge_mode") == "Eco (2)"
    assert state("power_limit") == "6.0"
    await state.call("select.select_option", "charge_mode", option="manual")
    assert state("charge_mode") == "manual"
    assert state("mode_after_unplug") == "keep"
    await state.call("select.select_option", "mode_after_unplug", option="Eco")
    assert state("mode_after_unplug") == "Eco"
    assert state.commands == ["setmode/2", "manualLimit/11", "modeUnplug/1"]
    # What is so already needs no command.
    await state.call("select.select_option", "mode_after_unplug", option="Eco")
    assert len(state.commands) == 3
    simulator.wallboxes[0].set_mode(1)
    await eventually(lambda: state("charge_mode") == "Eco")
    await unload(hass, entry)


async def test_a_limit_from_the_app_is_the_wish(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A manual limit set in Loxone's app becomes the target power."""
    state = Surface(hass, miniserver)
    assert state("target_power") == "11.0"
    miniserver.wallboxes[0].set_manual_limit(8)
    await eventually(lambda: state("target_power") == "8.0")
    miniserver.wallboxes[0].set_mode(1)
    await eventually(lambda: state("charge_mode") == "Eco")
    assert state("target_power") == "8.0"
    other = Surface(hass, miniserver, 1)
    assert other.attribute("target_power", "min") == 1.38
    assert other.attribute("target_power", "max") == 7.4


@pytest.mark.parametrize("fault", ["command_ignored", "wrong_state"])
async def test_not_obeyed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    impatient: None,
    fault: str,
) -> None:
    """Three tries, then an error and an event; the state shows what is."""
    state = Surface(hass, miniserver)
    miniserver.fault(fault)
    with pytest.raises(HomeAssistantError) as caught:
        await state.call("number.set_value", "target_power", value=6)
    assert caught.value.translation_key == "command_not_obeyed"
    assert caught.value.translation_placeholders == {"wallbox": "Garage"}
    assert state.commands == ["manualLimit/6"] * 3
    assert state("power_limit") != "6.0"
    assert state.attribute("alert", "event_type") == "command_failed"
    assert state.attribute("alert", "command") == "set_manual_limit"
    miniserver.clear()
    await state.call("number.set_value", "target_power", value=7)
    assert state("power_limit") == "7.0"


@pytest.mark.parametrize(
    ("code", "key"), [(403, "right_missing"), (500, "command_refused")]
)
async def test_refused_by_the_miniserver(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
    code: int,
    key: str,
) -> None:
    """A refusal is said in words and not tried again."""
    state = Surface(hass, miniserver)
    miniserver.fault("command_code", code=code)
    with pytest.raises(HomeAssistantError) as caught:
        await state.call("switch.turn_off", "charging_allowed")
    assert caught.value.translation_key == key
    assert state("charging_allowed") == "on"


async def test_a_link_that_breaks_under_the_command(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A command whose link breaks says so."""
    state = Surface(hass, miniserver)
    miniserver.fault("no_answer")
    call = asyncio.ensure_future(state.call("switch.turn_off", "charging_allowed"))
    await asyncio.sleep(0.1)
    await miniserver.drop(hard=True)
    with pytest.raises(HomeAssistantError) as caught:
        await call
    assert caught.value.translation_key == "link_lost"
    miniserver.clear()


async def test_set_up_anew_under_the_command(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Nobody is told of a failure: what was asked for is done by the next set-up."""
    state = Surface(hass, miniserver)
    miniserver.fault("no_answer")
    call = asyncio.ensure_future(state.call("switch.turn_off", "charging_allowed"))
    await eventually(lambda: "allow/off" in state.commands)
    await hass.config_entries.async_unload(entry.entry_id)
    await call
    miniserver.clear()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await eventually(lambda: state("charging_allowed") == "off")


async def test_a_user_without_the_right(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Who may only look is told so."""
    _, state, entry = await one_box(
        hass,
        start_simulator,
        simulator_changes={
            "users": (User(name=USERNAME, password=PASSWORD, may_control=False),)
        },
    )
    with pytest.raises(HomeAssistantError) as caught:
        await state.call("switch.turn_off", "charging_allowed")
    assert caught.value.translation_key == "right_missing"
    await unload(hass, entry)


async def test_commands_in_a_row(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Of wishes given at once the last one counts; one command at a time."""
    state = Surface(hass, miniserver)
    await asyncio.gather(
        *(
            state.call("number.set_value", "target_power", value=limit)
            for limit in (5, 6, 7, 8)
        )
    )
    assert state.commands[-1] == "manualLimit/8"
    assert len(state.commands) <= 4
    assert state("power_limit") == "8.0"


async def test_locked(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Writers disappear while the control is locked, and come back."""
    state = Surface(hass, miniserver)
    miniserver.wallboxes[0].lock("Maintenance")
    await eventually(lambda: state("status") == "locked")
    writers = ("charging_allowed", "target_power", "charge_mode", "mode_after_unplug")
    assert {state(key) for key in writers} == {"unavailable"}
    assert state("charging_power") == "0.0"
    coordinator = next(iter(entry.runtime_data.wallboxes.values()))
    with pytest.raises(ServiceValidationError) as caught:
        await coordinator.commander.async_execute(Allow(on=False))
    assert caught.value.translation_key == "wallbox_locked"
    miniserver.wallboxes[0].unlock()
    await eventually(lambda: state("charging_allowed") == "on")


async def test_read_only(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A restricted control has no writers at all."""
    simulator, state, entry = await one_box(hass, start_simulator, restrictions=2)
    for key in ("charging_allowed", "target_power", "charge_mode", "mode_after_unplug"):
        assert find_entity(hass, simulator, key) is None
    assert state("power_limit") == "11.0"
    await unload(hass, entry)


async def test_under_a_manager(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Limit and mode are the manager's, allowing works."""
    _, state, entry = await one_box(
        hass, start_simulator, simulator_changes={"manager": True}, managed=True
    )
    for service, key, data in (
        ("number.set_value", "target_power", {"value": 6}),
        ("select.select_option", "charge_mode", {"option": "eco"}),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await state.call(service, key, **data)
        assert caught.value.translation_key == "wallbox_managed"
    assert state.attribute("charge_mode", "options") == [
        "not_allowed",
        "eco",
        "priority",
    ]
    await state.call("switch.turn_off", "charging_allowed")
    assert state("charging_allowed") == "off"
    assert state.commands == ["allow/off"]
    await unload(hass, entry)


@pytest.mark.parametrize(
    ("password", "key"),
    [
        (None, "wallbox_secured"),
        ("wrong", "visualisation_password_wrong"),
        ("1234", None),
    ],
)
async def test_secured(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    password: str | None,
    key: str | None,
) -> None:
    """A protected wallbox wants its visualisation password."""
    _, state, entry = await one_box(
        hass,
        start_simulator,
        simulator_changes={
            "users": (User(name=USERNAME, password=PASSWORD, visu_password="1234"),)
        },
        entry_changes={} if password is None else {"visualisation_password": password},
        secured=True,
    )
    if key is None:
        await state.call("switch.turn_off", "charging_allowed")
        assert state("charging_allowed") == "off"
    else:
        with pytest.raises(HomeAssistantError) as caught:
            await state.call("switch.turn_off", "charging_allowed")
        assert caught.value.translation_key == key
        assert state("charging_allowed") == "on"
    await unload(hass, entry)


async def test_out_of_range(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A limit under the minimum never reaches the Miniserver."""
    state = Surface(hass, miniserver)
    for value in (4.15, 11.01, -1):
        with pytest.raises(ServiceValidationError):
            await state.call("number.set_value", "target_power", value=value)
    coordinator = next(iter(entry.runtime_data.wallboxes.values()))
    with pytest.raises(ServiceValidationError) as caught:
        await coordinator.commander.async_execute(SetManualLimit(4.15))
    assert caught.value.translation_key == "limit_out_of_range"
    assert state.commands == []
