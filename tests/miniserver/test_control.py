"""Commanding wallboxes and hearing of them, over a real connection."""

import asyncio
import contextlib
import random
from typing import Any

import pytest

from .harness import agree, config, house, only, until
from custom_components.loxone_wallbox.miniserver import (
    Allow,
    Command,
    MiniserverClient,
    SetManualLimit,
    SetMode,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    CommandError,
    InvalidCommandError,
    MiniserverError,
    MiniserverTimeoutError,
    MissingRightError,
    VisualisationPasswordError,
)
from simulator import Car, WallboxConfig

pytestmark = pytest.mark.usefixtures("socket_enabled")


def car() -> Car:
    """Return a car that charges."""
    return Car(capacity_kwh=77.0, energy_kwh=17.0)


async def obeyed(client: MiniserverClient, box: str, command: Command) -> None:
    """Wait for the state that confirms a command."""
    await until(lambda: command.confirmed_by(client.wallbox(box)))


async def test_every_command() -> None:
    """Each command is obeyed and confirmed by the state."""
    async with house() as home:
        client = await home.connected()
        for action, command in (
            (client.allow(home.box, False), Allow(False)),
            (client.allow(home.box, True), Allow(True)),
            (client.set_mode(home.box, 2), SetMode(2)),
            (client.set_manual_limit(home.box, 4.169), SetManualLimit(4.169)),
        ):
            await action
            await obeyed(client, home.box, command)
        await client.set_mode_after_unplug(home.box, 3)
        await until(lambda: client.wallbox(home.box).mode_after_unplug == 3)
        assert [command.command for command in home.sim.commands] == [
            "allow/off",
            "allow/on",
            "setmode/2",
            "manualLimit/4.16",
            "modeUnplug/3",
        ]
        other = home.sim.wallboxes[1].uuid
        assert client.wallbox(other).limit_kw == 11


async def test_a_charge() -> None:
    """A car that comes, charges and goes is followed to its session's end."""
    async with house() as home:
        client = await home.connected()
        box = home.sim.wallboxes[0]
        box.set_user("user-1")
        box.plug(car())
        await until(lambda: client.wallbox(home.box).charging)
        await until(lambda: (client.wallbox(home.box).power_kw or 0) > 10)
        await client.set_manual_limit(home.box, 6)
        await until(lambda: 5.9 < (client.wallbox(home.box).power_kw or 0) < 6.1)
        session = client.wallbox(home.box).session
        assert session is not None
        assert session.disconnected_at is None
        box.unplug()
        await until(lambda: client.wallbox(home.box).history)
        state = client.wallbox(home.box)
        assert state.connected is False
        assert state.power_kw == 0
        assert state.history[0].disconnected_at is not None
        assert any(home.box in changed for changed in home.listener.changed)


async def test_lock_and_load_shedding() -> None:
    """Locks and load shedding are seen."""
    async with house() as home:
        client = await home.connected()
        home.sim.wallboxes[0].lock("holiday")
        home.sim.wallboxes[0].set_loadshed(True)
        await until(lambda: client.wallbox(home.box).lock is not None)
        lock = client.wallbox(home.box).lock
        assert lock is not None
        assert lock.reason == "holiday"
        await until(lambda: client.wallbox(home.box).load_shedding)
        home.sim.wallboxes[0].unlock()
        await until(lambda: client.wallbox(home.box).lock is None)


