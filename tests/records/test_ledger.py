"""The ledger gives back what it was given, month by month."""

from dataclasses import replace
from datetime import datetime, timedelta
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .nights import BOX, RULES, night, stay, utc
from custom_components.loxone_wallbox.charging.session import (
    Kind,
    SessionError,
    SessionRecord,
    migrated,
)
from custom_components.loxone_wallbox.records.ledger import (
    Ledger,
    LedgerError,
    month_of,
    months_before,
)

DAY = timedelta(days=1)
NOON = utc("2027-01-13T12:00:00")
ON_DISK = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger in a folder that is not there yet."""
    return Ledger(tmp_path / "serial", "box")


def write(ledger: Ledger, *records: SessionRecord) -> None:
    """Write records."""
    for record in records:
        assert ledger.write(record, "session_finished")


def test_nothing_there(ledger: Ledger) -> None:
    """Without a file there is nothing, and nothing to mend."""
    assert ledger.months() == []
    assert ledger.newest() is None
    page = ledger.between(NOON, NOON + DAY)
    assert (page.records, bool(page.damage)) == ((), False)
    assert ledger.expire(NOON) == []


def test_a_line_at_each_transition(ledger: Ledger) -> None:
    """The last line of an id holds; until then the session is open."""
    _, told = stay(NOON)
    kinds = []
    for one in told:
        ledger.write(one.record, one.kind)
        newest = ledger.newest()
        assert newest == one.record
        kinds.append(newest.kind)
    assert kinds == [Kind.OPEN, Kind.OPEN, Kind.OPEN, Kind.OCCASION]
    path = next(ledger._folder.iterdir())
    assert path.name == "box.sessions.2027-01.jsonl"
    assert len(path.read_bytes().splitlines()) == 4


def test_a_crash_leaves_an_open_session(ledger: Ledger) -> None:
    """The book goes on from the ledger alone, and no energy is lost or doubled."""
    _, told = stay(NOON)
    for count in range(1, len(told) + 1):
        newest = told[count - 1].record
        book = BOX.reconciled(newest, RULES)
        assert book.seq == newest.seq
        end = newest.connected_utc + timedelta(hours=5)
        if book.open is None:
            assert count == len(told)
            continue
        assert book.open.record(RULES).import_wh == newest.import_wh
        finished = book.unplugged(end, RULES, 4_000.0).told[-1].record
        finished.check()
        assert (finished.id, finished.import_wh) == (newest.id, 4_000)


def test_wallboxes_are_apart(tmp_path: Path) -> None:
    """Two wallboxes share a folder and nothing else."""
    one, other = Ledger(tmp_path, "one"), Ledger(tmp_path, "one.sessions")
    write(one, night(NOON))
    assert other.newest() is None
    assert one.months() == ["2027-01"]
    assert other.months() == []


def test_a_span_over_months(ledger: Ledger) -> None:
    """A session that reaches into a span is found in the month where it began."""
    long = night(utc("2026-10-20T12:00:00"), 24 * 80)
    later = night(utc("2027-01-13T12:00:00"))
    before = night(utc("2026-09-01T12:00:00"))
    write(ledger, later, before, long)
    assert ledger.months() == ["2026-09", "2026-10", "2027-01"]
    assert ledger.ids(utc("2027-01-05T00:00:00"), NOON) == [long.id]
    assert ledger.ids(utc("2027-01-09T00:00:00"), NOON + DAY) == [later.id]
    assert ledger.ids(utc("2026-09-01T13:00:00"), NOON + DAY) == [
        before.id,
        long.id,
        later.id,
    ]
    assert ledger.ids(utc("2020-01-01T00:00:00"), utc("2020-02-01T00:00:00")) == []
    assert ledger.get(long.id) == long
    assert ledger.get(night(NOON + DAY).id) is None


def test_a_month_without_a_session_hides_none(ledger: Ledger) -> None:
    """The session before a span is looked for beyond what was deleted."""
    long = night(utc("2026-10-20T12:00:00"), 24 * 80)
    gone = night(utc("2026-11-20T12:00:00"))
    write(ledger, long, gone)
    ledger.delete(gone.id, NOON, "owner")
    assert ledger.ids(utc("2027-01-02T00:00:00"), NOON) == [long.id]


def test_a_span_does_not_read_everything(ledger: Ledger) -> None:
    """Only the months of a span are read, and the one before them."""
    for month in range(1, 13):
        write(ledger, night(utc(f"2026-{month:02}-13T12:00:00")))
    for month in (1, 2, 3, 4, 8, 9):
        (ledger._folder / f"box.sessions.2026-{month:02}.jsonl").write_bytes(b"x\n")
    page = ledger.between(utc("2026-06-01T00:00:00"), utc("2026-08-01T00:00:00"))
    assert [one.connected_utc.month for one in page.records] == [6, 7]
    assert set(page.damage.lines) == {"box.sessions.2026-08.jsonl"}
    page = ledger.between(utc("2026-06-01T00:00:00"), utc("2026-07-31T00:00:00"))
    assert not page.damage


def test_a_tombstone_wins(ledger: Ledger) -> None:
    """What was deleted stays so, whatever is written after it."""
    gone, kept = night(NOON), night(NOON + DAY)
    write(ledger, gone, kept)
    ledger.delete(gone.id, NOON + DAY, "owner")
    write(ledger, replace(gone, revision=99))
    page = ledger.month("2027-01")
    assert page.records == (kept,)
    assert page.deleted == {gone.id}
    assert ledger.absorb([replace(gone, revision=100)]) == []


def test_retention(ledger: Ledger) -> None:
    """Whole months go when they are old enough, and nothing brings them back."""
    records = [
        night(utc(f"{year}-{month:02}-13T12:00:00"))
        for year in (2025, 2026, 2027)
        for month in range(1, 13)
    ]
    write(ledger, *records)
    now = utc("2027-12-31T23:59:59")
    with pytest.raises(LedgerError) as caught:
        ledger.expire(now, 12)
    assert caught.value.key == "retention_too_short"
    gone = [f"2025-{month:02}" for month in range(1, 11)]
    assert ledger.expire(now, 25) == gone
    months = ledger.months()
    assert months[0] == "2025-11"
    assert len(months) == 26
    assert ledger.expire(now, 25) == []
    old = records[0]
    assert not ledger.write(old, "restored")
    again = Ledger(ledger._folder, "box")
    assert again.absorb([old]) == []
    assert again.months()[0] == "2025-11"
    assert ledger.expire(now, 13)[-1] == "2026-10"


def test_a_month_stays_for_its_long_session(ledger: Ledger) -> None:
    """A session that began long ago and ended lately keeps its month."""
    write(ledger, night(utc("2025-01-13T12:00:00")))
    write(ledger, night(utc("2025-03-13T12:00:00"), 24 * 300))
    write(ledger, night(utc("2026-05-13T12:00:00")))
    assert ledger.expire(utc("2027-01-20T12:00:00"), 13) == ["2025-01"]
    assert ledger.months() == ["2025-03", "2026-05"]


def test_rewriting_leaves_nothing(ledger: Ledger) -> None:
    """Who charged is gone from the file, byte by byte; the energy stays."""
    records = [night(NOON), night(NOON + DAY), night(NOON + 40 * DAY)]
    write(ledger, *records)
    path = ledger._folder / "box.sessions.2027-01.jsonl"
    path.write_bytes(path.read_bytes() + b'{"somebody was here\n')
    assert ledger.rewrite(SessionRecord.without_person, NOON) == 3
    found = b"".join(one.read_bytes() for one in ledger._folder.iterdir())
    assert b"somebody" not in found
    page = ledger.between(NOON - DAY, NOON + 50 * DAY)
    assert [one.import_wh for one in page.records] == [1000, 1000, 1000]
    gone = records[0].id
    changed = ledger.rewrite(lambda one: None if one.id == gone else one, NOON)
    assert changed == 1
    page = ledger.month("2027-01")
    assert [one.id for one in page.records] == [records[1].id]
    assert page.deleted == {gone}


def test_an_id_that_is_none(ledger: Ledger) -> None:
    """Neither a path nor a guess gets near a file."""
    for wrong in ("", "../../etc", "20270113T120000Z-zz", night(NOON).id + "\n"):
        with pytest.raises(LedgerError) as caught:
            ledger.get(wrong)
        assert caught.value.key == "session_id_invalid"


def test_older_and_newer_schemas(ledger: Ledger) -> None:
    """An older record is brought up step by step; a newer one is reported."""
    record = night(NOON)
    write(ledger, record)
    newer = {"id": record.id, "record": {**record.as_dict(), "schema": 99}}
    ledger._journal("2027-01").append(newer)
    page = ledger.month("2027-01")
    assert page.records == (record,)
    assert page.damage.ids == {record.id}
    steps = {
        1: lambda data: {**data, "b": data["a"] + 1},
        2: lambda data: {**data, "c": data["b"] + 1},
    }
    assert migrated({"schema": 1, "a": 1}, steps, 3) == {
        "schema": 3,
        "a": 1,
        "b": 2,
        "c": 3,
    }
    for wrong in ({"schema": 4}, {"schema": 0}, {"schema": "1"}, {}):
        with pytest.raises(SessionError) as caught:
            migrated(wrong, steps, 3)
        assert caught.value.key == "schema_unknown"


def test_a_record_that_breaks_a_rule_is_kept(ledger: Ledger) -> None:
    """Energy is not thrown away; the broken rule is told."""
    record = replace(night(NOON), hours=())
    write(ledger, record)
    page = ledger.month("2027-01")
    assert page.records == (record,)
    assert page.damage.broken == {record.id: "sum_of_hours"}


versions = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=8, unique=True
)


@given(st.data(), versions)
@ON_DISK
def test_any_order_of_reconciliation(
    tmp_path: Path, data: st.DataObject, wanted: list[tuple[int, int]]
) -> None:
    """Records from elsewhere give the same ledger in whatever order they come."""
    base = [night(NOON + number * DAY) for number in range(5)]
    records = [
        replace(base[number], revision=revision, tag=f"{number}.{revision}")
        for number, revision in wanted
    ]
    results = []
    for turn in range(2):
        folder = tmp_path / str(turn)
        ledger = Ledger(folder, "box")
        for path in folder.glob("*"):
            path.unlink()
        ledger.delete(base[4].id, NOON, "owner")
        shuffled = data.draw(st.permutations(records))
        cut = data.draw(st.integers(0, len(records)))
        ledger.absorb(shuffled[:cut])
        ledger.absorb(shuffled[cut:])
        assert ledger.absorb(shuffled) == []
        results.append(ledger.between(NOON - DAY, NOON + 9 * DAY).records)
    assert results[0] == results[1]
    assert base[4].id not in {one.id for one in results[0]}


def test_the_cost_of_a_write(ledger: Ledger) -> None:
    """A line is appended; what stands in the file is not read and not moved."""
    write(ledger, night(NOON))
    path = ledger._folder / "box.sessions.2027-01.jsonl"
    first = path.read_bytes()
    filler = b"x" * 5_000_000 + b"\n"
    path.write_bytes(filler + first)
    with path.open("rb") as file:
        inode = path.stat().st_ino
        write(ledger, night(NOON + DAY))
        assert path.stat().st_ino == inode
        assert file.read(len(filler) + len(first)) == filler + first
        assert json.loads(file.read())["r"]["id"] == night(NOON + DAY).id


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_the_month_is_in_the_id(naive: datetime) -> None:
    """An id tells the month of its file, in UTC."""
    at = utc(naive.isoformat())
    assert month_of(night(at).id) == f"{at:%Y-%m}"
    assert months_before(months_before(f"{at:%Y-%m}", 25), -25) == f"{at:%Y-%m}"
