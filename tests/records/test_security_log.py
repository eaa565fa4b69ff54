"""The security log: every change of it shows, and a person can be forgotten."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import resource
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.loxone_wallbox.records import (
    journal,
    security_log,
    security_record,
)
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.security_log import SecurityLog
from custom_components.loxone_wallbox.records.security_record import (
    MOST_TEXT,
    Entry,
    Link,
    follows,
    hash_of,
    make_record,
    plain_detail,
    shown,
)

NOW = datetime(2027, 1, 13, 17, 30, 0, 123456, tzinfo=UTC)
ENTRY = Entry(
    kind="override_refused",
    outcome="attempt_failed",
    source="ha_user",
    person="p0123456789abcdef",
    detail={"action": "charge_now", "reason": "unsafe_fault"},
)

SHORT = Entry(kind="tamper_on", outcome="info")


def written(folder: Path, number: int, **options: Any) -> SecurityLog:
    """Return a log with so many entries."""
    log = SecurityLog(folder, **options)
    for one in range(number):
        log.append(ENTRY, NOW + timedelta(seconds=one))
    return log


def first_file(folder: Path) -> Path:
    """Return the first file of a log."""
    return folder / "security.000001.jsonl"


def test_a_record(tmp_path: Path) -> None:
    """UTC to the millisecond, the words that were given, who it was as one word."""
    [record] = written(tmp_path, 1).read()
    one = shown(record)
    assert one["seq"] == 1
    assert one["utc"] == "2027-01-13T17:30:00.123Z"
    assert (one["kind"], one["outcome"]) == ("override_refused", "attempt_failed")
    assert one["source"] == "ha_user:p0123456789abcdef"
    assert one["detail"] == {"action": "charge_now", "reason": "unsafe_fault"}


def test_no_gap_over_restarts_and_files(tmp_path: Path) -> None:
    """The numbers go on, whoever writes and in whatever file."""
    for _ in range(5):
        written(tmp_path, 7, most_records=10)
    log = SecurityLog(tmp_path)
    records = log.read()
    assert [one["seq"] for one in records] == list(range(1, len(records) + 1))
    sealed = [one for one in records if one["kind"] == "log_rotated"]
    assert len(sealed) == len(list(tmp_path.glob("security.0*.jsonl"))) - 1 >= 3
    verdict = log.verify()
    assert (verdict.broken_seq, verdict.records) == (None, len(records))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever byte of a hundred entries is another one, its record is named."""
    log = written(tmp_path, 10)
    for number in range(90):
        log.append(SHORT, NOW + timedelta(seconds=number))
    log._keeper._journal.replace([asdict(log._head)])
    file = first_file(tmp_path)
    data = file.read_bytes()
    # The lines that stay as they are need not be read seventy thousand times.
    exactly = journal._exactly
    whole = {raw: exactly(raw) for raw in data.splitlines()}
    hashes = {id(one): hash_of(one or {}) for one in whole.values()}
    monkeypatch.setattr(journal, "_exactly", lambda raw: whole.get(raw) or exactly(raw))
    monkeypatch.setattr(
        security_record, "hash_of", lambda one: hashes.get(id(one)) or hash_of(one)
    )
    seq = 1
    wrong = []
    with file.open("r+b", buffering=0) as handle:
        for place, byte in enumerate(data):
            # Another bit each time, so that letters become other letters too.
            handle.seek(place)
            handle.write(bytes([byte ^ 1 << place % 8]))
            if log.verify().broken_seq != seq:
                wrong.append(place)
            handle.seek(place)
            handle.write(bytes([byte]))
            seq += byte == ord("\n")
    assert seq == 101
    assert wrong == []
    assert log.verify().broken_seq is None


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(cut=st.integers(1, 12_000))
def test_a_tail_that_is_cut_off(tmp_path_factory: Any, cut: int) -> None:
    """Whatever is missing at the end, the first record that is missing is named."""
    folder = tmp_path_factory.mktemp("log")
    log = written(folder, 20)
    file = first_file(folder)
    data = file.read_bytes()
    kept = data[: max(len(data) - cut, 0)]
    file.write_bytes(kept)
    assert log.verify().broken_seq == kept.count(b"\n") + 1


