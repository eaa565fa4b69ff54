"""Whose figures a wallbox has, and figures for one that nobody measures."""

from dataclasses import replace

from .charging.estimate import Estimate, estimated_kw
from .charging.session import Source
from .miniserver import WallboxInfo, WallboxState


def power_source(info: WallboxInfo, *, metered: bool) -> Source:
    """Return where the power comes from; `metered` is a meter of the wallbox's own."""
    if metered:
        return Source.METER
    return Source.MINISERVER if info.measures_power else Source.ESTIMATED


def energy_source(info: WallboxInfo, *, metered: bool) -> Source:
    """Return where the energy comes from; Loxone's block counts what it measures."""
    if metered:
        return Source.METER
    counted = info.measures_power or info.has_meter
    return Source.MINISERVER if counted else Source.ESTIMATED


class Estimating:
    """The estimated figures of one wallbox, where the Miniserver has none."""

    def __init__(self, max_kw: float) -> None:
        """Begin with nothing; `max_kw` is what the wallbox can give."""
        self._max_kw = max_kw
        self._estimate: Estimate | None = None

    def go_on_from(self, total_kwh: float | None) -> None:
        """Go on counting from a total, None for none."""
        self._estimate = Estimate(total_kwh=total_kwh or 0.0)

    def completed(
        self, state: WallboxState, info: WallboxInfo, now: float, *, linked: bool
    ) -> WallboxState:
        """Return a state with estimates where it has no measured figures.

        Not `linked` it may be old, and what flows is unknown.
        """
        if info.measures_power:
            return state
        kw = None
        if linked:
            limit_kw, charging = state.limit_kw, state.charging
            kw = estimated_kw(charging=charging, limit_kw=limit_kw, max_kw=self._max_kw)
        state = replace(state, power_kw=kw)
        if info.has_meter or self._estimate is None:
            return state
        self._estimate = self._estimate.take(now, kw)
        return replace(state, energy_kwh=round(self._estimate.total_kwh, 6))
