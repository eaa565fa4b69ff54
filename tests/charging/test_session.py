"""Nights at a wallbox, told by the records of their sessions."""

from datetime import timedelta
from functools import cache

import pytest

from .nights import local
from .stays import SECOND, Stay
from custom_components.loxone_wallbox.charging.session import (
    DelayNote,
    Kind,
    SessionRecord,
    StopReason,
)
from custom_components.loxone_wallbox.charging.slices import energy_wh
from custom_components.loxone_wallbox.charging.tally import Reading

KW = 1000.0


@cache
def ordinary_night() -> tuple[Stay, SessionRecord]:
    """Play 60 kWh at 11 kW from seven minutes past ten, unplugged in the morning."""
    stay = Stay(now=local("2027-01-13T17:30:00"))
    stay.plug()
    stay.until(local("2027-01-13T22:07:17"), timedelta(seconds=30))
    stay.take(
        stay.book.delayed(DelayNote(cause="default_hours", seconds=437), stay.rules)
    )
    stay.flow(11 * KW)
    full = stay.now + timedelta(hours=60 / 11)
    stay.until(full)
    stay.take(stay.book.stopped(StopReason.CAR, stay.rules))
    stay.flow(0)
    stay.until(local("2027-01-14T07:45:00"), timedelta(seconds=30))
    return stay, stay.unplug()


def test_an_ordinary_night() -> None:
    """One session, two slices at midnight, energy to the watt-hour, two times apart."""
    stay, record = ordinary_night()
    record.check()
    assert stay.kinds == [
        "session_started",
        "charging_started",
        "charging_paused",
        "session_finished",
    ]
    assert record.kind is Kind.OCCASION
    assert record.import_wh == 60_000
    assert record.meter_start_wh == 1_234_000
    assert record.meter_stop_wh == 1_294_000
    assert [one.start for one in record.slices] == [
        local("2027-01-13T22:07:17"),
        local("2027-01-14T00:00:00"),
    ]
    before = 11_000 * (6763 / 3600)
    assert [one.wh for one in record.slices] == [
        pytest.approx(before, abs=4),
        pytest.approx(60_000 - before, abs=4),
    ]
    assert record.connected_s == 14 * 3600 + 15 * 60
    assert record.importing_s == pytest.approx(60 / 11 * 3600, abs=1)
    assert record.stop_reason is StopReason.CAR
    assert record.delays == (DelayNote(cause="default_hours", seconds=437),)
    assert not record.quality.estimated_timing
    assert record.quality.gaps_s == 0
    assert record.quality.error_pct == pytest.approx(0, abs=0.1)
    assert record.max_w == 11_000
    assert SessionRecord.from_dict(record.as_dict()) == record


def test_the_hours_of_the_night() -> None:
    """Each hour of UTC has what flowed in it, for the statistics."""
    _, record = ordinary_night()
    assert [one.wh for one in record.hours[1:-1]] == [
        pytest.approx(11_000, abs=4) for _ in record.hours[1:-1]
    ]
    assert record.hours[0].start == local("2027-01-13T22:00:00")
    assert record.hours[-1].start == local("2027-01-14T03:00:00")


def test_the_morning_boundary() -> None:
    """A car that is stopped before eight draws nothing in the peak."""
    stay = Stay(now=local("2027-01-13T17:30:00"))
    stay.plug()
    stay.until(local("2027-01-13T22:07:17"), timedelta(seconds=60))
    stay.flow(11 * KW)
    stay.until(local("2027-01-14T07:52:03"))
    stay.take(stay.book.stopped(StopReason.WINDOW_END, stay.rules))
    stay.flow(0)
    stay.until(local("2027-01-14T17:00:00"), timedelta(seconds=60))
    record = stay.unplug()
    record.check()
    peak = (local("2027-01-14T08:00:00"), local("2027-01-14T11:00:00"))
    assert energy_wh(record.slices, *peak) == 0
    assert not any(one.in_peak for one in record.slices)
    assert record.import_wh == round(stay.wh) - 1_234_000
    assert record.stop_reason is StopReason.WINDOW_END
    assert record.last_import_utc == local("2027-01-14T07:52:03")


