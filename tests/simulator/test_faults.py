"""Everything that can be made to go wrong, as it looks from outside."""

import asyncio
import json
import math
from typing import Any

from aiohttp import WSMsgType
import pytest

from .client import TEXTS, VALUES, Client, Closed, code
from .conftest import Connect, Start
from simulator import Car, Simulator
from simulator.faults import FAULTS, UnknownFaultError


async def prepared(start: Start, connect: Connect) -> tuple[Simulator, Client]:
    """Return a unit with a charging car, and a client that follows it."""
    sim = await start()
    client = connect(sim)
    await client.start()
    sim.wallboxes[0].plug(Car())
    await client.keepalive()
    return sim, client


async def raw(client: Client) -> Any:
    """Return the next websocket message as it is."""
    message = await client.ws.receive(timeout=5)
    assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY)
    return message.data


def path(sim: Simulator, command: str = "allow/on") -> str:
    """Return a command to the first wallbox."""
    return f"jdev/sps/io/{sim.wallboxes[0].uuid}/{command}"


def test_unknown_faults() -> None:
    """A wrong name or option is refused with what there is."""
    sim = Simulator()
    with pytest.raises(UnknownFaultError, match=r"unknown fault 'none', choose from"):
        sim.fault("none")
    with pytest.raises(UnknownFaultError, match="delay has no option speed"):
        sim.fault("delay", speed=1)
    with pytest.raises(UnknownFaultError, match="unknown fault"):
        sim.clear("none")
    for options in ({"seconds": "x"}, {"times": 1.5}, {"match": 3}, {"times": True}):
        with pytest.raises(UnknownFaultError, match="is of type"):
            sim.fault("delay", **options)


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_every_fault_comes_and_goes(
    start: Start, connect: Connect, name: str
) -> None:
    """Each fault can be injected while clients are there, and be cleared."""
    sim, _client = await prepared(start, connect)
    sim.fault(name)
    assert (name in sim.unit.faults.active) is not FAULTS[name].instant
    await asyncio.sleep(0.02)
    sim.clear()
    assert sim.unit.faults.active == {}


async def test_latin1(start: Start, connect: Connect) -> None:
    """Text states may be no UTF-8."""
    sim, client = await prepared(start, connect)
    sim.fault("latin1_text")
    await client.keepalive()
    session = client.texts[sim.wallboxes[0].state_uuids["session"]]
    assert json.loads(session)["user"] == "J\ufffdrgen M\ufffdller"


@pytest.mark.parametrize("name", ["unescaped_quote", "control_characters"])
async def test_broken_json(start: Start, connect: Connect, name: str) -> None:
    """Answers and sessions may be no JSON."""
    sim, client = await prepared(start, connect)
    sim.fault(name, times=1)
    await client.ws.send_str(path(sim))
    frame = await client.frame_of(0)
    assert isinstance(frame.payload, str)
    with pytest.raises(json.JSONDecodeError):
        json.loads(frame.payload)
    assert code(await client.plain(path(sim))) == 200
    sim.fault(name, where="session")
    await client.keepalive()
    text = client.texts[sim.wallboxes[0].state_uuids["session"]]
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_numeric_codes(start: Start, connect: Connect) -> None:
    """Codes may be numbers."""
    sim, client = await prepared(start, connect)
    sim.fault("numeric_codes")
    assert (await client.plain(path(sim)))["Code"] == 200
    assert (await client.secret("jdev/sys/getkey"))["code"] == 200


async def test_odd_values(start: Start, connect: Connect) -> None:
    """The resting power may be -0.0 and prices may be -1337."""
    sim, client = await prepared(start, connect)
    uuids = sim.wallboxes[0].state_uuids
    sim.fault("negative_zero")
    sim.fault("no_price")
    await client.keepalive()
    assert client.values[uuids["actual"]] == 0
    assert math.copysign(1, client.values[uuids["actual"]]) == -1
    assert client.values[uuids["pricePerkWh"]] == -1337
    assert json.loads(client.texts[uuids["session"]])["price"] == -1337
    sim.fault("negative_zero", value=-0.001)
    await client.keepalive()
    assert client.values[uuids["actual"]] == -0.001


