"""A record says which of its own rules it breaks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from .nights import local
from .stays import Stay
from .test_session import KW, ordinary_night
from custom_components.loxone_wallbox.charging.session import (
    Kind,
    Segment,
    SessionError,
    SessionRecord,
    check_no_overlap,
)
from custom_components.loxone_wallbox.charging.session_book import SessionBook


@pytest.mark.parametrize(
    ("broken", "changes"),
    [
        ("sum_of_slices", {"slices": ()}),
        ("sum_of_hours", {"hours": ()}),
        ("importing_longer", {"connected_s": 60}),
        ("sum_of_segments", {"segments": ()}),
        ("meter_difference", {"meter_offset_wh": 2}),
        ("meter_difference", {"meter_stop_wh": None}),
        ("instants_order", {"disconnected_utc": local("2027-01-13T17:30:00")}),
        ("instants_order", {"first_import_utc": local("2027-01-14T07:00:00")}),
        ("kind", {"kind": Kind.OPEN}),
        ("cost_without_price", {"cost_minor": 12, "currency": "GBP"}),
        ("schema", {"schema": 2}),
        ("negative", {"export_wh": -1}),
    ],
)
def test_a_broken_rule_is_named(broken: str, changes: dict[str, object]) -> None:
    """A record says which of its rules it breaks."""
    _, record = ordinary_night()
    with pytest.raises(SessionError) as caught:
        replace(record, **changes).check()  # type: ignore[arg-type]
    assert caught.value.key == broken


def test_parts_that_do_not_fit() -> None:
    """Parts lie within the stay, in order, and are not empty."""
    _, record = ordinary_night()
    late = Segment(
        start=local("2027-01-14T07:44:00"),
        end=local("2027-01-14T07:46:00"),
        importing=timedelta(),
    )
    wrong = {
        "slices_order": replace(record, slices=record.slices[::-1]),
        "hours_order": replace(record, hours=record.hours[::-1]),
        "part_outside": replace(record, segments=(*record.segments, late)),
        "segments_order": replace(record, segments=(late, *record.segments)),
        "empty_part": replace(
            record, slices=(*record.slices, replace(record.slices[0], wh=0))
        ),
    }
    for key, one in wrong.items():
        with pytest.raises(SessionError) as caught:
            one.check()
        assert caught.value.key == key


def test_a_state_that_cannot_be_read() -> None:
    """A newer or spoilt state is an error with a name."""
    stay, _ = ordinary_night()
    data = stay.book.as_dict()
    for spoilt, key in (
        ({**data, "schema": 99}, "schema_unknown"),
        ({**data, "seq": 1, "closing": {"id": "x"}}, "unreadable"),
    ):
        with pytest.raises(SessionError) as caught:
            SessionBook.from_dict(spoilt)
        assert caught.value.key == key


def test_sessions_that_lie_upon_each_other() -> None:
    """Two sessions of a wallbox overlap, those of two wallboxes may."""
    _, record = ordinary_night()
    assert record.disconnected_utc is not None
    later = record.disconnected_utc - timedelta(seconds=1)
    other = replace(record, id="other", seq=2, connected_utc=later)
    with pytest.raises(SessionError) as caught:
        check_no_overlap([other, record])
    assert caught.value.key == "sessions_overlap"
    check_no_overlap([replace(other, wallbox="another"), record])


def test_a_reading_moves_the_tally_only() -> None:
    """What has grown in a long session is not copied at each second."""
    stay = Stay(now=local("2027-01-13T22:10:00"))
    stay.plug()
    stay.flow(11 * KW)
    before = stay.book.open
    assert before is not None
    stay.until(stay.now + timedelta(minutes=4))
    after = stay.book.open
    assert after is not None
    assert after.booked_wh == 733
    for name in ("cuts", "segments", "delays"):
        assert getattr(after, name) is getattr(before, name)
    assert stay.book.saved_at == before.tally.at


def test_the_parts_that_are_estimated() -> None:
    """Those that a gap lies in say so, also after a restart; the others do not."""
    stay = Stay(now=local("2027-01-13T20:10:00"))
    for until, price in (("21:00", "b"), ("23:00", "c"), ("23:30", "d")):
        if stay.book.open is None:
            stay.plug()
            stay.flow(11 * KW)
        stay.until(local(f"2027-01-13T{until}:00"), timedelta(minutes=1))
        stay.take(stay.book.price_changed(stay.now, price, stay.rules))
        if price == "b":
            # Over the end of the peak, at which energy is cut in two.
            stay.pass_unread(timedelta(minutes=75))
            stay.restart()
            # The mark is kept too.
            stay.restart()
    record = stay.unplug()
    record.check()
    marks = [(one.price_id, one.in_peak, one.estimated) for one in record.slices]
    assert marks == [
        (None, True, False),
        ("b", True, True),
        ("b", False, True),
        ("c", False, False),
    ]
    assert SessionRecord.from_dict(record.as_dict()) == record
    old = record.as_dict()
    for part in old["slices"]:
        del part["estimated"]
    assert not any(one.estimated for one in SessionRecord.from_dict(old).slices)
