"""Leave a wallbox able to charge when nobody is there to decide any more.

Takes what was decided, what the owner chose and what is seen; lets go what only waits
for us. What may go wrong: the wallbox does not answer in time, then a warning says so.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from homeassistant.exceptions import HomeAssistantError

from .charging.decision import Decision
from .charging.observe import Observation, Step
from .charging.owner import HandOver, OwnerState
from .charging.wish import Reason, Situation, wish_at
from .const import LOGGER
from .driving import Driver

# Home Assistant gives its own shutdown not much longer.
HAND_OVER_S = 5.0
# What a wallbox must not go on waiting for when nobody is there to end it.
LET_GO = {Reason.OUTSIDE_DEFAULT_HOURS, Reason.RANDOM_DELAY, Reason.DSR}


def waits_for_us(
    state: OwnerState,
    decision: Decision | None,
    seen: Observation,
    situation: Situation,
    now: datetime,
) -> bool:
    """Tell whether a wallbox holds back what nobody else would let go.

    What we forbade is let go under load shedding too: the wallbox pauses for that by
    itself, and would stay forbidden when it is over (regulation 7). What the shedding
    forbade, though we did not, is not ours to allow. With nothing plugged in it is
    what a car would be told that came now: strictly by the hours it would be stranded.
    """
    if state.hand_over is not HandOver.ALLOW or decision is None:
        return False
    if seen.load_shedding and decision.target.allowed:
        return False
    if decision.reason is not Reason.NO_VEHICLE:
        return decision.reason in LET_GO
    # A fault or a lock stays as it is, and so does the owner's pause: those reasons
    # come before the hours, and are none that is let go.
    next_car = wish_at(replace(situation, plugged_at=now), now)
    return not decision.target.allowed and next_car.reason in LET_GO


async def async_let_go(driver: Driver, title: str) -> None:
    """Allow a wallbox to charge; never raises, whatever ends must not be kept from it.

    A command under way is overtaken by this one.
    """
    driver.reconsider()
    try:
        async with asyncio.timeout(HAND_OVER_S):
            await driver.async_give(Step.ALLOW, 0)
    except (HomeAssistantError, TimeoutError) as err:
        LOGGER.warning(
            "%s could not be handed over and may wait for Home Assistant: %s",
            title,
            repr(err),
        )
