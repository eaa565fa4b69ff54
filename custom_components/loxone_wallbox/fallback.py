"""Try out what happens without us: drop our link while a car charges, and look after.

Takes the wallboxes of one Miniserver, each with a car that charges; ends the link, waits,
makes it again and judges by what was measured. A meter of our own is read all the time;
the Miniserver's counter moves once a minute, so it is awaited before and after. What may
go wrong: the Miniserver does not come back in time, then nothing can be told; a grid event
comes meanwhile, then the test is over. Whatever happens, the link is made again.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .acts import REFUSALS
from .charging.fallback import Trial
from .charging.safety import danger
from .clock import seconds
from .const import DOMAIN, LOGGER
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .rights import Actor, SecurityEvent

# How long our link is dropped.
DROP_S = 120.0
# How long the Miniserver may take to count on, and to take us back.
COUNT_WITHIN_S = 75.0
BACK_WITHIN_S = 180.0
# A grid event that begins by then needs the link: the cut, and some time to come back.
SOON = timedelta(seconds=DROP_S + 60.0)


async def pause(duration_s: float) -> None:
    """Wait."""
    await asyncio.sleep(duration_s)


@callback
def check(wallboxes: Sequence[WallboxCoordinator], *, consents: bool) -> None:
    """Refuse a test that nobody wants or that would show nothing.

    Raises translated errors.
    """
    if not consents:
        raise _refusal("fallback_consent_missing", wallboxes[0])
    for wallbox in wallboxes:
        if wallbox.miniserver.fallback is not None:
            raise _refusal("fallback_runs_already", wallbox)
        _check_calm(wallbox)


def _check_calm(wallbox: WallboxCoordinator) -> None:
    """Refuse to cut off who is needed, and what would show nothing."""
    if any(_is_needed(one) for one in _concerned(wallbox)):
        raise _refusal("fallback_during_grid_event", wallbox)
    reason = danger(wallbox.observe(), linked=wallbox.linked)
    if reason is not None:
        raise _refusal(REFUSALS[reason], wallbox)
    if not wallbox.data.state.connected:
        raise _refusal("fallback_without_vehicle", wallbox)
    if not wallbox.data.charging:
        raise _refusal("fallback_without_charging", wallbox)


def _concerned(wallbox: WallboxCoordinator) -> Collection[WallboxCoordinator]:
    """Return all wallboxes of a Miniserver: each is without us while the link is."""
    return wallbox.config_entry.runtime_data.wallboxes.values()


def _is_needed(wallbox: WallboxCoordinator) -> bool:
    """Tell whether a grid event holds now or before a cut would be over."""
    book, now = wallbox.controller.state.dsr, dt_util.utcnow()
    return any(book.active(now)) or any(
        now < event.effective_start <= now + SOON
        and event.effective_start < event.effective_end(book.silence)
        for event in book.events.values()
    )


async def async_try_out(
    entry: LoxoneWallboxConfigEntry,
    wallboxes: Sequence[WallboxCoordinator],
    actor: Actor,
) -> list[dict[str, Any]]:
    """Run a test that was checked, and return what came of it for each wallbox.

    It goes on when nobody waits for it any more, and ends with the entry. Raises a
    translated error where it was interrupted.
    """
    miniserver = entry.runtime_data.miniserver
    task = entry.async_create_background_task(
        miniserver.hass, _async_run(wallboxes, actor), f"fallback test of {entry.title}"
    )
    miniserver.fallback = task

    @callback
    def ended(_task: asyncio.Task[Any]) -> None:
        """Look at the links anew: one that is not back now is lost."""
        miniserver.fallback = None
        miniserver.async_update_listeners()

    task.add_done_callback(ended)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="fallback_interrupted"
        ) from None


class Tried:
    """What is measured of one wallbox that is tried out."""

    def __init__(self, wallbox: WallboxCoordinator) -> None:
        """Take the wallbox as it is before."""
        self.wallbox = wallbox
        self._power_w = wallbox.data.power_w
        self._visit = wallbox.controller.state.plugged_at
        self._began = self._ended = (seconds(), self._count)

    @property
    def _count(self) -> float | None:
        """Return the energy counted so far in Wh, None where nobody counts."""
        wallbox = self.wallbox
        if wallbox.meter is not None:
            return wallbox.meter.account.total_wh
        counted = wallbox.state.energy_kwh
        return None if counted is None or not wallbox.info.has_meter else counted * 1000

    async def async_begin(self) -> None:
        """Count from now on."""
        await self._async_moved()
        self._began = (seconds(), self._count)

    @callback
    def take(self) -> None:
        """Take what a meter of our own counted; the Miniserver's is not there now."""
        self._ended = (seconds(), self._count)

    async def async_end(self, *, back: bool) -> Trial:
        """Count no longer, with the Miniserver `back` or not, and return the trial."""
        wallbox = self.wallbox
        if wallbox.meter is None and back:
            await self._async_moved()
            self.take()
        counted = wallbox.meter is not None or back
        (began, first), (ended, last) = self._began, self._ended
        energy = None
        if counted and first is not None and last is not None:
            energy = last - first
        plugged_at = wallbox.controller.state.plugged_at
        return Trial(
            power_w=self._power_w,
            energy_wh=energy,
            seconds=ended - began,
            stayed=back and plugged_at is not None and plugged_at == self._visit,
        )

    async def _async_moved(self) -> None:
        """Wait until the Miniserver's counter moves: it does so once a minute."""
        known = self._count
        if self.wallbox.meter is None and known is not None:
            moved = lambda: self._count != known  # noqa: E731
            await _async_until(self.wallbox, moved, COUNT_WITHIN_S)