def test_a_stop_after_the_boundary_is_seen() -> None:
    """Two minutes into the peak are a slice of their own, marked."""
    stay = Stay(now=local("2027-01-14T07:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(local("2027-01-14T08:02:03"))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    assert [(one.in_peak, one.wh) for one in record.slices] == [
        (False, 11_000),
        (True, round(11_000 * 123 / 3600)),
    ]
    assert record.slices[1].start == local("2027-01-14T08:00:00")


def test_silence_for_twenty_minutes() -> None:
    """Energy is complete, the slice says that its timing is estimated."""
    stay = Stay(now=local("2027-01-13T22:35:00"), wh=0)
    stay.plug()
    start = local("2027-01-13T22:42:33")
    stay.until(start, timedelta(seconds=30))
    stay.power_w = 11 * KW
    stay.read()
    stay.now = local("2027-01-13T23:00:00")
    stay.wh = 3_200.0
    stay.read()
    stay.take(stay.book.link_lost(stay.now, stay.rules))
    stay.now = local("2027-01-13T23:20:00")
    stay.wh = 6_870.0
    stay.read()
    assert stay.kinds == ["session_started", "charging_started"]
    stay.flow(0)
    record = stay.unplug()
    record.check()
    assert record.import_wh == 6_870
    assert record.quality.estimated_timing
    assert [one.estimated for one in record.slices] == [True]
    assert record.quality.gaps_s == 1200
    assert record.importing_s == pytest.approx(37 * 60 + 27, abs=2)
    assert [one.wh for one in record.hours] == [3_200, 3_670]


def test_a_gap_in_which_nothing_flowed() -> None:
    """Where the counter stands still nothing is estimated."""
    stay = Stay(now=local("2027-01-13T22:35:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=10))
    stay.flow(0)
    stay.take(stay.book.link_lost(stay.now, stay.rules))
    stay.pass_unread(timedelta(hours=9))
    stay.read()
    record = stay.unplug()
    record.check()
    assert not record.quality.estimated_timing
    assert not any(one.estimated for one in record.slices)
    assert record.quality.gaps_s == 9 * 3600
    assert record.importing_s == 600


def test_hidden_charging_is_found_by_the_counter() -> None:
    """A charge that began and ended unseen has its energy and a likely time."""
    stay = Stay(now=local("2027-01-13T22:35:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=10))
    stay.flow(0)
    stay.take(stay.book.link_lost(stay.now, stay.rules))
    stay.now += timedelta(hours=1)
    stay.wh += 5_500
    stay.read()
    record = stay.unplug()
    record.check()
    assert record.importing_s == 600 + 1800
    assert record.quality.estimated_timing
    assert stay.kinds[1:3] == ["charging_started", "charging_paused"]


def test_a_restart_while_charging() -> None:
    """The session goes on, 3.2 kWh more are its own."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(hours=1))
    stay.pass_unread(timedelta(hours=3.2 / 11))
    stay.restart()
    stay.until(stay.now + timedelta(minutes=5))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    assert record.import_wh == round(stay.wh) - 1_234_000
    assert record.quality.estimated_timing
    assert stay.kinds.count("session_started") == 1
    assert stay.kinds.count("charging_started") == 1
    # The last five minutes before a crash may have to be read from the counter too.
    assert 3.2 / 11 * 3600 - 1 <= record.quality.gaps_s <= 3.2 / 11 * 3600 + 301
    charged = 3900 + 3.2 / 11 * 3600
    assert record.importing_s == pytest.approx(charged, abs=3)


def test_a_car_that_left_and_another_that_came_unseen() -> None:
    """What the present stay has taken is its own, the rest was the old one's."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(hours=1))
    came = stay.now + timedelta(hours=1)
    stay.now += timedelta(hours=2)
    stay.wh += 7_000
    stay.restart(visit_since=came, visit_wh=3_000.0)
    stay.flow(0)
    second = stay.unplug()
    first = next(one.record for one in stay.told if one.kind == "session_finished")
    assert first.id != second.id
    assert (first.import_wh, second.import_wh) == (11_000 + 4_000, 3_000)
    assert first.disconnected_utc == second.connected_utc == came
    for record in (first, second):
        record.check()


def test_a_new_meter_in_the_middle() -> None:
    """The offset bridges two counters, and the difference still adds up."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=30))
    stay.take(stay.book.meter_broke(stay.now, stay.rules, stay.wh, 300.0))
    stay.wh = 300.0
    stay.until(stay.now + timedelta(minutes=30))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    assert record.import_wh == 11_000
    assert record.meter_offset_wh == 1_239_500 - 300
    assert record.meter_stop_wh == 5_800


def test_a_zero_is_no_reading() -> None:
    """A single low value changes nothing."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=6))
    wrong = Reading(at=stay.now + SECOND, wh=0.0, power_w=11 * KW)
    stay.take(stay.book.read(wrong, stay.rules))
    stay.until(stay.now + timedelta(minutes=6))
    stay.flow(0)
    assert stay.unplug().import_wh == 2_200


def test_a_visit_is_no_occasion() -> None:
    """A stay with less than ten watt-hours is kept apart."""
    stay = Stay(now=local("2027-01-13T12:00:00"))
    stay.plug()
    stay.now += timedelta(minutes=3)
    stay.wh += 9
    visit = stay.unplug()
    visit.check()
    assert visit.kind is Kind.VISIT
    assert visit.stop_reason is StopReason.UNPLUGGED
    stay.now += timedelta(minutes=30)
    stay.plug()
    stay.now += timedelta(minutes=3)
    stay.wh += 10
    assert stay.unplug().kind is Kind.OCCASION


def test_a_counter_that_is_behind() -> None:
    """What the counter shows within a minute of the unplug is still the session's."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=6))
    stay.power_w = 0
    first = stay.unplug()
    stay.now += timedelta(seconds=20)
    stay.wh += 30
    stay.read()
    assert stay.kinds[-1] == "session_corrected"
    corrected = stay.told[-1].record
    corrected.check()
    assert corrected.id == first.id
    assert corrected.revision > first.revision
    assert corrected.import_wh == first.import_wh + 30
    stay.now += timedelta(seconds=61)
    stay.wh += 30
    stay.read()
    assert stay.kinds[-1] == "session_corrected"
    assert stay.told[-1].record == corrected


def test_a_car_that_follows_at_once() -> None:
    """What the counter was behind is the first car's, not lost and not the next one's."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=6))
    first = stay.unplug()
    stay.now += timedelta(seconds=20)
    stay.wh += 30
    stay.plug()
    assert stay.kinds[-2:] == ["session_corrected", "session_started"]
    assert stay.told[-2].record.id == first.id
    assert stay.told[-2].record.import_wh == first.import_wh + 30
    assert stay.unplug().import_wh == 0


@pytest.mark.parametrize(("starts", "hour"), [(True, 1), (False, 0)])
def test_energy_after_a_long_rest(starts: bool, hour: int) -> None:
    """It flowed just now if charging starts, else when it was last looked at."""
    begin = local("2027-01-13T22:00:00")
    stay = Stay(now=begin, wh=0.0)
    stay.plug()
    stay.now += timedelta(minutes=90)
    stay.wh += 20
    stay.flow(11 * KW if starts else 0)
    record = stay.unplug()
    record.check()
    found = [(one.start, one.wh) for one in record.hours]
    assert found == [(begin + timedelta(hours=hour), 20)]


def test_prices_and_events_cut() -> None:
    """A slice has one price and one event, also where the change was told late."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.take(stay.book.price_changed(stay.now, "night", stay.rules))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(local("2027-01-13T22:30:00"))
    stay.take(stay.book.dsr_changed(stay.now, "A", stay.rules))
    stay.until(local("2027-01-13T22:45:00"))
    stay.take(stay.book.dsr_changed(stay.now, None, stay.rules))
    stay.until(local("2027-01-13T23:00:00"))
    stay.pass_unread(timedelta(minutes=30))
    early = local("2027-01-13T23:12:00")
    stay.take(stay.book.price_changed(early, "late night", stay.rules))
    stay.read()
    stay.flow(0)
    record = stay.unplug()
    record.check()
    found = [(one.price_id, one.dsr_id, one.wh) for one in record.slices]
    assert found == [
        ("night", None, 5_500),
        ("night", "A", 2_750),
        ("night", None, 2_750 + 2_200),
        ("late night", None, 3_300),
    ]


def test_a_clock_set_back() -> None:
    """A session goes on in order, and its times are those that passed."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=30))
    stay.now -= timedelta(hours=1)
    stay.until(stay.now + timedelta(minutes=30))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    assert record.import_wh == 11_000
    assert record.importing_s == pytest.approx(3600, abs=2)
    assert record.connected_s == pytest.approx(3600, abs=2)
    stay.plug()
    stay.now += timedelta(minutes=1)
    following = stay.unplug()
    assert record.disconnected_utc is not None
    assert following.connected_utc >= record.disconnected_utc


def test_a_car_that_flaps() -> None:
    """Hundreds of pauses do not make an endless record, and no second is lost."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    for _ in range(300):
        stay.flow(KW)
        stay.until(stay.now + timedelta(seconds=10), timedelta(seconds=5))
        stay.flow(0)
        stay.until(stay.now + timedelta(seconds=10), timedelta(seconds=5))
    record = stay.unplug()
    record.check()
    assert len(record.segments) <= 100
    assert record.importing_s == 3_000
    # The first start and the first pause are told, then that it goes on like this is not.
    assert stay.kinds == [
        "session_started",
        "charging_started",
        "charging_paused",
        "session_finished",
    ]


def test_a_flapping_car_costs_few_writes() -> None:
    """Neither ledger nor saved state is written for each of its changes."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    saves = 0
    for _ in range(300):
        for power_w in (KW, 0):
            stay.pass_unread(SECOND)
            stay.power_w = power_w
            stay.take(stay.book.stopped(StopReason.CAR, stay.rules))
            reading = Reading(at=stay.now, wh=stay.wh, power_w=power_w)
            saves += stay.take(stay.book.read(reading, stay.rules)).save
    # Ten minutes: each five of them, and what was told.
    assert saves <= 5
    assert len(stay.told) <= 3


def test_what_lasts_is_told_after_a_flapping() -> None:
    """A change that was held back is told once it has lasted a minute."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    for _ in range(10):
        stay.flow(KW)
        stay.until(stay.now + timedelta(seconds=10))
        stay.flow(0)
        stay.until(stay.now + timedelta(seconds=10))
    before = len(stay.told)
    stay.flow(KW)
    stay.until(stay.now + timedelta(seconds=59))
    assert len(stay.told) == before
    stay.until(stay.now + timedelta(seconds=1))
    assert stay.kinds[before:] == ["charging_started"]
    stay.until(stay.now + timedelta(minutes=5))
    stay.flow(0)
    assert stay.kinds[before:] == ["charging_started", "charging_paused"]
    assert stay.told[-1].record.importing_s == 10 * 10 + 6 * 60


def test_a_counter_that_is_silent_when_the_car_leaves() -> None:
    """What it shows when it is back is the session's, an hour later and a restart too."""
    stay = Stay(now=local("2027-01-13T22:00:00"))
    stay.plug()
    stay.flow(11 * KW)
    stay.until(stay.now + timedelta(minutes=30))
    stay.take(stay.book.link_lost(stay.now, stay.rules))
    stay.pass_unread(timedelta(minutes=10))
    stay.take(stay.book.unplugged(stay.now, stay.rules))
    left, before = stay.now, stay.told[-1].record
    assert before.import_wh == 5_500
    stay.power_w = 0.0
    stay.pass_unread(timedelta(hours=1))
    stay.restart(connected=False)
    record = stay.told[-1].record
    record.check()
    assert stay.kinds[-1] == "session_corrected"
    assert (record.id, record.disconnected_utc) == (before.id, left)
    assert record.import_wh == pytest.approx(5_500 + 11_000 / 6, abs=1)
    assert record.importing_s == pytest.approx(2_400, abs=2)
    assert record.quality.estimated_timing
    # It has told, so nothing that it counts later is that session's.
    stay.wh += 500
    stay.read()
    assert stay.told[-1].record is record
