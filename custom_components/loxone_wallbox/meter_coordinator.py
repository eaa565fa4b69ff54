"""Read the meter of one wallbox, each second, and show of it what is worth showing.

Takes samples, keeps the account of them on the disk, gives power, energy and how good
they are. What may go wrong: the meter, its gateway, the disk; none of it stops the
wallbox, and all of it is tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .charging.variants import VariantFacts
from .const import LOGGER
from .meter.account import MeterAccount, MeterFacts, SteadyClock
from .meter.checks import Circuit
from .meter.clock import MeterClock, SystemClock
from .meter.counter import Answer, Counter
from .meter.errors import Missing
from .meter.findings import Finding, FindingKind
from .meter.latch import SessionEnergy, Stage
from .meter.model import MeterProfile
from .meter.reader import LOST_AFTER, Figures, MeterReader
from .meter.refresh import SUITABLE_S, RefreshWatch
from .meter.sample import MeterSample
from .meter.shown import ShowGate
from .meter.visits import MeterVisits
from .meter_link import open_link
from .meter_settings import MeterSettings
from .records.state import StateKeeper
from .rights import SecurityEvent, SecuritySink
from .rules import identity_of
from .saving import Saver

# A meter or its settings that cannot be used at all is tried again so often.
RETRY_S = 60.0
# A silence is no hiccup any more, and is said once.
SILENT_AFTER_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterShown:
    """What is shown of a meter; W, kWh, s, None is unknown, `coverage` 0 to 1.

    `error_pct` is by how much the power is too high, compared with the energy.
    """

    connected: bool = False
    power_w: float | None = None
    energy_kwh: float | None = None
    age_s: float | None = None
    coverage: float | None = None
    latency_s: float | None = None
    error_pct: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterListener:
    """Who is told of what.

    `show` of something worth showing, `tell` of a counter that broke, `measured` of the
    power of each second (seconds UTC, W, None where unknown), `learned` of settings
    that say more of the meter than those before, `security` of what the security log
    keeps.
    """

    show: Callable[[], None]
    tell: Callable[[Finding], None]
    measured: Callable[[float, float | None], None]
    learned: Callable[[MeterSettings], None]
    security: SecuritySink


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
        self._facts = facts
        self._listener = listener
        self._clock = clock or SystemClock()
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        self._steady = SteadyClock(now, self._clock.monotonic())
        self.account = MeterAccount.from_dict(kept or {})
        self.visits = MeterVisits.from_dict((kept or {}).get("visits", {}))
        self._saver = Saver(hass, keeper, title, self._kept)
        self._saved: Counter | None = self.account.counter if kept else None
        self._saved_at = self._clock.monotonic()
        self._told = self.session
        self._gate = ShowGate()
        self._refresh = RefreshWatch(settings.profile)
        self._reader: MeterReader | None = None
        self._gaps = 0
        self._silent_since: float | None = None
        self._said_silent = False
        self._before: tuple[float | None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.shown = MeterShown(
            energy_kwh=_kwh(self.account.total_wh),
            error_pct=_percent(self.visits.error_pct),
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
    def session(self) -> SessionEnergy | None:
        """Return the energy of the running or last stay, None before the first."""
        return self.visits.session

    @property
    def figures(self) -> Figures | None:
        """Return what the reader has counted, None while nothing is read."""
        return None if self._reader is None else self._reader.figures

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong now with the meter or its measuring."""
        return (
            *self.account.findings,
            *self.visits.findings(self.profile.poll_s),
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
            await self._saver.async_save()
        self._saver.stop()

    @callback
    def go_on_from(self, energy_kwh: float | None) -> None:
        """Let the energy go on where the wallbox's total stood, None for nowhere."""
        self._before = (None if energy_kwh is None else energy_kwh * 1000,)

    @callback
    def begin_visit(self, key: str | None, empty_since: float | None) -> None:
        """Begin to measure a car's stay, see `MeterVisits.begin`."""
        self.visits = self.visits.begin(self.account, key, empty_since)
        self._save_soon()

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
            self._save_soon()

    async def async_answer(self, answer: Answer, user_id: str | None) -> None:
        """Take the owner's word for what a break of the counter was."""
        question = self.account.counter.question
        if question is None:
            return
        self.account = self.account.answer(answer)
        self.visits = self.visits.interrupted()
        if answer is Answer.REPLACED:
            self._listener.security(
                SecurityEvent(
                    kind="meter_replaced",
                    outcome="info",
                    user_id=user_id,
                    detail={"wallbox": self._title, **question.finding.data},
                )
            )
        await self._saver.async_save()

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
            try:
                async with open_link(self._hass, self.settings, self._clock) as link:
                    self._reader = MeterReader(
                        link, self._facts.profile, self._take, clock=self._clock
                    )
                    await self._reader.run()
            except HomeAssistantError as err:
                self._say_silent(str(err))
            except Exception:  # noqa: BLE001
                # Whatever it is: the wallbox goes on, and the meter is tried again.
                LOGGER.exception("The meter of %s cannot be read", self._title)
            self._lose()
            await self._clock.sleep(RETRY_S)

    @callback
    def _take(self, sample: MeterSample) -> None:
        """Take the sample of a second."""
        at = self._steady.at(sample.monotonic)
        doubted = self.account.counter.in_doubt
        self.account, finding = self.account.take(sample, self._facts, at)
        if self._before is not None:
            self.account = self.account.based(*self._before)
        if finding is not None:
            self.visits = self.visits.interrupted()
        self.visits = self.visits.take(self.account, at, self._refresh_s)
        self._listener.measured(sample.utc.timestamp(), self.account.power_w)
        self._note_silence(sample)
        self._learn(sample, doubted=doubted)
        if finding is not None:
            self._listener.tell(finding)
        power = self._power(sample)
        if self._gate.opens(sample.utc.timestamp(), power):
            self._publish(power)
        self._save_if_worth()

    def _learn(self, sample: MeterSample, *, doubted: bool) -> None:
        """Find out about the meter itself; `doubted` is what its counter was before."""
        reader, counter = self._reader, self.account.counter
        if reader is None:
            return
        if counter.in_doubt and not doubted and counter.segment is not None:
            reader.doubt()
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

    def _power(self, sample: MeterSample) -> float | None:
        """Return the power to show: the last one outlives a hiccup."""
        if sample.missing is None:
            return self.account.power_w
        return self.shown.power_w if self._gaps < LOST_AFTER else None

    @callback
    def _publish(self, power_w: float | None) -> None:
        """Show the present figures."""
        reader = self._reader
        coverage = None if reader is None else reader.coverage
        latency = None if reader is None else reader.figures.latency_s
        age = None if reader is None else reader.age_s
        self.shown = MeterShown(
            connected=not self._said_silent and self._gaps < LOST_AFTER,
            power_w=None if power_w is None else round(power_w, 1),
            energy_kwh=_kwh(self.account.total_wh),
            age_s=None if age is None else round(age, 1),
            coverage=None if coverage is None else round(coverage, 4),
            latency_s=None if latency is None else round(latency, 3),
            error_pct=_percent(self.visits.error_pct),
        )
        self._listener.show()

    def _lose(self) -> None:
        """Show that nothing is read."""
        self._reader = None
        self._gaps = LOST_AFTER
        self._publish(None)

    @property
    def _refresh_s(self) -> float:
        """Return how far the meter's counter may be behind."""
        return max(self.settings.refresh_s or 1.0, self.profile.poll_s)

    def _save_if_worth(self) -> None:
        """Keep the counter when it changed, at most once a minute, or at a turn."""
        now = self._clock.monotonic()
        counter, session = self.account.counter, self.session
        turned = _stage(session) is not _stage(self._told)
        self._told = session
        if turned or counter.worth_saving(self._saved, now - self._saved_at):
            self._save_soon()

    def _save_soon(self) -> None:
        """Keep everything as it is when the disk is ready."""
        self._saved, self._saved_at = self.account.counter, self._clock.monotonic()
        self._hass.async_create_task(self._saver.async_save(), eager_start=True)


def _stage(session: SessionEnergy | None) -> Stage | None:
    """Return how final the energy of a stay is."""
    return None if session is None else session.stage


def _kwh(energy_wh: float | None) -> float | None:
    """Return an energy in kWh, to the watt-hour."""
    return None if energy_wh is None else round(energy_wh / 1000, 3)


def _percent(share: float | None) -> float | None:
    """Return a percentage to a tenth."""
    return None if share is None else round(share, 1)
