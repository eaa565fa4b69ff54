"""A wallbox, a Home Assistant that comes and goes, and a disk that may fail."""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
import shutil
import tempfile
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.core import CoreState, HomeAssistant

from .machine_box import Device, Face, make_info
from .machine_clock import StillLoop, clock_of
from .machine_judge import Judge
from .machine_model import Model
from .machine_wish import MANUAL, Facts, Hours
from .machine_words import WrongError
from custom_components.loxone_wallbox.charging.schedule import DAY_NAMES
from custom_components.loxone_wallbox.const import LOGGER
from custom_components.loxone_wallbox.controller import Controller
from custom_components.loxone_wallbox.miniserver import WallboxState
from custom_components.loxone_wallbox.rules import async_load_state, rules_of

# Two things never happen at the very same instant.
BLINK = timedelta(milliseconds=7)
# Three tries of ten seconds each, and a minute until the next one.
PATIENCE = timedelta(seconds=95)
# After a command of ours nobody can tell whose a change is.
APART = timedelta(seconds=45)
# A record that a crash has cut off.
TORN = b'{"c":"00000000","r":{"sch'


AUTOMATIC = frozenset({"plug_in", "reconnect", "auto"})
DELAYED = {
    "gb_2021": AUTOMATIC,
    "de_14a": frozenset({"reconnect"}),
    "none": frozenset[str](),
}
ZONES = {"gb_2021": "Europe/London", "de_14a": "Europe/Berlin", "none": "UTC"}


def as_setting(hours: tuple[Hours, ...], *, utc: bool) -> dict[str, Any]:
    """Return default charging hours as the first-use answer keeps them."""
    return {
        "windows": [
            {
                "days": [DAY_NAMES[day] for day in one.days],
                "start": f"{one.start // 60:02}:{one.start % 60:02}",
                "end": f"{one.end // 60:02}:{one.end % 60:02}",
            }
            for one in hours
        ],
        "clock": "utc" if utc else "local",
    }


def model_of(facts: Facts, profile: str, start: datetime, *, delays: bool) -> Model:
    """Return the second telling of the rules for a home."""
    model = Model(
        facts=facts,
        delayed=DELAYED[profile],
        randomises=delays,
        max_delay_s=0 if profile == "none" else 600,
        begins_early=True,
        now=start,
    )
    model.set_early()
    return model


def device_of(*, large: bool, managed: bool) -> Device:
    """Return a wallbox that nothing is plugged into."""
    info = make_info(*((11.0, 4.16) if large else (7.4, 1.38)), managed=managed)
    state = WallboxState(
        connected=False,
        allowed=True,
        charging=False,
        load_shedding=False,
        mode=5,
        limit_kw=6.0 if managed else info.max_kw,
    )
    return Device(info=info, state=state)