async def test_late_and_missing_answers(start: Start, connect: Connect) -> None:
    """Answers come late or never, while events and keepalives go on."""
    sim, client = await prepared(start, connect)
    sim.fault("delay", seconds=0.4, match="allow/off", times=1)
    await client.ws.send_str(path(sim, "allow/off"))
    await client.until(sim.wallboxes[0].state_uuids["enabled"], 0)
    assert code(await client.answer()) == 200
    sim.fault("no_answer", match="allow/on")
    await client.ws.send_str(path(sim))
    assert (
        "LoxAPPversion3" in (await client.plain("jdev/sps/LoxAPPversion3"))["control"]
    )
    sim.clear("no_answer")
    assert code(await client.plain(path(sim))) == 200


async def test_events_before_answer(start: Start, connect: Connect) -> None:
    """A table may stand between a command and its answer."""
    sim, client = await prepared(start, connect)
    sim.fault("events_before_answer")
    at = len(client.frames)
    assert code(await client.plain(path(sim))) == 200
    assert {VALUES, TEXTS} <= {frame.kind for frame in client.frames[at:]}


async def test_empty_answer(start: Start, connect: Connect) -> None:
    """An answer may be a header that announces nothing."""
    sim, client = await prepared(start, connect)
    sim.fault("empty_answer", times=1)
    await client.ws.send_str(path(sim))
    frame = await client.frame_of(0)
    assert (frame.length, frame.payload) == (0, None)


async def test_zero_header(start: Start, connect: Connect) -> None:
    """Headers of length zero come without a payload."""
    sim, client = await prepared(start, connect)
    sim.fault("zero_header", kind=3, count=2)
    for _ in range(2):
        assert (await client.frame_of(3)).length == 0
    await client.keepalive()


async def test_half_table(start: Start, connect: Connect) -> None:
    """A table may end within an entry."""
    sim, client = await prepared(start, connect)
    sim.fault("half_table")
    header, payload = await raw(client), await raw(client)
    assert header[1] == VALUES
    assert int.from_bytes(header[4:], "little") == len(payload)
    assert len(payload) % 24


async def test_wrong_lengths(start: Start, connect: Connect) -> None:
    """A header may lie about what follows."""
    sim, client = await prepared(start, connect)
    sim.fault("wrong_length", by=-3)
    header, payload = await raw(client), await raw(client)
    assert int.from_bytes(header[4:], "little") == len(payload) - 3
    sim.fault("huge_length")
    header, _ = await raw(client), await raw(client)
    assert int.from_bytes(header[4:], "little") == 0xFFFFFFF0


async def test_garbage(start: Start, connect: Connect) -> None:
    """Something may come that is no header."""
    sim, client = await prepared(start, connect)
    for size in (8, 3):
        sim.fault("garbage_frame", size=size)
        data = await raw(client)
        assert len(data) == size
        assert data[0] != 3


@pytest.mark.parametrize("name", ["reset", "half_frame"])
async def test_reset(start: Start, connect: Connect, name: str) -> None:
    """The connection may end without any good-bye."""
    sim, client = await prepared(start, connect)
    sim.fault(name)
    with pytest.raises(Closed) as closed:
        await client.frame_of(99)
    assert closed.value.code == 1006


async def test_silence(start: Start, connect: Connect) -> None:
    """A connection may stay open and say nothing."""
    sim, client = await prepared(start, connect)
    sim.fault("silence")
    await client.ws.send_str("keepalive")
    with pytest.raises(TimeoutError):
        await client.ws.receive(timeout=0.3)


