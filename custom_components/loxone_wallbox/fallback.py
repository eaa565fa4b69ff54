"""Try out what happens without us: drop our link while a car charges, and look after.

Takes the wallboxes of one Miniserver, each with a car that charges; ends the link, waits,
makes it again and judges by what was measured. A meter of our own is read all the time;
the Miniserver's counter moves once a minute, so it is awaited before and after. What may
go wrong: the Miniserver does not come back in time or the meter gives no readings, then
nothing can be told; a grid event comes meanwhile or Home Assistant stops, then the test is
over; a wallbox is built anew, then the new one is asked. Whatever happens, the link is
made again.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from .miniserver_coordinator import MiniserverCoordinator
from .rights import Actor, SecurityEvent
from .rules import identity_of

# How long our link is dropped.
DROP_S = 120.0
# How long the Miniserver may take to count on, and to take us back.
COUNT_WITHIN_S = 75.0
BACK_WITHIN_S = 180.0
# What is awaited is looked for so often. Nothing is listened to: a wallbox that is built
# anew tells nobody who listened to the one before.
LOOK_S = 0.2
# A meter that counted so long ago was just read; its silence is no more than a hiccup.
FRESH_S = 10.0
# How long a wallbox that is built anew is waited for.
BUILT_WITHIN_S = 10.0
# How long whoever stops waits for the link, of the little time there is at a stop.
REJOIN_WITHIN_S = 5.0
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


@callback
def try_out(
    entry: LoxoneWallboxConfigEntry,
    wallboxes: Sequence[WallboxCoordinator],
    actor: Actor,
) -> asyncio.Task[list[dict[str, Any]]]:
    """Begin a test that was checked, and return it.

    It goes on when nobody waits for it any more, and ends with the entry. From now on
    another one is refused, so nothing may be awaited between the check and this.
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
    return task


async def async_result(
    task: asyncio.Task[list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return what came of a test for each wallbox.

    Raises a translated error where it was interrupted.
    """
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="fallback_interrupted"
        ) from None


async def async_break_off(miniserver: MiniserverCoordinator) -> None:
    """End a test that runs, and wait a while for the link: there is something to tell.

    Never raises: whatever ends must not be kept from ending.
    """
    task = miniserver.fallback
    if task is None:
        return
    task.cancel()
    began_at = seconds()
    # Its end makes the link again.
    await asyncio.wait((task,), timeout=REJOIN_WITHIN_S)
    left = max(0.0, REJOIN_WITHIN_S - (seconds() - began_at))
    if not await _async_until(lambda: miniserver.connected, left):
        LOGGER.warning(
            "The link to the Miniserver is not back after a test that was broken off"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """An energy in Wh as it was counted `at` an instant; None where nobody counts.

    `by` is which meter of ours counted, None for the Miniserver.
    """

    by: Mapping[str, Any] | None
    at: float
    energy_wh: float | None


class Tried:
    """What is measured of one wallbox that is tried out."""

    def __init__(self, wallbox: WallboxCoordinator) -> None:
        """Take the wallbox as it is before."""
        self._wallboxes = wallbox.config_entry.runtime_data.wallboxes
        self._latest = wallbox
        self._power_w = wallbox.data.power_w
        self._visit = wallbox.controller.state.plugged_at
        self._began = self._count
        self._ended: Count | None = None

    @property
    def wallbox(self) -> WallboxCoordinator:
        """Return the wallbox as it is now: its settings may have changed meanwhile."""
        latest = self._latest
        self._latest = self._wallboxes.get(latest.subentry_id, latest)
        return self._latest

    @property
    def _count(self) -> Count:
        """Return what was counted so far."""
        wallbox, now = self.wallbox, seconds()
        if (meter := wallbox.meter) is not None:
            age_s = meter.energy_age_s
            return Count(
                by=identity_of(meter.settings),
                at=now - (age_s or 0.0),
                energy_wh=None if age_s is None else meter.account.total_wh,
            )
        counted = wallbox.state.energy_kwh if wallbox.info.has_meter else None
        return Count(
            by=None, at=now, energy_wh=None if counted is None else counted * 1000
        )

    @property
    def _is_read(self) -> bool:
        """Tell whether a meter of our own was read just now."""
        meter = self.wallbox.meter
        age_s = None if meter is None else meter.energy_age_s
        return age_s is not None and age_s <= FRESH_S

    async def async_begin(self) -> None:
        """Count from now on."""
        await self._async_counted()
        self._began = self._count

    @callback
    def take(self) -> None:
        """Take what a meter of our own counted; the Miniserver's is not there now."""
        if self._is_read:
            self._ended = self._count

    async def async_end(self, *, back: bool) -> Trial:
        """Count no longer, with the Miniserver `back` or not, and return the trial.

        A meter that was silent as the cut ended is waited for: its counter went on.
        """
        if self._ended is None and (back or self.wallbox.meter is not None):
            await self._async_counted()
            if self.wallbox.meter is None or self._is_read:
                self._ended = self._count
        began, ended, energy = self._began, self._ended, None
        if ended is not None and ended.by == began.by:
            first, last = began.energy_wh, ended.energy_wh
            energy = None if first is None or last is None else last - first
        await _async_until(lambda: self._is_there, BUILT_WITHIN_S)
        plugged_at = self.wallbox.controller.state.plugged_at
        return Trial(
            power_w=self._power_w,
            energy_wh=energy,
            seconds=(seconds() if ended is None else ended.at) - began.at,
            stayed=back and plugged_at is not None and plugged_at == self._visit,
        )

    @property
    def _is_there(self) -> bool:
        """Tell whether the wallbox is there, not just being built anew."""
        return self._latest.subentry_id in self._wallboxes

    async def _async_counted(self) -> None:
        """Wait until it was counted just now.

        The Miniserver's counter moves once a minute; a meter may be silent for a while.
        """
        if self.wallbox.meter is not None:
            await _async_until(lambda: self._is_read, COUNT_WITHIN_S)
        elif (known := self._count.energy_wh) is not None:
            moved = lambda: self._count.energy_wh != known  # noqa: E731
            await _async_until(moved, COUNT_WITHIN_S)


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
    for one in tried:
        _check_calm(one.wallbox)
    try:
        await client.part()
        calm = await _async_stay_away(wallboxes[0])
        for one in tried:
            one.take()
    finally:
        client.rejoin()
    back = await _async_until(lambda: client.connected, BACK_WITHIN_S)
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
    away = asyncio.ensure_future(pause(DROP_S))
    try:
        while not any(_is_needed(one) for one in _concerned(wallbox)):
            if away.done():
                away.result()
                return True
            await asyncio.wait((away,), timeout=LOOK_S)
    finally:
        away.cancel()
        await asyncio.gather(away, return_exceptions=True)
    return False


async def _async_until(condition: Callable[[], bool], within_s: float) -> bool:
    """Wait until a condition holds; tell whether it does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - see LOOK_S
                await asyncio.sleep(LOOK_S)
    return condition()


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
        "measured": trial.measured,
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