def test_a_line_taken_out_and_two_exchanged(tmp_path: Path) -> None:
    """Each line is as it was written; the row is not."""
    log = written(tmp_path, 10)
    file = first_file(tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:4] + lines[5:]))
    assert log.verify().broken_seq == 5
    file.write_bytes(b"".join([*lines[:4], lines[5], lines[4], *lines[6:]]))
    assert log.verify().broken_seq == 5


def test_a_chain_made_anew(tmp_path: Path) -> None:
    """Who knows how a chain is made still has not the hash that was kept beside it."""
    log = written(tmp_path, 5)
    forged = Link()
    lines = []
    for number in range(5):
        changed = replace(ENTRY, kind="firmware_changed")
        record = make_record(changed, forged, NOW + timedelta(seconds=number))
        forged = Link(seq=record["seq"], hash=record["hash"])
        lines.append(record)
    log._journal(1).replace(list(lines))
    assert log.verify().broken_seq == 5


def test_a_break_is_recorded_once(tmp_path: Path) -> None:
    """In the log itself, and what follows goes on with the numbers."""
    written(tmp_path, 10)
    file = first_file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"charge_now", b"charge_off", 1))
    for _ in range(2):
        log = SecurityLog(tmp_path)
        assert log.open(NOW).broken_seq == 1
    log.append(ENTRY, NOW)
    told = [one for one in log.read() if one["kind"] == "chain_broken"]
    assert [one["detail"] for one in told] == [{"first_broken": 1}]
    assert [one["seq"] for one in log.read()][-2:] == [11, 12]


def test_a_crash_is_no_break(tmp_path: Path) -> None:
    """A record that was cut off while it was written was never there."""
    log = written(tmp_path, 3)
    whole = first_file(tmp_path).read_bytes()
    head = (tmp_path / "security.head.jsonl").read_bytes()
    log.append(ENTRY, NOW)
    cut = first_file(tmp_path).read_bytes()[: len(whole) + 40]
    first_file(tmp_path).write_bytes(cut)
    (tmp_path / "security.head.jsonl").write_bytes(head)
    again = SecurityLog(tmp_path)
    assert again.open(NOW).broken_seq is None
    assert again.append(ENTRY, NOW)["seq"] == 4
    assert again.verify().records == 4


def test_a_record_that_is_not_yet_kept_beside(tmp_path: Path) -> None:
    """A crash between the record and the note of it: the record counts."""
    log = written(tmp_path, 3)
    head = (tmp_path / "security.head.jsonl").read_bytes()
    log.append(ENTRY, NOW)
    (tmp_path / "security.head.jsonl").write_bytes(head)
    again = SecurityLog(tmp_path)
    assert again.open(NOW).broken_seq is None
    assert again.append(ENTRY, NOW)["seq"] == 5


def test_the_oldest_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is bounded, and what is left of it is a chain."""
    monkeypatch.setattr(security_log, "MOST_FILES", 3)
    log = written(tmp_path, 100, most_records=10)
    files = sorted(tmp_path.glob("security.0*.jsonl"))
    assert len(files) <= 4
    records = log.read()
    assert records[0]["seq"] > 1
    assert records[-1]["seq"] - records[0]["seq"] == len(records) - 1
    assert SecurityLog(tmp_path).verify().broken_seq is None
    # What is cut off at the beginning shows as well.
    files[0].unlink()
    assert SecurityLog(tmp_path).verify().broken_seq == records[0]["seq"]


def test_a_person_is_forgotten(tmp_path: Path) -> None:
    """Not a byte of who it was is left, and the chain holds."""
    log = written(tmp_path, 12, most_records=5)
    log.append(replace(ENTRY, person="pfedcba9876543210"), NOW)
    hashes = [one["hash"] for one in log.read()]
    assert log.forget(lambda one: one == ENTRY.person) == 12
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (ENTRY.person or "").encode() not in left
    assert b"pfedcba9876543210" in left
    assert [one["hash"] for one in log.read()] == hashes
    assert log.verify().broken_seq is None
    sources = {shown(one)["source"] for one in log.read()}
    assert sources == {"ha_user:deleted", "ha_user:pfedcba9876543210", "integration"}


def test_another_person_cannot_be_put_in(tmp_path: Path) -> None:
    """Who it was cannot be changed, only forgotten."""
    [record] = written(tmp_path, 1).read()
    assert follows(record, Link())
    forged = {**record, "person": {**record["person"], "pseudonym": "p1"}}
    assert not follows(forged, Link())


def test_from_when_to_when(tmp_path: Path) -> None:
    """The end is not part of what is read; kinds choose."""
    log = written(tmp_path, 10)
    start, end = NOW + timedelta(seconds=2), NOW + timedelta(seconds=5)
    assert [one["seq"] for one in log.read(start, end)] == [3, 4, 5]
    assert log.read(kinds=frozenset({"tamper_on"})) == []


def test_whatever_is_sent_stays_short_and_on_one_line() -> None:
    """No name of a car or a user writes a line of its own."""
    detail = plain_detail(
        {
            "name": "x\n2027-01-01T00:00:00Z auth ok\x1b[2J" + "y" * 1000,
            "list": ["a", {"b": 1}],
            "number": 1.5,
            "none": None,
            "wide": float("inf"),
            **{f"field {number}": number for number in range(50)},
        }
    )
    assert len(detail) == 12
    assert "\n" not in detail["name"]
    assert "\x1b" not in detail["name"]
    assert len(detail["name"]) == MOST_TEXT
    assert detail["wide"] == "inf"


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """The caller is told, and nothing is half there."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(JournalError):
        SecurityLog(blocked).append(ENTRY, NOW)