async def _async_run(
    wallboxes: Sequence[WallboxCoordinator], actor: Actor
) -> list[dict[str, Any]]:
    """Drop the link, wait, make it again, and judge."""
    client, began_at = wallboxes[0].client, dt_util.utcnow()
    LOGGER.info(
        "The link to the Miniserver is dropped for %s s, to try out whether cars go on "
        "charging without Home Assistant",
        round(DROP_S),
    )
    tried = [Tried(wallbox) for wallbox in wallboxes]
    await asyncio.gather(*(one.async_begin() for one in tried))
    # The count took a minute, in which a grid event may have begun.
    for wallbox in wallboxes:
        _check_calm(wallbox)
    try:
        await client.part()
        calm = await _async_stay_away(wallboxes[0])
        for one in tried:
            one.take()
    finally:
        client.rejoin()
    back = await _async_until(wallboxes[0], lambda: client.connected, BACK_WITHIN_S)
    if not calm:
        raise _refusal("fallback_ended_by_grid_event", wallboxes[0])
    trials = await asyncio.gather(*(one.async_end(back=back) for one in tried))
    results = []
    for one, trial in zip(tried, trials, strict=True):
        result = _described(one.wallbox, trial, began_at)
        one.wallbox.links.keep_fallback(result)
        one.wallbox.security(_event(result, actor))
        results.append(result)
    return results


async def _async_stay_away(wallbox: WallboxCoordinator) -> bool:
    """Wait while the link is dropped; tell whether no grid event came meanwhile.

    One that is told ends it at once, so that it is obeyed in time.
    """
    needed = asyncio.Event()

    @callback
    def look() -> None:
        """See whether we are needed."""
        if any(_is_needed(one) for one in _concerned(wallbox)):
            needed.set()

    stops = [one.async_add_listener(look) for one in _concerned(wallbox)]
    waits = [asyncio.ensure_future(one) for one in (pause(DROP_S), needed.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if waits[0].done():
            waits[0].result()
    finally:
        for stop in stops:
            stop()
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return not needed.is_set()


async def _async_until(
    wallbox: WallboxCoordinator, condition: Callable[[], bool], within_s: float
) -> bool:
    """Wait until a condition holds of what a wallbox shows; tell whether it does."""
    changed = asyncio.Event()
    stop = wallbox.async_add_listener(changed.set)
    try:
        async with asyncio.timeout(within_s):
            while not condition():
                changed.clear()
                await changed.wait()
    except TimeoutError:
        return condition()
    finally:
        stop()
    return True


def _described(
    wallbox: WallboxCoordinator, trial: Trial, began_at: datetime
) -> dict[str, Any]:
    """Return a result as it is kept and answered."""
    return {
        "outcome": trial.outcome.value,
        "at": began_at.isoformat(),
        "dropped_s": round(DROP_S),
        "counted_s": round(trial.seconds),
        "power_before_w": trial.power_w,
        "energy_wh": None if trial.energy_wh is None else round(trial.energy_wh),
        "expected_wh": None if trial.expected_wh is None else round(trial.expected_wh),
        "source": "miniserver" if wallbox.meter is None else "meter",
    }


def _event(result: Mapping[str, Any], actor: Actor) -> SecurityEvent:
    """Return what the log keeps of a test."""
    return SecurityEvent(
        kind="fallback_test",
        outcome="info",
        user_id=actor.user_id,
        detail={name: result[name] for name in ("outcome", "energy_wh", "expected_wh")},
    )


def _refusal(key: str, wallbox: WallboxCoordinator) -> ServiceValidationError:
    """Return the error for a test that is refused."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"wallbox": wallbox.title},
    )
