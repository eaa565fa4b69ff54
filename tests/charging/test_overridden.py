"""What happens at the wallbox while an override holds is overridden with it."""

from datetime import timedelta

import pytest

from .nights import FULL, Player, local, powers, situation
from custom_components.loxone_wallbox.charging.delay import OFF, Outcome
from custom_components.loxone_wallbox.charging.override import (
    AUTOMATION,
    Override,
    OverrideMode,
)
from custom_components.loxone_wallbox.charging.wish import Reason

EVENING = local("2027-01-13T17:30:00")
HOUR = timedelta(hours=1)
FOUND = {True: FULL, False: OFF}


@pytest.mark.parametrize(("source", "waits"), [("user", 0), (AUTOMATION, 77)])
def test_a_fault_that_clears(source: str, waits: int) -> None:
    """The owner's word goes on as if nothing had been, an automation's has its draw."""
    draws = [77] if source == "user" else [0, 77]
    player = Player(now=EVENING, draws=draws, situation=situation())
    player.plug()
    mode = OverrideMode.CHARGE
    player.change(override=Override(mode=mode, start=player.now, source=source))
    player.until(EVENING + HOUR)
    player.change(blocked_by=Reason.FAULT)
    player.until(EVENING + 2 * HOUR)
    player.change(blocked_by=None, cleared_at=player.now)
    player.until(EVENING + 3 * HOUR)
    at = (EVENING + 2 * HOUR + timedelta(seconds=waits)).strftime("%d %H:%M:%S")
    assert powers(player.log)[-2:] == [("13 18:30:00", 0), (at, 11)]


@pytest.mark.parametrize(("source", "waits"), [("user", 0), (AUTOMATION, 77)])
@pytest.mark.parametrize("mode", OverrideMode)
def test_a_link_that_is_back(source: str, waits: int, mode: OverrideMode) -> None:
    """What a wallbox did alone is put right at once where its owner has said how."""
    charges = mode is OverrideMode.CHARGE
    back = EVENING + 2 * HOUR
    alone = situation(
        override=Override(mode=mode, start=EVENING, source=source),
        plugged_at=EVENING,
        reconnected_at=back,
    )
    player = Player(now=back, draws=[77], situation=alone)
    player.memory = player.memory.settle(FOUND[not charges], EVENING)
    player.decide()
    player.until(back + HOUR)
    at = (back + timedelta(seconds=waits)).strftime("%d %H:%M:%S")
    assert powers(player.log)[-1] == (at, 11 if charges else 0)


def test_without_an_override_it_has_its_draw() -> None:
    """A fault that clears in the night is a relevant time like any other."""
    player = Player(now=EVENING, draws=[0, 77], situation=situation())
    player.plug()
    player.until(local("2027-01-13T23:00:00"))
    player.change(blocked_by=Reason.FAULT)
    player.now += HOUR / 4
    player.change(blocked_by=None, cleared_at=player.now)
    player.until(player.now + HOUR / 4)
    assert powers(player.log)[-1] == ("13 23:16:17", 11)
    assert player.memory.draws[-1].outcome is Outcome.APPLIED