def test_a_disk_that_becomes_full(tmp_path: Path) -> None:
    """Half a record is no break: it goes before the next one is written."""
    log = written(tmp_path, 3)
    size = first_file(tmp_path).stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, hard))
    try:
        with pytest.raises(JournalError):
            log.append(ENTRY, NOW)
        assert first_file(tmp_path).stat().st_size == size + 40
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.append(ENTRY, NOW)["seq"] == 4
    assert log.verify().broken_seq is None
    assert SecurityLog(tmp_path).open(NOW).records == 4


def test_a_disk_that_takes_a_record_and_says_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is whole on the disk counts, so that no number comes twice."""
    log = written(tmp_path, 3)

    def fails(_handle: int) -> None:
        """Fail like a disk with a bad block."""
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(JournalError):
            log.append(ENTRY, NOW)
    assert log.append(SHORT, NOW)["seq"] == 5
    assert log.check(NOW).broken_seq is None


def test_a_break_the_owner_has_taken_note_of(tmp_path: Path) -> None:
    """The chain begins anew behind it, what is before can be read, a new one shows."""
    log = written(tmp_path, 10)
    file = first_file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"charge_now", b"charge_off", 1))
    assert log.check(NOW).broken_seq == 1
    log.append(SHORT, NOW)
    log.settle()
    for one in (log, SecurityLog(tmp_path)):
        assert one.check(NOW).broken_seq is None
        assert one.verify().records == 2
    assert len(log.read()) == 11
    second = tmp_path / "security.000002.jsonl"
    second.write_bytes(second.read_bytes().replace(b"tamper_on", b"tamper_of", 1))
    assert log.check(NOW).broken_seq == 12
    assert SecurityLog(tmp_path).open(NOW).broken_seq == 12


def cut(folder: Path, *names: str) -> None:
    """Leave the first ten lines of some files."""
    for name in names:
        file = folder / name
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:10]))


@pytest.mark.parametrize(
    ("names", "gone", "broken"),
    [
        (["security.000001.jsonl", "security.head.jsonl"], "", 11),
        (["security.000001.jsonl"], "security.head.jsonl", 11),
        ([], "security.0*.jsonl", 1),
        ([], "security.*", 1),
    ],
)
@pytest.mark.parametrize("running", [False, True])
def test_a_tail_that_is_cut_off_with_the_note_of_it(
    tmp_path: Path, names: list[str], gone: str, broken: int, *, running: bool
) -> None:
    """What was kept elsewhere, or is in memory, tells; the numbers go on behind it."""
    log = written(tmp_path, 20)
    elsewhere = log.last
    assert elsewhere.seq == 20
    cut(tmp_path, *names)
    for one in tmp_path.glob(gone) if gone else ():
        one.unlink()
    if not running:
        log = SecurityLog(tmp_path)
        log.remind(elsewhere)
    verdict = log.check(NOW)
    assert verdict.broken_seq == broken
    assert verdict.recorded is not None
    assert verdict.recorded["seq"] == 21
    again = SecurityLog(tmp_path)
    again.remind(log.last)
    assert (again.open(NOW).broken_seq, again.last) == (broken, log.last)
    again.settle()
    assert again.check(NOW).broken_seq is None
    assert again.append(SHORT, NOW)["seq"] == 22


def test_a_chain_made_anew_with_the_note_of_it(tmp_path: Path) -> None:
    """It has another hash than was kept elsewhere, until the owner has taken note."""
    log = written(tmp_path, 5)
    for one in tmp_path.iterdir():
        one.unlink()
    written(tmp_path, 9)
    again = SecurityLog(tmp_path)
    again.remind(log.last)
    assert again.open(NOW).broken_seq == 5
    again.append(SHORT, NOW)
    assert again.check(NOW).broken_seq == 5
    later = SecurityLog(tmp_path)
    later.remind(again.last)
    assert later.open(NOW).broken_seq == 5
    later.settle()
    assert later.check(NOW).broken_seq is None


def test_what_was_kept_elsewhere_lags_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash before it is kept accuses nobody, however old it is."""
    monkeypatch.setattr(security_log, "MOST_FILES", 3)
    early = written(tmp_path, 5, most_records=10).last
    for number in (0, 1, 20, 60):
        late = written(tmp_path, number, most_records=10)
        for elsewhere in (Link(), early, late.last):
            again = SecurityLog(tmp_path, most_records=10)
            again.remind(elsewhere)
            assert again.open(NOW).broken_seq is None


