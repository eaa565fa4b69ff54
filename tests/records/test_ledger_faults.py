"""A ledger on a disk that fails, and after a crash at any byte."""

from collections.abc import Iterator
import contextlib
from datetime import timedelta
from pathlib import Path
import resource

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from .nights import BOX, RULES, night, stay, utc
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.ledger import Ledger

DAY = timedelta(days=1)
NOON = utc("2027-01-13T12:00:00")
FILE = "box.sessions.2027-01.jsonl"


@contextlib.contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: a write is cut off there and fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def whole_life(ledger: Ledger) -> tuple[list[SessionRecord], list[int]]:
    """Write three sessions; return each line's record and where it ends in the file."""
    records, ends = [], []
    for number in range(3):
        for one in stay(NOON + number * DAY)[1]:
            ledger.write(one.record, one.kind)
            records.append(one.record)
            ends.append((ledger._folder / FILE).stat().st_size)
    return records, ends


def last_of_each(records: list[SessionRecord]) -> tuple[SessionRecord, ...]:
    """Return the last record of each id."""
    return tuple({one.id: one for one in records}.values())


def affected(ends: list[int], start: int, end: int) -> set[int]:
    """Return the lines that a stretch of bytes spoils; a lost newline joins two."""
    found = set()
    for number, (begin, stop) in enumerate(zip([0, *ends], ends, strict=False)):
        if begin < end and start < stop:
            found.add(number)
            if start < stop <= end:
                found.add(number + 1)
    return found


def test_a_crash_at_any_byte(tmp_path: Path) -> None:
    """Every whole line is read, the cut one is gone, and the next is whole."""
    ledger = Ledger(tmp_path, "box")
    records, ends = whole_life(ledger)
    path = tmp_path / FILE
    data = path.read_bytes()
    following = night(NOON + 9 * DAY)
    for length in {*range(0, len(data), 7), *ends, *(end - 1 for end in ends)}:
        path.write_bytes(data[:length])
        # A line is complete with its last sign, also without the newline.
        whole = sum(end - 1 <= length for end in ends)
        page = ledger.month("2027-01")
        assert page.records == last_of_each(records[:whole])
        assert not page.damage
    ledger.write(following, "session_finished")
    assert ledger.month("2027-01").records[-1] == following


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=40))
@settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_damage_in_the_middle(tmp_path: Path, position: int, spoil: bytes) -> None:
    """A spoilt line is reported, and every other line is there."""
    ledger = Ledger(tmp_path, "box")
    path = tmp_path / FILE
    path.unlink(missing_ok=True)
    records, ends = whole_life(ledger)
    data = path.read_bytes()
    position %= len(data)
    spoilt = data[:position] + spoil + data[position + len(spoil) :]
    if spoilt[: len(data)] == data:
        return
    path.write_bytes(spoilt[: len(data)])
    touched = affected(ends, position, position + len(spoil))
    page = ledger.month("2027-01")
    newest = {one.id: n for n, one in enumerate(records) if n not in touched}
    for one in page.records:
        assert records.index(one) >= newest.pop(one.id, 0)
    assert not newest
    is_last = len(ends) - 1 in touched
    assert page.damage or is_last or page.records == last_of_each(records)


def test_a_spoilt_line_is_numbered(tmp_path: Path) -> None:
    """The number of the line is told; the line before it holds."""
    ledger = Ledger(tmp_path, "box")
    records, ends = whole_life(ledger)
    data = bytearray((tmp_path / FILE).read_bytes())
    data[ends[6] + 20] ^= 1
    (tmp_path / FILE).write_bytes(data)
    page = ledger.month("2027-01")
    assert page.damage.lines == {FILE: [8]}
    assert page.records == (records[3], records[6], records[11])


