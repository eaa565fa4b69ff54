"""What flows by the limit in force, and what that adds up to."""

import pytest

from custom_components.loxone_wallbox.charging.estimate import Estimate, estimated_kw


@pytest.mark.parametrize(
    ("charging", "limit_kw", "kw"),
    [
        (None, 6.0, None),
        (False, 6.0, 0.0),
        (True, 6.0, 6.0),
        (True, None, 11.0),
        # No limit is above what the wallbox can give, none below nothing.
        (True, 40.0, 11.0),
        (True, -1.0, 0.0),
    ],
)
def test_power(charging: bool | None, limit_kw: float | None, kw: float | None) -> None:
    """It is the limit while the wallbox says that it charges."""
    assert estimated_kw(charging=charging, limit_kw=limit_kw, max_kw=11.0) == kw


def total(*story: tuple[float, float | None]) -> float:
    """Return the total after what was told at each instant."""
    estimate = Estimate(total_kwh=5.0)
    for at, kw in story:
        estimate = estimate.take(at, kw)
    return estimate.total_kwh


def test_energy() -> None:
    """Each power counts for as long as it holds, however often it is told."""
    assert total((0, 0.0)) == 5.0
    assert total((0, 6.0), (3600, 6.0)) == 11.0
    assert total((0, 6.0), (600, 6.0), (600, 6.0), (3600, 0.0), (9000, 0.0)) == 11.0
    assert total((0, 6.0), (1800, 11.0), (3600, 0.0)) == 5 + 3 + 5.5


def test_while_nobody_tells() -> None:
    """A silence counts what flows at both of its ends."""
    assert total((0, 6.0), (1800, None), (3600, None)) == 8.0
    assert total((0, 6.0), (1800, None), (3600, 6.0)) == 11.0
    assert total((0, 6.0), (1800, None), (3600, 4.0)) == 10.0
    assert total((0, 6.0), (1800, None), (3600, 0.0)) == 8.0
    assert total((0, 0.0), (1800, None), (3600, 6.0), (7200, 6.0)) == 11.0
    assert total((0, None), (3600, 6.0)) == 5.0


def test_a_clock_set_back() -> None:
    """Nothing is taken back."""
    assert total((7200, 6.0), (3600, 6.0), (7200, 6.0)) == 11.0