class Home:
    """The device, the disk, and the Home Assistant that runs or does not."""

    def __init__(
        self,
        *,
        start: datetime,
        profile: str,
        hours: tuple[Hours, ...],
        utc: bool,
        strict: bool,
        delays: bool,
        large: bool,
        managed: bool,
        draws: list[int],
    ) -> None:
        """Build the device, the disk and the model; nothing runs yet."""
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.loop = StillLoop(start)
        self._stack.callback(self.loop.close)
        self._stack.enter_context(clock_of(self.loop))
        # What it would say of failing disks and wallboxes is what is played here.
        self._stack.enter_context(patch.object(LOGGER, "disabled", True))
        self.settings = {
            "profile": profile,
            "who_delays": "home_assistant" if delays else "miniserver",
            "strict": strict,
            "first_use": as_setting(hours, utc=utc),
        }
        self.device = device_of(large=large, managed=managed)
        info = self.device.info
        facts = Facts(
            min_kw=info.max_kw if managed else info.min_kw,
            max_kw=info.max_kw,
            modes={one.id: one.limit_kw or 0.0 for one in info.modes},
            zone=ZoneInfo(ZONES[profile]),
            managed=managed,
            strict=strict,
            floor_kw=4.2 if profile == "de_14a" else 0.0,
            holds_on=timedelta(hours=2 if profile == "de_14a" else 0),
            hours=hours,
            utc=utc,
        )
        model = model_of(facts, profile, start, delays=delays)
        self.judge = Judge(model, draws)
        self.face: Face
        self.running = False
        self.disk_fails = False
        self.trouble_at: datetime | None = None
        self.broken = False
        # What was in memory when Home Assistant ended.
        self._memory: dict[str, Any] | None = None

    @property
    def now(self) -> datetime:
        """Return the present instant."""
        return self.loop.now

    @property
    def model(self) -> Model:
        """Return the model."""
        return self.judge.model

    @property
    def controller(self) -> Controller:
        """Return the controller that runs."""
        return self.face.controller

    @property
    def path(self) -> Path:
        """Return the state file."""
        return self.folder / "loxone_wallbox" / "504F" / "0f0f-box.state.jsonl"

    def run(self, work: Coroutine[Any, Any, None] | None = None) -> None:
        """Do something and let everything come to rest."""

        async def done() -> None:
            """Do it."""
            if work is not None:
                await work
            await self.loop.settle()

        try:
            self.loop.run_until_complete(done())
        except BaseException as err:
            self.broken = True
            err.add_note("\n".join(self.judge.trace[-40:]))
            raise

    def wait(self, until: datetime) -> None:
        """Let time pass."""
        if self.is_blind:
            self.model.blind = until
        self.loop.run_until_complete(self.loop.until(until))
        if self.is_blind:
            self.model.blind = self.now

    @property
    def is_blind(self) -> bool:
        """Tell whether nothing can be decided."""
        return not self.running or not self.face.linked or self.loop.disk.slow

    # Home Assistant comes and goes.

    def start(self) -> None:
        """Start Home Assistant with what is on the disk."""
        self.run(self._start())
        self.running = True

    async def _start(self) -> None:
        """Start."""
        hass = HomeAssistant(str(self.folder))
        hass.set_state(CoreState.running)
        keeper, state = await async_load_state(hass, "504F", "0f0f-box", self.settings)
        judge = self.judge
        face = Face(
            hass,
            self.device,
            now=lambda: self.now,
            given=judge.given,
            looked=judge.looked,
            decided=judge.decided,
        )
        judge.face = self.face = face
        judge.first, judge.seen, judge.reversals = True, None, []
        judge.given_log = []
        rules = rules_of(hass, self.settings)
        face.attach(
            Controller(
                hass,
                face,
                keeper,
                state,
                profile=rules.profile,
                zone=rules.zone,
                strict=rules.strict,
                delays=rules.delays,
                draw=judge.draw,
            )
        )
        judge.say("started")
        if self._memory is not None and state.as_dict() != self._memory:
            judge.say("with what the disk took in time")
            judge.unsure, judge.ids = True, {}
        face.refresh()

    def stop(self) -> None:
        """Stop Home Assistant in order; the wallbox is handed over."""
        if self.loop.disk.slow:
            self.set_slow(slow=False)
        self.judge.say("stops")
        self.judge.handing_over = True
        task = self.loop.create_task(self._stop())
        self.run()
        if not task.done():
            # It waits for the wallbox, and at most these seconds.
            self.model.blind = self.now + timedelta(seconds=30)
            self.wait(self.now + timedelta(seconds=6))
        if not task.done():
            self.broken = True
            raise WrongError("stopping takes too long")
        task.result()
        self._end()

    async def _stop(self) -> None:
        """Stop."""
        await self.controller.async_hand_over()
        await self.controller.async_stop()

    def kill(self) -> None:
        """Have the power fail: what is not on the disk is lost."""
        self.judge.say("is killed")
        self.loop.disk.forget()
        self._end()
        if self.path.exists():
            with self.path.open("ab") as file:
                file.write(TORN)

    def _end(self) -> None:
        """Clear away what is left of Home Assistant."""
        self.running = False
        self.judge.handing_over = False
        self.face.linked = self.face.available = False
        self.device.changed = lambda: None
        self.judge.lost_at = None
        self._memory = self.controller.state.as_dict()
        self.loop.run_until_complete(self._clear())
        self.judge.acts = []
        self.model.reconnected = None
        self.model.blind = self.now

    async def _clear(self) -> None:
        """Cancel tasks and timers that are not the device's."""
        tasks = asyncio.all_tasks(self.loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for timer in list(self.loop.timers()):
            if timer not in self.device.timers:
                timer.cancel()

    def close(self) -> None:
        """Clear everything away."""
        if self.running:
            self.kill()
        self._stack.close()

    # What can go wrong.

    def set_link(self, *, linked: bool) -> None:
        """Cut the link or make it."""
        self.judge.say(f"link {linked}")
        if not linked:
            self.judge.lost_at = self.now

        async def work() -> None:
            """Do it within the loop."""
            self.face.set_link(linked=linked)

        self.run(work())

    def set_disk(self, *, fails: bool) -> None:
        """Have the disk take nothing, or everything again."""
        self.judge.say(f"disk fails: {fails}")
        self.disk_fails = fails
        folder = self.path.parents[1]
        aside = self.folder / "aside"
        if fails:
            if folder.exists():
                folder.rename(aside)
            folder.write_text("no folder")
        else:
            folder.unlink()
            if aside.exists():
                aside.rename(folder)

    def device_changes(self, **changes: Any) -> None:
        """Change something at the device."""
        self.judge.say(f"device {changes}")

        async def work() -> None:
            """Do it within the loop."""
            for name in {"fault", "tampered"} & set(changes):
                setattr(self.device, name, changes.pop(name))
            self.device.change(**changes)

        self.run(work())

    def set_slow(self, *, slow: bool) -> None:
        """Have the disk take its time, or be done with everything."""
        self.judge.say(f"disk slow: {slow}")
        self.model.blind = self.now
        if slow:
            self.loop.disk.slow = True
            return

        async def work() -> None:
            """Do it within the loop."""
            self.loop.disk.catch_up()

        self.run(work())

    def set_clock(self, step: timedelta) -> None:
        """Set the clock on the wall; what is left of a delay is left of it still."""
        self.judge.say(f"clock set by {step}")
        waits, before = self.model.waits, self.now
        self.loop.set_clock(step)
        if self.trouble_at is not None:
            self.trouble_at += step
        self.judge.set_clock(step)
        self.model.set_clock(self.now)
        self.device_changes(energy_kwh=2.0)
        if self.is_blind:
            return
        # Without a decision nobody saw a reason for one.
        self.judge.unsure = False
        pending = self.controller.state.delay.pending
        if waits is None or pending is None or pending.relevant_at != waits.since:
            return
        drawn = pending.drawn_s if waits.since <= self.now else 0
        longest = timedelta(seconds=max(self.model.max_delay_s, 300, drawn))
        if pending.due - self.now != min(waits.due - before, longest):
            self.judge.wrong.append(f"a step of {step} moved {waits} to {pending}")

    def plug(self) -> None:
        """Plug a car in."""
        self.judge.say("plug")

        async def work() -> None:
            """Do it within the loop."""
            self.device.plug(self.now)

        self.run(work())

    def app(self, change: dict[str, Any]) -> None:
        """Have somebody change the wallbox in Loxone's app."""
        if "mode" in change and change["mode"] != MANUAL:
            change = {**change, "limit_kw": self.device.limit_of(change["mode"])}
        if self.model.facts.managed and "mode" in change:
            return
        self.judge.by_app = True
        self.device_changes(**change)
        self.judge.by_app = False

    def can_be_theirs(self) -> bool:
        """Tell whether no command of ours could explain a change just now."""
        last = self.judge.given_log[-1:]
        return all(self.now - one.at > APART for one in last)