@pytest.mark.parametrize("done", [0, 1])
def test_a_rotation_that_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """The oldest files that a power cut left are no break, and go later."""
    log = written(tmp_path, 60, most_records=10)
    delete, left = journal.Journal.delete, [done]

    def fails(file: journal.Journal) -> None:
        """Remove some and fail then."""
        if not left[0]:
            raise JournalError("read-only")
        left[0] -= 1
        delete(file)

    with monkeypatch.context() as patch:
        patch.setattr(security_log, "MOST_FILES", 3)
        patch.setattr(journal.Journal, "delete", fails)
        for _ in range(12):
            log.append(ENTRY, NOW)
        oldest = log.read()[0]["seq"]
        assert log.check(NOW).broken_seq is None
        assert SecurityLog(tmp_path).verify().broken_seq is None
    files = len(list(tmp_path.glob("security.0*.jsonl")))
    again = SecurityLog(tmp_path, most_records=10)
    assert again.open(NOW).broken_seq is None
    assert len(list(tmp_path.glob("security.0*.jsonl"))) < files
    assert again.read()[0]["seq"] == oldest > 1


@pytest.mark.parametrize("restart", [False, True])
def test_a_break_that_is_found_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, restart: bool
) -> None:
    """It is recorded once there is space, by whoever writes or looks next."""
    log = written(tmp_path, 10)
    file = first_file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"charge_now", b"charge_off", 1))

    def fails(_file: journal.Journal, _record: Any) -> None:
        """Fail like a full disk."""
        raise JournalError("full")

    with monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "append", fails)
        for _ in range(2):
            with pytest.raises(JournalError):
                log.check(NOW)
    if restart:
        log = SecurityLog(tmp_path)
    log.append(SHORT, NOW)
    assert SecurityLog(tmp_path).open(NOW).broken_seq == 1
    kinds = [one["kind"] for one in log.read()]
    assert kinds[9:] == ["chain_broken", "tamper_on"]


def test_a_log_that_is_copied_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever file of it is read first, it is no break in the copy."""
    monkeypatch.setattr(security_log, "MOST_FILES", 3)
    log = written(tmp_path / "log", 55, most_records=10)
    log.held = True
    before = {one.name: one.read_bytes() for one in (tmp_path / "log").iterdir()}
    for number in range(1, 35):
        log.append(SHORT, NOW)
        if number % 7:
            continue
        for name in before:
            copy = tmp_path / f"copy {number} {name}"
            copy.mkdir()
            # All is read before it is written on, this one after.
            later = {name: (tmp_path / "log" / name).read_bytes()}
            for file, data in {**before, **later}.items():
                (copy / file).write_bytes(data)
            assert SecurityLog(copy).open(NOW).broken_seq is None
    log.held = False
    for _ in range(30):
        log.append(SHORT, NOW)
    assert log.check(NOW).broken_seq is None
    assert SecurityLog(tmp_path / "log").open(NOW).broken_seq is None
