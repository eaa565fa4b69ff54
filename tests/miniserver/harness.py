"""A client connected to the simulated Miniserver, with everything that happened kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
import ssl
import time
from typing import Any

import aiohttp

from custom_components.loxone_wallbox.miniserver import (
    Address,
    Credentials,
    MiniserverClient,
    Structure,
    Token,
    WallboxState,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    MiniserverError,
)
from simulator import Clock, Simulator, SimulatorConfig, User, WallboxConfig

USERNAME = "admin"
PASSWORD = "Wallbox-1234"
CLIENT_ID = "098802e1-02b4-603c-ffffeee000d80cfd"
WAIT_S = 8.0


def config(**changes: Any) -> SimulatorConfig:
    """Return a Miniserver with two wallboxes that react at once."""
    boxes = tuple(
        WallboxConfig(name=name, self_test_s=0, phase_switch_s=0)
        for name in ("Garage", "Carport")
    )
    usual: dict[str, Any] = {"wallboxes": boxes, "tick_s": 0.05}
    return SimulatorConfig(**{**usual, **changes})


def only(**changes: Any) -> tuple[User, ...]:
    """Return the one user, with changes."""
    return (User(**{"name": USERNAME, "password": PASSWORD, **changes}),)


def impatient(_low: float, _high: float) -> float:
    """Return a pause that no test has to wait for."""
    return 0.03


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.made = 0
        self.lost: list[MiniserverError] = []
        self.structures: list[Structure] = []
        self.changed: list[frozenset[str]] = []
        self.tokens: list[Token] = []
        self.refused: list[AuthenticationError] = []
        self.failed: list[MiniserverError] = []
        self.dropped: list[tuple[str, str, int]] = []

    def connection_made(self) -> None:
        """Count."""
        self.made += 1

    def connection_lost(self, error: MiniserverError) -> None:
        """Keep the error."""
        self.lost.append(error)

    def structure_changed(self, structure: Structure) -> None:
        """Keep the structure."""
        self.structures.append(structure)

    def states_changed(self, control_ids: frozenset[str]) -> None:
        """Keep the ids."""
        self.changed.append(control_ids)

    def token_changed(self, token: Token) -> None:
        """Keep the token."""
        self.tokens.append(token)

    def value_dropped(self, control_id: str, state: str, count: int) -> None:
        """Note what was not believed."""
        self.dropped.append((control_id, state, count))

    def attempt_failed(self, error: MiniserverError) -> None:
        """Keep the error."""
        self.failed.append(error)

    def credentials_refused(self, error: AuthenticationError) -> None:
        """Keep the error."""
        self.refused.append(error)


@dataclass
class House:
    """The Miniserver, a session, and clients to make."""

    sim: Simulator
    session: aiohttp.ClientSession
    log: list[str]
    requests: list[tuple[str, dict[str, str]]]
    clients: list[MiniserverClient] = field(default_factory=list)
    listener: Listener = field(default_factory=Listener)

    @property
    def box(self) -> str:
        """Return the id of the first wallbox."""
        return self.sim.wallboxes[0].uuid

    def address(self, **changes: Any) -> Address:
        """Return where the Miniserver is."""
        address = Address(
            host="127.0.0.1", port=self.sim.port, tls_port=self.sim.tls_port or 1
        )
        return replace(address, **changes)

    def trust(self) -> ssl.SSLContext:
        """Return what trusts the Miniserver's own authority."""
        return ssl.create_default_context(cadata=self.sim.ca_pem)

    def client(
        self,
        *,
        address: dict[str, Any] | None = None,
        credentials: dict[str, Any] | None = None,
        **options: Any,
    ) -> MiniserverClient:
        """Return a client that is not connected yet."""
        known: dict[str, Any] = {
            "username": USERNAME,
            "client_id": CLIENT_ID,
            "client_name": "Tests",
            "password": PASSWORD,
        }
        usual: dict[str, Any] = {"listener": self.listener, "jitter": impatient}
        client = MiniserverClient(
            self.session,
            self.address(**(address or {})),
            Credentials(**{**known, **(credentials or {})}),
            **{**usual, **options},
        )
        self.clients.append(client)
        return client

    async def connected(
        self, *, start: bool = True, **options: Any
    ) -> MiniserverClient:
        """Return a client that is connected, and watched over by default."""
        client = self.client(**options)
        await client.connect()
        if start:
            client.start()
        return client

    def count(self, text: str) -> int:
        """Return how often the Miniserver said something."""
        return sum(text in line for line in self.log)

    @property
    def logins_tried(self) -> int:
        """Return how many logins were tried, with or without success."""
        said = ("logged in with a token", "got a token for", "refused")
        return sum(any(word in line for word in said) for line in self.log)


