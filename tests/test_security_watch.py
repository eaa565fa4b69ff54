"""What of a Miniserver and its wallboxes nobody changes without a record."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import Actions, map_inputs, user_id
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .meter_house import GATEWAY_SAYS_SILENT, metered
from .security_home import log_files, log_of, logged
from .stage import stage
from custom_components.loxone_wallbox import meter_library, security
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.loxone_wallbox.meter_link import MeterLibraryError
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.records.storm import Storms
from simulator import MeterConfig, Simulator, WallboxConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)


async def as_another(
    hass: HomeAssistant,
    start: StartSimulator,
    entry: MockConfigEntry,
    before: Simulator,
    **changes: Any,
) -> Simulator:
    """Restart Home Assistant while something was changed about the Miniserver."""
    await hass.config_entries.async_unload(entry.entry_id)
    hass.data[security._LOGS].clear()
    await before.stop()
    after = await start(**changes)
    port = {"tls_port": after.tls_port} if after.tls_port else {"port": after.port}
    hass.config_entries.async_update_entry(entry, data={**entry.data, **port})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    return after


async def test_firmware_and_wallbox(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Also what was changed while Home Assistant was away, and each thing once."""
    first = await start_simulator()
    entry = await set_up(hass, make_entry(first))
    assert await logged(hass, first) == []
    boxes = (
        WallboxConfig(name="Garage", max_kw=7.0),
        WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport"),
    )
    second = await as_another(
        hass, start_simulator, entry, first, firmware="16.2.1.1", wallboxes=boxes
    )
    [firmware] = await logged(hass, second, "firmware_changed")
    detail = {"what": "firmware", "from": first.config.firmware, "to": "16.2.1.1"}
    assert firmware["detail"] == detail
    assert firmware["source"] == "miniserver"
    [changed] = await logged(hass, second, "identity_changed")
    assert changed["detail"]["wallbox"] == "Garage"
    assert changed["detail"]["changed"] == "max_kw"
    assert (changed["detail"]["from"], changed["detail"]["to"]) == ("11.0", "7.0")
    both = [Surface(hass, second, box) for box in (0, 1)]
    shown = [see.attribute("security", "event_type") for see in both]
    assert shown == ["identity_changed", "firmware_changed"]
    third = await as_another(
        hass, start_simulator, entry, second, firmware="16.2.1.1", wallboxes=boxes
    )
    assert len(await logged(hass, third)) == 2
    await hass.config_entries.async_unload(entry.entry_id)


async def test_another_miniserver(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """One with another serial number at the same address gets no login."""
    first = await start_simulator()
    entry = await set_up(hass, make_entry(first))
    await hass.config_entries.async_unload(entry.entry_id)
    other = await start_simulator(serial="504F94A0FFFF")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "port": other.port}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    [record] = await logged(hass, first, "identity_changed")
    assert record["outcome"] == "attempt_failed"
    assert record["source"] == "network"
    assert record["detail"] == {
        "changed": "serial",
        "from": first.config.serial,
        "to": "504F94A0FFFF",
    }
    await hass.config_entries.async_unload(entry.entry_id)


