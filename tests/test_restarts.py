"""Home Assistant is killed or restarted in a random delay: one start, when it is due."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
import shutil
from typing import NamedTuple

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .helpers import eventually
from .machine_single import OWNER, Life, Make, single_lives
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.owner import HandOver
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car

DAY = "2027-01-13T"
ONCE = ["allow/off", "allow/on"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


@pytest.fixture
def life() -> Iterator[Make]:
    """Build worlds, and clear them away."""
    with single_lives() as make:
        yield make


class Starts(NamedTuple):
    """When a start was due, Home Assistant was back, and the wallbox was told."""

    due: datetime
    back: datetime
    at: datetime


class Killed:
    """A Home Assistant whose power fails: only what is on the disk then is left."""

    def __init__(self, play: Stage, folder: Path) -> None:
        """Take the stage, and where to put the disk aside."""
        self._play = play
        self._disk = Path(play.hass.config.path("loxone_wallbox"))
        self._aside = folder / "aside"

    def remember(self) -> None:
        """Take the disk as it is now."""
        shutil.rmtree(self._aside, ignore_errors=True)
        shutil.copytree(self._disk, self._aside)

    async def die(self) -> None:
        """Go without a word to the wallbox: the link is cut before anything is said."""
        play = self._play
        play.simulator.fault("booting")
        await play.simulator.drop(hard=True)
        await eventually(lambda: not play.entry.runtime_data.miniserver.connected)
        await play.hass.config_entries.async_unload(play.entry.entry_id)
        shutil.rmtree(self._disk)
        shutil.copytree(self._aside, self._disk)

    async def live(self, text: str) -> None:
        """Be back at a local time."""
        play = self._play
        play.simulator.advance(play.instant(text).timestamp() - play.clock.time())
        play.simulator.clear()
        await play.hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        # Whoever draws again fails.
        play.deal()


@pytest.mark.parametrize(
    ("dies", "back", "starts"),
    [
        ("22:02:00", "22:05:00", "22:07:17"),
        ("22:02:00", "22:09:00", "22:09:00"),
        ("22:07:16.900", "22:08:16.900", "22:08:16.900"),
        ("22:07:16.900", "22:07:17", "22:07:17"),
    ],
)
async def test_killed_in_the_delay(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dies: str,
    back: str,
    starts: str,
) -> None:
    """The same deadline stands; one that has passed is kept to at once."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:50:00"
    ) as play:
        play.deal(437)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}{dies}")
        killed = Killed(play, tmp_path)
        killed.remember()
        await killed.die()
        assert play.see.commands == ["allow/off"]
        await killed.live(f"{DAY}{back}")
        if starts != back:
            assert play.see("status") == "random_delay"
            assert play.see("random_delay_ends") == f"{DAY}{starts}+00:00"
            await play.at(f"{DAY}22:07:16")
            assert play.see.commands == ["allow/off"]
            await play.at(f"{DAY}{starts}")
        await eventually(lambda: play.see.commands == ONCE)
        await play.at(f"{DAY}22:10:00")
        assert play.see("status") == "charging"
        assert play.see.commands == ONCE
        [draw] = play.wallbox.controller.state.delay.draws
        assert (draw.drawn_s, draw.due) == (437, play.instant(f"{DAY}22:07:17"))


async def test_killed_before_the_start_is_on_the_disk(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The wallbox was told and the disk does not know it: it is not told again."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:50:00"
    ) as play:
        play.deal(437)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:07:16.900")
        killed = Killed(play, tmp_path)
        killed.remember()
        await play.at(f"{DAY}22:07:17")
        assert play.see.commands == ONCE
        await killed.die()
        await killed.live(f"{DAY}22:08:17")
        await play.at(f"{DAY}22:10:00")
        assert play.see("status") == "charging"
        assert play.see.commands == ONCE
        assert play.box.enabled


@pytest.mark.slow
async def test_restarted_again_and_again_in_one_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Restart after restart moves nothing; the start comes on its second."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}21:50:00"
    ) as play:
        play.deal(20)
        await play.see.call("select.select_option", "handover", option="leave")
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:00:00")
        ids = set()
        for second in ("00", "01", "10", "19"):
            await play.at(f"{DAY}22:00:{second}")
            await play.restart()
            assert play.see("random_delay_ends") == "2027-01-13T22:00:20+00:00"
            assert play.see.commands == ["allow/off"], second
            pending = play.wallbox.controller.state.delay.pending
            assert pending is not None
            ids.add(pending.relevant_time_id)
        assert len(ids) == 1
        await play.at(f"{DAY}22:00:20")
        assert play.see.commands == ONCE
        await play.restart()
        assert play.see.commands == ONCE
        assert play.draws == []


def starts_of(world: Life, at: timedelta, away: timedelta, *, killed: bool) -> Starts:
    """Play a delay of twenty seconds with an end of Home Assistant in it."""
    world.do(world.acts.async_set_hand_over(OWNER, HandOver.LEAVE))
    world.plug()
    begin = world.now + timedelta(seconds=60)
    world.wait(begin + at)
    log = list(world.judge.given_log)
    (world.kill if killed else world.stop)()
    world.wait(world.now + away)
    back = world.now
    world.start()
    world.wait(begin + timedelta(seconds=60))
    log += world.judge.given_log
    world.check()
    assert [one.command.text for one in log] == ONCE
    return Starts(due=begin + timedelta(seconds=20), back=back, at=log[-1].at)


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("away_s", [0, 1, 4])
def test_every_second_of_a_delay(life: Make, killed: bool, away_s: int) -> None:
    """Gone at any second of twenty, or a hair before it, for so long: one start.

    It comes when it is due; one that passed by meanwhile comes at the return.
    """
    away, hair = timedelta(seconds=away_s), timedelta(milliseconds=1)
    for second in range(22):
        for at in (timedelta(seconds=second) - hair, timedelta(seconds=second)):
            # The device goes on showing what it was told before.
            found = starts_of(life("21:59:00", draws=[20, 7]), at, away, killed=killed)
            was_there = found.back - away >= found.due
            expected = found.due if was_there else max(found.due, found.back)
            assert found.at == expected, f"{at}: {found}"
