"""People are forgotten in files of records, and nothing else of the files changes."""

from datetime import UTC, datetime
import json
from pathlib import Path

from custom_components.loxone_wallbox.records.forgetting import (
    forget_in,
    forget_in_folder,
)
from custom_components.loxone_wallbox.records.journal import Journal
from custom_components.loxone_wallbox.records.security_log import SecurityLog
from custom_components.loxone_wallbox.records.security_record import PERSON, Entry

ADA, BOB = "p00000000000000ad", "p00000000000000b0"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def session(user: str | None, wh: int) -> dict[str, object]:
    """Return a line of a ledger."""
    told = {"user_id": user, "tag": None, "vehicle": "Zoe", "import_wh": wh}
    return {"id": f"s{wh}", "record": told}


def test_lines(tmp_path: Path) -> None:
    """Every line of theirs loses them, older ones too; the others stay as they are."""
    journal = Journal(tmp_path / "box.sessions.2026-11.jsonl")
    for line in (session(ADA, 1), session(BOB, 2), {"id": "s3", "deleted": "now"}):
        journal.append(line)
    journal.append({"open": {"user_id": ADA, "anonymous": False}, "list": [ADA, 7]})
    before = journal.path.read_bytes().splitlines()
    assert forget_in_folder(tmp_path, [ADA]) == 1
    after = journal.path.read_bytes().splitlines()
    assert after[1:3] == before[1:3]
    first, *_, last = journal.read().records
    told = {"user_id": None, "tag": None, "vehicle": None, "import_wh": 1}
    assert first["record"] == told
    assert last == {"open": {"user_id": None, "anonymous": True}, "list": [None, 7]}


def test_damaged_lines(tmp_path: Path) -> None:
    """They stay damaged and as long as they were; half a line stays half a line."""
    journal = Journal(tmp_path / "box.running.jsonl")
    journal.append(session(ADA, 1))
    journal.append(session(BOB, 2))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    broken, half = lines[0].replace(b"import", b"impost"), lines[0][:-9]
    journal.path.write_bytes(broken + lines[1] + half)
    assert forget_in(journal, [ADA]) == 2
    content = journal.path.read_bytes()
    assert ADA.encode() not in content
    assert [len(one) for one in content.splitlines(keepends=True)] == [
        len(one) for one in (broken, lines[1], half)
    ]
    assert journal.read().damaged == [1]
    assert [one["id"] for one in journal.read().records] == ["s2"]


def test_nothing_to_forget(tmp_path: Path) -> None:
    """A file without them is not even written anew."""
    journal = Journal(tmp_path / "box.state.jsonl")
    journal.append(session(BOB, 1))
    before = journal.path.stat()
    assert forget_in_folder(tmp_path, [ADA]) == 0
    assert forget_in_folder(tmp_path / "missing", [ADA]) == 0
    after = journal.path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_evidence_is_not_mended(tmp_path: Path) -> None:
    """A record that was written in another way is still one that was changed."""
    log = SecurityLog(tmp_path)
    for _ in range(3):
        entry = Entry(kind="action_denied", outcome="info", source=PERSON, person=ADA)
        log.append(entry, NOON)
    [path] = tmp_path.glob("security.0*.jsonl")
    first, second, third = path.read_bytes().splitlines(keepends=True)
    spaced = json.dumps(json.loads(second)).encode() + b"\n"
    assert len(spaced) > len(second)
    path.write_bytes(first + spaced + third)
    assert log.verify().broken_seq == 2
    assert log.forget(lambda one: one == ADA) == 3
    assert ADA.encode() not in path.read_bytes()
    assert log.verify().broken_seq == 2
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    assert log.verify().broken_seq == 2


def test_names_that_an_import_brought(tmp_path: Path) -> None:
    """They are taken out of sessions only, whatever else says the same."""
    journal = Journal(tmp_path / "box.state.jsonl")
    state = {"source": "user", "why": {"user_id": "other", "tag": "Jürgen U."}}
    for line in (session(" USER ", 1), session("users", 2), state):
        journal.append(line)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    with journal.path.open("ab") as file:
        file.writelines(b"x" + line for line in lines)
    assert forget_in_folder(tmp_path, [], ["user", "jürgen u.", "", "zo"]) == 1
    after = journal.path.read_bytes().splitlines(keepends=True)
    first, second, third = journal.read().records
    nobody = {"user_id": None, "tag": None, "vehicle": None, "import_wh": 1}
    assert first["record"] == nobody
    assert second == session("users", 2)
    assert third == {"source": "user", "why": {"user_id": None, "tag": None}}
    assert [len(one) - 1 for one in after[3:]] == [len(one) for one in lines]
    assert b"USER" not in after[3]
    assert after[4] == b"x" + lines[1]
    assert b'"source":"user"' in after[5]
    assert b"rgen" not in after[5]
