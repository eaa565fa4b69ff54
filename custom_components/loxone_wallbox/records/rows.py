"""What the database holds of a session: one row, and one for each of its slices.

Plain data between the ledger's records, which are the truth, and the tables, which
answer questions. Instants are seconds UTC, energies Wh, durations s, costs the smallest
unit of their currency; None is unknown.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class SliceRow:
    """A part of a session within one local day, one price and one grid event.

    The time of a day, in which nothing may have flowed, is in the day's first part.
    """

    start_ts: float
    end_ts: float
    energy_wh: int
    charging_s: int
    connected_s: int
    cost: int | None = None
    currency: str | None = None
    cost_status: str = "unknown"
    dsr_id: str | None = None
    in_peak: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """A session; `end_ts` None is one that still runs.

    `occasion`: enough flowed to count (regulation 9). `record` is the ledger's record
    as text, `revision` tells one version of it from another.
    """

    id: str
    wallbox: str
    start_ts: float
    end_ts: float | None
    energy_wh: int
    charging_s: int
    connected_s: int
    occasion: bool
    record: str
    revision: str
    schema_version: int
    export_wh: int = 0
    first_import_ts: float | None = None
    last_import_ts: float | None = None
    cost: int | None = None
    currency: str | None = None
    cost_status: str = "unknown"
    user_id: str | None = None
    stop_reason: str | None = None
    estimated: bool = False
    slices: tuple[SliceRow, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which sessions are asked for: those that begin from `start` up to `end`.

    None leaves a bound or a filter out; `wallboxes` or `users` empty is none at all.
    """

    start: float | None = None
    end: float | None = None
    wallboxes: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    visits: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """What sessions add up to within a span, for one wallbox, user and currency."""

    sessions: int
    energy_wh: int
    charging_s: int
    connected_s: int
    cost: int | None
    currency: str | None
    provisional_wh: int = 0
    unknown_wh: int = 0
    wallbox: str | None = None
    user_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}
