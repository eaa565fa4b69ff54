"""What a wallbox can be told, and how its state shows that it obeyed.

Pure data. Source: Loxone, "Structure File", commands of the control `Wallbox2`.
"""

from dataclasses import dataclass
import math
from typing import ClassVar, override

from .errors import InvalidCommandError
from .wallbox import MANUAL_MODE, MAX_PLAUSIBLE_KW, MODES, WallboxState

KEEP_MODE = 0
# Limits are sent with two digits; a device may round the third.
LIMIT_TOLERANCE_KW = 0.005


class Command:
    """Something a wallbox can be told."""

    name: ClassVar[str]

    @property
    def text(self) -> str:
        """Return the command as the Miniserver takes it."""
        raise NotImplementedError

    def confirmed_by(self, state: WallboxState) -> bool:
        """Tell whether a state is what the command asked for."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Allow(Command):
    """Allow or forbid charging."""

    name: ClassVar[str] = "allow"
    on: bool

    @property
    @override
    def text(self) -> str:
        return "allow/on" if self.on else "allow/off"

    @override
    def confirmed_by(self, state: WallboxState) -> bool:
        return state.allowed is self.on


@dataclass(frozen=True, slots=True)
class SetMode(Command):
    """Choose a charge mode: 1 to 5, or 99 for the manual limit."""

    name: ClassVar[str] = "set_mode"
    mode: int

    def __post_init__(self) -> None:
        """Refuse what is no mode."""
        if self.mode not in MODES and self.mode != MANUAL_MODE:
            raise InvalidCommandError(f"{self.mode} is no charge mode")

    @property
    @override
    def text(self) -> str:
        return f"setmode/{self.mode}"

    @override
    def confirmed_by(self, state: WallboxState) -> bool:
        return state.mode == self.mode


@dataclass(frozen=True, slots=True)
class SetManualLimit(Command):
    """Set the manual power limit in kW; the wallbox takes its manual mode for it."""

    name: ClassVar[str] = "set_manual_limit"
    limit_kw: float

    def __post_init__(self) -> None:
        """Refuse what is no power."""
        if not 0 <= self.limit_kw <= MAX_PLAUSIBLE_KW:
            raise InvalidCommandError(f"{self.limit_kw} kW is no power limit")

    @property
    @override
    def text(self) -> str:
        # Rounded down: a limit is never exceeded by the writing of it.
        hundredths = math.floor(self.limit_kw * 100 + 1e-6)
        return f"manualLimit/{hundredths / 100:.10g}"

    @override
    def confirmed_by(self, state: WallboxState) -> bool:
        return (
            state.mode == MANUAL_MODE
            and state.limit_kw is not None
            and abs(state.limit_kw - math.floor(self.limit_kw * 100 + 1e-6) / 100)
            <= LIMIT_TOLERANCE_KW
        )


@dataclass(frozen=True, slots=True)
class SetModeAfterUnplug(Command):
    """Choose the mode taken after unplugging: 1 to 5, or 0 to keep the mode."""

    name: ClassVar[str] = "set_mode_after_unplug"
    mode: int

    def __post_init__(self) -> None:
        """Refuse what is no mode."""
        if self.mode not in MODES and self.mode != KEEP_MODE:
            raise InvalidCommandError(f"{self.mode} is no mode after unplugging")

    @property
    @override
    def text(self) -> str:
        return f"modeUnplug/{self.mode}"

    @override
    def confirmed_by(self, state: WallboxState) -> bool:
        return state.mode_after_unplug == self.mode
