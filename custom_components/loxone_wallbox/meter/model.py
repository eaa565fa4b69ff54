"""What a meter's register map is made of. Data only; addresses count from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from modbus_connection import WordOrder
    from modbus_connection.model import RegisterSpace

# What came off the wire, in the shape of the library's raw reads: the words of each
# register space by address.
type Words = Mapping[RegisterSpace, Mapping[int, int]]


class Kind(StrEnum):
    """How registers hold a value; a text has as many words as it needs."""

    UINT16 = auto()
    INT16 = auto()
    UINT32 = auto()
    INT32 = auto()
    UINT64 = auto()
    INT64 = auto()
    FLOAT32 = auto()
    FLOAT64 = auto()
    TEXT = auto()


class Measured(StrEnum):
    """What can be measured: W, Wh, V, A, Hz; the power factor has no unit.

    Power and energy towards the car are positive, what the car feeds back is negative
    power and `EXPORT`.
    """

    POWER = auto()
    POWER_L1 = auto()
    POWER_L2 = auto()
    POWER_L3 = auto()
    IMPORT = auto()
    EXPORT = auto()
    VOLTAGE_L1 = auto()
    VOLTAGE_L2 = auto()
    VOLTAGE_L3 = auto()
    CURRENT_L1 = auto()
    CURRENT_L2 = auto()
    CURRENT_L3 = auto()
    FREQUENCY = auto()
    POWER_FACTOR = auto()


class Pace(StrEnum):
    """How often something is read.

    FAST each second (or each refresh of a slower meter), SLOW in between, one read at a
    time, IDENTITY at every connection.
    """

    FAST = auto()
    SLOW = auto()
    IDENTITY = auto()


_WIDTHS = {
    Kind.UINT16: 1,
    Kind.INT16: 1,
    Kind.UINT32: 2,
    Kind.INT32: 2,
    Kind.UINT64: 4,
    Kind.INT64: 4,
    Kind.FLOAT32: 2,
    Kind.FLOAT64: 4,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """A value in one to a few registers.

    `scale` turns the number into the unit of `Measured`; where it is negative the
    number counts against the others of its quantity. `text_words` is the length of a
    text. A register that is `alone` means something else when it is read with others.
    """

    address: int
    kind: Kind
    space: RegisterSpace = "holding"
    scale: float = 1.0
    word_order: WordOrder = "big"
    text_words: int = 0
    alone: bool = False

    @property
    def count(self) -> int:
        """Return how many registers it takes."""
        return self.text_words or _WIDTHS[self.kind]

    @property
    def last(self) -> int:
        """Return the address of its last register."""
        return self.address + self.count - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """Something measured: the sum of its registers, mostly of one.

    `source` says who gives the numbers where that is not the source of the profile.
    """

    registers: tuple[Register, ...]
    source: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Registers a meter gives in one read, the gaps between its values included.

    A read neither leaves its run nor begins or ends off a multiple of `step` from its
    start. A run that is `filled` has no gaps: all its registers hold something.
    """

    first: int
    last: int
    space: RegisterSpace = "holding"
    step: int = 1
    filled: bool = False

    def holds(self, register: Register) -> bool:
        """Tell whether a register lies in the run."""
        inside = self.first <= register.address and register.last <= self.last
        return inside and self.space == register.space


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a meter stands.

    `max_registers` in one read; `fallback_registers` for the units of a model that
    refuse reads of that size or across gaps. `spacing_s` is the silence from an answer to the next
    request, `answer_s` the longest a meter takes to answer where that is known.
    """

    max_registers: int
    runs: tuple[Run, ...]
    spacing_s: float
    fallback_registers: int | None = None
    answer_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """How a meter leaves its maker: serial line, address on it, TCP port if it has one.

    `baudrate` is None for a meter that finds it out itself, `unit_id` where no document
    tells.
    """

    baudrate: int | None = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: int = 1
    unit_id: int | None = 1
    tcp_port: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """By which registers a meter can be known; `Identity()` for none at all.

    `models` are the contents of the `model` register that say it is this meter,
    `silent` those that say neither that nor the opposite. The `serial` number is one
    text, or numbers of which the first is the most significant.
    """

    model: Register | None = None
    models: frozenset[int | str] = frozenset()
    silent: frozenset[int | str] = frozenset()
    serial: tuple[Register, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterProfile:
    """All there is to know about a model of energy meter.

    `refresh_s` is how often the meter itself measures anew, `ready_s` how long after
    power-up its values are worth nothing; None where no document tells. `resolution_wh`
    is the step of its counter, `rollover_wh` where that begins at zero again. `proven`
    is False where only one source or a sister model speaks for the numbers.
    """

    id: str
    maker: str
    model: str
    phases: Literal[1, 3]
    quantities: Mapping[Measured, Quantity]
    limits: Limits
    line: Line
    identity: Identity
    resolution_wh: float
    source: str
    refresh_s: float | None = None
    ready_s: float | None = None
    rollover_wh: int | None = None
    proven: bool = True

    @property
    def poll_s(self) -> float:
        """Return how often its power is worth asking for, in seconds."""
        return max(1.0, self.refresh_s or 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One request: so many registers from an address of a space."""

    space: RegisterSpace
    start: int
    count: int

    @property
    def last(self) -> int:
        """Return the address of the last register."""
        return self.start + self.count - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Identification:
    """What a meter says of itself.

    `matches` is None where it says nothing; `serial` is None where it has none or gives
    an empty one.
    """

    matches: bool | None
    serial: str | None
