"""A bad network between the client and the Miniserver: split, cut and changed bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import random

import pytest

from .harness import House, agree, config, house, until
from custom_components.loxone_wallbox.miniserver import (
    MiniserverClient,
    client as client_module,
    connection as connection_module,
    http as http_module,
)
from custom_components.loxone_wallbox.miniserver.errors import MiniserverError

pytestmark = pytest.mark.usefixtures("socket_enabled")

# Takes bytes on their way to the client and where in the stream they are; gives what
# arrives, in pieces. None cuts the connection.
type Weather = Callable[[bytes, int], list[bytes | None]]


def fair(data: bytes, _position: int) -> list[bytes | None]:
    """Let everything through."""
    return [data]


class Network:
    """Forwards to the Miniserver as the weather is."""

    def __init__(self, port: int) -> None:
        """Take the Miniserver's port."""
        self._target = port
        self.weather: Weather = fair
        self.port = 0
        self.passed = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward both ways until one side ends."""
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target
        )
        self._writers += [writer, far_writer]
        there = asyncio.ensure_future(self._forward(reader, far_writer))
        back = asyncio.ensure_future(self._disturb(far_reader, writer))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, far_writer):
            end.close()
        await asyncio.gather(there, back, return_exceptions=True)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass bytes on."""
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def _disturb(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass bytes on through the weather."""
        with suppress(OSError):
            while data := await reader.read(65536):
                for piece in self.weather(data, self.passed):
                    if piece is None:
                        return
                    writer.write(piece)
                    await asyncio.sleep(0)
                self.passed += len(data)

    def close(self) -> None:
        """End what is left."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def behind_network() -> AsyncIterator[tuple[House, Network]]:
    """Run a Miniserver that is reached through a network."""
    async with house(config(generation=1)) as home:
        network = Network(home.sim.port)
        server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
        network.port = server.sockets[0].getsockname()[1]
        try:
            yield home, network
        finally:
            for client in home.clients:
                await client.close()
            network.close()
            server.close()
            await server.wait_closed()


def through(home: House, network: Network) -> MiniserverClient:
    """Return a client on the other side of the network."""
    return home.client(address={"port": network.port})


async def test_single_bytes() -> None:
    """Nothing depends on how the bytes are divided."""

    def single(data: bytes, _position: int) -> list[bytes | None]:
        """Divide into single bytes."""
        return [data[index : index + 1] for index in range(len(data))]

    async with behind_network() as (home, network):
        network.weather = single
        client = through(home, network)
        await client.connect()
        await client.set_mode(home.box, 2)
        await agree(client, home.sim)


async def test_cut_anywhere() -> None:
    """A connection that is cut at any byte of the way in ends with our own error."""
    async with behind_network() as (home, network):
        client = through(home, network)
        await client.connect()
        await client.close()
        whole = network.passed
        assert whole > 3000
        for end in range(1, whole, whole // 60):
            network.passed = 0

            def cut(data: bytes, position: int, end: int = end) -> list[bytes | None]:
                """End after so many bytes."""
                return [data] if position + len(data) < end else [data[:end], None]

            network.weather = cut
            client = through(home, network)
            with suppress(MiniserverError):
                await client.connect()
                await client.set_mode(home.box, 1)
            await client.close()
        network.weather = fair
        await until(lambda: not home.sim.clients)
        client = through(home, network)
        await client.connect()
        await agree(client, home.sim)


@pytest.mark.parametrize(
    "seed",
    [*range(3), *(pytest.param(s, marks=pytest.mark.campaign) for s in range(3, 60))],
)
async def test_changed_bytes(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Changed bytes cost an attempt or the link, and never more than our own error."""
    monkeypatch.setattr(connection_module, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(http_module, "HTTP_TIMEOUT_S", 0.3)
    monkeypatch.setattr(client_module, "FIRST_STATES_TIMEOUT_S", 0.3)
    rng = random.Random(seed)

    def change(data: bytes, _position: int) -> list[bytes | None]:
        """Change a byte now and then."""
        changed = bytearray(data)
        if rng.random() < 0.15:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return [bytes(changed)]

    async with behind_network() as (home, network):
        network.weather = change
        for _ in range(12):
            home.sim.clear("blocked")
            client = through(home, network)
            with suppress(MiniserverError):
                await client.connect()
                for mode in (1, 2, 3):
                    await client.set_mode(home.box, mode)
            await client.close()
        network.weather = fair
        home.sim.clear()
        # A changed handshake may have left a connection that is none in the pool.
        with suppress(MiniserverError):
            await through(home, network).connect()
        client = through(home, network)
        await client.connect()
        await agree(client, home.sim)


async def test_cut_again_and_again() -> None:
    """A network that cuts every so often is lived with until it is fair again."""
    rng = random.Random(3)

    def rough(data: bytes, _position: int) -> list[bytes | None]:
        """Cut one time in thirty."""
        return [data, None] if rng.random() < 0.03 else [data]

    async with behind_network() as (home, network):
        client = through(home, network)
        await client.connect()
        client.start()
        network.weather = rough
        for number in range(60):
            with suppress(MiniserverError):
                await client.set_mode(home.box, 1 + number % 3)
            await asyncio.sleep(0.01)
        network.weather = fair
        await agree(client, home.sim)
        assert home.listener.refused == []
        assert client.connections > 1
