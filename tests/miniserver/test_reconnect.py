"""Links that break: how they are brought up again, and when not."""

import asyncio
from typing import Any

import pytest

from .harness import House, agree, config, house, until
from custom_components.loxone_wallbox.miniserver import (
    backoff as backoff_module,
    client as client_module,
    connection as connection_module,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    CommandError,
    LockedOutError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    NoSlotError,
    NotConnectedError,
    ProtocolError,
    UserDisabledError,
)
from custom_components.loxone_wallbox.miniserver.structure import parse_structure

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def back(home: House, number: int) -> None:
    """Wait until the link is up again for the given time."""
    await until(lambda: home.listener.made == number)


async def test_before_and_after() -> None:
    """A client that is not connected says so, and closing it twice is nothing."""
    async with house() as home:
        client = home.client()
        assert not client.connected
        assert client.wallbox(home.box).connected is None
        assert client.diagnostic(home.box) is None
        assert client.address.port == home.sim.port
        for name in ("identity", "structure"):
            with pytest.raises(NotConnectedError):
                getattr(client, name)
        with pytest.raises(NotConnectedError):
            await client.allow(home.box, True)
        client.start()
        await client.connect()
        await client.close()
        await client.close()
        assert not client.connected
        assert client.structure.wallboxes
        with pytest.raises(NotConnectedError):
            await client.allow(home.box, True)


async def test_part_and_rejoin(monkeypatch: pytest.MonkeyPatch) -> None:
    """No link is made while none is wanted, and a new one as soon as one is."""
    monkeypatch.setattr(backoff_module, "RETRY_MIN_S", 0.01)
    async with house() as home:
        client = await home.connected()
        await client.part()
        await until(lambda: not client.connected and not home.sim.clients)
        # Many a pause between two attempts is over by then.
        await asyncio.sleep(0.1)
        assert not home.sim.clients
        client.rejoin()
        await back(home, 1)
        assert client.connected


async def test_pulse() -> None:
    """A virtual input is named as the owner writes it; an unknown one is refused."""
    name = "Home Assistant / K\u00e4fer"
    async with house(config(virtual_inputs=(name,))) as home:
        client = await home.connected()
        await client.pulse(name)
        assert (home.sim.commands[-1].control, home.sim.commands[-1].code) == (
            name,
            200,
        )
        with pytest.raises(CommandError):
            await client.pulse("Nobody")


@pytest.mark.parametrize("hard", [True, False])
async def test_drop(hard: bool) -> None:
    """A dropped link comes up again with all states, with the same token."""
    async with house() as home:
        client = await home.connected()
        for number in range(1, 4):
            home.sim.wallboxes[0].set_mode(number)
            await home.sim.drop(hard=hard)
            await back(home, number)
            await agree(client, home.sim)
        assert client.connections == 4
        assert len(home.listener.lost) == 3
        assert home.count("got a token for") == 1
        assert home.listener.structures == []


async def test_back_off() -> None:
    """Pauses double while nothing answers, jittered between half and whole."""
    asked: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        """Keep what was asked for."""
        asked.append((low, high))
        return 0.01

    async with house() as home:
        client = await home.connected(jitter=jitter)
        home.sim.fault("booting")
        home.sim.fault("reset")
        await until(lambda: len(asked) >= 7)
        home.sim.clear("booting")
        await until(lambda: client.connected)
        assert asked[:6] == [(1, 2), (5, 10), (5, 10), (8, 16), (16, 32), (32, 64)]
        # The link did not hold for long, so the pause goes on growing.
        asked.clear()
        home.sim.fault("reset")
        await until(lambda: client.connected and asked)
        assert asked[0][1] > 64


