"""What a stranger is told to serve: registers, and nothing of what they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
import json
import sys
from typing import Literal, Self

type Space = Literal["holding", "input"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """Registers from one address on; what lies outside of all areas is refused."""

    space: Space
    first: int
    registers: list[int] = field(repr=False)

    @property
    def end(self) -> int:
        """Return the first address behind it."""
        return self.first + len(self.registers)

    @classmethod
    def written(
        cls, space: Space, first: int, last: int, words: Mapping[int, str]
    ) -> Self:
        """Return an area of zeros with words in hexadecimal at some addresses."""
        registers = [0] * (last + 1 - first)
        for address, text in words.items():
            for offset, word in enumerate(text.split()):
                registers[address - first + offset] = int(word, 16)
        return cls(space=space, first=first, registers=registers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """All that a stranger serves, under one address of the line."""

    unit: int
    areas: tuple[Area, ...]

    def dump(self) -> bytes:
        """Return it as a line of text."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def load(cls) -> Self:
        """Read it from standard input."""
        data = json.loads(sys.stdin.readline())
        areas = tuple(Area(**area) for area in data["areas"])
        return cls(unit=data["unit"], areas=areas)

    def of(self, space: Space) -> Area:
        """Return one area over all of a space, for who can have no holes."""
        areas = [area for area in self.areas if area.space == space]
        first = min((area.first for area in areas), default=0)
        registers = [0] * (max((area.end for area in areas), default=0) - first)
        for area in areas:
            registers[area.first - first : area.end - first] = area.registers
        return Area(space=space, first=first, registers=registers)

    def read(self, space: Space, address: int, count: int) -> list[int] | None:
        """Return what a read gives, None where an area does not hold all of it."""
        for area in _of_space(self.areas, space):
            if area.first <= address and address + count <= area.end:
                at = address - area.first
                return area.registers[at : at + count]
        return None


def _of_space(areas: Iterable[Area], space: Space) -> list[Area]:
    """Return the areas of a space."""
    return [area for area in areas if area.space == space]


def ready(port: int = 0) -> None:
    """Tell whoever waits that requests are taken, on TCP at this port."""
    sys.stdout.write(f"ready {port}\n")
    sys.stdout.flush()
