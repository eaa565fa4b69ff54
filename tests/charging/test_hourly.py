"""What a session adds to each hour and each local day."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from .stays import Stay, rules, utc
from custom_components.loxone_wallbox.charging.costing import TariffBook, priced
from custom_components.loxone_wallbox.charging.hourly import added_up, hours_of
from custom_components.loxone_wallbox.charging.session import Kind, SessionRecord
from custom_components.loxone_wallbox.charging.slices import floor_hour
from custom_components.loxone_wallbox.charging.tariff import FixedTariff
from custom_components.loxone_wallbox.records.mapping import row_of

LONDON = ZoneInfo("Europe/London")
STARTS = ("2027-01-13T17:31:07", "2027-03-27T21:10:00", "2026-10-24T20:10:00")
PARTS = st.lists(
    st.tuples(
        st.sampled_from((0.0, 40.0, 1380.0, 7400.0, 11_040.0)),
        st.integers(min_value=1, max_value=500),
    ),
    min_size=1,
    max_size=8,
)


def played(start: datetime, parts: list[tuple[float, int]]) -> SessionRecord:
    """Return a stay with so many minutes of each power."""
    stay = Stay(now=start, rules=rules())
    stay.plug()
    for power_w, minutes in parts:
        stay.flow(power_w)
        stay.until(stay.now + timedelta(minutes=minutes), timedelta(minutes=1))
    return stay.unplug()


@given(start=st.sampled_from(STARTS), parts=PARTS)
@settings(max_examples=25, deadline=None)
def test_hours_add_up_to_the_session(
    start: str, parts: list[tuple[float, int]]
) -> None:
    """Energy, time and cost of all hours are those of the session."""
    record = played(utc(start), parts)
    tariff = FixedTariff(id="a", per_kwh=Decimal("0.2713"), currency="GBP")
    record = priced(record, TariffBook().switched(tariff), utc(start))
    hours = hours_of(record)
    if record.kind is Kind.VISIT:
        assert hours == []
        return
    assert sum(one.energy_wh for one in hours) == record.import_wh
    assert sum(one.charging_s for one in hours) == record.importing_s
    assert sum(one.costs.get("GBP", 0) for one in hours) == record.cost_minor
    assert sum(one.sessions for one in hours) == 1
    assert all(one.start == floor_hour(one.start) for one in hours)
    assert all(0 <= one.charging_s <= 3600 for one in hours)
    assert hours == sorted(hours, key=lambda one: one.start)


@given(start=st.sampled_from(STARTS), parts=PARTS)
@settings(max_examples=25, deadline=None)
def test_days_add_up_to_the_session(start: str, parts: list[tuple[float, int]]) -> None:
    """The rows of the database hold all of the session's energy and time, once."""
    record = played(utc(start), parts)
    row = row_of(record, LONDON)
    assert sum(one.energy_wh for one in row.slices) == record.import_wh
    assert sum(one.charging_s for one in row.slices) == record.importing_s
    assert sum(one.connected_s for one in row.slices) == record.connected_s
    assert all(min(one.charging_s, one.connected_s) >= 0 for one in row.slices)
    assert all(one.charging_s <= one.connected_s for one in row.slices)
    days = {datetime.fromtimestamp(one.start_ts, LONDON).date() for one in row.slices}
    last = record.disconnected_utc
    assert last is not None
    between = (
        last.astimezone(LONDON).date() - record.connected_utc.astimezone(LONDON).date()
    )
    assert len(days) in {between.days, between.days + 1}


def test_two_sessions_of_an_hour_are_one_sum() -> None:
    """What flowed in the same hour is added, costs that are unknown are not zero."""
    one = played(utc("2027-01-13T17:05:00"), [(7400.0, 10)])
    other = played(utc("2027-01-13T17:30:00"), [(7400.0, 20)])
    (hour,) = added_up([*hours_of(one), *hours_of(other)])
    assert hour.energy_wh == one.import_wh + other.import_wh
    assert hour.sessions == 2
    assert not hour.costs


def test_cost_goes_with_the_energy() -> None:
    """Half an hour in one hour and a quarter in the next: two thirds, one third."""
    record = played(utc("2027-01-13T17:30:00"), [(8000.0, 45)])
    tariff = FixedTariff(id="a", per_kwh=Decimal(1), currency="GBP")
    record = priced(record, TariffBook().switched(tariff), utc("2027-01-14T00:00:00"))
    assert [one.costs["GBP"] for one in hours_of(record)] == pytest.approx(
        [400, 200], abs=1
    )
