"""Sessions as long-term statistics: energy, cost, sessions and charging time an hour.

Takes the ledger's records, gives rows to the recorder, only for the hours that changed.
They are made of the ledger whenever it changes and can be made again at any time. What
may go wrong: no recorder, or one that is away; then nothing is lost, the next change
brings everything since.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from homeassistant.const import UnitOfEnergy, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance

from ..charging.hourly import HourSum
from ..charging.money import decimals
from ..charging.slices import floor_hour
from ..const import DOMAIN, LOGGER
from .hours import LedgerHours
from .journal import JournalError
from .ledger import Ledger

if TYPE_CHECKING:
    from homeassistant.components.recorder.models import (
        StatisticData,
        StatisticMetaData,
    )

RECORDER = "recorder"
# A change seldom comes alone.
SETTLE_S = 5.0
# After a database that did not answer.
RETRY_S = 600.0
HOUR = timedelta(hours=1)
FAR_BACK = datetime(2000, 1, 1, tzinfo=UTC)
# How far the last hour before an instant is looked for; it is seldom long before.
LOOK_BACK_DAYS = (2, 40, 400, None)
# What the key of a cost begins with, before its currency.
COST = "cost_"
# Sums closer than this are the same.
SAME = 1e-6

# The state and the sum of each hour.
type Hours = dict[datetime, tuple[float, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One statistic: its key, what names it, its unit, and its value of an hour."""

    key: str
    name: str
    unit: str | None
    unit_class: str | None
    value: Callable[[HourSum], float]


def series_of(currencies: Iterable[str]) -> list[Series]:
    """Return the statistics of a wallbox; each currency has a cost of its own."""
    return [
        Series(
            key="energy",
            name="energy",
            unit=UnitOfEnergy.KILO_WATT_HOUR,
            unit_class="energy",
            value=lambda hour: hour.energy_wh / 1000,
        ),
        Series(
            key="sessions",
            name="sessions",
            unit=None,
            unit_class=None,
            value=lambda hour: float(hour.sessions),
        ),
        Series(
            key="charging_time",
            name="charging_time",
            unit=UnitOfTime.HOURS,
            unit_class="duration",
            value=lambda hour: hour.charging_s / 3600,
        ),
        *(_cost_series(currency) for currency in sorted(currencies)),
    ]


def _cost_series(currency: str) -> Series:
    """Return the statistic of the cost in a currency."""
    unit = 10 ** decimals(currency)
    return Series(
        key=f"{COST}{currency.lower()}",
        name="cost",
        unit=currency,
        unit_class=None,
        value=lambda hour: hour.costs.get(currency, 0) / unit,
    )


def prefix_of(wallbox: str) -> str:
    """Return what the ids of a wallbox's statistics begin with."""
    slug = "".join(sign if sign.isalnum() else "_" for sign in wallbox.lower())
    return f"{DOMAIN}:{slug}"


def statistic_ids(hass: HomeAssistant, wallbox: str) -> list[str]:
    """Return the statistics that the recorder has of a wallbox. Blocking."""
    from homeassistant.components.recorder.statistics import (  # noqa: PLC0415
        get_metadata,
    )

    prefix = f"{prefix_of(wallbox)}_"
    keys = {one.key for one in series_of(())}
    found = {
        one: one.removeprefix(prefix)
        for one in get_metadata(hass, statistic_source=DOMAIN)
        if one.startswith(prefix)
    }
    return [one for one, key in found.items() if key in keys or key.startswith("cost")]


