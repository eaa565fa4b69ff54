"""Records are whole or not there, whatever happens to the file."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.loxone_wallbox.records.journal import Journal, JournalError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
records = st.dictionaries(st.text(), values, max_size=4)
ON_DISK = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal in a folder that is not there yet."""
    return Journal(tmp_path / "deep" / "journal.jsonl")


def test_nothing_there(journal: Journal) -> None:
    """A file that was never written is empty, and deleting it is no error."""
    assert journal.read().records == []
    journal.delete()


@given(st.lists(records, max_size=5))
@ON_DISK
def test_what_is_written_is_read(tmp_path: Path, written: list[dict[str, Any]]) -> None:
    """Every record comes back as it was, in order."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.delete()
    for record in written:
        journal.append(record)
    content = journal.read()
    assert content.records == written
    assert content.damaged == []


@given(st.integers(0, 400), st.integers(0, 255))
@ON_DISK
def test_a_flipped_byte_is_noticed(tmp_path: Path, position: int, byte: int) -> None:
    """A damaged record is left out and named, the others stay as they were."""
    journal = Journal(tmp_path / "journal.jsonl")
    written: list[dict[str, Any]] = [{"id": n, "text": "x" * 40} for n in range(5)]
    journal.replace(list(written))
    data = bytearray(journal.path.read_bytes())
    if position >= len(data) or data[position] == byte:
        return
    data[position] = byte
    journal.path.write_bytes(data)
    content = journal.read()
    assert all(record in written for record in content.records)
    assert len(content.records) >= 3
    whole = content.records == written
    assert whole or content.damaged or len(content.records) == 4


@given(st.integers(0, 400))
@ON_DISK
def test_a_cut_file_goes_on(tmp_path: Path, length: int) -> None:
    """After a crash in the middle of a line the next record is whole."""
    journal = Journal(tmp_path / "journal.jsonl")
    written: list[dict[str, Any]] = [{"id": n, "text": "x" * 40} for n in range(5)]
    journal.replace(list(written))
    data = journal.path.read_bytes()[:length]
    journal.path.write_bytes(data)
    before = journal.read().records
    assert before == written[: len(before)]
    journal.append({"id": 99})
    assert journal.read().records == [*before, {"id": 99}]


def test_the_last_of_an_id_wins(journal: Journal) -> None:
    """Later records replace earlier ones of the same id."""
    for record in ({"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "a", "n": 3}):
        journal.append(record)
    assert journal.read().latest("id") == {
        "a": {"id": "a", "n": 3},
        "b": {"id": "b", "n": 2},
    }


def test_a_disk_that_does_not_take_it(journal: Journal) -> None:
    """The caller is told when a record could not be kept."""
    journal.path.parent.mkdir()
    journal.path.mkdir()
    with pytest.raises(JournalError):
        journal.append({"id": 1})
    with pytest.raises(JournalError):
        journal.read()
    with pytest.raises(JournalError):
        journal.replace([{"id": 1}])
    with pytest.raises(JournalError):
        journal.delete()


def test_a_full_disk() -> None:
    """A write that fails is an error, not a silence."""
    with pytest.raises(JournalError):
        Journal(Path("/dev/full/journal")).append({"id": 1})
