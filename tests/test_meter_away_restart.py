"""Home Assistant restarts, or its clock is set, while nobody tells of a car.

What was only in memory is gone then: nothing of what the meter counted may be lost with
it, or be counted twice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from .recorded import Recorded
from .test_meter_away_clock import METER, STEP_WH, HomeClock
from custom_components.loxone_wallbox import meter_coordinator
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car
from simulator.world import World

HOUR_S = 3600.0
# Where nobody looked, a car's part is what the wallbox says it took, a minute old.
WORD_WH = 40


class Story:
    """A house in which Home Assistant, its clock and the Miniserver come and go."""

    def __init__(
        self, home: MeteredHouse, recorded: Recorded, computer: HomeClock
    ) -> None:
        """Take the house with its clock, and what is recorded in it."""
        self.home = home
        self.recorded = recorded
        self.computer = computer
        self._begun_wh = self._counter_wh

    @property
    def _counter_wh(self) -> float:
        """Return where the meter stands."""
        return self.home.meter().import_kwh * 1000

    @property
    def counted_wh(self) -> float:
        """Return what the meter has counted since the story began."""
        return self._counter_wh - self._begun_wh

    def car(self, *, comes: bool) -> None:
        """Let a car come or go; maybe nobody looks."""
        box = self.home.simulator.wallboxes[0]
        if comes:
            box.plug(Car(capacity_kwh=500, energy_kwh=10))
        else:
            box.unplug()

    async def miniserver_goes(self) -> None:
        """Let the Miniserver be gone."""
        home = self.home
        await home.simulator.restart(1e9)
        await eventually(lambda: home.see[0]("miniserver_connection") == "off")

    async def miniserver_comes_back(self) -> None:
        """Let the Miniserver answer again."""
        home = self.home
        home.simulator.unit.boot_until = 0.0
        await eventually(lambda: home.see[0]("miniserver_connection") == "on", 10)
        await home.run(5)

    async def home_assistant_goes(self, seconds: float) -> None:
        """Stop Home Assistant's side; only what is on the disk is left."""
        home = self.home
        await home.hass.config_entries.async_unload(home.entry.entry_id)
        self.passes(seconds)

    async def home_assistant_comes_back(self) -> None:
        """Start it again; the Miniserver is there, too."""
        home = self.home
        home.simulator.unit.boot_until = 0.0
        await home.hass.config_entries.async_setup(home.entry.entry_id)
        await home.run(5)

    def passes(self, seconds: float) -> None:
        """Let time pass in which Home Assistant is not there."""
        self.home.clock.move(self.home.clock.time() + seconds)
        self.home.simulator.tick()

    async def ends(self) -> list[int]:
        """Let whoever is there leave; return what each session took, in Wh."""
        await self.home.run(10)
        if self.home.see[0]("vehicle_connected") == "on":
            await self.home.unplug()
            await self.home.run(10)
        records = await self.recorded.records()
        return [
            one.import_wh
            for one in sorted(records, key=lambda one: one.meter_start_wh or 0)
        ]


@asynccontextmanager
async def a_story(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Story]:
    """Set a house up whose computer has a clock of its own."""
    for name in ("MIN", "STARTING"):
        monkeypatch.setattr(backoff, f"RETRY_{name}_S", 0.05)
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        computer = HomeClock(home.clock)
        monkeypatch.setattr(meter_coordinator, "SystemClock", lambda: computer)
        await home.restart()
        yield Story(home, Recorded(hass, home.simulator), computer)


@pytest.fixture
async def story(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Story]:
    """Return a house whose computer has a clock of its own."""
    async with a_story(hass, start_simulator, monkeypatch) as story:
        yield story


@pytest.mark.parametrize("comes_again", [False, True], ids=["leaves", "another comes"])
async def test_a_restart_in_an_absence(story: Story, *, comes_again: bool) -> None:
    """All that was counted is in the sessions, once, although their rests are gone."""
    home = story.home
    await home.plug()
    await home.run(60)
    await story.miniserver_goes()
    await home.run(30)
    await story.home_assistant_goes(30)
    story.car(comes=False)
    story.passes(20)
    first = story.counted_wh
    if comes_again:
        story.car(comes=True)
        story.passes(60)
    await story.home_assistant_comes_back()
    taken = await story.ends()
    assert len(taken) == 1 + comes_again
    assert sum(taken) == pytest.approx(story.counted_wh, abs=STEP_WH)
    assert taken[0] == pytest.approx(first, abs=WORD_WH)


async def test_a_swap_and_a_restart_in_an_absence(story: Story) -> None:
    """The two cars have together what was counted while the meter alone was there.

    Where one ended is not known any more: what the meter had told before the restart
    stays the first one's.
    """
    home = story.home
    await home.plug()
    await home.run(30)
    await story.miniserver_goes()
    await home.run(30)
    story.car(comes=False)
    await home.run(20)
    story.car(comes=True)
    await home.run(60)
    await story.home_assistant_goes(60)
    await story.home_assistant_comes_back()
    one, other = await story.ends()
    assert one + other == pytest.approx(story.counted_wh, abs=STEP_WH)
    assert other > 0


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S], ids=["back", "forward"])
async def test_a_clock_that_was_set_over_a_restart(story: Story, step_s: float) -> None:
    """A session goes on with all that was counted meanwhile, whatever the time is."""
    home = story.home
    await home.plug()
    await home.run(60)
    await story.home_assistant_goes(100)
    story.computer.off_s = step_s
    await story.home_assistant_comes_back()
    await home.run(30)
    taken = await story.ends()
    assert taken == pytest.approx([story.counted_wh], abs=STEP_WH)


