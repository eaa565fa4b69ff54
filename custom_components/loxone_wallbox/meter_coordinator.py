"""Read the meter of one wallbox, each second, and show of it what is worth showing.

Takes samples, keeps the account of them on the disk, gives power, energy and how good
they are. What may go wrong: the meter, its gateway, the disk; none of it stops the
wallbox, and all of it is tried again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .charging.variants import VariantFacts
from .const import LOGGER
from .meter.account import MeterAccount, MeterFacts, SteadyClock
from .meter.checks import Circuit
from .meter.clock import MeterClock, SystemClock
from .meter.counter import Answer, Counter
from .meter.errors import Missing
from .meter.findings import Finding
from .meter.reader import LOST_AFTER, MeterReader
from .meter.sample import MeterSample
from .meter.series import VisitSeries
from .meter.shown import ShowGate
from .meter_link import open_link
from .meter_settings import MeterSettings
from .records.state import StateKeeper
from .saving import Saver

# A meter or its settings that cannot be used at all is tried again so often.
RETRY_S = 60.0
# A silence is no hiccup any more, and is said once.
SILENT_AFTER_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterShown:
    """What is shown of a meter; W, kWh, s, None is unknown, `coverage` 0 to 1."""

    connected: bool = False
    power_w: float | None = None
    energy_kwh: float | None = None
    age_s: float | None = None
    coverage: float | None = None
    latency_s: float | None = None


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
        show: Callable[[], None],
        tell: Callable[[Finding], None],
        clock: MeterClock | None = None,
    ) -> None:
        """Take the meter of a wallbox and what was kept of it.

        `show` is called when something is worth showing, `tell` when the counter broke.
        """
        self._hass = hass
        self._title = title
        self.settings = settings
        self._facts = facts
        self._show = show
        self._tell = tell
        self._clock = clock or SystemClock()
        self._steady = SteadyClock(dt_util.utcnow(), self._clock.monotonic())
        self.account = MeterAccount.from_dict(kept or {})
        self._saver = Saver(hass, keeper, title, lambda: self.account.as_dict())  # noqa: PLW0108
        self._saved: Counter | None = self.account.counter if kept else None
        self._saved_at = self._clock.monotonic()
        self.series = VisitSeries()
        self._gate = ShowGate()
        self._reader: MeterReader | None = None
        self._gaps = 0
        self._silent_since: float | None = None
        self._said_silent = False
        self._before: tuple[float | None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.shown = MeterShown(energy_kwh=_kwh(self.account.total_wh))

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

    @callback
    def go_on_from(self, energy_kwh: float | None) -> None:
        """Let the energy go on where the wallbox's total stood, None for nowhere."""
        self._before = (None if energy_kwh is None else energy_kwh * 1000,)

    async def async_answer(self, answer: Answer) -> None:
        """Take the owner's word for what a break of the counter was."""
        self.account = self.account.answer(answer)
        await self._saver.async_save()

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
        self.account, finding = self.account.take(sample, self._facts, at)
        if self._before is not None:
            self.account = self.account.based(*self._before)
        self.series.add(sample.utc.timestamp(), self.account.power_w)
        self._note_silence(sample)
        if finding is not None:
            self._tell(finding)
        power = self._power(sample)
        if self._gate.opens(sample.utc.timestamp(), power):
            self._publish(power)
        self._save_if_worth()

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
        )
        self._show()

    def _lose(self) -> None:
        """Show that nothing is read."""
        self._reader = None
        self._gaps = LOST_AFTER
        self._publish(None)

    def _save_if_worth(self) -> None:
        """Keep the counter when it changed, at most once a minute, or broke."""
        now = self._clock.monotonic()
        counter = self.account.counter
        if not counter.worth_saving(self._saved, now - self._saved_at):
            return
        self._saved, self._saved_at = counter, now
        self._hass.async_create_task(self._saver.async_save(), eager_start=True)


def _kwh(energy_wh: float | None) -> float | None:
    """Return an energy in kWh, to the watt-hour."""
    return None if energy_wh is None else round(energy_wh / 1000, 3)
