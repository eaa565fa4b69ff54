"""Whether a car kept charging while nobody steered."""

import pytest

from custom_components.loxone_wallbox.charging.fallback import Outcome, Trial

TABLE = [
    # W before, Wh meanwhile, seconds, the same car: the verdict.
    (11_000.0, 366.7, 120.0, True, Outcome.PASSED),
    (11_000.0, 183.4, 120.0, True, Outcome.PASSED),
    (11_000.0, 183.3, 120.0, True, Outcome.FAILED),
    (11_000.0, 0.0, 120.0, True, Outcome.FAILED),
    # Nothing flowed in 120 s, then the Miniserver counted for a minute more.
    (11_000.0, 183.3, 180.0, True, Outcome.FAILED),
    (1_380.0, 46.0, 120.0, True, Outcome.PASSED),
    (11_000.0, 366.7, 120.0, False, Outcome.INCONCLUSIVE),
    (None, 366.7, 120.0, True, Outcome.INCONCLUSIVE),
    (11_000.0, None, 120.0, True, Outcome.INCONCLUSIVE),
    (500.0, 16.0, 120.0, True, Outcome.INCONCLUSIVE),
]


@pytest.mark.parametrize(
    ("power_w", "energy_wh", "seconds", "stayed", "verdict"), TABLE
)
def test_verdict(
    power_w: float | None,
    energy_wh: float | None,
    seconds: float,
    verdict: Outcome,
    *,
    stayed: bool,
) -> None:
    """Half of what would have flowed is enough; what nobody knows is no failure."""
    trial = Trial(power_w=power_w, energy_wh=energy_wh, seconds=seconds, stayed=stayed)
    assert trial.outcome is verdict
    assert trial.measured is (None not in (power_w, energy_wh))