async def test_back_off_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a link that held, the pauses are short again."""
    monkeypatch.setattr(client_module, "STEADY_S", 0.0)
    asked: list[float] = []

    def jitter(_low: float, high: float) -> float:
        """Keep what was asked for."""
        asked.append(high)
        return 0.05

    async with house() as home:
        client = await home.connected(jitter=jitter)
        for number in range(1, 4):
            await home.sim.drop()
            await back(home, number)
            assert client.connected
        assert asked == [2, 2, 2]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1001, MiniserverConnectionError),
        (4004, MiniserverConnectionError),
        (4005, MiniserverConnectionError),
        (4007, MiniserverStartingError),
        (4008, NoSlotError),
    ],
)
async def test_closes(code: int, error: type[MiniserverError]) -> None:
    """A close says why, and a new link follows."""
    async with house() as home:
        client = await home.connected()
        await home.sim.close_clients(code, "because")
        await until(lambda: home.listener.made == 1)
        assert type(home.listener.lost[0]) is error
        await agree(client, home.sim)


async def test_own_user_disabled() -> None:
    """A user that is disabled is not tried again."""
    async with house() as home:
        client = await home.connected()
        await home.sim.close_clients(4006)
        await until(lambda: home.listener.refused)
        assert isinstance(home.listener.refused[0], UserDisabledError)
        await asyncio.sleep(0.1)
        assert home.listener.made == 0
        assert not client.connected


async def test_blocked_by_a_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is waited for to its end: no attempt before."""
    pauses: list[float] = []
    async with house() as home:
        client = await home.connected()
        sleep = asyncio.sleep

        async def note(seconds: float) -> None:
            """Keep long pauses and shorten them."""
            if 100 < seconds < 1000:
                pauses.append(seconds)
                home.requests.clear()
                await sleep(0.2)
                assert home.requests == []
                home.sim.clear("blocked")
                return
            await sleep(seconds)

        home.sim.fault("blocked", seconds=200.0)
        monkeypatch.setattr(asyncio, "sleep", note)
        await home.sim.close_clients(4003, "remaining 150")
        await until(lambda: home.listener.made == 1)
        assert isinstance(home.listener.lost[0], LockedOutError)
        assert pauses[0] == 151
        assert client.connected


async def test_blocked_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a block, as HTTP tells it, is waited for."""
    waited: list[float] = []
    async with house() as home:
        await home.connected()
        sleep = asyncio.sleep

        async def note(seconds: float) -> None:
            """Keep long pauses and end the block instead of waiting."""
            if 30 < seconds < 100:
                waited.append(seconds)
                home.sim.clear("blocked")
                seconds = 0
            await sleep(seconds)

        monkeypatch.setattr(asyncio, "sleep", note)
        home.sim.fault("blocked", seconds=38.0)
        await home.sim.drop()
        await until(lambda: home.listener.made == 1)
        assert 38 <= waited[0] <= 40


async def test_restart() -> None:
    """A restart is announced, waited for, and states are whole again after it."""
    async with house() as home:
        client = await home.connected()
        await home.sim.restart(down_s=0.3)
        await until(lambda: home.listener.lost)
        assert isinstance(home.listener.lost[0], MiniserverStartingError)
        assert not client.connected
        await until(lambda: home.listener.made == 1)
        await agree(client, home.sim)


async def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Miniserver that falls silent without a close is left and found again."""
    monkeypatch.setattr(connection_module, "KEEPALIVE_INTERVAL_S", 0.05)
    monkeypatch.setattr(connection_module, "KEEPALIVE_TIMEOUT_S", 0.1)
    async with house() as home:
        client = await home.connected()
        await asyncio.sleep(0.2)
        assert client.connected
        home.sim.fault("silence")
        await until(lambda: home.listener.lost)
        assert isinstance(home.listener.lost[0], MiniserverTimeoutError)
        home.sim.clear()
        await until(lambda: home.listener.made == 1)
        await agree(client, home.sim)


