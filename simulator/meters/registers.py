"""How a meter's registers hold values. All addresses are those on the wire, from 0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
import struct
from typing import Literal

type Kind = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "text"]
type Value = float | str

_FORMATS: dict[str, str] = {"f32": ">f", "f64": ">d"}
_BYTES: dict[str, int] = {
    "u16": 2,
    "i16": 2,
    "u32": 4,
    "i32": 4,
    "u64": 8,
    "i64": 8,
    "f32": 4,
    "f64": 8,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """One value; `unit` is what one count is in V, A, W, Hz or Wh."""

    address: int
    kind: Kind
    # What it shows, by the names of physics.py: "" shows the constant, "absent" what
    # this model does not measure.
    quantity: str = ""
    unit: float = 1.0
    constant: Value = 0
    # Words of a text.
    words: int = 0

    @property
    def size(self) -> int:
        """Return how many registers it takes."""
        return self.words or _BYTES[self.kind] // 2

    @property
    def end(self) -> int:
        """Return the first address behind it."""
        return self.address + self.size

    def encode(self, values: Mapping[str, Value]) -> list[int]:
        """Return its words, the highest first."""
        if self.quantity == "absent":
            return self.invalid()
        value = values[self.quantity] if self.quantity else self.constant
        if self.kind == "text":
            raw = str(value).encode("ascii")[: 2 * self.words]
            return _words(raw.ljust(2 * self.words, b"\0"))
        number = float(value) / self.unit
        if layout := _FORMATS.get(self.kind):
            return _words(struct.pack(layout, number))
        size = _BYTES[self.kind]
        # A counter or a sign that does not fit wraps, as in the meters themselves.
        return _words((round(number) % (1 << 8 * size)).to_bytes(size))

    def invalid(self) -> list[int]:
        """Return what it holds when there is nothing to show.

        All ones for numbers without sign, the largest number for those with one and NaN.
        """
        if self.kind == "text":
            return [0] * self.words
        if layout := _FORMATS.get(self.kind):
            return _words(struct.pack(layout, math.nan))
        first = 0xFFFF if self.kind.startswith("u") else 0x7FFF
        return [first] + [0xFFFF] * (self.size - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """Addresses that can be read; what is not used in between reads as `filler`.

    A read neither begins nor ends off a multiple of `step` from its first address.
    """

    first: int
    last: int
    step: int = 1
    filler: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """What one function code reads."""

    registers: tuple[Register, ...]
    areas: tuple[Area, ...]
    even: bool = False

    def area(self, address: int, count: int) -> Area | None:
        """Return the area that holds all of a read."""
        for area in self.areas:
            if area.first <= address and address + count - 1 <= area.last:
                return area
        return None

    def within(self, address: int, count: int) -> tuple[Register, ...]:
        """Return the registers that a read touches."""
        end = address + count
        return tuple(
            register
            for register in self.registers
            if register.address < end and address < register.end
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterMap:
    """A model of meter: its registers and what it puts up with."""

    id: str
    title: str
    phases: int
    # By function code; any other one is refused.
    spaces: Mapping[int, Space] = field(repr=False)
    unit_id: int = 1
    # The low word comes first in every number.
    low_word_first: bool = False
    max_registers: int = 125
    # Reads that touch an unused register are refused.
    strict: bool = False
    # Registers that show something else when they are read alone.
    alone: tuple[Register, ...] = ()
    refresh_s: float = 1.0
    # Silence on the line before each request.
    pause_s: float = 0.0
    # A request too early makes it start anew; otherwise it is only not heard.
    reboots_when_hurried: bool = False
    ready_s: float = 5.0
    resolution_wh: float = 1.0
    modulus_wh: float | None = None

    @property
    def registers(self) -> tuple[Register, ...]:
        """Return the registers of all spaces."""
        return tuple(
            register for space in self.spaces.values() for register in space.registers
        )

    def words(self, words: list[int]) -> list[int]:
        """Return the words of a number in this meter's order."""
        return words[::-1] if self.low_word_first else words


def number(address: int, kind: Kind, quantity: str, unit: float = 1.0) -> Register:
    """Return a register of a number."""
    return Register(address=address, kind=kind, quantity=quantity, unit=unit)


def constant(address: int, kind: Kind, value: Value) -> Register:
    """Return a register that always shows the same number."""
    return Register(address=address, kind=kind, constant=value)


def text(address: int, words: int, fixed: str = "") -> Register:
    """Return a register of a text, by default that of the serial number."""
    quantity = "" if fixed else "serial"
    return Register(
        address=address, kind="text", quantity=quantity, constant=fixed, words=words
    )


def each(
    addresses: tuple[int, ...], kind: Kind, quantity: str, unit: float = 1.0
) -> tuple[Register, ...]:
    """Return a register of each phase."""
    return tuple(
        number(address, kind, f"{quantity}_{phase}", unit)
        for phase, address in enumerate(addresses, 1)
    )


def area(first: int, last: int, step: int = 1, filler: int = 0) -> Area:
    """Return addresses that can be read."""
    return Area(first=first, last=last, step=step, filler=filler)


def space(*registers: Register, areas: tuple[Area, ...], even: bool = False) -> Space:
    """Return what one function code reads."""
    return Space(registers=registers, areas=areas, even=even)


def _words(raw: bytes) -> list[int]:
    """Return bytes as registers."""
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]