async def test_a_computer_that_starts_with_the_time_it_went_with(story: Story) -> None:
    """Without a clock of its own it learns the right time later; nothing is lost."""
    home = story.home
    await home.plug()
    await home.run(60)
    await story.home_assistant_goes(100)
    story.computer.off_s = -90
    await story.home_assistant_comes_back()
    await home.run(30)
    behind_wh = story.counted_wh - 1000 * (home.wallbox().data.session.energy_kwh or 0)
    assert behind_wh > 200
    story.computer.off_s = 0.0
    await home.run(20)
    taken = await story.ends()
    assert taken == pytest.approx([story.counted_wh], abs=STEP_WH)
    assert home.reading().account.counter.question is None


@pytest.mark.parametrize(
    ("before_s", "after_s", "first_set", "another"),
    [
        (0.0, HOUR_S, True, False),
        (0.0, HOUR_S, False, True),
        (0.0, -HOUR_S, True, True),
        (0.0, -HOUR_S, False, False),
        (HOUR_S, 0.0, True, False),
        (HOUR_S, 0.0, False, True),
        (-HOUR_S, 0.0, True, True),
        (-HOUR_S, 0.0, False, False),
    ],
)
async def test_a_car_that_comes_and_a_clock_that_is_set(
    story: Story, before_s: float, after_s: float, *, first_set: bool, another: bool
) -> None:
    """Its stay begins where the counter rested, by whatever clock that was told."""
    home = story.home
    story.computer.off_s = before_s
    if another:
        await home.plug()
        await home.run(60)
    await story.miniserver_goes()
    await home.run(10)
    if first_set:
        story.computer.off_s = after_s
    await home.run(20)
    if another:
        story.car(comes=False)
        await home.run(20)
    first = story.counted_wh
    story.car(comes=True)
    await home.run(90)
    story.computer.off_s = after_s
    await home.run(90)
    await story.miniserver_comes_back()
    stay = home.reading().session
    assert stay is not None
    assert not stay.start_estimated
    assert stay.energy_wh == pytest.approx(story.counted_wh - first, abs=STEP_WH)
    taken = await story.ends()
    assert taken == pytest.approx(
        [*([first] if another else []), story.counted_wh - first], abs=STEP_WH
    )


async def test_an_old_word_of_a_car_that_came(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what it has taken the Miniserver has not heard yet, as just after its start."""
    home = story.home
    await story.miniserver_goes()
    await home.run(10)
    world = home.simulator.wallboxes[0]._world
    assert isinstance(world, World)
    story.car(comes=True)
    with monkeypatch.context() as deaf:
        for publisher in world._publishers.values():
            deaf.setattr(publisher, "_measure", lambda _now: None)
        await home.run(150)
        await story.miniserver_comes_back()
        told = home.wallbox().state.session
        assert told is not None
        assert story.counted_wh - 1000 * (told.energy_kwh or 0) > 400
    taken = await story.ends()
    assert taken == pytest.approx([story.counted_wh], abs=STEP_WH)


@pytest.mark.parametrize("set_meanwhile", [True, False], ids=["meanwhile", "later"])
@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S], ids=["ahead", "behind"])
async def test_stays_that_only_the_miniserver_saw(
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
    off_s: float,
    *,
    set_meanwhile: bool,
) -> None:
    """None of it is the next car's too, although our clock was wrong as it rested."""
    home, computer = story.home, story.computer
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(computer.time())
    )
    computer.off_s = off_s
    await home.plug()
    await home.run(20)
    await home.unplug()
    await home.run(10)
    # Long enough that what the counter shows then is not the first car's.
    await story.home_assistant_goes(100)
    computer.off_s = 0.0 if set_meanwhile else off_s
    for _ in range(2):
        story.car(comes=True)
        story.passes(30)
        story.car(comes=False)
        story.passes(5)
    await story.home_assistant_comes_back()
    await home.run(10)
    for _ in range(2):
        await home.plug()
        await home.run(30)
        await home.unplug()
        await home.run(10)
        # Stays that lie ahead of our clock are taken when it is right.
        computer.off_s = 0.0
        await home.run(10)
    taken = await story.ends()
    assert len(taken) == 5
    assert sum(taken) == pytest.approx(story.counted_wh, abs=STEP_WH + 2)


async def test_a_stay_before_the_last_one(story: Story) -> None:
    """By a clock that was set back it lies where the counter rested; it is not new."""
    home = story.home
    for wait_s in (270, 540):
        await home.plug()
        await home.run(20)
        await home.unplug()
        await home.run(10)
        await home.leap(wait_s)
    story.computer.off_s = -900.0
    await home.run(5)
    await story.miniserver_goes()
    await home.run(5)
    story.car(comes=True)
    await home.run(40)
    await story.miniserver_comes_back()
    taken = await story.ends()
    assert len(taken) == 3
    assert sum(taken) == pytest.approx(story.counted_wh, abs=STEP_WH)
