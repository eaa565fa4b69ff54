"""The main job on a fast clock: wait for the night, delay, charge, stop for the peak.

Every instant is compared on the shared clock: what Home Assistant announced against
what the Miniserver took and what its meter saw.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from scripts.demo_lib.entities import Wallbox
from scripts.demo_lib.findings import Findings
from scripts.demo_lib.history import reported, run_to
from scripts.demo_lib.household import ZONE
from scripts.demo_lib.progress import DemoError, dotted
from scripts.demo_lib.stage import Stage
from scripts.demo_lib.world import Flow

PATIENCE_S = 30
FREE_KWH = 120
MAX_DELAY_S = 600
# What is due at an instant has to be there within so many seconds.
AT_ONCE_S = 1.0
LIMIT_KW = 6.0
SAME_KW = 0.01
# The watt-hour that must not flow.
WATT_HOUR = 0.001
# Through an instant that is measured the clock runs at this rate.
MEASURED = 3.0
AROUND = timedelta(seconds=3)
# What is drawn at an instant is shown so long after it.
DRAWN = timedelta(seconds=0.7)
SELF_TEST = timedelta(seconds=12)
# Who plugs in again within a minute keeps the delay he had.
UNPLUGGED = timedelta(seconds=65)
# Home Assistant has to be back before the delay ends.
LONG_DELAY = timedelta(seconds=90)
SHORT_DELAY = timedelta(seconds=30)
MOST_TRIES = 12
DRAW_SHOWS_S = 3

# A Wednesday, on which nobody sets a clock.
EVENING = datetime(2027, 1, 13, 17, 25, tzinfo=ZONE)
PLUG_IN = EVENING.replace(hour=17, minute=30)
OPENS = EVENING.replace(hour=22, minute=0)
STOPS = EVENING.replace(day=14, hour=7, minute=50)
CLOSES = EVENING.replace(day=14, hour=8, minute=0)
PEAK_ENDS = EVENING.replace(day=14, hour=11, minute=0)
OPENS_AGAIN = EVENING.replace(day=14, hour=22, minute=0)

type Scene = tuple[str, Callable[[], Awaitable[None]]]


class Night:
    """One night of two wallboxes.

    The one with the longer delay is followed through all of it; what else can happen
    in a night happens to the other.
    """

    def __init__(self, stage: Stage, findings: Findings) -> None:
        """Take a stage whose wallboxes are free."""
        self._stage = stage
        self._world = stage.world
        self._pace = stage.pace
        self._found = findings
        self._main, self._other = stage.wallboxes[:2]
        self._plugged = self._ends = EVENING
        self._full_kw = 0.0
        self.scenes: list[Scene] = [
            ("plug in during the peak", self.plug_in),
            ("the window opens, with a random delay", self.window_opens),
            ("the delay ends", self.delay_ends),
            ("the grid asks for less", self.grid_limits),
            ("the owner opts out", self.owner_opts_out),
            ("the owner skips a delay", self.owner_skips),
            ("Home Assistant is killed in the middle of a delay", self.is_killed),
            ("the window closes before the peak", self.window_closes),
            ("the peak", self.peak),
        ]

    async def plug_in(self) -> None:
        """Plug both in; they have to wait until the window opens."""
        await self._run_to(PLUG_IN)
        self._plugged = self._pace.now()
        for wallbox in (self._main, self._other):
            await self._world.plug(wallbox.name, FREE_KWH)
        for wallbox in (self._main, self._other):
            await self._becomes(wallbox, "status", "waiting_for_default_hours")
            self._same(
                wallbox, "next_change", await wallbox.instant("next_change"), OPENS
            )
        await self._pace.run_to(self._plugged + SELF_TEST, MEASURED)
        for wallbox in (self._main, self._other):
            [off] = await self._given(wallbox, self._plugged, "off")
            self._soon(wallbox, "allow/off, once,", off, self._plugged)

    async def window_opens(self) -> None:
        """See a draw that is visible, whole and in its bounds, and no current."""
        await self._through(OPENS)
        ends = {
            wallbox.name: await wallbox.instant("random_delay_ends")
            for wallbox in (self._main, self._other)
        }
        self._main, self._other = sorted(
            (self._main, self._other),
            key=lambda wallbox: ends[wallbox.name] or OPENS,
            reverse=True,
        )
        main, end = self._main, ends[self._main.name]
        if end is None:
            raise DemoError("No delay is shown, of either wallbox.")
        self._ends = end
        await self._becomes(main, "status", "random_delay")
        self._soon(main, "random_delay", await main.since("status"), OPENS)
        await self._becomes(main, "random_delay_active", "on")
        drawn = (end - OPENS).total_seconds()
        self._found.require(
            0 <= drawn <= MAX_DELAY_S and drawn.is_integer(),
            f"{main.name}: random_delay_ends is {_local(end)}, {drawn:g} s after the "
            f"window opened (0 to {MAX_DELAY_S}, whole seconds)",
        )
        self._same(main, "next_change", await main.instant("next_change"), end)
        await self._flowed_at_most(main, self._plugged, 0)

    async def delay_ends(self) -> None:
        """See one command and the current at the instant that was announced."""
        main, ends = self._main, self._ends
        await self._through(ends)
        [on] = await self._given(main, OPENS, "on")
        self._soon(main, "allow/on, once,", on, ends)
        flow = await self._flow(main, OPENS)
        self._full_kw = flow.kw
        self._soon(main, f"{flow.kw:g} kW", flow.at, ends)
        await self._becomes(main, "status", "charging")
        self._soon(main, "charging", await main.since("status"), ends)

    async def grid_limits(self) -> None:
        """Start a grid event that holds at once."""
        main = self._main
        start = self._pace.now().replace(microsecond=0) + AROUND
        await main.act(
            "dsr_start",
            event_id="check",
            kind="limit",
            limit_kw=LIMIT_KW,
            response_service=True,
            start=start.isoformat(),
            end=(start + timedelta(minutes=30)).isoformat(),
        )
        await self._through(start)
        flow = await self._flow(main, start)
        self._soon(main, f"{flow.kw:g} kW", flow.at, start)
        await self._becomes(main, "dsr_active", "on")
        self._same(main, "power_limit in W", await main.watts("power_limit"), 6000)
        await self._run_to(start + timedelta(minutes=5))
        await self._flowed_at_most(main, flow.at, LIMIT_KW)
        await self._becomes(main, "status", "charging")

    async def owner_opts_out(self) -> None:
        """Leave the event: full power at once, and it is written down."""
        main, pressed = self._main, self._pace.now()
        await main.press("dsr_opt_out")
        await self._through(pressed)
        flow = await self._flow(main, pressed)
        self._soon(main, f"{flow.kw:g} kW", flow.at, pressed)
        self._same(main, "the power in kW", flow.kw, self._full_kw)
        [event] = await main.grid_events()
        self._found.require(
            event["opted_out_at"] and event["opted_out_by"],
            f"{main.name}: dsr_list says opted out at {event['opted_out_at']}",
        )
        await self._becomes(main, "dsr_active", "off")

    async def owner_skips(self) -> None:
        """Press the button: charging at once, long before the delay would have ended."""
        other = self._other
        plugged, ends = await self._delayed(other, SHORT_DELAY)
        await self._pace.run_to(plugged + SELF_TEST, MEASURED)
        pressed = self._pace.now()
        await other.press("skip_random_delay")
        await self._through(pressed)
        _, on = await self._given(other, plugged, "off", "on")
        self._soon(other, "allow/on, once,", on, pressed)
        self._found.require(
            on < ends, f"{other.name}: {(ends - on).total_seconds():.0f} s were left"
        )
        await self._becomes(other, "status", "charging")
        await self._becomes(other, "random_delay_active", "off")

    async def is_killed(self) -> None:
        """Kill Home Assistant: the delay stands, without a second draw or command."""
        home, other = self._stage.home, self._other
        plugged, ends = await self._delayed(other, LONG_DELAY)
        killed = self._pace.now()
        await home.kill()
        print(f"         killed at {_local(killed)}, starting again … ", end="")
        async with dotted():
            await home.start(self._stage.environment)
            await home.wait_running()
        back = self._pace.now()
        self._found.require(back < ends, f"back at {_local(back)}, before the end")
        await self._becomes(other, "status", "random_delay")
        self._same(
            other, "random_delay_ends", await other.instant("random_delay_ends"), ends
        )
        await self._given(other, plugged, "off")
        await self._through(ends)
        _, on = await self._given(other, plugged, "off", "on")
        self._soon(other, "allow/on, once,", on, ends)
        await self._run_to(ends + timedelta(seconds=MAX_DELAY_S))
        await self._given(other, plugged, "off", "on")
        self._found.note(f"{other.name}: no other command, {MAX_DELAY_S} s later")
        await self._given(self._main, killed)
        flows = await self._world.flows(self._main.name, killed)
        self._found.require(
            [flow.kw for flow in flows] == [self._full_kw],
            f"{self._main.name}: {self._full_kw:g} kW all the while, no command",
        )

    async def window_closes(self) -> None:
        """See the stop at its announced instant, before the peak begins."""
        main = self._main
        await self._world.unplug(self._other.name)
        # Seen before even a draw of one second is over; one of none shows nothing.
        await self._run_to(STOPS - AROUND)
        await self._pace.run_to(STOPS + DRAWN, 1)
        announced = STOPS
        if await main.state("status") == "charging":
            announced = await main.instant("next_change") or OPENS
        drawn = (announced - STOPS).total_seconds()
        self._found.require(
            0 <= drawn <= MAX_DELAY_S and drawn.is_integer(),
            f"{main.name}: the stop is announced for {_local(announced)}, {drawn:g} s "
            f"after {_local(STOPS)} (0 to {MAX_DELAY_S}, whole seconds)",
        )
        await self._through(announced)
        [off] = await self._given(main, STOPS, "off")
        self._soon(main, "allow/off, once,", off, announced)
        await self._becomes(main, "status", "waiting_for_default_hours")
        self._same(main, "next_change", await main.instant("next_change"), OPENS_AGAIN)

    async def peak(self) -> None:
        """Not one watt-hour flows while the grid has its peak."""
        main = self._main
        await self._run_to(CLOSES)
        before = (await self._world.box(main.name))["total_kwh"]
        await self._run_to(PEAK_ENDS)
        after = (await self._world.box(main.name))["total_kwh"]
        self._found.require(
            after - before < WATT_HOUR,
            f"{main.name}: the meter shows {before:.4f} kWh at {_local(CLOSES)} and "
            f"{after:.4f} kWh at {_local(PEAK_ENDS)}",
        )
        await self._flowed_at_most(main, CLOSES + AROUND, 0)
        await self._given(main, self._plugged, "off", "on", "off")
        self._found.note(
            f"{main.name}: allow/off, allow/on, allow/off in all the night"
        )

    async def _delayed(
        self, wallbox: Wallbox, least: timedelta
    ) -> tuple[datetime, datetime]:
        """Plug in until the draw is long enough; return when that was and its end."""
        for _ in range(MOST_TRIES):
            await self._world.unplug(wallbox.name)
            await self._run_to(self._pace.now() + UNPLUGGED)
            plugged = self._pace.now()
            await self._world.plug(wallbox.name, FREE_KWH)
            await self._pace.run_to(plugged + timedelta(seconds=DRAW_SHOWS_S), 1)
            ends = await wallbox.instant("random_delay_ends")
            if ends is not None and ends - plugged >= least:
                self._found.note(
                    f"{wallbox.name}: plugged in at {_local(plugged)}, which draws a "
                    f"delay until {_local(ends)}"
                )
                return plugged, ends
        raise DemoError(f"{MOST_TRIES} plug-ins gave no delay of {least}.")

    async def _run_to(self, when: datetime) -> None:
        """Hurry to an instant, and say so."""
        async with reported(self._stage, self._pace):
            await run_to(self._stage, self._pace, when)

    async def _through(self, when: datetime) -> None:
        """Go through an instant that is measured."""
        await self._run_to(when - AROUND)
        await self._pace.run_to(when + AROUND, MEASURED)

    async def _becomes(self, wallbox: Wallbox, key: str, wanted: str) -> None:
        """Wait for a state of an entity."""
        await self._found.becomes(wallbox, key, wanted, PATIENCE_S)

    async def _given(
        self, wallbox: Wallbox, since: datetime, *wanted: str
    ) -> list[datetime]:
        """Return when permission was taken and given, which has to be just so often."""
        commands = [
            command
            for command in await self._world.commands(wallbox.name, since)
            if command.text.startswith("allow/")
        ]
        if [command.text for command in commands] != [f"allow/{one}" for one in wanted]:
            seen = ", ".join(f"{one.text} {_local(one.at)}" for one in commands)
            raise DemoError(
                f"{wallbox.name} was to be told {', '.join(wanted) or 'nothing'} since "
                f"{_local(since)}, and was told {seen or 'nothing'}."
            )
        return [command.at for command in commands]

    async def _flow(self, wallbox: Wallbox, since: datetime) -> Flow:
        """Return what flows now, which has to be something else since an instant."""
        flow = (await self._world.flows(wallbox.name, since))[-1]
        if flow.at < since:
            raise DemoError(
                f"{wallbox.name}: since {_local(since)} still {flow.kw:g} kW flow."
            )
        return flow

    async def _flowed_at_most(
        self, wallbox: Wallbox, since: datetime, most_kw: float
    ) -> None:
        """Hold the largest power since an instant against a limit."""
        flows = await self._world.flows(wallbox.name, since)
        seen = max(flow.kw for flow in flows)
        self._found.require(
            seen <= most_kw + SAME_KW,
            f"{wallbox.name}: from {_local(since)} to {_local(self._pace.now())} at "
            f"most {seen:g} kW flow ({most_kw:g} allowed)",
        )

    def _same(self, wallbox: Wallbox, what: str, seen: object, wanted: object) -> None:
        """Take an observation that has to be the very same."""
        if seen != wanted:
            raise DemoError(f"{wallbox.name}: {what} is {seen}, not {wanted}.")
        self._found.note(f"{wallbox.name}: {what} is {_local(seen)}")

    def _soon(self, wallbox: Wallbox, what: str, seen: datetime, due: datetime) -> None:
        """Take an instant that has to come at once after another."""
        late = (seen - due).total_seconds()
        self._found.require(
            0 <= late <= AT_ONCE_S,
            f"{wallbox.name}: {what} {late:.3f} s after {_local(due)} "
            f"(at most {AT_ONCE_S:g})",
        )


def _local(value: object) -> object:
    """Return an instant as the household's clock shows it, anything else as it is."""
    if not isinstance(value, datetime):
        return value
    return f"{value.astimezone(ZONE):%a %H:%M:%S}"