async def test_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keepalive is what keeps the Miniserver from closing."""
    monkeypatch.setattr(connection_module, "KEEPALIVE_INTERVAL_S", 0.1)
    async with house(config(idle_timeout_s=0.25)) as home:
        await home.connected()
        await asyncio.sleep(0.6)
        assert home.listener.lost == []


async def test_clean_close() -> None:
    """Our end is a close frame, so that no place at the Miniserver is lost."""
    async with house(config(max_clients=1)) as home:
        home.sim.fault("lost_slots")
        for number in range(1, 4):
            client = await home.connected()
            await client.close()
            await until(lambda: not home.sim.clients)
            assert home.count("disconnected (1000") == number


async def test_close_while_connecting() -> None:
    """Closing in the middle of an attempt leaves nothing behind."""
    async with house() as home:
        client = await home.connected()
        home.sim.fault("delay", seconds=0.3)
        await home.sim.drop()
        await until(lambda: home.sim.clients)
        await client.close()
        await until(lambda: not home.sim.clients)


@pytest.mark.parametrize("number", range(12))
async def test_cancelled_connect(number: int) -> None:
    """Giving up at any point of a first attempt leaves no websocket open."""
    async with house() as home:
        client = home.client()
        try:
            async with asyncio.timeout(number * 0.006):
                await client.connect()
        except TimeoutError:
            await until(lambda: not home.sim.clients)
        else:
            assert client.connected


async def test_link_that_breaks_at_once() -> None:
    """A break right after the connection is noticed although nobody watched yet."""
    async with house() as home:
        client = await home.connected(start=False)
        await home.sim.drop()
        await until(lambda: not client.connected)
        client.start()
        await until(lambda: home.listener.made == 1)


async def test_break_while_states_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that breaks before all states have come is no link."""
    async with house() as home:
        monkeypatch.setattr(home.sim.unit, "tables_for", lambda _user, _states: [])
        client = home.client()
        connecting = asyncio.create_task(client.connect())
        await until(
            lambda: home.sim.clients and home.sim.clients[0].caller.wants_events
        )
        home.sim.fault("reset")
        with pytest.raises(MiniserverConnectionError):
            await connecting
        assert not client.connected


async def test_states_that_never_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block without some states does not keep the client from connecting."""
    monkeypatch.setattr(client_module, "FIRST_STATES_TIMEOUT_S", 0.1)
    monkeypatch.setattr(client_module, "FIRST_TEXTS_TIMEOUT_S", 0.1)
    async with house() as home:
        monkeypatch.setattr(home.sim.unit, "tables_for", lambda _user, _states: [])
        client = await home.connected()
        assert client.connected
        assert client.wallbox(home.box).connected is None


async def test_listener_with_faults(caplog: pytest.LogCaptureFixture) -> None:
    """Faults of a listener are its own; without a listener all works as well."""

    class Faulty:
        """Knows none of its methods."""

    async with house() as home:
        client = await home.connected(listener=Faulty())
        await home.sim.drop()
        await until(lambda: client.connections == 2)
        assert "A listener failed" in caplog.text
        caplog.clear()
        silent = await home.connected(listener=None)
        await home.sim.drop()
        await until(lambda: silent.connections == 2)
        await agree(silent, home.sim)
        caplog.clear()


async def test_fault_of_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours while connecting is logged and does not end the watch."""
    async with house() as home:
        client = await home.connected()
        right = parse_structure
        calls: list[int] = []

        def fail(text: str, *, local: bool) -> Any:
            """Fail once."""
            calls.append(1)
            if len(calls) == 1:
                raise KeyError("ours")
            return right(text, local=local)

        monkeypatch.setattr(client_module, "parse_structure", fail)
        await home.sim.change_structure(rename={"Garage": "Left"}, down_s=0)
        await until(lambda: client.connected and home.listener.structures)
        assert "Connecting failed" in caplog.text
        caplog.clear()


async def test_protocol_error_while_logging_in() -> None:
    """Garbage in the middle of a login is our own error."""
    async with house() as home:
        home.sim.fault("delay", seconds=0.3, match="getjwt")
        client = home.client()
        connecting = asyncio.create_task(client.connect())
        await until(lambda: home.sim.clients)
        await asyncio.sleep(0.1)
        home.sim.fault("garbage_frame")
        with pytest.raises(ProtocolError):
            await connecting


async def test_login_takes_too_long() -> None:
    """A Miniserver that does not wait says so; that is not the password's fault."""
    async with house(config(login_timeout_s=0.01)) as home:
        home.sim.fault("delay", seconds=0.6, match="getkey2")
        with pytest.raises(MiniserverError) as raised:
            await home.client().connect()
        assert not isinstance(raised.value, AuthenticationError)


async def test_close_during_a_command() -> None:
    """A client that is closed while a command waits for its answer leaves nothing."""
    async with house() as home:
        client = await home.connected()
        home.sim.fault("delay", seconds=0.5, match="allow")
        command = asyncio.create_task(client.allow(home.box, True))
        await until(lambda: any("allow" in one.text for one in home.sim.commands))
        await client.close()
        with pytest.raises(MiniserverError):
            await command
        await until(lambda: not home.sim.clients)
