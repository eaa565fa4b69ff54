"""The Miniserver is away while our clock is wrong, and maybe the meter is silent, too."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .test_meter_away_clock import STEP_WH
from .test_meter_away_restart import Story, a_story
from simulator import Car


@pytest.fixture
async def story(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Story]:
    """Return a house whose computer has a clock of its own."""
    async with a_story(hass, start_simulator, monkeypatch) as story:
        yield story


@pytest.mark.parametrize("off_s", [0.0, -900.0], ids=["right", "behind"])
@pytest.mark.parametrize("meter_first", [True, False], ids=["meter", "miniserver"])
async def test_a_car_that_came_and_left(
    story: Story, off_s: float, *, meter_first: bool
) -> None:
    """It has what it took, whoever is back first: where it began is told after it left."""
    home, box = story.home, story.home.simulator.wallboxes[0]
    story.computer.off_s = off_s
    await home.plug()
    await home.run(20)
    await home.unplug()
    await home.run(100)
    first = story.counted_wh
    await story.miniserver_goes()
    await home.gateway(on=False)
    await home.run(12)
    story.car(comes=True)
    await home.leap(80)
    await story.miniserver_comes_back()
    box.tamper(on=True)
    await home.leap(60)
    await story.miniserver_goes()
    await home.leap(10)
    story.car(comes=False)
    await home.run(5)
    story.computer.off_s = 0.0
    if meter_first:
        await home.gateway(on=True)
        await home.run(5)
    box.tamper(on=False)
    await story.miniserver_comes_back()
    if not meter_first:
        await home.gateway(on=True)
    await home.run(20)
    taken = await story.ends()
    assert taken == pytest.approx([first, story.counted_wh - first], abs=STEP_WH)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarts"])
async def test_another_car_while_the_clock_is_wrong(
    story: Story, monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    """Who left unseen is not taken from the log again, as somebody of another time."""
    home, computer = story.home, story.computer
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(computer.time())
    )
    await home.leap(2_000)
    story.computer.off_s = -900.0
    await home.plug()
    await home.run(20)
    await story.miniserver_goes()
    await home.run(20)
    story.car(comes=False)
    await home.run(5)
    story.car(comes=True)
    await home.run(30)
    await story.miniserver_comes_back()
    await home.unplug()
    await home.run(100)
    story.computer.off_s = 0.0
    if restarts:
        await story.home_assistant_goes(10)
        await story.home_assistant_comes_back()
    for _ in range(2):
        # Each that leaves has the log looked at.
        await home.plug()
        await home.run(20)
        taken = await story.ends()
    assert len(taken) == 4
    assert sum(taken) == pytest.approx(story.counted_wh, abs=STEP_WH)


@pytest.mark.parametrize(
    ("off_s", "read_s"),
    [(0.0, 0), (-900.0, 3), (-900.0, 0)],
    ids=["right", "behind", "set back as the meter goes"],
)
async def test_a_car_that_is_full_when_it_is_found(
    story: Story, off_s: float, read_s: int
) -> None:
    """It has what it took, also where our clock says that it has not come yet."""
    home, box = story.home, story.home.simulator.wallboxes[0]
    await story.miniserver_goes()
    box.plug(Car(capacity_kwh=80, energy_kwh=79.5))
    await home.leap(400)
    assert box.car is not None
    assert box.car.full
    story.computer.off_s = off_s
    await home.run(read_s)
    await home.gateway(on=False)
    await home.run(12)
    await story.miniserver_comes_back()
    await home.run(60)
    box.unplug()
    await home.run(90)
    await home.gateway(on=True)
    await home.run(20)
    taken = await story.ends()
    assert story.counted_wh > 400
    assert taken == pytest.approx([story.counted_wh], abs=STEP_WH)


async def test_an_old_word_while_the_wallbox_is_cut_off(story: Story) -> None:
    """The Miniserver is back before the link of the wallbox: its next word counts."""
    home, box = story.home, story.home.simulator.wallboxes[0]
    await home.plug()
    await home.run(20)
    await home.unplug()
    await home.run(100)
    first = story.counted_wh
    await story.miniserver_goes()
    story.car(comes=True)
    await home.run(10)
    box.tamper(on=True)
    await home.run(300)
    await story.miniserver_comes_back()
    await home.run(10)
    box.tamper(on=False)
    await home.run(70)
    taken = await story.ends()
    assert taken == pytest.approx([first, story.counted_wh - first], abs=STEP_WH)


@pytest.mark.parametrize("ahead_s", [300.0, -300.0], ids=["ahead", "behind"])
async def test_a_stay_that_lies_on_another(
    story: Story, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    """Our clock was wrong; who came after that, unseen, is put beside our session."""
    home, computer = story.home, story.computer
    monkeypatch.setattr(
        dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(computer.time())
    )
    for off_s in (0.0, ahead_s):
        computer.off_s = off_s
        await home.plug()
        await home.leap(400)
        await home.unplug()
        await home.run(100)
    await story.home_assistant_goes(5)
    computer.off_s = 0.0
    story.car(comes=True)
    story.passes(120)
    story.car(comes=False)
    await story.home_assistant_comes_back()
    await home.run(10)
    for _ in range(2):
        await home.plug()
        await home.run(20)
        taken = await story.ends()
    records = await story.recorded.records()
    assert sum(taken) == pytest.approx(story.counted_wh, abs=STEP_WH)
    assert len(records) == 5
    assert len({record.origin for record in records}) == 2
