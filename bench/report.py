"""What a measurement says and how it is printed."""

from dataclasses import dataclass, field
import os
import platform

from homeassistant.const import __version__


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure and what it has to be at most.

    `floor` is the same work without us, measured in the same run, where there is such
    a thing; `notes` say how. What was `shortened` for trying out reaches no target.
    """

    id: str
    name: str
    value: float
    target: float
    floor: float | None = None
    floor_name: str = ""
    shortened: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Tell whether the target is reached."""
        return self.value <= self.target and not self.shortened

    def lines(self) -> list[str]:
        """Return the line of the figure and those of its conditions."""
        verdict = "ok" if self.ok else "short"
        if self.shortened:
            verdict = "shortened"
        return [
            f"{self.id} {self.name} {self.value:.4g} <= {self.target:.4g} {verdict}",
            *self._floor_lines(),
            *(f"   {note}" for note in self.notes),
        ]

    def _floor_lines(self) -> list[str]:
        """Return the line of the floor, if there is one."""
        if self.floor is None:
            return []
        ratio = self.value / self.floor if self.floor else float("inf")
        return [f"   floor: {self.floor_name} {self.floor:.4g} (ratio {ratio:.2f})"]


def conditions() -> str:
    """Return the machine a run was made on."""
    load = ", ".join(f"{figure:.2f}" for figure in os.getloadavg())
    return (
        f"measured on Home Assistant {__version__}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores {platform.machine()}, "
        f"load {load}"
    )
