"""Sessions of the Miniserver's own log: all of the energy, nothing that nobody knows."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from .nights import LONDON
from custom_components.loxone_wallbox.charging.regulation import PROFILES
from custom_components.loxone_wallbox.charging.schedule import Schedule
from custom_components.loxone_wallbox.charging.session import (
    Kind,
    Origin,
    SessionError,
    SessionRecord,
)
from custom_components.loxone_wallbox.charging.slices import SessionRules
from custom_components.loxone_wallbox.charging.tracked import LONGEST_STAY, TrackedStay

BOX, MAX_W = "504F94_garage", 11_000.0
RULES = SessionRules(
    zone=LONDON, peak=Schedule(windows=PROFILES["gb_2021"].peak, zone=LONDON)
)
EVENING = datetime(2027, 1, 13, 17, 30, tzinfo=UTC)
NOW = datetime(2028, 1, 1, tzinfo=UTC)
YEARS_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def stay(hours: float, wh: float, allowed: datetime | None = None) -> TrackedStay:
    """Return a stay from an evening on."""
    end = EVENING + timedelta(hours=hours)
    return TrackedStay(connected=EVENING, disconnected=end, wh=wh, allowed=allowed)


def test_a_night() -> None:
    """What was taken is put behind the permission, in parts by day and by hour."""
    allowed = datetime(2027, 1, 13, 22, 7, tzinfo=UTC)
    record = stay(14.5, 40_000.4, allowed=allowed).record(BOX, RULES, MAX_W)
    record.check()
    assert (record.import_wh, record.kind) == (40_000, Kind.OCCASION)
    assert (record.connected_s, record.importing_s) == (52_200, 0)
    assert (record.meter_start_wh, record.meter_stop_wh) == (None, None)
    assert record.first_import_utc == allowed
    assert not any(one.in_peak for one in record.slices)
    assert len(record.slices) == 2
    assert len(record.hours) == 10
    assert SessionRecord.from_dict(record.as_dict()) == record


def test_a_permission_that_came_too_late() -> None:
    """What does not fit behind the last permission flowed before it as well."""
    allowed = EVENING + timedelta(hours=3)
    record = stay(4, 20_000, allowed=allowed).record(BOX, RULES, MAX_W)
    assert record.first_import_utc == EVENING
    assert any(one.in_peak for one in record.slices)
    record = stay(4, 10_000, allowed=allowed).record(BOX, RULES, MAX_W)
    assert record.first_import_utc == allowed


def test_a_visit() -> None:
    """A stay without energy is one too."""
    record = stay(4, 3.0).record(BOX, RULES, MAX_W)
    record.check()
    assert record.kind is Kind.VISIT
    record = stay(4, 0.0).record(BOX, RULES, MAX_W)
    record.check()
    assert record.slices == ()


@pytest.mark.parametrize(
    ("one", "sane"),
    [
        (stay(1, 11_000), True),
        (stay(1, 11_500), True),
        (stay(1, 12_000), False),
        (stay(0, 0), False),
        (stay(-1, 0), False),
        (stay(1, -5), False),
        (stay(1, float("nan")), False),
        (stay(LONGEST_STAY / timedelta(hours=1) + 1, 5_000), False),
        (stay(24 * 360, 5_000), False),
    ],
)
def test_what_can_have_been(one: TrackedStay, sane: bool) -> None:
    """No stay without a length, beyond the wallbox's power or in the future."""
    assert one.is_sane(NOW, MAX_W) is sane


def test_the_same_name() -> None:
    """A stay is always the same session, whoever asks and whatever it took."""
    assert stay(1, 5).name(BOX) == stay(2, 7).name(BOX)
    assert stay(1, 5).name(BOX) != stay(1, 5).name("other")
    assert stay(1, 5).record(BOX, RULES, MAX_W).id == stay(1, 5).name(BOX)


@given(
    st.integers(0, 700 * 86_400).map(lambda s: timedelta(seconds=s)),
    st.integers(1, 5 * 86_400),
    st.floats(0, 1),
    st.none() | st.floats(-0.5, 1.5),
)
def test_any_stay(
    after: timedelta, length: int, load: float, allowed: float | None
) -> None:
    """Every stay that can have been gives a record that breaks no rule."""
    begin, lasts = YEARS_AGO + after, timedelta(seconds=length)
    one = TrackedStay(
        connected=begin,
        disconnected=begin + lasts,
        wh=load * MAX_W * length / 3600,
        allowed=None if allowed is None else begin + allowed * lasts,
    )
    assert one.is_sane(NOW, MAX_W)
    record = one.record(BOX, RULES, MAX_W)
    record.check()
    assert record.import_wh == round(one.wh)
    assert SessionRecord.from_dict(record.as_dict()) == record


def test_energy_without_readings() -> None:
    """Only the Miniserver's word may lack the meter's readings."""
    record = stay(4, 5_000).record(BOX, RULES, MAX_W)
    own = SessionRecord.from_dict(
        {**record.as_dict(), "origin": Origin.HOME_ASSISTANT.value}
    )
    with pytest.raises(SessionError, match="meter_difference"):
        own.check()


def test_a_record_of_before() -> None:
    """A record that says nothing of its origin was watched by ourselves."""
    plain = stay(4, 5_000).record(BOX, RULES, MAX_W).as_dict()
    del plain["origin"], plain["quality"]["coarse"], plain["quality"]["connection_only"]
    record = SessionRecord.from_dict(plain)
    assert record.origin is Origin.HOME_ASSISTANT
    assert not record.quality.coarse
