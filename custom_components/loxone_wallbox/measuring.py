"""Power and energy of one wallbox: its meter's, or else the Miniserver's, as coarser.

Takes what the Miniserver tells and what a meter reads, gives the power of each second,
an energy total that never falls, and the energy of each stay of a car. What may go
wrong: meter and Miniserver fall silent, then something is unknown and never made up.
"""

from collections.abc import Callable
from datetime import datetime
import math
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .charging.variants import VariantFacts
from .estimating import Estimating
from .meter.quality import EnergyMemory, MonotonicEnergy
from .meter_coordinator import MeterCoordinator, meter_facts
from .meter_repairs import MeterRepairs
from .meter_settings import MeterSettings
from .meter_shown import MeterListener, MeterShown
from .miniserver import WallboxInfo, WallboxState
from .power_feed import Ending, PowerFeed
from .records.state import StateKeeper
from .rights import SecuritySink, log_security

# A stay that has lasted longer is told wrong, as by a Miniserver whose clock is.
LONGEST_STAY_S = 30 * 86_400.0


class Measuring:
    """What is measured of one wallbox."""

    def __init__(
        self, hass: HomeAssistant, subentry_id: str, title: str, variant: VariantFacts
    ) -> None:
        """Take the wallbox; without a meter the Miniserver's figures count."""
        self._hass = hass
        self._title = title
        self._variant = variant
        self._repairs = MeterRepairs(hass, subentry_id, title)
        # Told of what the security log keeps.
        self.security: SecuritySink = log_security
        self.meter: MeterCoordinator | None = None
        # There is a meter, but what it is read with does not load.
        self.unreadable = False
        self.energy: MonotonicEnergy | None = None
        self._estimating = Estimating(variant.max_kw)
        self._restored_kwh: float | None = None
        self.feed = PowerFeed(hass, lambda: self.now)
        # Told of the power a meter measured in a second (UTC, W), None for a gap.
        self.follower: Callable[[float, float | None], None] | None = None
        # None until the first look.
        self._plugged: bool | None = None
        self._connected_at: datetime | None = None
        self._empty_since: float | None = None
        # When the wallbox was seen last and how far our clock was ahead of one that
        # nobody can set, and whether nobody has told of it since.
        self._seen_at: float | None = None
        self._seen_ahead = 0.0
        self._away = False

    @property
    def now(self) -> float:
        """Return the present instant in seconds UTC."""
        return dt_util.utcnow().timestamp() if self.meter is None else self.meter.now

    @property
    def instant(self) -> datetime:
        """Return the present instant."""
        return dt_util.utc_from_timestamp(self.now)

    @property
    def has_meter(self) -> bool:
        """Tell whether there is a meter in the settings, one that can be read or not."""
        return self.meter is not None or self.unreadable

    @property
    def shown(self) -> MeterShown | None:
        """Return what is shown of the meter, None where there is none."""
        return None if self.meter is None else self.meter.shown

    @callback
    def measure_with(
        self,
        settings: MeterSettings,
        keeper: StateKeeper,
        kept: dict[str, Any] | None,
        *,
        show: Callable[[], None],
        learned: Callable[[MeterSettings], None],
    ) -> None:
        """Take power and energy from a meter, which goes on from what was kept.

        `show` is called when something is worth showing, `learned` with settings to
        keep instead of those that were given.
        """
        poll_s = settings.profile.poll_s
        self.feed = PowerFeed(self._hass, lambda: self.now, poll_s)
        self.meter = meter = MeterCoordinator(
            self._hass,
            self._title,
            settings,
            meter_facts(settings, self._variant),
            keeper=keeper,
            kept=kept,
            listener=MeterListener(
                show=show,
                tell=self._repairs.broke,
                measured=self._measured,
                learned=learned,
                security=self.security,
            ),
        )
        self._plugged = None
        self._repairs.asked(meter.account.counter.question)

    @callback
    def restore(self, memory: EnergyMemory | None) -> None:
        """Start counting energy, from what is remembered."""
        self.energy = MonotonicEnergy(self._variant.max_kw, memory)
        self._restored_kwh = None if memory is None else memory.total_kwh
        self._estimating.go_on_from(self._restored_kwh)
        if self.meter is not None:
            self.meter.go_on_from(self._restored_kwh)

    def energy_kwh(self) -> float | None:
        """Return the energy total: the meter's where it has one, else our own."""
        if self.energy is None:
            return None
        if self.meter is None:
            return self.energy.total_kwh
        counted = self.meter.shown.energy_kwh
        if counted is None:
            # The Miniserver's reading may be higher than the meter's.
            return self._restored_kwh
        self.energy.carry(counted)
        # The Miniserver may have counted a little more while the meter was unreadable.
        return max(counted, self._restored_kwh or counted)

    @callback
    def completed(
        self, state: WallboxState, info: WallboxInfo, *, linked: bool
    ) -> WallboxState:
        """Return a state with estimates of what nobody measures."""
        if self.meter is not None:
            return state
        return self._estimating.completed(state, info, self.now, linked=linked)

    @callback
    def take(self, state: WallboxState, *, linked: bool, reachable: bool) -> None:
        """Take what the Miniserver tells; not `linked`, it may be old."""
        if self.meter is None:
            power = state.power_kw
            known = linked and power is not None
            self.feed.hold(power * 1000 if known and power is not None else None)
        self._away = self._away or not linked
        if not reachable:
            return
        if self.energy is not None and state.energy_kwh is not None:
            self.energy.take(state.energy_kwh, dt_util.utcnow().timestamp())
        if state.connected is not None:
            self._follow(state, plugged=state.connected)
            if linked:
                self._seen_at, self._away = self.now, False
                self._seen_ahead = self._ahead

    @callback
    def _measured(self, at: float, power_w: float | None) -> None:
        """Take the power a meter measured in a second, None for a gap."""
        self.feed.add(at, power_w)
        if self.follower is not None:
            self.follower(at, power_w)

    @callback
    def report(self) -> None:
        """Tell the owner what is wrong with the meter, or that it is over."""
        if self.meter is not None:
            self._repairs.last(self.meter.findings)
        else:
            # Nobody reads the counter any more that something was asked about.
            self._repairs.asked(None)

    async def async_shutdown(self) -> None:
        """Measure no longer; may come twice."""
        if self.meter is not None:
            await self.meter.async_stop()
        self._repairs.clear()
        self.feed.close(Ending.UNLOADED)

    def _follow(self, state: WallboxState, *, plugged: bool) -> None:
        """Notice when a car comes or goes, or is another one."""
        before, self._plugged = self._plugged, plugged
        session = state.session
        running = session is not None and session.disconnected_at is None
        since = session.connected_at if session is not None and running else None
        if not plugged:
            if before is not False:
                self._end()
                self._empty_since = self.now
            self._connected_at = None
            return
        known, self._connected_at = self._connected_at, since or self._connected_at
        if before is None:
            self._resume(since)
        elif not before:
            unseen_at = self._came(since)
            self._begin(self.now if unseen_at is None else unseen_at, since, unseen_at)
        elif since is not None and known is not None and since != known:
            # Another stay began while nobody looked.
            self._empty_since = None
            unseen_at = self._came(since)
            at = self._start(since) if unseen_at is None else unseen_at
            self._begin(at, since, unseen_at)
        elif since is not None and known is None and self.meter is not None:
            self.meter.name_visit(since.isoformat())

    def _resume(self, since: datetime | None) -> None:
        """Go on with the stay that was running before, if it is the same."""
        meter = self.meter
        if meter is not None and meter.visits.is_open:
            key = meter.visits.key
            if None in {since, key} or (since is not None and since.isoformat() == key):
                self.feed.begin(self._start(since))
                return
        self._begin(self._start(since), since)

    def _begin(
        self, at: float, since: datetime | None, unseen_at: float | None = None
    ) -> None:
        """Begin a stay; `unseen_at` is when it began if nobody told of it then."""
        self.feed.begin(at)
        if self.meter is not None:
            self.meter.end_visit()
            key = None if since is None else since.isoformat()
            self.meter.begin_visit(key, self._empty_since, unseen_at)
        self._empty_since = None

    def _end(self) -> None:
        """End a stay."""
        self.feed.end(self.now)
        if self.meter is not None:
            self.meter.end_visit()

    def _came(self, since: datetime | None) -> float | None:
        """Return when a car came of which nobody told then, None if it was seen.

        After the wallbox was seen last, whatever the Miniserver's clock says. Where ours
        was set since, the Miniserver's agrees with what it says now or said before.
        """
        if not self._away or self._seen_at is None:
            return None
        moved = self._ahead - self._seen_ahead
        seen_at, now = self._seen_at + moved, self.now
        told = seen_at if since is None else since.timestamp()
        for at in (told, told + moved):
            if seen_at <= at <= now:
                return at
        return min(max(told, seen_at), now)

    @property
    def _ahead(self) -> float:
        """Return how far our clock is ahead of one that nobody can set, in seconds.

        That is of interest where a meter reads on while nobody tells of cars.
        """
        return 0.0 if self.meter is None else self.meter.ahead.total_seconds()

    def _start(self, since: datetime | None) -> float:
        """Return when a stay began of which the Miniserver says since when it is."""
        now = self.now
        at = math.inf if since is None else since.timestamp()
        return at if now - LONGEST_STAY_S < at <= now else now