def no_basic(requests: list[tuple[str, dict[str, str]]], secrets: set[str]) -> None:
    """Check that no request carried a password."""
    for url, headers in requests:
        assert "authorization" not in headers
        for secret in secrets:
            assert secret not in url
            assert secret not in str(headers)


@asynccontextmanager
async def house(
    settings: SimulatorConfig | None = None, *, clock: Clock | None = None
) -> AsyncIterator[House]:
    """Run a Miniserver and close every client at the end."""
    requests: list[tuple[str, dict[str, str]]] = []

    async def note(
        _session: aiohttp.ClientSession,
        _context: object,
        params: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        """Keep a request as it was sent."""
        headers = {key.lower(): value for key, value in params.headers.items()}
        requests.append((str(params.url), headers))

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note)
    log: list[str] = []
    asyncio.get_running_loop().set_debug(False)
    sim = Simulator(settings or config(), clock=clock, log=log.append)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session, sim:
        built = House(sim=sim, session=session, log=log, requests=requests)
        try:
            yield built
        finally:
            for client in built.clients:
                await client.close()
            no_basic(
                requests, {PASSWORD, *(user.password for user in sim.config.users)}
            )
    assert not [line for line in log if "internal error" in line]


async def until(
    check: Callable[[], object], *, within_s: float = WAIT_S, every_s: float = 0.01
) -> None:
    """Wait for something to be the case."""
    end = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(every_s)


def truth(sim: Simulator, which: int | str = 0) -> dict[str, Any]:
    """Return the state of a wallbox as the Miniserver knows it, in our words."""
    box = sim.wallbox(which)
    raw = {name: sim.unit.states.get(uuid) for name, uuid in box.state_uuids.items()}

    def number(name: str) -> float | None:
        """Return a value, None where the block lacks it."""
        value = raw.get(name)
        return value if isinstance(value, (int, float)) else None

    def flag(name: str) -> bool | None:
        """Return a value that is yes or no."""
        value = number(name)
        return None if value is None else bool(value)

    power = number("actual")
    return {
        "power_kw": None if power is None else abs(power),
        "energy_kwh": number("total"),
        "connected": flag("connected"),
        "allowed": flag("enabled"),
        "charging": flag("active"),
        "load_shedding": flag("loadshed"),
        "phase_switching": flag("phaseSwitching"),
        "mode": number("mode"),
        "limit_kw": number("limit"),
        "mode_after_unplug": number("modeUnplug"),
    }


def seen(state: WallboxState) -> dict[str, Any]:
    """Return the same of a state that the client tells."""
    return {
        name: getattr(state, name)
        for name in (
            "power_kw",
            "energy_kwh",
            "connected",
            "allowed",
            "charging",
            "load_shedding",
            "phase_switching",
            "mode",
            "limit_kw",
            "mode_after_unplug",
        )
    }


async def agree(client: MiniserverClient, sim: Simulator) -> None:
    """Wait until the client knows of every wallbox what the Miniserver knows."""
    await until(
        lambda: (
            client.connected
            and all(
                seen(client.wallbox(box.uuid)) == truth(sim, box.uuid)
                for box in sim.wallboxes
            )
        )
    )
