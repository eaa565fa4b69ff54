"""What a wallbox is told, and when it has obeyed."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver import (
    Allow,
    Command,
    SetManualLimit,
    SetMode,
    SetModeAfterUnplug,
    WallboxState,
)
from custom_components.loxone_wallbox.miniserver.errors import InvalidCommandError


@pytest.mark.parametrize(
    ("command", "text", "state"),
    [
        (Allow(True), "allow/on", WallboxState(allowed=True)),
        (Allow(False), "allow/off", WallboxState(allowed=False)),
        (SetMode(3), "setmode/3", WallboxState(mode=3)),
        (SetMode(99), "setmode/99", WallboxState(mode=99)),
        (SetModeAfterUnplug(0), "modeUnplug/0", WallboxState(mode_after_unplug=0)),
        (SetManualLimit(6), "manualLimit/6", WallboxState(mode=99, limit_kw=6)),
    ],
)
def test_commands(command: Command, text: str, state: WallboxState) -> None:
    """Each command has its text, and the state that confirms it."""
    assert command.text == text
    assert command.confirmed_by(state)
    assert not command.confirmed_by(WallboxState())


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (4.159, "4.15"),
        (4.16, "4.16"),
        (0, "0"),
        (0.01, "0.01"),
        (0.29, "0.29"),
        (1.005, "1"),
        (10.999999, "10.99"),
        (11, "11"),
        (7.4, "7.4"),
        (4.35, "4.35"),
        (100, "100"),
    ],
)
def test_limit(limit: float, text: str) -> None:
    """A limit is written with two digits, rounded down."""
    assert SetManualLimit(limit).text == f"manualLimit/{text}"


@given(st.floats(0, 100))
def test_limit_never_above(limit: float) -> None:
    """The limit sent is never above the one asked for, and hardly below it."""
    text = SetManualLimit(limit).text.removeprefix("manualLimit/")
    assert "e" not in text
    assert limit - 0.01 < float(text) <= limit + 1e-8


@given(st.integers(0, 10_000))
def test_limit_in_hundredths_is_exact(hundredths: int) -> None:
    """A limit that needs no rounding is not touched."""
    text = SetManualLimit(hundredths / 100).text.removeprefix("manualLimit/")
    assert float(text) == hundredths / 100


def test_limit_confirmed() -> None:
    """A device may round the last digit, but must be in its manual mode."""
    command = SetManualLimit(4.159)
    assert command.confirmed_by(WallboxState(mode=99, limit_kw=4.15))
    assert command.confirmed_by(WallboxState(mode=99, limit_kw=4.1501))
    assert not command.confirmed_by(WallboxState(mode=99, limit_kw=4.16))
    assert not command.confirmed_by(WallboxState(mode=3, limit_kw=4.15))
    assert not command.confirmed_by(WallboxState(mode=99))


@pytest.mark.parametrize("limit", [-0.1, 100.1, math.nan, math.inf, -math.inf])
def test_limit_refused(limit: float) -> None:
    """What is no power is refused before anything is sent."""
    with pytest.raises(InvalidCommandError):
        SetManualLimit(limit)


@pytest.mark.parametrize("mode", [-1, 0, 6, 98, 100])
def test_mode_refused(mode: int) -> None:
    """What is no mode is refused before anything is sent."""
    with pytest.raises(InvalidCommandError):
        SetMode(mode)
    if mode:
        with pytest.raises(InvalidCommandError):
            SetModeAfterUnplug(mode)


def test_command_is_abstract() -> None:
    """A command without a text cannot be sent."""
    with pytest.raises(NotImplementedError):
        _ = Command().text
    with pytest.raises(NotImplementedError):
        Command().confirmed_by(WallboxState())