class SessionStatistics:
    """The statistics of one wallbox.

    `name` is what the owner calls the wallbox, `names` the visible name of each key.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        wallbox: str,
        ledger: Ledger,
        *,
        name: str,
        names: Mapping[str, str],
    ) -> None:
        """Take the wallbox and its ledger."""
        self._hass = hass
        self._hours = LedgerHours(ledger)
        self._name = name
        self._names = names
        self._wallbox = wallbox
        self._prefix = prefix_of(wallbox)
        # What the recorder was given and may not have written yet.
        self._given: dict[str, Hours] = {}
        self._since: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @callback
    def changed(self, since: datetime | None = None) -> None:
        """Bring the hours since an instant up to date soon, None for all.

        What is written after the end is brought by the next start.
        """
        if self._stopped:
            return
        if since is None:
            # Whatever the recorder was given, it may have lost it.
            self._given.clear()
        since = FAR_BACK if since is None else floor_hour(since)
        self._since = since if self._since is None else min(self._since, since)
        if self._task is None:
            self._task = self._hass.async_create_background_task(
                self._async_follow(), f"statistics of {self._name}"
            )

    async def async_stop(self) -> None:
        """Write no more; the next start brings what is missing."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _async_follow(self) -> None:
        """Bring up to date what changed, until nothing does any more."""
        try:
            while self._since is not None:
                await asyncio.sleep(SETTLE_S)
                since, self._since = self._since, None
                try:
                    await self.async_update(since)
                except Exception:  # noqa: BLE001
                    # Whatever it is: the ledger has all, and nothing else stops.
                    LOGGER.exception("Statistics of %s were not written", self._name)
                    self.changed(since)
                    await asyncio.sleep(RETRY_S)
        finally:
            self._task = None

    async def async_update(self, since: datetime = FAR_BACK) -> None:
        """Write the hours since an instant, as far as they changed."""
        if RECORDER not in self._hass.config.components:
            return
        since = floor_hour(since)
        instance = get_instance(self._hass)
        await instance.async_recorder_ready.wait()
        try:
            hours = await self._hass.async_add_executor_job(self._hours.since, since)
        except JournalError as err:
            LOGGER.error("A file of sessions cannot be read: %s", err)
            return
        if since == FAR_BACK:
            if not hours:
                return
            # The ledger may have forgotten what was before, as the owner wished.
            since = hours[0].start
        wanted, there = await instance.async_add_executor_job(
            self._there, since, {one for hour in hours for one in hour.costs}
        )
        from homeassistant.components.recorder.statistics import (  # noqa: PLC0415
            async_add_external_statistics,
        )

        for series in wanted:
            meta = self._meta(series)
            known = self._with_given(meta["statistic_id"], there)
            if rows := _rows(series, hours, known, since):
                async_add_external_statistics(self._hass, meta, rows)
                given = self._given.setdefault(meta["statistic_id"], {})
                given |= {row["start"]: (row["state"], row["sum"]) for row in rows}

    def _with_given(self, statistic_id: str, there: Mapping[str, Hours]) -> Hours:
        """Return what the recorder has of a statistic, or will have soon."""
        known = there.get(statistic_id, {})
        given = {
            start: values
            for start, values in self._given.get(statistic_id, {}).items()
            if known.get(start) != values
        }
        self._given[statistic_id] = given
        return {**known, **given}

    def _there(
        self, since: datetime, currencies: set[str]
    ) -> tuple[list[Series], dict[str, Hours]]:
        """Return the statistics there are to be, and what the recorder has of them.

        A cost in another currency than before leaves nothing of the old one behind.
        """
        prefix = f"{self._prefix}_{COST}"
        found = {*statistic_ids(self._hass, self._wallbox), *self._given}
        costs = {one.removeprefix(prefix) for one in found if one.startswith(prefix)}
        wanted = series_of(currencies | {one.upper() for one in costs})
        # What was given may not be written yet; it is kept until it is seen.
        given = [start for hours in self._given.values() for start in hours]
        ids = {f"{self._prefix}_{one.key}" for one in wanted}
        return wanted, _known(self._hass, ids, min([since, *given]))

    def _meta(self, series: Series) -> StatisticMetaData:
        """Return how the recorder knows a statistic."""
        from homeassistant.components.recorder.models import (  # noqa: PLC0415
            StatisticMeanType,
            StatisticMetaData,
        )

        return StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=f"{self._name} {self._names.get(series.name, series.name)}",
            source=DOMAIN,
            statistic_id=f"{self._prefix}_{series.key}",
            unit_class=series.unit_class,
            unit_of_measurement=series.unit,
        )


def _known(hass: HomeAssistant, ids: set[str], since: datetime) -> dict[str, Hours]:
    """Return what the recorder has of some statistics since an instant.

    Of each also its last hour before, whose sum is where the others begin.
    """
    known = _between(hass, ids, since, None)
    end = since
    for days in LOOK_BACK_DAYS:
        start = FAR_BACK if days is None else since - timedelta(days=days)
        lacking = {
            one for one in ids if min(known.get(one, {}), default=since) >= since
        }
        if not lacking or start >= end:
            break
        for statistic_id, hours in _between(hass, lacking, start, end).items():
            last = max(hours)
            known.setdefault(statistic_id, {})[last] = hours[last]
        end = start
    return known


def _between(
    hass: HomeAssistant, ids: set[str], start: datetime, end: datetime | None
) -> dict[str, Hours]:
    """Return what the recorder has of some statistics in a span."""
    from homeassistant.components.recorder.statistics import (  # noqa: PLC0415
        statistics_during_period,
    )

    found = statistics_during_period(
        hass, start, end, ids, "hour", None, {"state", "sum"}
    )
    return {
        statistic_id: {
            datetime.fromtimestamp(row["start"], UTC): (
                row.get("state") or 0.0,
                row.get("sum") or 0.0,
            )
            for row in rows
        }
        for statistic_id, rows in found.items()
        if rows
    }


def _rows(
    series: Series, hours: Iterable[HourSum], known: Hours, since: datetime
) -> list[StatisticData]:
    """Return the rows since an instant that differ from what is there.

    An hour in which nothing is any more stays, with nothing in it.
    """
    from homeassistant.components.recorder.models import (  # noqa: PLC0415
        StatisticData,
    )

    before = max((start for start in known if start < since), default=None)
    total, rows = 0.0 if before is None else known[before][1], []
    values = dict.fromkeys((start for start in known if start >= since), 0.0)
    values |= {hour.start: series.value(hour) for hour in hours}
    for start in sorted(values):
        state = values[start]
        total += state
        old = known.get(start)
        if old is None or max(abs(old[0] - state), abs(old[1] - total)) > SAME:
            rows.append(StatisticData(start=start, state=state, sum=total))
    return rows
