"""What the entities of one wallbox show, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.util import dt as dt_util

from .charging.decision import Decision
from .charging.faults import Fault
from .charging.override import Override
from .charging.owner import OwnerState
from .charging.session import Source
from .charging.status import Hold, Status
from .charging.wish import Reason
from .const import FAULT_INPUTS, INPUT_TEMPERATURE
from .estimating import energy_source, power_source
from .links import LinksShown
from .meter_shown import MeterShown
from .miniserver import WallboxInfo, WallboxState
from .session_shown import SessionShown

NO_SESSION = SessionShown()
# What is shown of a random delay besides its end.
DELAY_FACTS = frozenset(
    {"cause", "seconds_drawn", "relevant_time", "old_limit", "new_limit"}
)


@dataclass(frozen=True, kw_only=True)
class WallboxData:
    """What the entities of one wallbox show; None is unknown."""

    info: WallboxInfo
    state: WallboxState
    status: Status
    charging: bool
    fault: Fault | None
    diagnostics: Mapping[str, float | None]
    reachable: bool
    linked: bool
    firmware: str
    power_limit_kw: float | None
    energy_kwh: float | None
    target_power_kw: float
    owner: OwnerState
    decision: Decision | None
    reason: Reason
    in_default_hours: bool | None
    in_peak_hours: bool | None
    dsr_events: tuple[str, ...]
    links: LinksShown
    tampered: bool | None = None
    meter: MeterShown | None = None
    session: SessionShown = NO_SESSION

    @property
    def diagnosed(self) -> bool:
        """Tell whether any input says if there is a fault."""
        return any(self.diagnostics[one] is not None for one in FAULT_INPUTS)

    @property
    def temperature_c(self) -> float | None:
        """Return the temperature inside the wallbox in degrees Celsius."""
        return self.diagnostics[INPUT_TEMPERATURE]

    @property
    def power_w(self) -> float | None:
        """Return the charging power in W: the meter's, without one the Miniserver's."""
        if self.meter is not None:
            return self.meter.power_w
        power = self.state.power_kw
        return None if power is None else round(power * 1000, 1)

    @property
    def power_source(self) -> Source:
        """Return where the power comes from."""
        return power_source(self.info, metered=self.meter is not None)

    @property
    def energy_source(self) -> Source:
        """Return where the energy comes from."""
        return energy_source(self.info, metered=self.meter is not None)

    @property
    def session_source(self) -> Source:
        """Return where the energy of the running or last session comes from."""
        return self.session.source or self.energy_source

    @property
    def next_change(self) -> datetime | None:
        """Return when something else will hold."""
        return None if self.decision is None else self.decision.next_change

    @property
    def delay_ends(self) -> datetime | None:
        """Return when the random delay of a start or stop ends."""
        pending = self.decision and self.decision.delay
        return pending.due if pending else None

    @property
    def override_ends(self) -> datetime | None:
        """Return when an override ends; one until the unplugging has no instant."""
        return None if self._override is None else self._override.end

    @property
    def override_mode(self) -> str | None:
        """Return what is overridden with, None without an override."""
        return None if self._override is None else self._override.mode.value

    @property
    def _override(self) -> Override | None:
        """Return the override, None without one.

        One that is over is kept, for what follows from its end, and is shown no more.
        """
        override = self.owner.override
        over = override is None or not override.is_active(dt_util.utcnow())
        return None if over else override


def delay_facts(data: WallboxData) -> dict[str, Any]:
    """Return why there is a random delay, what was drawn and what changes, in kW.

    All of it is None without a delay, so that the names of the attributes stay.
    """
    pending = data.decision and data.decision.delay
    if not pending:
        return dict.fromkeys(DELAY_FACTS)
    return {
        "cause": pending.cause.value,
        "seconds_drawn": pending.drawn_s,
        "relevant_time": pending.relevant_at.isoformat(),
        "old_limit": data.owner.delay.settled.power_kw,
        "new_limit": pending.to_target.power_kw,
    }


def target_power(info: WallboxInfo, owner: OwnerState) -> float:
    """Return the owner's wish in kW; a limit set in Loxone's app is one too."""
    wish = info.max_kw if owner.target_kw is None else owner.target_kw
    return min(max(wish, info.min_kw), info.max_kw)


def dsr_events(owner: OwnerState) -> tuple[str, ...]:
    """Return the ids of the grid events that hold now."""
    active = owner.dsr.active(dt_util.utcnow())
    return tuple(sorted(event.event_id for event in active))


def hold_of(decision: Decision | None) -> Hold | None:
    """Return what the rules hold charging back for."""
    if decision is None or decision.target.allowed:
        return None
    return {
        Reason.RANDOM_DELAY: Hold.RANDOM_DELAY,
        Reason.DSR: Hold.DSR,
        Reason.OUTSIDE_DEFAULT_HOURS: Hold.DEFAULT_HOURS,
    }.get(decision.reason)


def power_limit(state: WallboxState) -> float | None:
    """Return the limit in force in kW: zero when charging is not allowed."""
    if state.allowed is None:
        return None
    return state.limit_kw if state.allowed else 0.0


def energy_facts(data: WallboxData) -> dict[str, Any]:
    """Return whose energy it is, and since when it is an old one, None if it is not."""
    stale = None if data.meter is None else data.meter.stale_since
    return {
        "source": data.energy_source.value,
        "stale_since": None if stale is None else stale.isoformat(),
    }
