"""The Miniserver's log of sessions: entries that are read, left out, counted."""

from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.wallbox import parse_history

ENTRY = {
    "connect": 1767225600,
    "disconnect": 1767240000,
    "start": 1767225660,
    "energy": 12.5,
    "power": 0.0,
    "user": "1d2c-user",
    "price": 3.125,
}
GOOD = json.dumps(ENTRY)
texts = st.text(max_size=30)
# What an entry may be instead of one, without a bar or a bracket of its own.
garbage = st.text(
    st.characters(exclude_characters="{}|\x14"), min_size=1, max_size=20
).filter(lambda text: text.strip("| \t\r\n"))
entries = st.builds(
    lambda connect, energy, user: {
        **ENTRY,
        "connect": connect,
        "energy": energy,
        "user": user,
    },
    st.integers(1, 2**32),
    st.floats(0, 1e4),
    st.text(st.characters(exclude_characters="\x14"), min_size=1, max_size=30),
)


def test_order_and_texts() -> None:
    """Entries stay in their order, also with a bar or a bracket within a name."""
    first = {**ENTRY, "user": "a|b"}
    second = {**ENTRY, "user": 'say \\"x\\" {|', "energy": 1}
    log = parse_history("|".join(json.dumps(one) for one in (first, second, ENTRY)))
    assert [one.user for one in log.sessions] == [
        "a|b",
        'say \\"x\\" {|',
        "1d2c-user",
    ]
    assert log.sessions[1].energy_kwh == 1
    assert log.sessions[2].disconnected_at == datetime(2026, 1, 1, 4, tzinfo=UTC)
    assert log.unreadable == 0


@pytest.mark.parametrize(
    ("broken", "count"),
    [
        ("", 0),
        ("   ", 0),
        ("x", 1),
        ("x|y", 2),
        ('{"user": "a"b', 1),
        ('{"user": "', 1),
        ("null", 1),
        ('"', 1),
        ("{}", 1),
        ('{"connect": 0, "energy": 1}', 1),
        ('{"connect": 1767225600} x', 1),
    ],
)
def test_broken_entry(broken: str, count: int) -> None:
    """A broken entry costs itself and no other, and is counted."""
    more = int("1767225600} x" in broken)
    for text in (f"{GOOD}|{broken}|{GOOD}", f"{broken}|{GOOD}|{GOOD}|"):
        log = parse_history(text)
        assert len(log.sessions) == 2 + more
        assert log.unreadable == count


def test_line_break() -> None:
    """The sign for a line break inside a text is one."""
    log = parse_history(GOOD.replace("1d2c-user", "a\x14b"))
    assert log.sessions[0].user == "a\nb"


def test_empty() -> None:
    """A block that was never used has no sessions, and nothing is wrong."""
    assert parse_history("").sessions == ()
    assert parse_history("").unreadable == 0


@given(st.lists(st.tuples(st.booleans(), entries, garbage), max_size=12))
def test_every_good_entry(parts: list[tuple[bool, dict[str, Any], str]]) -> None:
    """Whatever stands between them, each good entry is read and the rest counted."""
    shown = [
        json.dumps(entry, ensure_ascii=False) if good else bad
        for good, entry, bad in parts
    ]
    log = parse_history("|".join(shown))
    wanted = [entry for good, entry, _ in parts if good]
    assert [one.energy_kwh for one in log.sessions] == [
        pytest.approx(entry["energy"]) for entry in wanted
    ]
    assert log.unreadable == len(parts) - len(wanted)


@given(
    st.lists(texts | entries.map(json.dumps) | entries.map(str), max_size=8),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_anything(parts: list[str], cuts: list[int]) -> None:
    """A text that was cut, mixed or made up gives a log and never an error."""
    text = "|".join(parts)
    for cut in cuts:
        text = text[:cut] + text[cut + 7 :]
    log = parse_history(text)
    assert log.unreadable >= 0
    assert all(one.connected_at is not None for one in log.sessions)
