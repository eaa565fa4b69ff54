"""Everything that makes up the unit, for the rooms that serve it to clients."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from .accounts import Accounts, OneTimeKey
from .caller import Caller
from .clock import Clock
from .config import SimulatorConfig, User
from .crypto import KeyPair
from .faults import Faults
from .padding import Padding
from .states import Kind, StateTable, encode_tables
from .structure import Structure
from .wallbox import CONTACTS, DIAGNOSTICS
from .world import World

# A padding control takes about so many bytes in the structure file.
_BYTES_PER_CONTROL = 620


@dataclass(frozen=True, kw_only=True)
class ControlCommand:
    """A command to a control, as a client sent it."""

    time: float
    user: str
    # The whole command after decryption, and what it was answered with.
    text: str
    code: int
    control: str
    command: str
    encrypted: bool
    tls: bool
    address: str


class Client(Protocol):
    """An open websocket."""

    caller: Caller

    def send_tables(self, tables: Iterable[tuple[Kind, bytes]]) -> None:
        """Send event tables."""

    def shut(self, code: int, reason: str = "") -> None:
        """Close with a code after everything that waits to be sent."""


class Miniserver:
    """The parts of the unit and what they share."""

    def __init__(
        self, config: SimulatorConfig, clock: Clock, log: Callable[[str], None]
    ) -> None:
        """Build the unit; nothing is opened yet."""
        self.config = config
        self.clock = clock
        self.log = log
        self.faults = Faults()
        self.states = StateTable()
        self.accounts = Accounts(config=config, clock=clock)
        self.keys = KeyPair.usual()
        self.certificate_chain = ""
        self.world = World(config, clock, self.states, self.faults, log)
        present = sum(
            1 + box.diagnostics * (len(DIAGNOSTICS) + box.contacts * len(CONTACTS))
            for box in config.wallboxes
        )
        wanted = max(
            config.extra_controls - present - config.manager,
            int(config.structure_mib * 2**20 / _BYTES_PER_CONTROL),
            0,
        )
        self.padding = Padding(config.serial, wanted, self.states, config.seed)
        self.structure = Structure(
            config=config,
            accounts=self.accounts,
            world=self.world,
            states=self.states,
            padding=self.padding,
            faults=self.faults,
        )
        self.clients: list[Client] = []
        self.commands: list[ControlCommand] = []
        # Keys handed out over HTTP, which has no connection to remember them.
        self.http_keys: dict[str, list[OneTimeKey]] = {}
        self.boot_until: float | None = None
        # Places of connections that ended unclean, kept until a restart.
        self.lost_slots = 0
        self.world.on_change = self.flush
        self.world.publish()

    @property
    def booting(self) -> bool:
        """Return whether the unit is not ready."""
        if self.faults.peek("booting"):
            return True
        return self.boot_until is not None and self.clock.monotonic() < self.boot_until

    @property
    def has_slot(self) -> bool:
        """Return whether one more client finds a place."""
        return len(self.clients) + self.lost_slots < self.config.max_clients

    def wall_clock(self) -> datetime:
        """Return what the unit's own clock shows where it stands."""
        off, zone = self.faults.peek("clock_off"), self.faults.peek("clock_zone")
        shown = self.clock.time() + (off["seconds"] if off else 0.0)
        if zone:
            return datetime.fromtimestamp(shown, ZoneInfo(zone["zone"]))
        return self.world.local(shown)

    def tables_for(self, user: User, states: Iterable[str]) -> list[tuple[Kind, bytes]]:
        """Return event tables with the states that a user may see."""
        entries = (
            (state, self.states.get(state))
            for state in states
            if user.sees is None
            or self.structure.visible(user, self.states.owner(state))
        )
        latin1 = self.faults.peek("latin1_text") is not None
        return encode_tables(
            entries,
            per_table=self.config.table_entries,
            text_encoding="latin-1" if latin1 else "utf-8",
        )

    def flush(self) -> None:
        """Tell the clients what changed."""
        changed = self.states.take_changes()
        if not changed:
            return
        made: dict[tuple[str, ...] | None, list[tuple[Kind, bytes]]] = {}
        for client in self.clients:
            user = client.caller.user
            if user is None or not client.caller.wants_events:
                continue
            if user.sees not in made:
                made[user.sees] = self.tables_for(user, changed)
            client.send_tables(made[user.sees])

    def wallbox_states(self) -> list[str]:
        """Return the states of all wallboxes."""
        return [
            state for box in self.world.wallboxes for state in box.state_uuids.values()
        ]

    def snapshot(self) -> dict[str, Any]:
        """Return everything as JSON for a person."""
        self.world.advance()
        return {
            "time": self.clock.time(),
            "serial": self.config.serial,
            "firmware": self.config.firmware,
            "booting": self.booting,
            "last_modified": self.structure.last_modified,
            "wallboxes": [box.snapshot() for box in self.world.wallboxes],
            "faults": self.faults.active,
            "clients": [
                {
                    "address": client.caller.address,
                    "tls": client.caller.tls,
                    "user": client.caller.user.name if client.caller.user else None,
                    "events": client.caller.wants_events,
                }
                for client in self.clients
            ],
            "tokens": [
                {
                    "user": token.user.name,
                    "rights": token.rights,
                    "valid_until": token.valid_until,
                    "client": token.client,
                    "info": token.info,
                }
                for token in self.accounts.tokens
            ],
            "commands": [
                {
                    "time": command.time,
                    "user": command.user,
                    "text": command.text,
                    "code": command.code,
                    "control": command.control,
                    "command": command.command,
                    "encrypted": command.encrypted,
                    "tls": command.tls,
                }
                for command in self.commands
            ],
        }
