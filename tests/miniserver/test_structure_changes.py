"""Structure files over a real connection: changed, odd, large."""

import asyncio
from typing import Any

import pytest

from .harness import agree, config, house, until
from custom_components.loxone_wallbox.miniserver import (
    client as client_module,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    MissingRightError,
    StructureError,
)
from custom_components.loxone_wallbox.miniserver.structure import parse_structure
from simulator import WallboxConfig

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_structure_change() -> None:
    """A new, a renamed and a removed wallbox are taken up without a new client."""
    async with house() as home:
        client = await home.connected()
        assert len(client.structure.wallboxes) == 2
        await home.sim.change_structure(
            add=[WallboxConfig(name="New")],
            remove=["Carport"],
            rename={"Garage": "Left"},
            down_s=0.1,
        )
        await until(lambda: home.listener.structures)
        names = {box.name for box in client.structure.wallboxes.values()}
        assert names == {"Left", "New"}
        assert home.listener.structures == [client.structure]
        await agree(client, home.sim)
        await client.allow(home.sim.wallbox("New").uuid, False)
        await agree(client, home.sim)


async def test_structure_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that somebody makes over the API is taken up too."""
    monkeypatch.setattr(client_module, "STRUCTURE_CHECK_DELAY_S", 0.05)
    async with house() as home:
        client = await home.connected()
        home.sim.wallboxes[0].update_mode(2, 5.5, "Sun", None)
        home.sim.unit.structure.touch()
        states, uuid = home.sim.unit.states, home.sim.unit.structure.modifications_uuid
        for text in ("1", "2", "3"):
            states.set(uuid, text)
            home.sim.unit.flush()
        await until(lambda: home.listener.structures)
        modes = client.structure.wallboxes[home.box].modes
        assert [mode.limit_kw for mode in modes if mode.name == "Sun"] == [5.5]
        await agree(client, home.sim)
        assert client.connections == 2
        # Announced, and nothing changed: the link stays.
        states.set(uuid, "4")
        home.sim.unit.flush()
        await asyncio.sleep(0.2)
        assert client.connections == 2


async def test_structure_check_meets_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that breaks before the check is simply brought up again."""
    monkeypatch.setattr(client_module, "STRUCTURE_CHECK_DELAY_S", 0.02)
    async with house() as home:
        client = await home.connected(start=False)
        home.sim.fault("no_answer", match="LoxAPPversion3")
        states, uuid = home.sim.unit.states, home.sim.unit.structure.modifications_uuid
        states.set(uuid, "1")
        home.sim.unit.flush()
        await asyncio.sleep(0.1)
        await home.sim.drop()
        await until(lambda: not client.connected)
        await client.close()


async def test_close_before_a_structure_check() -> None:
    """A check that is still to come is forgotten with the client."""
    async with house() as home:
        client = await home.connected()
        uuid = home.sim.unit.structure.modifications_uuid
        home.sim.unit.states.set(uuid, "1")
        home.sim.unit.flush()
        await until(lambda: client._structure_check)


async def test_without_a_change_the_file_is_not_read_again() -> None:
    """After a break the structure is read only when it changed."""
    async with house() as home:
        client = await home.connected()
        structure = client.structure
        home.sim.fault("structure_invalid")
        await home.sim.drop()
        await until(lambda: home.listener.made == 1)
        assert client.structure is structure


async def test_structures_without_sense() -> None:
    """A file that cannot be read is our own error; one without wallboxes is none."""
    async with house() as home:
        home.sim.fault("structure_invalid")
        with pytest.raises(StructureError):
            await home.client().connect()
        home.sim.clear()
        home.sim.fault("structure_without_wallbox")
        client = await home.connected()
        assert client.structure.wallboxes == {}


async def test_structure_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A structure file of another Miniserver is refused."""
    async with house() as home:
        right = parse_structure

        def wrong(text: str, *, local: bool) -> Any:
            """Read it with another serial number."""
            return right(text.replace("504F94A00001", "504F94A00002"), local=local)

        monkeypatch.setattr(client_module, "parse_structure", wrong)
        with pytest.raises(StructureError):
            await home.client().connect()


async def test_missing_states() -> None:
    """States that the block lacks are unknown, the others are there."""
    async with house() as home:
        home.sim.fault("missing_states")
        client = await home.connected()
        state = client.wallbox(home.box)
        assert state.connected is False
        assert None in {state.load_shedding, state.priority, state.limited_by}
        await client.allow(home.box, False)
        await until(lambda: client.wallbox(home.box).allowed is False)


async def test_manager() -> None:
    """Wallboxes under a manager are known as such and refuse a limit."""
    boxes = tuple(WallboxConfig(name=name, managed=True) for name in ("A", "B"))
    async with house(config(wallboxes=boxes, manager=True)) as home:
        client = await home.connected()
        (manager,) = client.structure.managers.values()
        assert set(manager.wallbox_ids) == set(client.structure.wallboxes)
        assert client.structure.wallboxes[home.box].manager_id == manager.id
        await client.allow(home.box, False)
        with pytest.raises(MissingRightError):
            await client.set_manual_limit(home.box, 6)
        await agree(client, home.sim)


async def test_thousand_controls() -> None:
    """A large house is connected to quickly and followed."""
    settings = config(extra_controls=1000, background_events=500)
    async with house(settings) as home:
        async with asyncio.timeout(5):
            client = await home.connected()
        assert client.structure.control_count >= 1000
        await client.set_mode(home.box, 1)
        await agree(client, home.sim)


@pytest.mark.slow
async def test_largest_structure_file() -> None:
    """A structure file of nearly 32 MiB is read, with the events going on."""
    async with house(config(structure_mib=30.0)) as home:
        client = await home.connected()
        text = home.sim.unit.structure.text(home.sim.config.users[0])
        assert 29 * 2**20 < len(text.encode()) <= 32 * 2**20
        assert len(client.structure.wallboxes) == 2
        await client.set_mode(home.box, 1)
        await agree(client, home.sim)
