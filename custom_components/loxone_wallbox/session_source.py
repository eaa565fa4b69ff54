"""Whose counter a session is measured by: the wallbox's own meter, or the Miniserver.

Takes what both tell, gives readings for the running session: an energy that never falls
in Wh, the power in W. What may go wrong: a meter falls silent, then the Miniserver still
tells whether the car charges.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .charging.session import SessionRecord, Source
from .charging.tally import Reading
from .meter.decode import energy_step_wh
from .meter.quality import EnergyMemory, MonotonicEnergy
from .meter.quarantine import same_meter
from .meter_coordinator import MeterCoordinator
from .meter_shown import MeterShown
from .rules import identity_of
from .session_facts import SessionFacts

# A meter that says nothing for longer is silent; shorter is a hiccup, in which what was
# last read goes on.
SILENT_AFTER = timedelta(seconds=10)
# Of a meter that has not been read for so many polls the last reading is an old one.
OLD_POLLS = 2.5
# So long after a start a meter may need for its first reading.
FIRST_READING = timedelta(seconds=30)


class EnergySource:
    """The counter of one wallbox's sessions."""

    def __init__(
        self, max_kw: float, memory: EnergyMemory | None, meter: MeterCoordinator | None
    ) -> None:
        """Go on from what is remembered of the Miniserver's counter."""
        self._counted = MonotonicEnergy(max_kw, memory)
        self._meter = meter
        self._begun_at: datetime | None = None
        # When the meter told its power last, and whether that is too long ago.
        self.sampled_at: datetime | None = None
        self.silent = False
        # Whose energy the Miniserver's is.
        self._coarse = Source.MINISERVER
        # The meter's counter was read then for the last time before an absence.
        self._old_read = None if meter is None else meter.account.read_at

    @property
    def origin(self) -> Source:
        """Return whose figures a session has."""
        return self._coarse if self._meter is None else Source.METER

    @property
    def has_meter(self) -> bool:
        """Tell whether the wallbox has a meter of its own."""
        return self._meter is not None

    @property
    def meter_shown(self) -> MeterShown | None:
        """Return what is shown of the wallbox's own meter."""
        return None if self._meter is None else self._meter.shown

    @property
    def ahead(self) -> timedelta:
        """Return how far the clock is before one that nobody can set.

        That is of interest where a meter reads on while nobody tells of cars.
        """
        return timedelta() if self._meter is None else self._meter.ahead

    @property
    def memory(self) -> EnergyMemory | None:
        """Return what is to be remembered of the Miniserver's counter."""
        return self._counted.memory

    @property
    def identity(self) -> dict[str, Any] | None:
        """Return what tells one meter from another, None for the Miniserver."""
        return None if self._meter is None else identity_of(self._meter.settings)

    def is_of(self, source: dict[str, Any] | None) -> bool:
        """Tell whether this is the counter of somebody's word; a serial may be new."""
        mine = self.identity
        if mine is None or source is None:
            return mine is source
        serials = (source.get("serial"), mine["serial"])
        return same_meter(*serials) and all(
            source.get(name) == mine[name] for name in ("profile", "inverted")
        )

    @property
    def total_wh(self) -> float | None:
        """Return the energy in Wh, which never falls; None is unknown.

        After an absence a meter's power may come before its counter was read again.
        """
        if self._meter is not None:
            old = self.silent or self._meter.account.read_at == self._old_read
            return None if old else self._meter.account.counted_wh
        total = self._counted.total_kwh
        return None if total is None else total * 1000

    @property
    def last_wh(self) -> float | None:
        """Return the last energy that is known, in Wh."""
        return self.total_wh if self._meter is None else self._meter.account.counted_wh

    def start_wh(self, at: datetime, *, awaited: bool) -> float | None:
        """Return where the counter stands in Wh as a car comes; None is unknown.

        An old reading does where nothing has flowed since; not while it is `awaited`
        what an earlier session took.
        """
        if not awaited:
            return self.last_wh
        return None if self.missing_since(at) is not None else self.total_wh

    def take(self, facts: SessionFacts) -> None:
        """Take what the Miniserver tells."""
        self._coarse = facts.source
        if self._begun_at is None:
            self._begun_at = facts.at
        if facts.watched and facts.state.energy_kwh is not None:
            self._counted.take(facts.state.energy_kwh, facts.at.timestamp())

    def judged(self, record: SessionRecord) -> SessionRecord:
        """Return a record of now that says whose figures it has and how good they are.

        A meter's stay begins a moment after its session, which then has no energy yet.
        """
        quality = replace(record.quality, source=self.origin)
        if self._meter is not None and record.import_wh:
            running, account = self._meter.visits.running, self._meter.account
            error_pct = running.error_pct
            reading_wh = account.counter.reading_wh or running.counted_wh
            step = energy_step_wh(self._meter.profile, reading_wh)
            # Of a stay that began in a silence the meter compares another's energy too.
            own = running.counted_wh <= record.import_wh + step + 1
            if error_pct is not None and own:
                quality = replace(
                    quality,
                    integral_wh=round(running.integrated_wh),
                    error_pct=round(error_pct, 2),
                    flagged=running.flagged(step),
                )
        return replace(record, quality=quality)

    def sample(self, at: float, power_w: float | None) -> Reading | None:
        """Take the power a meter measured in a second, None for a gap."""
        if power_w is None:
            return None
        self.sampled_at = datetime.fromtimestamp(at, UTC)
        self.silent = False
        return Reading(at=self.sampled_at, wh=self.total_wh, power_w=power_w)

    def falls_silent(self, now: datetime) -> bool:
        """Tell whether a meter has just become silent."""
        since = self.sampled_at or self._begun_at
        if not self.has_meter or self.silent or since is None:
            return False
        if since > now:
            # The clock was set back since: by it the meter is waited for from now on.
            since = now
            self.sampled_at = self.sampled_at and now
        patience = FIRST_READING if self.sampled_at is None else SILENT_AFTER
        if now - since < patience:
            return False
        self.silent = True
        self._old_read = None if self._meter is None else self._meter.account.read_at
        return True

    def missing_since(self, now: datetime) -> datetime | None:
        """Return when a meter was last read that has just begun to miss seconds."""
        if self._meter is None or self.sampled_at is None or self.silent:
            return None
        fresh = OLD_POLLS * self._meter.profile.poll_s
        old = (now - self.sampled_at).total_seconds() > fresh
        return self.sampled_at if old else None

    @property
    def knows(self) -> bool:
        """Tell whether the counter is up to date, or nobody can wait for it longer."""
        return not self.has_meter or self.silent or self.measures

    @property
    def measures(self) -> bool:
        """Tell whether a meter tells what flows, whatever the Miniserver says."""
        return self.has_meter and self.total_wh is not None

    def reading(self, facts: SessionFacts) -> Reading:
        """Return what there is to read now beside the meter's own samples."""
        wh, power = self.total_wh, None if self.has_meter else facts.power_w
        if not facts.watched:
            return Reading(at=facts.at, wh=wh)
        return Reading(
            at=facts.at,
            wh=wh,
            power_w=power,
            charging=facts.charging,
            blind=self.silent,
        )