async def test_locked_at_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks and sessions are known with the numbers, although they come later."""
    async with house() as home:
        home.sim.wallboxes[0].lock("holiday")
        home.sim.wallboxes[0].plug(car())
        unit = home.sim.unit
        every_table = unit.tables_for

        def no_texts(*args: Any) -> Any:
            """Leave the texts out."""
            return [table for table in every_table(*args) if table[0] != 3]

        monkeypatch.setattr(unit, "tables_for", no_texts)
        connecting = asyncio.create_task(home.connected())
        await until(
            lambda: home.sim.clients and home.sim.clients[0].caller.wants_events
        )
        await asyncio.sleep(0.1)
        assert not connecting.done()
        monkeypatch.setattr(unit, "tables_for", every_table)
        unit.states.repeat(list(unit.states))
        unit.flush()
        client = await connecting
        assert client.wallbox(home.box).lock is not None
        assert client.wallbox(home.box).session is not None


async def test_diagnostics() -> None:
    """Diagnostic controls are followed, digital and analogue."""
    async with house() as home:
        client = await home.connected()
        names = {info.name: id_ for id_, info in client.structure.diagnostics.items()}
        code = next(
            id_
            for name, id_ in names.items()
            if "Garage" in name and "code" in name.lower()
        )
        home.sim.fault("charging_error", code=101)
        await until(lambda: client.diagnostic(code) == 101)


async def test_many_callers() -> None:
    """Fifty callers at once are served one by one, in their order."""
    async with house(config(generation=1)) as home:
        client = await home.connected()
        limits = [4.2 + number / 10 for number in range(50)]
        await asyncio.gather(
            *(client.set_manual_limit(home.box, limit) for limit in limits)
        )
        sent = [float(command.command.split("/")[1]) for command in home.sim.commands]
        assert sent == pytest.approx(limits)
        await agree(client, home.sim)


async def test_cancelled_callers() -> None:
    """Callers that give up anywhere leave the order of answers as it was."""
    rng = random.Random(11)
    async with house() as home:
        client = await home.connected()
        home.sim.fault("delay", seconds=0.003, match="sps/io")
        home.sim.fault("events_before_answer")

        async def call(number: int) -> None:
            """Command, maybe not to the end."""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rng.random() * 0.2):
                    await client.set_mode(home.box, 1 + number % 3)

        await asyncio.gather(*(call(number) for number in range(80)))
        home.sim.clear()
        with pytest.raises(CommandError) as raised:
            await client.send("1ee5cba0-0000-0000-ffff55b4338cf594", Allow(True))
        assert raised.value.code == 404
        await client.set_mode(home.box, 3)
        await agree(client, home.sim)
        assert client.connections == 1


async def test_late_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A late answer costs the link and is taken for nobody else's."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.connection.ANSWER_TIMEOUT_S", 0.3
    )
    async with house() as home:
        client = await home.connected()
        home.sim.fault("delay", seconds=0.6, times=1, match="allow")
        with pytest.raises(MiniserverTimeoutError):
            await client.allow(home.box, False)
        await until(lambda: home.listener.made == 1)
        with pytest.raises(CommandError):
            await client.send("1ee5cba0-0000-0000-ffff55b4338cf594", Allow(True))
        await agree(client, home.sim)


@pytest.mark.parametrize(
    ("code", "error"),
    [(404, CommandError), (403, MissingRightError), (500, CommandError)],
)
async def test_refused_commands(code: int, error: type[MiniserverError]) -> None:
    """A refusal is told to the caller, and the link stays."""
    async with house() as home:
        client = await home.connected()
        home.sim.fault("command_code", code=code, times=1)
        with pytest.raises(error) as raised:
            await client.allow(home.box, False)
        assert type(raised.value) is error
        assert client.wallbox(home.box).allowed is True
        await client.allow(home.box, False)
        assert client.connections == 1


async def test_user_who_may_not_control() -> None:
    """A user who only may look is told so at each command."""
    async with house(config(users=only(may_control=False))) as home:
        client = await home.connected()
        with pytest.raises(MissingRightError):
            await client.allow(home.box, False)


async def test_commands_without_sense() -> None:
    """What no wallbox takes is not sent."""
    async with house() as home:
        client = await home.connected()
        for action in (
            client.set_mode(home.box, 7),
            client.set_manual_limit(home.box, -1),
            client.set_mode_after_unplug(home.box, 99),
        ):
            with pytest.raises(InvalidCommandError):
                await action
        assert home.sim.commands == []


def secured() -> Any:
    """Return a house whose wallbox is protected."""
    boxes = (
        WallboxConfig(name="Garage", secured=True),
        WallboxConfig(name="Carport"),
    )
    return config(wallboxes=boxes, users=only(visu_password="1234"))


@pytest.mark.parametrize("tls", [False, True])
async def test_secured_control(tls: bool) -> None:
    """A protected wallbox takes commands with the visualisation password."""
    async with house(secured()) as home:
        client = await home.connected(address={"tls": tls}, certificate=home.trust())
        assert client.structure.wallboxes[home.box].secured
        await client.send(home.box, Allow(False), visualisation_password="1234")
        await until(lambda: client.wallbox(home.box).allowed is False)
        assert "/ios/" in home.sim.commands[-1].text
        with pytest.raises(VisualisationPasswordError):
            await client.send(home.box, Allow(True), visualisation_password="4321")
        with pytest.raises(CommandError):
            await client.allow(home.box, True)
        home.sim.fault("command_code", code=404, times=1)
        with pytest.raises(CommandError) as raised:
            await client.send(home.box, Allow(True), visualisation_password="1234")
        assert raised.value.code == 404
        other = home.sim.wallboxes[1].uuid
        await client.send(other, Allow(False), visualisation_password="1234")
        assert "/ios/" not in home.sim.commands[-1].text


async def test_secured_controls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A one-time key is used before the next one is asked for."""
    # A Miniserver that keeps only the last key.
    monkeypatch.setattr("simulator.caller._KEYS_KEPT", 1)
    async with house(secured()) as home:
        client = await home.connected()
        await asyncio.gather(
            *(
                client.send(home.box, SetMode(mode), visualisation_password="1234")
                for mode in (1, 2, 3) * 5
            ),
            *(client.set_mode(home.sim.wallboxes[1].uuid, 1) for _ in range(15)),
        )
        assert len(home.sim.commands) == 30


async def test_salt_rotates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new salt is announced by the command that is sent, also when others gave up."""
    monkeypatch.setattr(
        "custom_components.loxone_wallbox.miniserver.crypto.SALT_LIFETIME_S", -1.0
    )
    async with house(config(generation=1)) as home:
        client = await home.connected()
        for _ in range(5):
            tasks = [
                asyncio.create_task(client.set_mode(home.box, 1)) for _ in range(5)
            ]
            await asyncio.sleep(0.002)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await client.set_mode(home.box, 2)
        await agree(client, home.sim)
        assert client.connections == 1