async def test_certificate(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Another one than the last time, also where the owner has it not verified."""
    first = await start_simulator(generation=2, tls_port=0)
    data = {"tls": True, "tls_port": first.tls_port, "verify_ssl": False}
    entry = await set_up(hass, make_entry(first, data=data))
    assert await logged(hass, first) == []
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert await logged(hass, first) == []
    second = await as_another(
        hass, start_simulator, entry, first, generation=2, tls_port=0
    )
    [record] = await logged(hass, second)
    assert record["kind"] == "tls_changed"
    assert len(record["detail"]["from"]) == len(record["detail"]["to"]) == 64
    assert record["detail"]["from"] != record["detail"]["to"]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_tampering(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """On and off, and what was done while Home Assistant was away."""
    box = WallboxConfig(name="Garage", contacts=True)
    simulator = await start_simulator(wallboxes=(box,))
    entry = await set_up(hass, make_entry(simulator))
    await map_inputs(hass, entry, simulator)
    see = Surface(hass, simulator)
    simulator.wallboxes[0].set_contact("Tamper", True)
    await eventually(lambda: see.attribute("security", "event_type") == "tamper_on")
    await hass.config_entries.async_unload(entry.entry_id)
    simulator.wallboxes[0].set_contact("Tamper", False)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    kinds = ("tamper_on", "tamper_off")
    records = await logged(hass, simulator, *kinds)
    assert [one["kind"] for one in records] == list(kinds)
    assert records[0]["outcome"] == "attempt_succeeded"
    assert records[0]["detail"]["policy"] == "limit"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_values_that_nobody_can_believe(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The first of each state is recorded, the others are counted."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    unit, box = simulator.unit, simulator.wallboxes[0]
    wallbox = next(
        one
        for one in entry.runtime_data.wallboxes.values()
        if one.wallbox_id == box.uuid
    )
    for number in range(5):
        unit.states.set(box.state_uuids["actual"], 1e9 + number)
        unit.states.set(box.state_uuids["total"], -5.0 - number)
        unit.flush()
        await eventually(partial(_counted, wallbox, number + 1))
    records = await logged(hass, simulator, "invalid_input")
    details = [one["detail"] for one in records]
    assert {one["wallbox"] for one in details} == {wallbox.title}
    assert [(one["what"], one["state"]) for one in details] == [
        ("state", "actual"),
        ("state", "total"),
    ]
    report = await async_get_config_entry_diagnostics(hass, entry)
    told = [one["dropped_values"] for one in report["wallboxes"]]
    assert told == [{"actual": 5, "total": 5}, {}]
    await hass.config_entries.async_unload(entry.entry_id)


def _counted(wallbox: WallboxCoordinator, times: int) -> bool:
    """Tell whether so many energies were dropped."""
    counts = wallbox.client.dropped.counts(wallbox.wallbox_id)
    return counts.get("total") == times


async def test_an_input_that_nobody_can_believe(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A mapped input goes by the name that it has here."""
    config = WallboxConfig(name="Garage", contacts=True)
    simulator = await start_simulator(wallboxes=(config,))
    entry = await set_up(hass, make_entry(simulator))
    await map_inputs(hass, entry, simulator)
    unit, box = simulator.unit, simulator.wallboxes[0]
    unit.states.set(box.diagnostic_states["Tamper"], float("nan"))
    unit.flush()
    [subentry] = entry.subentries.values()
    control_id = subentry.data["diagnostic_inputs"]["tamper"]
    client = entry.runtime_data.miniserver.client
    await eventually(lambda: client.dropped.counts(control_id) == {"value": 1})
    records = await logged(hass, simulator, "invalid_input")
    assert [one["detail"]["state"] for one in records] == ["tamper"]
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert report["wallboxes"][0]["dropped_values"] == {"tamper": 1}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_garbage_comes_in_storms(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """A Miniserver that sends what nobody can read is two records, not a hundred."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    client = entry.runtime_data.miniserver.client
    first = client.connections

    def is_back(times: int) -> bool:
        """Tell whether the link was made so often again."""
        return bool(client.connections == first + times)

    for times in range(1, 5):
        simulator.fault("garbage_frame")
        await eventually(partial(is_back, times), 10)
    await hass.async_block_till_done()
    [record] = await logged(hass, simulator, "invalid_input")
    assert record["detail"] == {"reason": "protocol_broken"}
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done()
    records = await logged(hass, simulator, "invalid_input")
    assert [one["detail"].get("repeated") for one in records] == [None, 3]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_locked_out(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A block is recorded while the wallboxes are set up, and at a start."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    simulator.fault("blocked", seconds=3600)
    await simulator.drop(hard=False)
    see = Surface(hass, simulator)
    await eventually(lambda: see.attribute("security", "event_type") == "auth_locked")
    [record] = await logged(hass, simulator, "auth_locked")
    assert record["source"] == "miniserver"
    assert 3500 < record["detail"]["locked_s"] <= 3600
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await log_of(hass, simulator).async_stop()
    assert len(await logged(hass, simulator, "auth_locked")) > 1
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.slow
async def test_a_meter_that_is_away_alone(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lost after a minute while the wallbox is there, and back; a short gap is none."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.run(20)
        home.meter().fault("silent")
        await home.run(15)
        assert home.see[0]("meter_connection") == "off"
        home.meter().clear()
        await home.run(15)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=65))
        await hass.async_block_till_done(wait_background_tasks=False)
        assert await logged(hass, home.simulator) == []
        home.meter().fault("silent")
        await home.run(15)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=65))
        await hass.async_block_till_done(wait_background_tasks=False)
        home.meter().clear()
        await home.run(15)
        records = await logged(hass, home.simulator)
        kinds = [one["kind"] for one in records]
        # What it comes to is told apart, and may come before it.
        assert sorted(kinds[:2]) == ["meter_link_lost", "tamper_on"]
        assert sorted(kinds[2:]) == ["meter_link_restored", "tamper_off"]


async def test_a_meter_that_is_away_over_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has read it since the start: it is back only once somebody did."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.run(20)
        home.meter().fault("exception", code=GATEWAY_SAYS_SILENT)
        await home.run(15)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=65))
        await hass.async_block_till_done(wait_background_tasks=False)
        kinds = ("meter_link_lost", "meter_link_restored")
        told = await logged(hass, home.simulator, *kinds)
        assert [one["kind"] for one in told] == ["meter_link_lost"]
        connected: set[bool] = set()
        await home.restart()
        home.wallbox().async_add_listener(
            lambda: connected.add(home.reading().shown.connected)
        )
        await home.run(20)
        assert await logged(hass, home.simulator, *kinds) == told
        assert connected <= {False}
        with monkeypatch.context() as without:
            missing = AsyncMock(side_effect=MeterLibraryError("no Modbus"))
            without.setattr(meter_library, "async_load_for", missing)
            await hass.config_entries.async_reload(home.entry.entry_id)
            await eventually(lambda: home.see[0]("vehicle_connected") == "off")
            assert home.wallbox().meter is None
            assert await logged(hass, home.simulator, *kinds) == told
        await home.restart()
        home.meter().clear()
        await home.run(15)
        told = await logged(hass, home.simulator, *kinds)
        assert [one["kind"] for one in told] == [*kinds]


async def test_settings(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Who may override, what decides, what is kept; people are counted, not named."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    ann = await user_id(hass, "Ann", "user")
    first = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(
        entry,
        first,
        data={
            **first.data,
            "override_users": [ann],
            "automations_may_override": False,
            "dsr_entities": ["calendar.grid"],
        },
    )
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "retention_months": 36}
    )
    await hass.async_block_till_done()
    records = await logged(hass, simulator, "config_security_changed")
    told = {one["detail"]["what"]: one["detail"] for one in records}
    assert set(told) == {
        "override_users",
        "automations_may_override",
        "dsr_entities",
        "retention_months",
    }
    assert told["override_users"]["wallbox"] == first.title
    assert (told["override_users"]["from"], told["override_users"]["to"]) == (
        "everybody",
        1,
    )
    assert told["dsr_entities"]["to"] == "calendar.grid"
    assert (told["retention_months"]["from"], told["retention_months"]["to"]) == (
        25,
        36,
    )
    [file] = log_files(hass, simulator)
    assert ann.encode() not in file.read_bytes()
    await hass.config_entries.async_unload(entry.entry_id)


async def test_the_boundary_is_moved(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not watched any more, and what is left when we stop, is recorded."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.run(5)
        see, entry = home.see[0], home.entry
        [subentry] = entry.subentries.values()
        inputs, meter = {"online": "somewhere"}, subentry.data["meter"]
        data = {**subentry.data, "diagnostic_inputs": inputs}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        await hass.async_block_till_done(wait_background_tasks=False)
        await see.call("select.select_option", "handover", option="leave")
        data = {key: one for key, one in subentry.data.items() if key != "meter"}
        data["diagnostic_inputs"] = {}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        options = {**entry.options, "watchdog_input": "HA alive"}
        hass.config_entries.async_update_entry(entry, options=options)
        await hass.async_block_till_done(wait_background_tasks=False)
        records = await logged(hass, home.simulator, "config_security_changed")
        told = [
            (one["detail"]["what"], one["detail"]["from"], one["detail"]["to"])
            for one in records
        ]
        assert told == [
            ("online", None, "somewhere"),
            ("handover", "allow", "leave"),
            ("online", "somewhere", None),
            (
                "meter",
                f"eastron_sdm630 {meter['transport']} 127.0.0.1:{meter['port']} unit {meter['unit_id']}",
                None,
            ),
            ("watchdog_input", None, "HA alive"),
        ]


async def test_other_hours(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Default charging hours that move are recorded, and as what they were before."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        act = Actions(hass, play.simulator)
        window = {"start": "10:00", "end": "20:00", "days": ["mon", "tue"]}
        for _ in range(2):
            await act("set_default_hours", windows=[window])
        await act("remove_default_hours")
        records = await logged(hass, play.simulator, "config_security_changed")
        told = [one["detail"] for one in records]
        assert [one["change"] for one in told] == ["changed", "removed"]
        assert told[0]["to"] == "mon,tue 10:00-20:00"
        assert "22:00-08:00" in told[0]["from"]


@pytest.mark.parametrize("goes", [True, False])
async def test_the_miniserver_is_removed(
    hass: HomeAssistant, start_simulator: StartSimulator, *, goes: bool
) -> None:
    """The log stays or goes with the sessions, as the owner chose."""
    simulator = await start_simulator()
    entry = make_entry(simulator, override_users=[])
    entry = await set_up(hass, entry)
    wish = "goes" if goes else "stays"
    hass.config_entries.async_update_entry(entry, options={"history_on_removal": wish})
    simulator.fault("garbage_frame")
    see = Surface(hass, simulator)
    await eventually(lambda: see.attribute("security", "event_type") == "invalid_input")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    folder = Path(hass.config.path("loxone_wallbox")) / simulator.config.serial
    assert bool(list(folder.glob("security.0*"))) is not goes
    assert list(folder.glob("security.known.*")) == []


async def test_tampering_that_comes_again_at_once(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """On, off and on within a minute, then a kill: the log tells that it is on."""
    box = WallboxConfig(name="Garage", contacts=True)
    simulator = await start_simulator(wallboxes=(box,))
    entry = await set_up(hass, make_entry(simulator))
    await map_inputs(hass, entry, simulator)
    see = Surface(hass, simulator)

    async def contact(state: str) -> None:
        """Open or close the housing."""
        simulator.wallboxes[0].set_contact("Tamper", state == "on")
        await eventually(lambda: see("tamper") == state)
        await hass.async_block_till_done()

    for state in ("on", "off", "on"):
        await contact(state)
    assert see.attribute("security", "event_type") == "tamper_on"
    # Nothing is written any more.
    log_of(hass, simulator)._storms = Storms()
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    records = await logged(hass, simulator, "tamper_on", "tamper_off")
    assert [one["kind"] for one in records] == ["tamper_on", "tamper_off", "tamper_on"]
    await hass.config_entries.async_unload(entry.entry_id)
