"""The Miniserver's own log of sessions: what ran without us comes, and never twice."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator, make_entry, set_up
from .helpers import eventually
from .recorded import Recorded
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging import rest
from custom_components.loxone_wallbox.charging.session import (
    Kind,
    Origin,
    SessionRecord,
    check_no_overlap,
)
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.ledger import Ledger
from simulator import Car, Simulator

HOUR_S = 3600
ALWAYS: dict[str, Any] = {
    "begin": "2027-01-13T12:00:00",
    "profile": "none",
    "first_use": None,
}


@pytest.fixture(autouse=True)
async def _at_home(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live where the stories play, and reconnect at once."""
    await hass.config.async_set_time_zone("Europe/London")
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


def live(simulator: Simulator, sessions: int, user: str = "") -> None:
    """Charge a car some times for two hours, with three hours in between."""
    box = simulator.wallboxes[0]
    for _ in range(sessions):
        box.plug(Car(capacity_kwh=100, energy_kwh=10))
        if user:
            box.set_user(user)
        simulator.advance(2 * HOUR_S, step_s=HOUR_S)
        box.unplug()
        simulator.advance(3 * HOUR_S, step_s=HOUR_S)


def lived(start_simulator: StartSimulator, sessions: int) -> StartSimulator:
    """Have a Miniserver that has seen some sessions when Home Assistant comes."""

    async def start(**changes: Any) -> Simulator:
        """Start it and let the time before pass."""
        simulator = await start_simulator(**changes)
        live(simulator, sessions, "Ada Lovelace")
        return simulator

    return start


def logged_wh(play: Stage) -> int:
    """Return what the Miniserver's log adds up to."""
    return sum(round(one["energy"] * 1000) for one in play.box.tracker.records)


async def kept(play: Stage, count: int) -> list[SessionRecord]:
    """Return the sessions of the ledger once there are so many."""
    recorded = Recorded(play.hass, play.simulator)

    def number() -> int:
        """Return how many there are."""
        ledger = recorded.ledger
        return sum(len(ledger.month(month).records) for month in ledger.months())

    await eventually(lambda: number() >= count)
    await play.settle()
    records = await recorded.records()
    check_no_overlap(records)
    assert len(records) == count
    return records


