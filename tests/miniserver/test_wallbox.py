"""A wallbox's values and texts in our own words."""

from datetime import UTC, datetime
import json
import math
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.wallbox import (
    Lock,
    WallboxSession,
    WallboxState,
    WallboxTexts,
    make_state,
    parse_history,
    parse_lock,
    parse_session,
)

SESSION = {
    "connect": 1767225600,
    "disconnect": 0,
    "start": 1767225660,
    "energy": 12.5,
    "power": 7.25,
    "user": "1d2c-user",
    "price": 3.125,
    "extAuthority": "",
}
VALUES = {
    "actual": 7.25,
    "total": 1234.5,
    "connected": 1.0,
    "enabled": 1.0,
    "active": 1.0,
    "loadshed": 0.0,
    "phaseSwitching": 0.0,
    "mode": 99.0,
    "limit": 7.4,
    "modeUnplug": 3.0,
    "priority": 0.0,
    "pricePerHour": -1337.0,
    "pricePerkWh": 0.25,
    "limitedBy": 6.0,
    "temporaryLimitation": 0.0,
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list(SESSION)), inner, max_size=8)
    ),
    max_leaves=10,
)


def test_state() -> None:
    """Every value lands where it belongs."""
    assert make_state(VALUES, WallboxTexts()) == WallboxState(
        power_kw=7.25,
        energy_kwh=1234.5,
        connected=True,
        allowed=True,
        charging=True,
        load_shedding=False,
        phase_switching=False,
        mode=99,
        limit_kw=7.4,
        mode_after_unplug=3,
        priority=False,
        price_per_hour=None,
        price_per_kwh=0.25,
        limited_by=6,
        temporary_limitation=0,
    )


def test_nothing_known() -> None:
    """What never came is unknown, not zero."""
    assert make_state({}, WallboxTexts()) == WallboxState()


@pytest.mark.parametrize(
    ("value", "power"),
    [(-0.0, 0.0), (-0.001, 0.0), (1e300, None), (math.nan, None), (math.inf, None)],
)
def test_power(value: float, power: float | None) -> None:
    """Noise below zero is zero and nonsense is unknown."""
    state = make_state({"actual": value}, WallboxTexts())
    assert state.power_kw == power
    if power is not None and state.power_kw is not None:
        assert math.copysign(1, state.power_kw) > 0


@given(st.dictionaries(st.sampled_from(list(VALUES)), st.floats()))
def test_arbitrary_values(values: dict[str, float]) -> None:
    """Any values give a state that is finite and not negative."""
    state = make_state(values, WallboxTexts())
    for value in (state.power_kw, state.energy_kwh, state.limit_kw):
        assert value is None or 0 <= value < math.inf


def test_session() -> None:
    """A running session is read."""
    assert parse_session(json.dumps(SESSION)) == WallboxSession(
        connected_at=datetime(2026, 1, 1, tzinfo=UTC),
        disconnected_at=None,
        started_at=datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
        energy_kwh=12.5,
        power_kw=7.25,
        user="1d2c-user",
        price=3.125,
        authority=None,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{}",
        "null",
        "[]",
        "x",
        '{"connect": 0}',
        '{"connect": "x"}',
        '{"connect": 1e300}',
    ],
)
def test_no_session(text: str) -> None:
    """Without a plug-in there is no session."""
    assert parse_session(text) is None


def test_session_oddities() -> None:
    """Numbers as text, no price, a numeric user and absent fields are read."""
    session = parse_session('{"connect": "1767225600", "price": -1337, "user": 42}')
    assert session is not None
    assert session.connected_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (session.price, session.user, session.energy_kwh) == (None, "42", None)


@pytest.mark.parametrize("user", ['say "hello" twice', '"', 'a", b', "line\x14break"])
def test_session_with_unescaped_user(user: str) -> None:
    """A quote in a user's name does not hide the session."""
    text = json.dumps(SESSION).replace("1d2c-user", user)
    session = parse_session(text)
    assert session is not None
    assert session.user == user
    assert (session.energy_kwh, session.price) == (12.5, 3.125)


@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("", None),
        ('{"locked":0,"reason":""}', None),
        ('{"locked":1,"reason":"holiday"}', Lock(level=1, reason="holiday")),
        ('{"locked":"2"}', Lock(level=2, reason="")),
        ('{"locked":1,"reason":"say "hi""}', Lock(level=1, reason='say "hi"')),
        ('{"locked":1,"reason":null}', Lock(level=1, reason="")),
        ('{"locked":{}}', None),
        ("x", None),
    ],
)
def test_lock(text: str, lock: Lock | None) -> None:
    """A lock tells who and why."""
    assert parse_lock(text) == lock


@given(st.text(max_size=200) | json_values.map(json.dumps))
def test_arbitrary_texts(text: str) -> None:
    """Any text is read or ignored, under any name."""
    texts = WallboxTexts()
    for name in ("session", "entries", "jLocked", "unknown"):
        texts.take(name, text)
    make_state({}, texts)


@given(st.dictionaries(st.sampled_from(list(SESSION)), json_values))
def test_arbitrary_session(fields: dict[str, Any]) -> None:
    """A session of any fields is read or ignored."""
    parse_session(json.dumps({**SESSION, **fields}))
    parse_lock(json.dumps({"locked": 1, **fields}))


@pytest.mark.parametrize(
    "text",
    [
        "{" * 60_000,
        '"|' * 60_000,
        '{"a": ' * 20_000,
        '{"connect": "' + '", "x' * 20_000,
        '{"connect": "' * 20_000 + "}",
        "{" + '"connect":' * 20_000,
        "{" + '"connect": 1, ' * 20_000,
        "}|" * 60_000 + " " * 60_000,
        "}" + " " * 60_000,
        ("}" + " " * 200) * 1000,
        '{"connect": 1' + "0" * 60_000 + "}",
    ],
    ids=range(11),
)
def test_no_hang(text: str) -> None:
    """A text made to keep a pattern busy is done with at once."""
    started = time.process_time()
    parse_session(text)
    parse_history(text)
    parse_lock(text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("user", ["\ud800", "x" * 1000, True, 10**400, ["x"]])
def test_user_can_be_stored(user: object) -> None:
    """Whatever the user's name, it can be written and is not endless."""
    session = parse_session(json.dumps({**SESSION, "user": user}))
    assert session is not None
    if session.user is not None:
        assert len(session.user.encode()) <= 200
