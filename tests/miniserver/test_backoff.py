"""How long to wait, and what a close means."""

import pytest

from custom_components.loxone_wallbox.miniserver.backoff import Backoff
from custom_components.loxone_wallbox.miniserver.connection import error_for_close
from custom_components.loxone_wallbox.miniserver.errors import (
    LockedOutError,
    MiniserverConnectionError,
    MiniserverError,
    MiniserverStartingError,
    NoSlotError,
    ProtocolError,
    UserDisabledError,
)

BROKEN = MiniserverConnectionError("broken")


def longest(_low: float, high: float) -> float:
    """Return the longest pause."""
    return high


def shortest(low: float, _high: float) -> float:
    """Return the shortest pause."""
    return low


def test_doubling() -> None:
    """Pauses double up to a limit and start again after a good link."""
    backoff = Backoff(longest)
    pauses = [backoff.next(BROKEN) for _ in range(9)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    backoff.reset()
    assert backoff.next(BROKEN) == 2
    assert Backoff(shortest).next(BROKEN) == 1


def test_patience() -> None:
    """A restart and a full house get more time."""
    assert Backoff(longest).next(MiniserverStartingError("x")) == 10
    assert Backoff(longest).next(NoSlotError("x")) == 60
    backoff = Backoff(longest)
    for _ in range(8):
        backoff.next(BROKEN)
    assert backoff.next(MiniserverStartingError("x")) == 300


def test_block() -> None:
    """A block is waited for to its end, never shortened by chance."""
    backoff = Backoff(shortest)
    assert backoff.next(LockedOutError(38)) == 39
    assert [backoff.next(LockedOutError(None)) for _ in range(3)] == [300, 600, 1200]
    assert backoff.next(LockedOutError(9_999_999)) == 86_400
    for _ in range(20):
        longest_block = backoff.next(LockedOutError(None))
    assert longest_block == 86_400
    # A block says nothing about the network.
    assert backoff.next(BROKEN) == 1
    backoff.reset()
    assert backoff.next(LockedOutError(None)) == 300


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (None, MiniserverConnectionError),
        (1000, MiniserverConnectionError),
        (1001, MiniserverConnectionError),
        (1006, MiniserverConnectionError),
        (1009, ProtocolError),
        (4003, LockedOutError),
        (4004, MiniserverConnectionError),
        (4005, MiniserverConnectionError),
        (4006, UserDisabledError),
        (4007, MiniserverStartingError),
        (4008, NoSlotError),
        (4999, MiniserverConnectionError),
    ],
)
def test_closes(code: int | None, error: type[MiniserverError]) -> None:
    """Every close code has its meaning, and each error is a new one."""
    found = error_for_close(code, "")
    assert type(found) is error
    assert found is not error_for_close(code, "")


@pytest.mark.parametrize(
    ("reason", "remaining"),
    [
        ("", None),
        ("Forbidden", None),
        # The number is probably seconds, but a small one may count the attempts.
        ("Forbidden - IP 1.2.3.4 blocked, too many failed login attempts (300)", 300),
        ("Forbidden - IP 1.2.3.4 blocked, too many failed login attempts (5)", None),
        ("Forbidden - IP 1.2.3.4 blocked, too many failed login attempts (10)", None),
        ("IP 1.2.3.4 blocked, remaining: 38", 38),
        ("IP 1.2.3.4 blocked for 120 seconds", 120),
        ("IP 1.2.3.4 blocked for 120s", 120),
        ("<remaining>17</remaining>", 17),
    ],
)
def test_block_reason(reason: str, remaining: float | None) -> None:
    """The reason of a block may tell how long it lasts."""
    error = error_for_close(4003, reason)
    assert isinstance(error, LockedOutError)
    assert error.remaining == remaining