async def test_disobedience(start: Start, connect: Connect) -> None:
    """Commands may be answered and ignored, obeyed wrongly, or refused."""
    sim, client = await prepared(start, connect)
    box = sim.wallboxes[0]
    sim.fault("command_ignored", match="allow", times=1)
    assert code(await client.plain(path(sim, "allow/off"))) == 200
    assert box.snapshot()["enabled"]
    assert code(await client.plain(path(sim, "allow/off"))) == 200
    assert not box.snapshot()["enabled"]
    sim.fault("wrong_state")
    assert code(await client.plain(path(sim, "manualLimit/8"))) == 200
    assert box.limit_kw == 6.5
    assert code(await client.plain(path(sim, "allow/on"))) == 200
    assert not box.snapshot()["enabled"]
    assert code(await client.plain(path(sim, "setmode/2"))) == 200
    assert box.mode == 1
    sim.clear()
    sim.fault("command_code", code=500)
    assert code(await client.plain(path(sim))) == 500
    assert not box.snapshot()["enabled"]


@pytest.mark.parametrize("mask", [0x80, 0x01])
async def test_estimated_headers(start: Start, connect: Connect, mask: int) -> None:
    """Estimates come before exact headers, and can be switched on and off."""
    sim, client = await prepared(start, connect)
    sim.fault("estimated_headers", mask=mask)
    await client.plain(path(sim))
    frame = client.frames[-1]
    assert frame.estimates
    assert frame.estimates[0] > frame.length
    sim.clear()
    await client.plain(path(sim))
    assert not client.frames[-1].estimates


async def test_structure_faults(start: Start, connect: Connect) -> None:
    """A structure file may be broken, empty of wallboxes, thin or slow."""
    sim, client = await prepared(start, connect)
    uuid = sim.wallboxes[0].uuid
    sim.fault("structure_invalid", times=1)
    with pytest.raises(json.JSONDecodeError):
        await client.structure()
    sim.fault("structure_without_wallbox", times=1)
    assert uuid not in (await client.structure())["controls"]
    sim.fault("missing_states", names=["actual", "session"], times=1)
    states = (await client.structure())["controls"][uuid]["states"]
    assert not {"actual", "session"} & set(states)
    assert "pricePerkWh" in states
    sim.fault("missing_states", times=1)
    states = (await client.structure())["controls"][uuid]["states"]
    assert "pricePerkWh" not in states
    sim.fault("structure_slow", seconds=0.3)
    began = asyncio.get_running_loop().time()
    assert uuid in (await client.structure())["controls"]
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_structure_change(start: Start, connect: Connect) -> None:
    """A save in Loxone Config restarts the unit."""
    sim, client = await prepared(start, connect)
    before = sim.unit.structure.last_modified
    sim.fault("structure_change", down_s=0.2)
    with pytest.raises(Closed):
        await client.frame_of(99)
    assert sim.unit.structure.last_modified > before
    await asyncio.sleep(0.3)
    await connect(sim).log_in()


async def test_blocked(start: Start, connect: Connect) -> None:
    """An address can be blocked from outside, and be freed again."""
    sim = await start()
    sim.fault("blocked", seconds=90)
    client = connect(sim)
    await client.open()
    with pytest.raises(Closed) as closed:
        await client.frame()
    assert closed.value.code == 4003
    assert closed.value.reason.endswith("(90)")
    sim.clear()
    await client.log_in()


async def test_lost_slots(start: Start, connect: Connect) -> None:
    """Unclean ends may keep their place until the unit restarts."""
    sim = await start(max_clients=1)
    client = connect(sim)
    await client.log_in()
    sim.fault("lost_slots")
    await sim.drop(hard=True)
    again = connect(sim)
    await again.open()
    with pytest.raises(Closed) as closed:
        await again.frame()
    assert closed.value.code == 4008
    await sim.restart(down_s=0)
    await connect(sim).log_in()


async def test_faults_combine(start: Start, connect: Connect) -> None:
    """Several faults hold at the same time."""
    sim, client = await prepared(start, connect)
    sim.fault("numeric_codes")
    sim.fault("delay", seconds=0.1)
    sim.fault("command_ignored")
    sim.fault("estimated_headers")
    answer = await client.plain(path(sim, "allow/off"))
    assert answer["Code"] == 200
    assert client.frames[-1].estimates
    assert sim.wallboxes[0].enabled
