"""Structure, states, commands and the ends of a connection."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from .client import DAYTIMERS, TEXTS, VALUES, WEATHER, code
from .conftest import Connect, Start
from simulator import Car, Mode, WallboxConfig


async def test_structure(start: Start, connect: Connect) -> None:
    """A Wallbox2 has what a real file shows, with states of the right form."""
    sim = await start(
        wallboxes=(
            WallboxConfig(
                name="Garage",
                restrictions=1,
                secured=True,
                modes=(
                    Mode(id=2, name="Sun", limit_kw=6, set_by_logic=True, price=0.1),
                ),
                mode=2,
            ),
        )
    )
    client = connect(sim)
    await client.log_in()
    structure = await client.structure()
    version = (await client.plain("jdev/sps/LoxAPPversion3"))["value"]
    assert structure["lastModified"] == version
    assert structure["msInfo"]["miniserverType"] == 2
    assert structure["msInfo"]["currentUser"]["isAdmin"] is True
    box = sim.wallboxes[0]
    control = structure["controls"][box.uuid]
    assert control["type"] == "Wallbox2"
    assert control["isSecured"] is True
    assert control["restrictions"] == 1
    assert structure["rooms"][control["room"]]["name"] == "Garage"
    assert control["cat"] in structure["cats"]
    assert (control["details"]["min"], control["details"]["max"]) == (4.16, 11)
    assert control["details"]["modes"][1] == {
        "id": 2,
        "name": "Sun",
        "value": 6,
        "setByLogic": True,
        "price": 0.1,
    }
    assert control["details"]["modes"][0]["name"] == ""
    (tracker,) = control["subControls"].values()
    assert tracker["type"] == "Tracker"
    assert tracker["states"]["entries"] == box.uuid
    assert control["states"]["jLocked"][1:] == box.uuid[1:]
    assert int(control["states"]["jLocked"][0], 16) >= 8
    for state in control["states"].values():
        assert [len(part) for part in state.split("-")] == [8, 4, 4, 16]
        assert state == state.lower()
    names = {one["name"]: one["type"] for one in structure["controls"].values()}
    assert names["Garage Online"] == "InfoOnlyDigital"
    assert names["Garage Error code"] == "InfoOnlyAnalog"


async def test_same_identifiers_on_every_run(start: Start) -> None:
    """Identifiers stay the same, and differ between units."""
    one, two = await start(), await start()
    other = await start(serial="504F94A00009")
    assert one.wallboxes[0].uuid == two.wallboxes[0].uuid
    assert one.wallboxes[0].uuid != other.wallboxes[0].uuid


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"firmware": "14.1.5.13"}, {"priority", "pricePerkWh", "temporaryLimitation"}),
        ({"firmware": "16.0.6.10"}, {"temporaryLimitation", "limitedBy"}),
        (
            {"wallboxes": (WallboxConfig(name="Garage", optional_states=False),)},
            {"totalDay", "pricePerkWh", "temporaryLimitation"},
        ),
    ],
)
async def test_optional_states(
    start: Start, connect: Connect, changes: dict[str, Any], missing: set[str]
) -> None:
    """States that this firmware or installation lacks are not there."""
    sim = await start(**changes)
    client = connect(sim)
    structure = await client.start()
    states = structure["controls"][sim.wallboxes[0].uuid]["states"]
    assert not missing & set(states)
    assert "actual" in states
    assert set(states.values()) <= set(client.values) | set(client.texts)


async def test_all_states_then_changes(start: Start, connect: Connect) -> None:
    """First come all states of all kinds, then only what changed."""
    sim = await start(extra_controls=40)
    client = connect(sim)
    structure = await client.start()
    assert len(structure["controls"]) == 40
    kinds = [frame.kind for frame in client.frames]
    at = max(index for index, kind in enumerate(kinds) if kind == 0)
    assert kinds[at + 1 :] == [VALUES, TEXTS, DAYTIMERS, WEATHER, 6]
    for control in structure["controls"].values():
        for state in control["states"].values():
            known = {*client.values, *client.texts, *client.daytimers}
            assert state in known
    assert len(client.weather) == 2
    box = sim.wallboxes[0]
    client.values.clear()
    client.texts.clear()
    box.set_allowed(False)
    await client.until(box.state_uuids["enabled"], 0)
    assert set(client.values) == {box.state_uuids["enabled"]}
    box.plug(Car())
    await client.until(box.state_uuids["connected"], 1)
    await client.keepalive()
    session = json.loads(client.texts[box.state_uuids["session"]])
    assert session["connect"] > 1_700_000_000
    box.unplug()
    await client.until(box.state_uuids["connected"], 0)
    await client.keepalive()
    assert json.loads(client.texts[box.uuid])["disconnect"]


async def test_thousand_controls(start: Start, connect: Connect) -> None:
    """Large files and tables come in one piece each, or in several tables."""
    sim = await start(extra_controls=1000, table_entries=500, background_events=500)
    client = connect(sim)
    structure = await client.start()
    assert len(structure["controls"]) == 1000
    tables = [frame for frame in client.frames if frame.kind == VALUES]
    assert len(tables) > 4
    assert max(frame.length for frame in tables) == 500 * 24
    # A living house changes by itself.
    async with asyncio.timeout(3):
        while len([frame for frame in client.frames if frame.kind == VALUES]) <= len(
            tables
        ):
            await client.frame()


COMMANDS = [
    ("allow/off", 200, "enabled", 0.0),
    ("allow/on", 200, "enabled", 1.0),
    ("setmode/1", 200, "mode", 1.0),
    ("setmode/99", 200, "mode", 99.0),
    ("manualLimit/6.5", 200, "limit", 6.5),
    ("modeUnplug/2", 200, "modeUnplug", 2.0),
    ("modeUnplug/0", 200, "modeUnplug", 0.0),
    ("allow/perhaps", 400, "enabled", 1.0),
    ("setmode/5", 400, "mode", 3.0),
    ("setmode/x", 400, "mode", 3.0),
    ("manualLimit/much", 400, "limit", 11.0),
    ("manualLimit/nan", 400, "limit", 11.0),
    ("manualLimit/-1", 400, "limit", 11.0),
    ("modeUnplug/99", 400, "modeUnplug", 0.0),
    ("manualLimit", 400, "limit", 11.0),
    ("explode", 404, "enabled", 1.0),
]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row[0])
async def test_commands(
    start: Start, connect: Connect, row: tuple[str, int, str, float]
) -> None:
    """Commands are obeyed or refused, and the states tell the truth."""
    command, expected, state, value = row
    sim = await start()
    box = sim.wallboxes[0]
    client = connect(sim)
    await client.start()
    answer = await client.secret(f"jdev/sps/io/{box.uuid}/{command}")
    assert code(answer) == expected
    await client.keepalive()
    assert client.values[box.state_uuids[state]] == value
    (record,) = sim.commands
    assert record.command == command
    assert (record.user, record.encrypted, record.code) == ("admin", True, expected)


async def test_echoes(start: Start, connect: Connect) -> None:
    """Plain commands echo without the j; encrypted control commands their cipher."""
    sim = await start()
    path = f"jdev/sps/io/{sim.wallboxes[0].uuid}/allow/on"
    client = connect(sim)
    await client.log_in()
    answer = await client.plain(path)
    assert answer == {"control": path[1:], "value": "1", "Code": "200"}
    answer = await client.secret(path)
    assert answer["control"].startswith("jdev/sys/enc/")
    assert client.cipher.decrypt(answer["control"][13:]).endswith(path)
    answer = await client.secret("jdev/sys/getkey2/admin")
    assert answer["control"] == "jdev/sys/getkey2/admin"
    assert answer["code"] == "200"
    answer = await client.secret(path, how="fenc")
    assert code(answer) == 200
    assert not sim.commands[0].encrypted
    assert sim.commands[1].encrypted


async def test_masked_hashes(start: Start, connect: Connect) -> None:
    """Some firmware hides hashes in the echo."""
    client = connect(await start(mask_hashes=True))
    await client.log_in()
    answer = await client.with_token("jdev/sys/checktoken", client.token)
    assert answer["control"] == "jdev/sys/checktoken/***/admin"


async def test_update_mode(start: Start, connect: Connect) -> None:
    """A changed mode shows in the structure, and the edit is announced."""
    sim = await start()
    box = sim.wallboxes[0]
    client = connect(sim)
    structure = await client.start()
    name = quote("Früh/spät", safe="")
    path = f"jdev/sps/io/{box.uuid}/updateMode/1/5.5/{name}/0.31"
    assert code(await client.secret(path)) == 200
    await client.keepalive()
    assert box.uuid in client.texts[structure["globalStates"]["modifications"]]
    changed = await client.structure()
    assert changed["lastModified"] > structure["lastModified"]
    mode = changed["controls"][box.uuid]["details"]["modes"][0]
    assert (mode["name"], mode["value"], mode["price"]) == ("Früh/spät", 5.5, 0.31)


async def test_rights(start: Start, connect: Connect) -> None:
    """Who may only look gets 403, as does who does not even see a wallbox."""
    sim = await start()
    garage, carport = sim.wallboxes
    guest = connect(sim)
    await guest.log_in("guest")
    path = f"jdev/sps/io/{garage.uuid}/allow/off"
    assert code(await guest.secret(path)) == 403
    left = connect(sim)
    structure = await left.start("left")
    names = {control["name"] for control in structure["controls"].values()}
    assert "Garage" in names
    assert not {name for name in names if "Carport" in name}
    assert carport.state_uuids["actual"] not in left.values
    assert garage.state_uuids["actual"] in left.values
    carport.plug(Car())
    garage.plug(Car())
    await left.until(garage.state_uuids["connected"], 1)
    assert not set(left.values) & set(carport.state_uuids.values())
    assert code(await left.secret(path)) == 200
    path = f"jdev/sps/io/{carport.uuid}/allow/off"
    assert code(await left.secret(path)) == 403
    assert code(await left.secret(f"jdev/sps/io/{carport.uuid}")) == 403
    assert carport.enabled


async def test_unknown_controls(start: Start, connect: Connect) -> None:
    """Unknown identifiers, and those of states, are not found."""
    sim = await start()
    client = connect(sim)
    await client.log_in()
    state = sim.wallboxes[0].state_uuids["actual"]
    for control in ("0f869a3f-0155-8b3f-ffff403fb0c34b9e", state, ""):
        path = f"jdev/sps/io/{control}/allow/on"
        assert code(await client.secret(path)) == 404


async def test_secured_restricted_locked(start: Start, connect: Connect) -> None:
    """Secured and read-only controls refuse; a locked one does not obey."""
    sim = await start(
        wallboxes=(
            WallboxConfig(name="secured", secured=True),
            WallboxConfig(name="restricted", restrictions=0b10),
            WallboxConfig(name="locked"),
        )
    )
    locked = sim.wallboxes[2]
    client = connect(sim)
    await client.start()
    for box, expected in zip(sim.wallboxes, (403, 403, 200), strict=True):
        if box is locked:
            path = f"jdev/sps/io/{box.uuid}/lockcontrol/1/being%20painted"
            assert code(await client.secret(path)) == 200
        path = f"jdev/sps/io/{box.uuid}/allow/off"
        assert code(await client.secret(path)) == expected
        assert box.enabled
    await client.keepalive()
    lock = json.loads(client.texts[locked.state_uuids["jLocked"]])
    assert lock == {"locked": 1, "reason": "being painted"}
    path = f"jdev/sps/io/{locked.uuid}/unlockcontrol"
    assert code(await client.secret(path)) == 200
    assert locked.locked is None


@pytest.mark.parametrize("refuses", [True, False])
async def test_managed(start: Start, connect: Connect, refuses: bool) -> None:
    """Under a manager limit and mode are its own; permission works."""
    sim = await start(
        wallboxes=(WallboxConfig(name="Garage", managed=True),),
        manager=True,
        manager_refuses=refuses,
    )
    box = sim.wallboxes[0]
    client = connect(sim)
    structure = await client.start()
    (manager,) = (
        control
        for control in structure["controls"].values()
        if control["type"] == "WallboxManager"
    )
    assert (
        structure["controls"][box.uuid]["details"]["manager"] == (manager["uuidAction"])
    )
    assert manager["details"]["nodes"][0]["ctrlUuid"] == box.uuid
    for command in ("setmode/1", "manualLimit/5"):
        answer = await client.secret(f"jdev/sps/io/{box.uuid}/{command}")
        assert code(answer) == (403 if refuses else 200)
    assert code(await client.secret(f"jdev/sps/io/{box.uuid}/allow/off")) == 200
    assert not box.enabled
    assert box.mode == 2
    node = manager["details"]["nodes"][0]["uuid"]
    answer = await client.secret(
        f"jdev/sps/io/{manager['uuidAction']}/getNodeValue/{node}"
    )
    assert json.loads(answer["value"])[node]["assigned"] == 0


async def test_ordinary_controls(start: Start, connect: Connect) -> None:
    """The rest of the house obeys as well."""
    sim = await start(extra_controls=30)
    client = connect(sim)
    structure = await client.start()
    switch = next(
        control
        for control in structure["controls"].values()
        if control["type"] == "Switch"
    )
    path = f"jdev/sps/io/{switch['uuidAction']}"
    assert code(await client.secret(f"{path}/on")) == 200
    await client.until(switch["states"]["active"], 1)
    assert code(await client.secret(f"{path}/jump")) == 404
