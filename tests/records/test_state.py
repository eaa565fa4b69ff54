"""The state of a wallbox on its file, however long it is."""

from pathlib import Path

import pytest

from custom_components.loxone_wallbox.records.journal import (
    MAX_LINE_BYTES,
    Journal,
    JournalError,
)
from custom_components.loxone_wallbox.records.state import COMPACT_BYTES, StateKeeper

MB = 1_000_000


def test_a_long_state_is_read_back(tmp_path: Path) -> None:
    """A session of weeks with a price each quarter of an hour is some MB."""
    keeper = StateKeeper(tmp_path / "running.jsonl")
    keeper.save({"text": "x" * 5 * MB})
    found = StateKeeper(tmp_path / "running.jsonl").load()
    assert found == {"text": "x" * 5 * MB}


def test_the_file_stays_small(tmp_path: Path) -> None:
    """Long states are no reason for a file of hundreds of them."""
    path = tmp_path / "running.jsonl"
    keeper, most = StateKeeper(path), 0
    for number in range(12):
        keeper.save({"number": number, "text": "x" * 2 * MB})
        most = max(most, path.stat().st_size)
    assert most < COMPACT_BYTES + 2.1 * MB
    loaded = StateKeeper(path).load()
    assert loaded is not None
    assert loaded["number"] == 11


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    """The caller is told, and what stood there stays."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"id": 1})
    long = {"id": 2, "text": "x" * MAX_LINE_BYTES}
    with pytest.raises(JournalError):
        journal.append(long)
    with pytest.raises(JournalError):
        journal.replace([long])
    assert journal.read().records == [{"id": 1}]
    assert [one.name for one in tmp_path.iterdir()] == ["journal.jsonl"]
