"""What a measurement says and how it is printed."""

from dataclasses import dataclass, field
import os
import platform

from homeassistant.const import __version__


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure and what it has to be at most.

    `floor` is the same work without us, measured in the same run; `notes` say how.
    """

    id: str
    name: str
    value: float
    target: float
    floor: float
    floor_name: str
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Tell whether the target is reached."""
        return self.value <= self.target

    def lines(self) -> list[str]:
        """Return the line of the figure and those of its conditions."""
        verdict = "ok" if self.ok else "short"
        ratio = self.value / self.floor if self.floor else float("inf")
        return [
            f"{self.id} {self.name} {self.value:.4g} <= {self.target:.4g} {verdict}",
            f"   floor: {self.floor_name} {self.floor:.4g} (ratio {ratio:.2f})",
            *(f"   {note}" for note in self.notes),
        ]


def conditions() -> str:
    """Return the machine a run was made on."""
    load = ", ".join(f"{figure:.2f}" for figure in os.getloadavg())
    return (
        f"measured on Home Assistant {__version__}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores {platform.machine()}, "
        f"load {load}"
    )
