"""The simulated Miniserver as a whole: what tests, the demo and people use."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
import contextlib
from typing import Any, Self

from aiohttp import web

from .certificates import Certificates
from .clock import Clock, ManualClock, SystemClock
from .config import SimulatorConfig, WallboxConfig
from .connection import Connection
from .control_api import control_application
from .crypto import KeyPair
from .discovery import Discovery
from .faults import FAULTS
from .http import Web
from .meters.installation import Meters
from .miniserver import ControlCommand, Miniserver
from .wallbox import Wallbox

_SETTLE_S = 0.2


class Simulator:
    """A Miniserver that can be started, moved and stopped."""

    def __init__(
        self,
        config: SimulatorConfig | None = None,
        *,
        clock: Clock | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Build the unit; `log` takes one line for everything that happens."""
        self.config = config or SimulatorConfig()
        self.clock = clock or SystemClock()
        self._log = log or (lambda _line: None)
        self.unit = Miniserver(self.config, self.clock, self._log)
        self.meters = Meters(
            self.config.meters, self.unit.world, self.config.host, self._log
        )
        self._web = Web(self.unit)
        self._runners: list[web.AppRunner] = []
        self._discovery: asyncio.DatagramTransport | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._wandered = 0.0
        self.ca_pem = ""
        self.port = 0
        self.tls_port: int | None = None
        self.control_port: int | None = None
        self.discovery_port: int | None = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop."""
        await self.stop()

    @property
    def url(self) -> str:
        """Return the address of the HTTP side."""
        return f"http://{self.config.host}:{self.port}"

    @property
    def tls_name(self) -> str:
        """Return the host name that the certificate is made for."""
        return self.config.tls_name

    @property
    def wallboxes(self) -> list[Wallbox]:
        """Return the wallboxes."""
        return self.unit.world.wallboxes

    @property
    def commands(self) -> list[ControlCommand]:
        """Return the commands to controls that clients sent."""
        return self.unit.commands

    @property
    def clients(self) -> list[Connection]:
        """Return the open websockets."""
        return self._web.connections

    def wallbox(self, which: int | str) -> Wallbox:
        """Return a wallbox by position, name or identifier."""
        return self.unit.world.find(which)

    async def start(self) -> None:
        """Open the ports; a port that is taken raises an OSError."""
        try:
            await self._open()
        except BaseException:
            await self.stop()
            raise
        self._ticking = asyncio.create_task(self._tick_for_ever())

    async def stop(self) -> None:
        """Close everything."""
        if self._ticking:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
            self._ticking = None
        if self._discovery:
            self._discovery.close()
            self._discovery = None
        await self.meters.stop()
        # A unit that was made silent still says good-bye.
        self.unit.faults.clear()
        await self.close_clients(1001, "stopped")
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    def tick(self) -> None:
        """Let the world catch up with the clock and watch the clients."""
        unit = self.unit
        if unit.boot_until is not None and not unit.booting:
            unit.boot_until = None
            self._log("running again")
        self._wander()
        self.meters.tick()
        unit.world.tick()
        for connection in list(self._web.connections):
            connection.watch()

    def advance(self, seconds: float, *, step_s: float | None = None) -> None:
        """Let time pass on a clock that stands still, tick by tick."""
        if not isinstance(self.clock, ManualClock):
            raise TypeError("only a ManualClock can be advanced")
        step = step_s or max(self.config.tick_s, seconds / 1000)
        while seconds > 0:
            self.clock.advance(min(step, seconds))
            seconds -= step
            self.tick()

    def fault(self, name: str, **options: Any) -> None:
        """Inject a fault; an unknown name or option raises an UnknownFaultError."""
        merged = self.unit.faults.add(name, options)
        self._log(f"fault {name} {merged}")
        match name:
            case "reset":
                self._each(Connection.reset)
            case "expired_tokens":
                self.unit.accounts.expire_all()
            case "revoked_tokens":
                self.unit.accounts.tokens.clear()
                if merged["close"]:
                    self._each(lambda client: client.shut(4005, "token revoked"))
            case "new_key_pair":
                self.unit.keys = KeyPair.fresh()
            case "blocked":
                self.unit.accounts.block(merged["address"], merged["seconds"])
            case "structure_change":
                self._save(merged["down_s"])
            case "offline":
                self.wallbox(merged["wallbox"]).set_online(not merged["on"])
            case "charging_error":
                self.wallbox(merged["wallbox"]).set_error(merged["code"])
            case _ if FAULTS[name].instant:
                self._each(lambda client: client.disturb(name, merged))
        # Faults of states show at once.
        self.unit.world.publish()
        if name == "latin1_text":
            self.unit.states.repeat(self.unit.wallbox_states())
            self.unit.flush()

    def clear(self, name: str | None = None) -> None:
        """End a fault, or all of them with everything that is wrong in the world."""
        self.unit.faults.clear(name)
        if name is None:
            self.unit.accounts.unblock()
            self.meters.clear()
            for box in self.wallboxes:
                box.set_online(True)
                box.set_error(0)
                box.set_loadshed(False)
                box.unlock()
        elif name == "blocked":
            self.unit.accounts.unblock()
        elif name in ("offline", "charging_error"):
            for box in self.wallboxes:
                box.set_online(True)
                box.set_error(0)
        self._log(f"cleared {name or 'everything'}")
        self.unit.world.publish()

    async def drop(self, *, hard: bool = True) -> None:
        """End all connections: by a reset, or with a close frame."""
        self._log("dropping all connections")
        self._each(
            Connection.reset if hard else lambda client: client.shut(1001, "dropped")
        )
        await self._gone()

    async def restart(self, down_s: float = 10.0) -> None:
        """Announce it, close everything and answer 503 for a while."""
        self._log(f"restarting, back in {down_s:g} s")
        self._go_down(down_s)
        await self._gone()

    async def close_clients(self, code: int, reason: str = "") -> None:
        """Close all connections with a code, such as 4004 to 4008."""
        self._each(lambda client: client.shut(code, reason))
        await self._gone()

    async def change_structure(
        self,
        *,
        add: Sequence[WallboxConfig] = (),
        remove: Sequence[int | str] = (),
        rename: Mapping[str, str] | None = None,
        down_s: float = 2.0,
    ) -> None:
        """Change wallboxes as a save in Loxone Config does: the unit restarts."""
        world = self.unit.world
        for which in remove:
            world.remove(world.find(which))
        for old, new in (rename or {}).items():
            world.find(old).name = new
        for config in add:
            world.add(config)
        world.publish()
        self._save(down_s)
        await self._gone()

    async def _open(self) -> None:
        """Open all ports of the configuration."""
        config = self.config
        # Without a waiting time: clients were told to go before.
        runner = web.AppRunner(
            self._web.application(), access_log=None, shutdown_timeout=1.0
        )
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, config.host, config.port).start()
        self.port = runner.addresses[0][1]
        if config.generation > 1 and config.tls_port is not None:
            certificates = Certificates(config.tls_name, self.clock.time())
            self.ca_pem = certificates.authority_pem
            self.unit.certificate_chain = certificates.chain_pem
            context = certificates.server_context()
            site = web.TCPSite(
                runner, config.host, config.tls_port, ssl_context=context
            )
            await site.start()
            self.tls_port = runner.addresses[1][1]
        await self.meters.start()
        if config.control_port is not None:
            control = web.AppRunner(
                control_application(self), access_log=None, shutdown_timeout=1.0
            )
            self._runners.append(control)
            await control.setup()
            await web.TCPSite(control, config.host, config.control_port).start()
            self.control_port = control.addresses[0][1]
        if config.discovery_port is not None:
            loop = asyncio.get_running_loop()
            self._discovery, _ = await loop.create_datagram_endpoint(
                lambda: Discovery(self.unit, self.port),
                local_addr=(config.host, config.discovery_port),
            )
            self.discovery_port = self._discovery.get_extra_info("sockname")[1]

    async def _tick_for_ever(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(self.config.tick_s)
            try:
                self.tick()
            except Exception as err:  # noqa: BLE001  (one bad tick must not stop time)
                self._log(f"internal error in a tick: {err!r}")

    def _wander(self) -> None:
        """Change padding states at the pace that is configured."""
        if not self.config.background_events:
            return
        now = self.clock.monotonic()
        due = (now - (self._wandered or now)) * self.config.background_events
        if not self._wandered or due >= 1:
            self._wandered = now
            self.unit.padding.wander(int(due))

    def _save(self, down_s: float) -> None:
        """Save the configuration, which restarts the unit."""
        self.unit.structure.touch()
        self._log("the configuration was saved")
        self._go_down(down_s)

    def _go_down(self, down_s: float) -> None:
        """Tell the clients and answer 503 until the unit has started again."""
        self.unit.boot_until = self.clock.monotonic() + down_s
        self.unit.lost_slots = 0
        self._each(Connection.go_out_of_service)

    def _each(self, act: Callable[[Connection], None]) -> None:
        """Do something to every connection."""
        for connection in list(self._web.connections):
            act(connection)

    async def _gone(self) -> None:
        """Wait a moment until the connections have ended."""
        for _ in range(100):
            if not self._web.connections:
                return
            await asyncio.sleep(_SETTLE_S / 10)
