"""How connections end: silence, restarts, close codes, no place."""

import asyncio
import json

import pytest

from .client import OUT_OF_SERVICE, Closed, code
from .conftest import Connect, Start
from simulator import ManualClock, WallboxConfig


async def test_keepalive_and_idle(start: Start, connect: Connect) -> None:
    """A client that says something every five minutes stays; a silent one goes."""
    clock = ManualClock()
    sim = await start(clock)
    talking, silent = connect(sim), connect(sim)
    await talking.log_in()
    await silent.log_in()
    sim.advance(290)
    await talking.keepalive()
    sim.advance(20)
    with pytest.raises(Closed):
        await silent.frame()
    await talking.keepalive()


async def test_restart(start: Start, connect: Connect) -> None:
    """A restart is announced with id 5 and ends the connection; tokens live on."""
    clock = ManualClock()
    sim = await start(clock)
    client = connect(sim)
    await client.start()
    await sim.restart(down_s=5)
    frame = await client.frame_of(OUT_OF_SERVICE)
    assert frame.length == 0
    with pytest.raises(Closed):
        await client.frame()
    clock.advance(6)
    again = connect(sim)
    await again.open()
    await again.exchange_keys()
    assert code(await again.with_token("authwithtoken", client.token)) == 200


async def test_structure_change(start: Start, connect: Connect) -> None:
    """Wallboxes come, go and are renamed like by a save in Loxone Config."""
    clock = ManualClock()
    sim = await start(clock)
    client = connect(sim)
    before = await client.start()
    kept = sim.wallboxes[0].uuid
    await sim.change_structure(
        rename={"Garage": "Left"},
        remove=["Carport"],
        add=[WallboxConfig(name="New", variant="7.4kw_tree")],
        down_s=1,
    )
    await client.frame_of(OUT_OF_SERVICE)
    clock.advance(2)
    again = connect(sim)
    after = await again.start()
    assert after["lastModified"] > before["lastModified"]
    boxes = {
        uuid: control["name"]
        for uuid, control in after["controls"].items()
        if control["type"] == "Wallbox2"
    }
    assert boxes == {kept: "Left", sim.wallboxes[1].uuid: "New"}


@pytest.mark.parametrize("number", [4004, 4005, 4006, 4007, 4008])
async def test_close_codes(start: Start, connect: Connect, number: int) -> None:
    """The unit can close with any of its codes."""
    sim = await start()
    client = connect(sim)
    await client.start()
    closing = asyncio.create_task(sim.close_clients(number, "because"))
    with pytest.raises(Closed) as closed:
        await client.frame_of(99)
    assert (closed.value.code, closed.value.reason) == (number, "because")
    await closing
    assert sim.clients == []


async def test_too_many_clients(start: Start, connect: Connect) -> None:
    """One client too many is told so; the others stay."""
    sim = await start(max_clients=2)
    first, second, third = (connect(sim) for _ in range(3))
    await first.start()
    await second.start()
    fields = (await first.http("jdev/cfg/apiKey")).replace("'", '"')
    assert json.loads(fields)["hasEventSlots"] is False
    await third.open()
    with pytest.raises(Closed) as closed:
        await third.frame()
    assert closed.value.code == 4008
    await first.keepalive()
    sim.clear()
    sim.fault("no_slot", at="enable")
    await second.ws.close()
    last = connect(sim)
    await last.log_in()
    assert code(await last.plain("jdev/sps/enablebinstatusupdate")) == 901
    with pytest.raises(Closed) as closed:
        await last.frame()
    assert closed.value.code == 4008


@pytest.mark.parametrize("hard", [True, False])
async def test_drop(start: Start, connect: Connect, hard: bool) -> None:
    """Connections are reset, or end with a close frame."""
    sim = await start()
    client = connect(sim)
    await client.start()
    dropping = asyncio.create_task(sim.drop(hard=hard))
    with pytest.raises(Closed) as closed:
        await client.frame_of(99)
    await dropping
    assert (closed.value.code == 1006) is hard
