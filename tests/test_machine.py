"""A wallbox's life in any order, through the controller that really runs.

The controller, its commands, the acts, the state file and the adoption are the real
ones, in a real Home Assistant whose clock stands still; only the wallbox is a model of
one. At every decision a second telling of the rules says what should hold.
"""

from typing import Any, override

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
import pytest

from .machine_owner import OwnedLife


class WallboxLife(OwnedLife):
    """Drives the world and checks it after each step."""

    @invariant()
    def all_is_well(self) -> None:
        """Check everything that can be seen at rest."""
        self.world.check()

    @override
    def teardown(self) -> None:
        """Lead back to the schedule, then clear everything away."""
        if not hasattr(self, "world"):
            return
        try:
            self.world.back_to_schedule()
        finally:
            self.world.close()


def play(lives: int, steps: int, **changes: Any) -> None:
    """Play so many lives of so many steps."""
    run_state_machine_as_test(
        WallboxLife,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            **changes,
        ),
    )


# A life that is cut off in the middle leaves its clock and its silence to other tests.
@pytest.mark.timeout(900)
def test_any_order() -> None:
    """Some lives, the same ones every time."""
    play(40, 40, derandomize=True)


@pytest.mark.campaign
@pytest.mark.timeout(0)
def test_any_order_at_length() -> None:
    """Many lives, other ones every time; half an hour and more."""
    play(4000, 60)