@pytest.mark.parametrize("room", [0, 1, 7, 200, 600])
def test_a_full_disk(tmp_path: Path, room: int) -> None:
    """The caller is told, what was there stays, and it goes on when there is room."""
    ledger = Ledger(tmp_path, "box")
    first, second = night(NOON), night(NOON + DAY)
    ledger.write(first, "session_finished")
    size = (tmp_path / FILE).stat().st_size
    with disk_full_at(size + room), pytest.raises(JournalError):
        ledger.write(second, "session_finished")
    assert ledger.month("2027-01").records == (first,)
    ledger.write(second, "session_finished")
    assert ledger.month("2027-01").records == (first, second)


def test_a_disk_that_is_full_while_rewriting(tmp_path: Path) -> None:
    """The month stays as it was, as a whole."""
    ledger = Ledger(tmp_path, "box")
    records, _ = whole_life(ledger)
    with disk_full_at(1000), pytest.raises(JournalError):
        ledger.rewrite(SessionRecord.without_person, NOON)
    assert ledger.month("2027-01").records == last_of_each(records)


def test_a_disk_that_is_full_at_the_end_of_a_month(tmp_path: Path) -> None:
    """Nothing is removed before it is written that it is gone."""
    ledger = Ledger(tmp_path, "box")
    records, _ = whole_life(ledger)
    with disk_full_at(3), pytest.raises(JournalError):
        ledger.expire(NOON + 1000 * DAY)
    again = Ledger(tmp_path, "box")
    assert again.month("2027-01").records == last_of_each(records)
    assert again.expire(NOON + 1000 * DAY) == ["2027-01"]
    assert again.newest() is None


def test_a_crash_between_word_and_deed(tmp_path: Path) -> None:
    """A month that expired and was not removed is not there, and goes next time."""
    ledger = Ledger(tmp_path, "box")
    whole_life(ledger)
    data = (tmp_path / FILE).read_bytes()
    ledger.expire(NOON + 1000 * DAY)
    (tmp_path / FILE).write_bytes(data)
    again = Ledger(tmp_path, "box")
    assert again.newest() is None
    assert again.month("2027-01").records == ()
    again.expire(NOON + 1000 * DAY)
    assert not (tmp_path / FILE).exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """What cannot be read is an error, not an empty history."""
    (tmp_path / "serial").write_text("")
    ledger = Ledger(tmp_path / "serial", "box")
    with pytest.raises(JournalError):
        ledger.months()
    with pytest.raises(JournalError):
        ledger.write(night(NOON), "session_finished")


@pytest.mark.parametrize("minutes", [0, 10, 50])
def test_a_session_goes_on_after_any_crash(tmp_path: Path, minutes: int) -> None:
    """From the ledger alone, cut at any line, the energy comes out right."""
    ledger = Ledger(tmp_path, "box")
    begin = NOON + timedelta(minutes=minutes)
    _, told = stay(begin, 8.0)
    for one in told[:-1]:
        ledger.write(one.record, one.kind)
        newest = Ledger(tmp_path, "box").newest()
        assert newest is not None
        book = BOX.reconciled(newest, RULES)
        at = begin + timedelta(hours=4, minutes=5)
        found = Found(connected=True, reading=Reading(at=at, wh=5_000.0, power_w=0.0))
        step = book.resumed(found, RULES)
        done = step.book.unplugged(begin + timedelta(hours=8), RULES).told[-1].record
        done.check()
        assert (done.id, done.import_wh) == (newest.id, 5_000)
        # A state that was saved before the ledger was written is behind it.
        assert step.book.reconciled(newest, RULES) is step.book


def test_a_state_that_is_behind_the_ledger() -> None:
    """A crash after the last line and before the state: the session has ended."""
    _, told = stay(NOON)
    behind = BOX.plugged(NOON, RULES, 0.0).book
    after = behind.reconciled(told[-1].record, RULES)
    assert behind.open is not None
    assert behind.open.id == told[-1].record.id
    assert after.open is None
    assert after.last_end == told[-1].record.disconnected_utc
    assert after.plugged(NOON + DAY, RULES, 0.0).book.seq == 2