async def test_first_use(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All that the Miniserver knows comes once, marked as its word."""
    start = lived(start_simulator, 103)
    async with stage(hass, start, monkeypatch, begin="2026-12-01T12:00:00") as play:
        records = await kept(play, 100)
        assert sum(one.import_wh for one in records) == logged_wh(play)
        for one in records:
            assert one.origin is Origin.MINISERVER
            assert one.kind is Kind.OCCASION
            assert (one.connected_s, one.importing_s) == (2 * HOUR_S, 0)
            assert one.quality.coarse
            assert one.quality.connection_only
            assert one.quality.estimated_timing
            assert all(part.estimated for part in one.slices)
            assert one.user_id
            assert "Ada" not in one.user_id
        assert "100 sessions of Garage were taken" in caplog.text
        last = records[-1].import_wh / 1000
        await eventually(lambda: play.see("last_session_energy") == str(last))
        assert len(play.wallbox.state.history) == 100
        await play.restart()
        assert await kept(play, 100) == records
        assert caplog.text.count("were taken") == 1


async def test_away_for_two(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two sessions ran without us: exactly these come, between our own."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        await charge(play)
        [own] = await kept(play, 1)
        before = play.box.total_kwh
        await away(play)
        live(play.simulator, 2, "Ada Lovelace")
        taken = play.box.total_kwh - before
        await back(play)
        records = await kept(play, 3)
        assert records[0] == own
        assert [one.origin.value for one in records] == [
            "home_assistant",
            "miniserver",
            "miniserver",
        ]
        imported = sum(one.import_wh for one in records[1:])
        assert imported == pytest.approx(taken * 1000, abs=2)
        await charge(play)
        assert (await kept(play, 4))[3].origin is Origin.HOME_ASSISTANT


async def charge(play: Stage) -> None:
    """Charge for an hour while Home Assistant watches."""
    play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
    await play.settle()
    await play.at(later(play, 1))
    play.box.unplug()
    await play.settle()
    await play.at(later(play, 1))


def later(play: Stage, hours: float) -> str:
    """Return the local time of the story so many hours from now."""
    at = dt_util.utc_from_timestamp(play.clock.time()) + timedelta(hours=hours)
    return dt_util.as_local(at).replace(tzinfo=None).isoformat()


async def away(play: Stage) -> None:
    """Stop Home Assistant's side."""
    await play.hass.config_entries.async_unload(play.entry.entry_id)


async def back(play: Stage) -> None:
    """Start it again."""
    await play.hass.config_entries.async_setup(play.entry.entry_id)
    await play.settle()


@pytest.mark.parametrize("others", [0, 2])
async def test_one_across_the_gap(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    others: int,
) -> None:
    """A session that we saw begin is completed, with its own energy and its end."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        before = play.box.total_kwh
        play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
        await play.settle()
        await play.at(later(play, 1))
        [running] = await kept(play, 1)
        await away(play)
        play.simulator.advance(HOUR_S, step_s=60)
        play.box.unplug()
        ended, taken = play.clock.time(), play.box.total_kwh - before
        play.simulator.advance(HOUR_S, step_s=HOUR_S)
        live(play.simulator, others)
        await back(play)
        records = await kept(play, 1 + others)
        assert records[0].id == running.id
        assert records[0].origin is Origin.HOME_ASSISTANT
        assert records[0].import_wh == pytest.approx(taken * 1000, abs=3)
        assert records[0].disconnected_utc is not None
        assert records[0].disconnected_utc.timestamp() == pytest.approx(ended, abs=2)
        assert all(one.origin is Origin.MINISERVER for one in records[1:])
        total = play.box.total_kwh - before
        assert sum(one.import_wh for one in records) == pytest.approx(
            total * 1000, abs=3
        )
        await play.restart()
        assert await kept(play, 1 + others) == records


async def test_still_there_after_the_gap(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that runs over the whole absence stays one, and is not taken at its end."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        before = play.box.total_kwh
        play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
        await play.settle()
        await away(play)
        play.simulator.advance(HOUR_S, step_s=60)
        await back(play)
        await play.at(later(play, 1))
        play.box.unplug()
        await play.settle()
        [record] = await kept(play, 1)
        assert record.origin is Origin.HOME_ASSISTANT
        taken = play.box.total_kwh - before
        assert record.import_wh == pytest.approx(taken * 1000, abs=3)


async def test_a_lost_link(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What ran while the Miniserver could not be reached comes with the link."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        play.simulator.fault("booting")
        await play.simulator.drop(hard=False)
        await eventually(lambda: play.see("miniserver_connection") == "off")
        live(play.simulator, 1)
        play.simulator.clear()
        await eventually(lambda: play.see("miniserver_connection") == "on", 10)
        [record] = await kept(play, 1)
        assert record.origin is Origin.MINISERVER
        assert record.import_wh == logged_wh(play)


async def test_broken_lines(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines that are none, and stays that cannot have been, cost nobody else."""
    impossible = (
        '{"connect": 1800000000, "disconnect": 1799990000, "energy": 5}',
        '{"connect": 1700000000, "disconnect": 1700000060, "energy": 500}',
        '{"connect": 4000000000, "disconnect": 4000007200, "energy": 5}',
        '{"connect": 1700000000, "disconnect": 1700007200, "energy": "much"}',
        '{"connect": 1700000000, "energy": 5}',
    )
    broken = ("x", '{"connect": ', '{"user": "a"b', "null", "\x14|||", "{}")
    start = lived(start_simulator, 3)

    async def spoiled(**changes: Any) -> Simulator:
        """Start it with a log that nobody would write."""
        simulator = await start(**changes)
        simulator.wallboxes[0].spoil_history(*broken, *impossible)
        return simulator

    async with stage(hass, spoiled, monkeypatch, **ALWAYS) as play:
        records = await kept(play, 3)
        assert sum(one.import_wh for one in records) == logged_wh(play)
        log = play.wallbox.client.tracker(play.box.uuid)
        assert log is not None
        assert log.unreadable == 5
        assert play.see("status") == "disconnected"


async def test_a_disk_that_takes_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is tried again later, and the car is charged meanwhile."""
    tries: list[int] = []
    absorb = Ledger.absorb

    def full(ledger: Ledger, records: Any) -> list[str]:
        """Take nothing."""
        tries.append(1)
        raise JournalError("No space left on device")

    monkeypatch.setattr(Ledger, "absorb", full)
    start = lived(start_simulator, 2)
    async with stage(hass, start, monkeypatch, **ALWAYS) as play:
        await eventually(lambda: len(tries) == 1)
        play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
        await play.settle()
        await play.at(later(play, 0.1))
        assert play.box.active
        monkeypatch.setattr(Ledger, "absorb", absorb)
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=6))
        records = await kept(play, 3)
        assert [one.kind for one in records] == [
            Kind.OCCASION,
            Kind.OCCASION,
            Kind.OPEN,
        ]


@pytest.mark.slow
@pytest.mark.parametrize("off_s", [-6 * HOUR_S, HOUR_S], ids=["behind", "ahead"])
async def test_a_wrong_clock(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    off_s: int,
) -> None:
    """Stays that we watched are not taken for others, although told at other times."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        world = type(play.simulator.unit.world)
        real = world.unix.fget  # type: ignore[attr-defined]
        monkeypatch.setattr(world, "unix", property(lambda self: real(self) + off_s))
        await charge(play)
        await kept(play, 1)
        await charge(play)
        records = await kept(play, 2)
        for _ in range(2):
            await play.restart()
            assert await kept(play, 2) == records


async def test_an_empty_log(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A log that tells nothing for a moment brings nothing for a second time after it."""
    monkeypatch.setattr(rest, "MOST_GONE", 1)
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        world = type(play.simulator.unit.world)
        real = world.unix.fget  # type: ignore[attr-defined]
        monkeypatch.setattr(
            world, "unix", property(lambda self: real(self) - 6 * HOUR_S)
        )
        await charge(play)
        await charge(play)
        records, log = await kept(play, 2), play.box.tracker.records
        for told in (log[:0], log):
            play.box.tracker.records = told
            await play.restart()
        assert await kept(play, 2) == records


@pytest.mark.slow
async def test_removed_and_added_again(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wallbox that was away for a while goes on with its history and what it missed."""
    async with stage(hass, start_simulator, monkeypatch, **ALWAYS) as play:
        before = play.box.total_kwh
        play.box.plug(Car(capacity_kwh=100, energy_kwh=10))
        await play.settle()
        await play.at(later(play, 1))
        [running] = await kept(play, 1)
        await hass.config_entries.async_remove(play.entry.entry_id)
        play.simulator.advance(HOUR_S, step_s=60)
        play.box.unplug()
        taken = play.box.total_kwh - before
        live(play.simulator, 2)
        play.entry = await set_up(hass, make_entry(play.simulator))
        await play.settle()
        records = await kept(play, 3)
        assert records[0].id == running.id
        assert records[0].import_wh == pytest.approx(taken * 1000, abs=3)
        assert sum(one.import_wh for one in records[1:]) == pytest.approx(
            logged_wh(play) - taken * 1000, abs=3
        )
