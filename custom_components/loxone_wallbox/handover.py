"""Leave a wallbox able to charge when nobody is there to decide any more.

Takes what was decided, what the owner chose and what is seen; lets go what only waits
for us. What may go wrong: the wallbox does not answer in time, then a warning says so.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .charging.decision import Decision
from .charging.observe import Observation, Step
from .charging.owner import HandedOver, HandOver, OwnerState
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
    forbade, though we did not, is not ours to allow. What is allowed but has not been
    obeyed yet waits for us too. With nothing plugged in it is what a car would be told
    that came now: strictly by the hours it would be stranded.
    """
    if state.hand_over is not HandOver.ALLOW or decision is None:
        return False
    held = decision.unshed
    if held.target.allowed:
        return seen.allowed is False and not seen.load_shedding
    if held.reason is not Reason.NO_VEHICLE:
        return held.reason in LET_GO
    # A fault or a lock stays as it is, and so does the owner's pause: those reasons
    # come before the hours, and are none that is let go.
    next_car = wish_at(replace(situation, plugged_at=now), now)
    return next_car.reason in LET_GO


async def async_hand_over(
    driver: Driver, title: str, state: OwnerState, *, waits: bool, linked: bool
) -> HandedOver:
    """Let a wallbox go that waits for us, and return what to remember of it."""
    allowed = None
    if waits:
        allowed = linked and await _async_let_go(driver, title)
    return HandedOver(
        at=dt_util.utcnow(), policy=state.hand_over, waited=waits, allowed=allowed
    )


async def _async_let_go(driver: Driver, title: str) -> bool:
    """Allow a wallbox to charge, and tell whether it took that.

    A command under way is overtaken by this one. Never raises: whatever ends must not
    be kept from ending.
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
        return False
    return True
