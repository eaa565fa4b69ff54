"""Read the meter of one wallbox, each second, and show of it what is worth showing.

Takes samples, keeps the account of them on the disk, gives power, energy and how good
they are. What may go wrong: the meter, its gateway, the disk; none of it stops the
wallbox, and all of it is tried again.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .charging.variants import VariantFacts
from .const import LOGGER
from .meter.account import MeterAccount, MeterFacts
from .meter.charging_coverage import ChargingCoverage
from .meter.checks import Circuit
from .meter.clock import MeterClock, SystemClock
from .meter.counter import Answer
from .meter.coverage import BelievedCoverage
from .meter.errors import Missing
from .meter.findings import Finding, FindingKind
from .meter.latch import SessionEnergy
from .meter.model import MeterProfile
from .meter.reader import LOST_AFTER, Figures, MeterReader
from .meter.refresh import SUITABLE_S, RefreshWatch
from .meter.rests import Rests
from .meter.sample import MeterSample
from .meter.shown import ShowGate
from .meter.steady import SteadyClock
from .meter.visits import MeterVisits
from .meter_keeping import MeterKeeping
from .meter_link import open_link
from .meter_security import MeterSecurity
from .meter_settings import MeterSettings
from .meter_shown import MeterListener, MeterShown, kwh, percent
from .records.state import StateKeeper
from .rules import identity_of

# A meter or its settings that cannot be used at all is tried again so often.
RETRY_S = 60.0
# A silence is no hiccup any more, and is said once.
SILENT_AFTER_S = 10.0
# A counter that was believed so long ago is an old one, though the power goes on.
STALE_AFTER_S = 60.0


def meter_facts(settings: MeterSettings, variant: VariantFacts) -> MeterFacts:
    """Return what does not change while the meter of a wallbox is read."""
    return MeterFacts(
        profile=settings.profile,
        circuit=Circuit(phases=variant.phases, rated_a=variant.rated_a),
        inverted=settings.inverted,
    )


class MeterCoordinator:
    """The meter of one wallbox."""

    def __init__(
        self,
        hass: HomeAssistant,
        title: str,
        settings: MeterSettings,
        facts: MeterFacts,
        *,
        keeper: StateKeeper,
        kept: dict[str, Any] | None,
        listener: MeterListener,
        clock: MeterClock | None = None,
    ) -> None:
        """Take the meter of a wallbox and what was kept of it."""
        self._hass = hass
        self._title = title
        self.settings = settings
        self._listener = listener
        self._security = MeterSecurity(title, listener.security)
        self._clock = clock or SystemClock()
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        self._steady = SteadyClock(now, self._clock.monotonic())
        self.account = MeterAccount.from_dict(kept or {})
        self._facts = replace(facts, kept_at=self.account.read_at)
        self.visits = MeterVisits.from_dict((kept or {}).get("visits", {}))
        self._keeping = MeterKeeping(hass, keeper, title, self._kept, self._clock)
        self._keeping.begin(self.account.counter if kept else None, self.session)
        self._gate = ShowGate(settings.profile.poll_s)
        self._refresh = RefreshWatch(settings.profile)
        self._coverage = ChargingCoverage(settings.profile.poll_s)
        self._believed = BelievedCoverage(settings.profile.poll_s)
        self._rests = Rests(settings.profile.poll_s)
        self._reader: MeterReader | None = None
        # Before the first reading nobody knows whether the meter is there.
        self._gaps = LOST_AFTER
        # Ticks in a row without a power to believe, whatever the reason.
        self._unknown = 0
        self._silent_since: float | None = None
        self._said_silent = False
        self._before: tuple[float | None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.shown = MeterShown(
            energy_kwh=kwh(self.account.total_wh),
            stale_since=self._read_at,
            error_pct=percent(self.visits.error_pct),
        )

    @property
    def profile(self) -> MeterProfile:
        """Return what is known of the model."""
        return self._facts.profile

    @property
    def now(self) -> float:
        """Return the present instant in seconds UTC."""
        return self._clock.time()

    @property
    def ahead(self) -> timedelta:
        """Return how far its clock is before one that nobody can set."""
        return timedelta(seconds=self._clock.time() - self._clock.monotonic())

    @property
    def session(self) -> SessionEnergy | None:
        """Return the energy of the running or last stay, None before the first."""
        return self.visits.session

    @property
    def energy_age_s(self) -> float | None:
        """Return how long ago the energy was counted, None where it never was."""
        at = self.account.read_at
        return None if at is None else max(0.0, self._steady_now - at)

    @property
    def figures(self) -> Figures | None:
        """Return what the reader has counted, None while nothing is read."""
        return None if self._reader is None else self._reader.figures

    @property
    def coverage(self) -> float | None:
        """Return the share of the last hour's readings that came, None before the first."""
        return self._believed.share

    @property
    def just_begun(self) -> bool:
        """Tell whether no reading was due yet, so that it says nothing to have none."""
        return self.coverage is None and not self._said_silent

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong now with the meter or its measuring."""
        return (
            *self.account.findings,
            *self.visits.findings(self.profile.poll_s),
            *self._coverage.findings,
            *self._slowness,
        )

    @property
    def _slowness(self) -> tuple[Finding, ...]:
        """Return that the meter is too slow, unless the owner was told before."""
        refresh_s = self.settings.refresh_s or 0.0
        if refresh_s <= SUITABLE_S or self.settings.slow_accepted:
            return ()
        data = {"refresh_s": round(refresh_s, 1), "limit_s": SUITABLE_S}
        return (Finding(kind=FindingKind.MEASURES_SLOWLY, data=data),)

    @callback
    def start(self) -> None:
        """Read from now on."""
        self._task = self._hass.async_create_background_task(
            self._async_run(), f"meter of {self._title}"
        )

    async def async_stop(self) -> None:
        """Read no longer; what was counted is kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
            self._security.stop()
            await self._keeping.async_save()
        self._keeping.stop()

    @callback
    def go_on_from(self, energy_kwh: float | None) -> None:
        """Let the energy go on where the wallbox's total stood, None for nowhere."""
        self._before = (None if energy_kwh is None else energy_kwh * 1000,)

    @callback
    def begin_visit(
        self, key: str | None, empty_since: float | None, unseen_at: float | None
    ) -> None:
        """Begin to measure a car's stay, see `MeterVisits.begin`.

        `unseen_at` is when a car came of which is told only now (seconds UTC).
        """
        rested = None
        if unseen_at is not None:
            since_s = self._clock.time() - unseen_at
            rested = self._rests.wh_at(self._clock.monotonic() - since_s)
        self.visits = self.visits.begin(self.account, key, empty_since, rested)
        self._keeping.save(self.account.counter)

    @callback
    def name_visit(self, key: str) -> None:
        """Take the name of the stay, which the Miniserver gave later."""
        self.visits = replace(self.visits, key=key)

    @callback
    def end_visit(self) -> None:
        """End the car's stay; its energy is settled with the next readings."""
        if self.visits.is_open:
            self.visits = self.visits.end(self.profile.poll_s)
            self._publish(self.shown.power_w)
            self._keeping.save(self.account.counter)

    async def async_answer(self, answer: Answer, user_id: str | None) -> None:
        """Take the owner's word for what a break of the counter was."""
        question = self.account.counter.question
        if question is None:
            return
        self.account = self.account.answer(answer)
        self.visits = self.visits.interrupted()
        if answer is Answer.REPLACED:
            self._security.replaced(question, user_id)
        await self._keeping.async_save()

    def _kept(self) -> dict[str, Any]:
        """Return what has to outlive a restart, and of which meter it is."""
        return {
            **self.account.as_dict(),
            "visits": self.visits.as_dict(),
            "of": identity_of(self.settings),
        }

    async def _async_run(self) -> None:
        """Read, and begin anew whenever that ends."""
        while True:
            missing, reason = Missing.NOT_READ, None
            try:
                await self._async_read()
            except HomeAssistantError as err:
                missing, reason = Missing.CANNOT_CONNECT, str(err)
            except Exception:  # noqa: BLE001
                # Whatever it is: the wallbox goes on, and the meter is tried again.
                LOGGER.exception("The meter of %s cannot be read", self._title)
            await self._async_pause(missing, reason)

    async def _async_read(self) -> None:
        """Read until that ends."""
        async with open_link(
            self._hass, self.settings, self._clock, lasting=True
        ) as link:
            self._reader = MeterReader(
                link,
                self._facts.profile,
                self._take,
                clock=self._clock,
                fit=self.settings.fit,
            )
            await self._reader.run()

    async def _async_pause(self, missing: Missing, reason: str | None) -> None:
        """Let some time pass before the next try; each tick of it is missed."""
        # Whatever ended the reading was said, and may be about to happen again.
        with suppress(Exception):
            if reason is not None:
                self._say_silent(reason)
            self._lose()
        due = self._clock.monotonic()
        until = due + RETRY_S
        while due < until:
            due += self.profile.poll_s
            await self._clock.sleep(due - self._clock.monotonic())
            with suppress(Exception):
                self._miss(missing)

    @callback
    def _miss(self, missing: Missing) -> None:
        """Take note of a tick in which nobody reads."""
        self._believed.take(None, self._steady_now)
        self._coverage.take(None, missing, present=self.visits.is_open)
        self._listener.measured(self._clock.time(), None)

    @callback
    def _take(self, sample: MeterSample) -> None:
        """Take the sample of a second."""
        caught_up = self._steady.follow(sample.utc, sample.monotonic)
        at = self._steady.at(sample.monotonic)
        if caught_up:
            self.account = self.account.reconsidered(at, self._facts)
        doubted = self.account.counter.in_doubt
        self.account, finding = self.account.take(sample, self._facts, at)
        if self._before is not None:
            self.account = self.account.based(*self._before)
        if finding is not None:
            self.visits = self.visits.interrupted()
        self.visits = self.visits.take(self.account, at, self._refresh_s)
        power_w = self.account.power_w
        self._believed.take(power_w, at)
        self._rests.take(self.account.counted_wh, power_w, sample.monotonic)
        self._coverage.take(power_w, sample.missing, present=self.visits.is_open)
        self._security.take(sample, self.account.rejected)
        self._listener.measured(sample.utc.timestamp(), power_w)
        self._note_silence(sample)
        self._learn(sample, doubted=doubted)
        if finding is not None:
            self._listener.tell(finding)
        power = self._power()
        if self._gate.opens(sample.utc.timestamp(), power) or self._turned:
            self._publish(power)
        self._keeping.take(self.account.counter, self.session)

    def _learn(self, sample: MeterSample, *, doubted: bool) -> None:
        """Find out about the meter itself; `doubted` is what its counter was before."""
        reader, counter = self._reader, self.account.counter
        if reader is None:
            return
        if counter.in_doubt and not doubted and counter.segment is not None:
            reader.doubt()
        if reader.fit != self.settings.fit:
            # What it refuses once it would refuse at each start.
            self.settings = replace(self.settings, fit=reader.fit)
            self._listener.learned(self.settings)
        if self.settings.refresh_s is not None:
            return
        result = self._refresh.take(sample, reader.fit)
        if result is not None and result.refresh_s is not None:
            self.settings = replace(self.settings, refresh_s=round(result.refresh_s, 2))
            self._listener.learned(self.settings)
            self._listener.show()

    def _note_silence(self, sample: MeterSample) -> None:
        """Say once that a meter is silent, and once that it is back."""
        if sample.missing is None:
            if self._said_silent:
                LOGGER.info("The meter of %s is back", self._title)
            self._silent_since, self._said_silent, self._gaps = None, False, 0
            return
        self._gaps += 1
        if self._silent_since is None:
            self._silent_since = sample.monotonic
        if sample.monotonic - self._silent_since >= SILENT_AFTER_S:
            self._say_silent((sample.missing or Missing.NO_ANSWER).value)

    def _say_silent(self, reason: str) -> None:
        """Say once that there are no readings, and show it."""
        if self._said_silent:
            return
        self._said_silent = True
        LOGGER.warning(
            "The meter of %s gives no readings: %s. Charging goes on; we go on trying",
            self._title,
            reason,
        )
        self._publish(None)

    def _power(self) -> float | None:
        """Return the power to show: the last one outlives a gap or some garbage."""
        power_w = self.account.power_w
        self._unknown = 0 if power_w is not None else self._unknown + 1
        if power_w is not None or self._unknown >= LOST_AFTER:
            return power_w
        return self.shown.power_w

    @callback
    def _publish(self, power_w: float | None) -> None:
        """Show the present figures."""
        reader = self._reader
        coverage = None if reader is None else self._believed.share
        latency = None if reader is None else reader.figures.latency_s
        age = None if reader is None else self._believed.age_s(self._steady_now)
        self.shown = MeterShown(
            connected=self._connected,
            power_w=None if power_w is None else round(power_w, 1),
            energy_kwh=kwh(self.account.total_wh),
            stale_since=self._stale_since,
            age_s=None if age is None else round(age, 1),
            coverage=None if coverage is None else round(coverage, 4),
            latency_s=None if latency is None else round(latency, 3),
            error_pct=percent(self.visits.error_pct),
        )
        self._listener.show()

    @property
    def _steady_now(self) -> float:
        """Return the present instant as samples have it."""
        return self._steady.at(self._clock.monotonic())

    @property
    def _turned(self) -> bool:
        """Tell whether the energy has become known, or old, or is read again."""
        known = self.account.total_wh is not None
        if known is not (self.shown.energy_kwh is not None):
            return True
        return (self._stale_since is None) is not (self.shown.stale_since is None)

    @property
    def _read_at(self) -> datetime | None:
        """Return when the energy was last read, before a restart maybe."""
        at = self.account.read_at
        return None if at is None else datetime.fromtimestamp(round(at), UTC)

    @property
    def _connected(self) -> bool:
        """Tell whether the meter gives readings."""
        return not self._said_silent and self._gaps < LOST_AFTER

    @property
    def _stale_since(self) -> datetime | None:
        """Return when the energy was last read, None where that is just now."""
        at = self.account.read_at
        fresh = at is not None and self._steady_now - at <= STALE_AFTER_S
        return None if self._connected and fresh else self._read_at

    def _lose(self) -> None:
        """Show that nothing is read."""
        self._reader = None
        self._gaps = self._unknown = LOST_AFTER
        self._publish(None)

    @property
    def _refresh_s(self) -> float:
        """Return how far the meter's counter may be behind."""
        return max(self.settings.refresh_s or 1.0, self.profile.poll_s)
