"""Sessions as they are recorded: an ordinary night, a silence, a restart, a full disk."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import map_inputs
from .conftest import StartSimulator
from .helpers import eventually
from .recorded import Recorded
from .stage import LONDON, Stage, stage
from custom_components.loxone_wallbox.charging.session import (
    DelayNote,
    Kind,
    SessionRecord,
    StopReason,
)
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, WallboxConfig

STARTED, CHARGING = "session_started", "charging_started"
PAUSED, FINISHED = "charging_paused", "session_finished"
HOP_S = 1800
TWO = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))


@pytest.fixture(autouse=True)
async def _at_home(hass: HomeAssistant) -> None:
    """Live where the stories play."""
    await hass.config.async_set_time_zone("Europe/London")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


async def pass_by(play: Stage, until: str) -> None:
    """Let hours pass, with the Miniserver's word coming often enough."""
    end = play.instant(until)
    while (left := end.timestamp() - play.clock.time()) > 0:
        at = end - timedelta(seconds=max(left - HOP_S, 0))
        await play.at(at.astimezone(LONDON).replace(tzinfo=None).isoformat())


def add_up(record: SessionRecord) -> int:
    """Return what the parts of a session add up to, in Wh."""
    assert sum(one.wh for one in record.hours) == record.import_wh
    return sum(one.wh for one in record.slices)


async def test_an_ordinary_night(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One session with a part on each day, told in order, its times apart."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        recorded = Recorded(hass, play.simulator)
        assert play.see("last_session_energy") == "unknown"
        assert play.see("session_energy") == "unknown"
        play.deal(437)
        await play.at("2027-01-13T17:30:00")
        before = play.box.total_kwh
        play.box.plug(Car(capacity_kwh=70, energy_kwh=10))
        await play.settle()
        assert recorded.kinds == [STARTED]
        await play.at("2027-01-13T22:07:18")
        assert recorded.kinds == [STARTED, CHARGING]
        await pass_by(play, "2027-01-13T23:59:59")
        await pass_by(play, "2027-01-14T00:30:00")
        assert float(play.see("session_energy")) == pytest.approx(
            play.box.total_kwh - before, abs=0.01
        )
        running = float(play.see("session_energy"))
        await eventually(
            lambda: running - 0.5 <= float(play.see("month_energy")) <= running
        )
        reset = play.see.attribute("session_energy", "last_reset")
        assert reset == "2027-01-13T17:30:00+00:00"
        await pass_by(play, "2027-01-14T07:45:00")
        assert recorded.kinds == [STARTED, CHARGING, PAUSED]
        play.box.unplug()
        await play.settle()
        assert recorded.kinds == [STARTED, CHARGING, PAUSED, FINISHED]
        await check_the_night(play, recorded, play.box.total_kwh - before)


async def check_the_night(play: Stage, recorded: Recorded, taken_kwh: float) -> None:
    """Compare the session of an ordinary night with the meter and the clock."""
    [record] = await recorded.records()
    assert record.kind is Kind.OCCASION
    assert record.import_wh == pytest.approx(taken_kwh * 1000, abs=1)
    assert add_up(record) == record.import_wh
    midnight = play.instant("2027-01-14T00:00:00")
    first, second = record.slices
    assert first.end <= midnight <= second.start + timedelta(seconds=60)
    assert first.wh == pytest.approx(11_000 * 112.7 / 60, rel=0.02)
    assert not first.in_peak
    assert record.connected_s == 14.25 * 3600
    # A car is full with less and less power, and the stage looks at it now and then.
    assert record.importing_s == pytest.approx(60 / 11 * 3600, rel=0.1)
    assert record.stop_reason is StopReason.CAR
    assert record.delays == (DelayNote(cause="default_hours", seconds=437),)
    see = play.see
    assert float(see("last_session_energy")) == pytest.approx(taken_kwh, abs=0.001)
    assert see("session_energy") == see("last_session_energy")
    assert float(see("session_connected_time")) == pytest.approx(14.25)
    assert float(see("session_charging_time")) == pytest.approx(
        record.importing_s / 3600, abs=0.001
    )
    assert see("session_cost") == "unknown"
    last = recorded.told[-1]
    assert last["session_id"] == record.id
    assert last["energy"] == record.import_wh / 1000
    assert last["connected"] == "2027-01-13T17:30:00+00:00"
    assert last["disconnected"] == "2027-01-14T07:45:00+00:00"
    assert last["connected_time"] == record.connected_s
    assert last["stop_reason"] == "car"
    # It stays until the next plug-in.
    await play.at("2027-01-14T09:00:00")
    assert float(see("session_connected_time")) == pytest.approx(14.25)
    play.box.plug(Car())
    await play.settle()
    assert float(see("session_energy")) == 0.0
    assert float(see("last_session_energy")) == pytest.approx(taken_kwh, abs=0.001)


async def test_nothing_in_the_peak(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The window's end stops a car that wants more; no watt-hour lies in the peak."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        recorded = Recorded(hass, play.simulator)
        play.deal(437, 123)
        await play.at("2027-01-13T17:30:00")
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await pass_by(play, "2027-01-14T11:00:00")
        assert recorded.kinds == [STARTED, CHARGING, PAUSED]
        assert recorded.told[-1]["stop_reason"] == "window_end"
        play.box.unplug()
        await play.settle()
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(11_000 * 9.746, rel=0.02)
        assert not any(one.in_peak for one in record.slices)
        closes = play.instant("2027-01-14T07:52:04")
        assert all(one.end <= closes for one in record.slices)
        assert record.stop_reason is StopReason.WINDOW_END
        assert [one.seconds for one in record.delays] == [437, 123]


async def test_a_silence(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What flowed while the link was away is all there, only its timing is not."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        recorded = Recorded(hass, play.simulator)
        play.deal(453)
        await play.at("2027-01-13T22:35:00")
        play.box.plug(Car(capacity_kwh=70, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T23:00:00")
        assert float(play.see("session_energy")) == pytest.approx(3.2, abs=0.02)
        await cut(play, "2027-01-13T23:20:00")
        assert float(play.see("session_energy")) == pytest.approx(6.87, abs=0.03)
        assert recorded.kinds == [STARTED, CHARGING]
        await play.at("2027-01-13T23:30:00")
        play.box.unplug()
        await play.settle()
        [record] = await recorded.records()
        assert add_up(record) == pytest.approx(8_700, abs=30)
        assert record.quality.estimated_timing
        assert record.quality.gaps_s == pytest.approx(1200, abs=30)
        assert record.importing_s == pytest.approx(47.45 * 60, rel=0.02)
        assert record.stop_reason is StopReason.UNPLUGGED


async def cut(play: Stage, until: str) -> None:
    """Lose the link now and have it back at a local time."""
    play.simulator.fault("booting")
    await play.simulator.drop(hard=False)
    await eventually(lambda: play.see("miniserver_connection") == "off")
    await play.at(until)
    play.simulator.clear()
    await eventually(lambda: play.see("miniserver_connection") == "on", 10)
    await play.settle()


@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
async def test_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    stays: bool,
) -> None:
    """A session goes on over a restart; a car that left meanwhile has its own."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        play.deal(0, 0, 0)
        await play.at("2027-01-13T22:35:00")
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T23:00:00")
        assert play.wallbox.recording is not None
        before = play.wallbox.recording.book.open
        assert before is not None
        await hass.config_entries.async_unload(play.entry.entry_id)
        play.simulator.advance(1200, step_s=10)
        if not stays:
            play.box.unplug()
            play.simulator.advance(60, step_s=10)
            play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
            play.simulator.advance(300, step_s=10)
        await hass.config_entries.async_setup(play.entry.entry_id)
        await play.settle()
        play.deal(0, 0)
        recorded = Recorded(hass, play.simulator)
        await play.at("2027-01-13T23:50:00")
        play.box.unplug()
        await play.settle()
        records = await recorded.records()
        assert records[0].id == before.id
        assert records[0].quality.estimated_timing
        assert records[0].slices[-1].estimated
        taken = sum(one.import_wh for one in records)
        assert taken == pytest.approx((play.box.total_kwh - 100) * 1000, abs=2)
        assert len(records) == (1 if stays else 2)
        if not stays:
            ended = play.instant("2027-01-13T23:20:00")
            left = records[0].disconnected_utc
            assert left is not None
            assert abs(left - ended) < timedelta(seconds=2)
            assert records[0].import_wh == pytest.approx(11_000 * 0.745, rel=0.02)
            assert records[1].seq == records[0].seq + 1


def full_disk(opened: Callable[..., Any]) -> Callable[..., Any]:
    """Return how files are opened on a disk that takes no line of ours."""

    def refuse(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        """Open what is only read."""
        if path.suffix == ".jsonl" and mode != "r":
            raise OSError(28, "No space left on device")
        return opened(path, mode, *args, **options)

    return refuse


async def test_a_full_disk(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An hour without a disk loses nothing; it is said once, and when it is back."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        recorded = Recorded(hass, play.simulator)
        play.deal(0, 0)
        with monkeypatch.context() as full:
            full.setattr(Path, "open", full_disk(Path.open))
            await play.at("2027-01-13T22:35:00")
            play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
            await play.settle()
            await pass_by(play, "2027-01-13T23:15:00")
            play.box.unplug()
            await play.settle()
            await play.at("2027-01-13T23:20:00")
            play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
            await play.settle()
            await play.at("2027-01-13T23:35:00")
            assert recorded.kinds == [STARTED, CHARGING, FINISHED, STARTED, CHARGING]
            assert float(play.see("last_session_energy")) > 7
            assert not await recorded.lines()
            assert caplog.text.count("could not be written") == 1
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=10))
        await eventually(lambda: "are written again" in caplog.text)
        assert await recorded.lines() == recorded.kinds
        first, second = await recorded.records()
        assert first.kind is Kind.OCCASION
        assert second.kind is Kind.OPEN


def kept_files(hass: HomeAssistant) -> list[str]:
    """Return the kinds of files that are kept of wallboxes."""
    folder = Path(hass.config.path("loxone_wallbox"))
    return sorted(file.name.partition(".")[2] for file in folder.rglob("*.*.jsonl"))


async def test_two_wallboxes(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has its own sessions, and its history outlives it."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00", boxes=TWO
    ) as play:
        both = [Recorded(hass, play.simulator, box) for box in range(2)]
        play.deal(0, 0, 0, 0)
        garage, carport = play.simulator.wallboxes
        garage.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T22:45:00")
        carport.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T23:00:00")
        garage.unplug()
        await play.settle()
        assert both[0].kinds == [STARTED, CHARGING, FINISHED]
        assert both[1].kinds == [STARTED, CHARGING]
        [first], [second] = [await one.records() for one in both]
        assert first.wallbox != second.wallbox
        assert first.import_wh == pytest.approx(5500, rel=0.02)
        await hass.config_entries.async_remove(play.entry.entry_id)
        await hass.async_block_till_done()
        assert await both[0].records() == [first]
        [second] = await both[1].records()
        # What was running when the wallbox was removed is in the history too.
        assert second.import_wh == pytest.approx(2750, rel=0.02)
        left = await hass.async_add_executor_job(kept_files, hass)
        kinds = ("sessions.2027-01.jsonl", "sessions.months.jsonl")
        assert left == [one for one in kinds for _ in range(2)]


async def test_names_stay_out(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who charges is kept as a pseudonym, the same each time; no file has the name."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        recorded = Recorded(hass, play.simulator)
        play.deal(0, 0, 0)
        for name in ("Ada Lovelace", "Grace Hopper", "Ada Lovelace"):
            play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
            play.box.set_user(name)
            await play.settle()
            now = dt_util.utcnow().astimezone(LONDON).replace(tzinfo=None)
            await play.at((now + timedelta(minutes=5)).isoformat())
            play.box.unplug()
            await play.settle()
        users = [one.user_id or "" for one in await recorded.records()]
        assert users[0] == users[2] != users[1]
        assert all(users)
        told = str(recorded.told)
        for word in ("Ada", "Grace", *users):
            assert word not in told

        def found() -> list[str]:
            """Return the files in which a name stands."""
            folder = Path(hass.config.config_dir)
            files = [file for file in folder.rglob("*") if file.is_file()]
            return [one.name for one in files if b"Lovelace" in one.read_bytes()]

        assert not await hass.async_add_executor_job(found)


async def test_why_it_stopped(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault, load shedding, a pause: each ends a segment, not the session."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        await map_inputs(hass, play.entry, play.simulator)
        await play.settle()
        recorded = Recorded(hass, play.simulator)
        play.deal(0, 60, 0, 0)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T23:00:00")
        play.box.set_error(101)
        await play.settle()
        assert play.see("status") == "fault"
        assert recorded.kinds == [STARTED, CHARGING, PAUSED]
        assert recorded.told[-1]["stop_reason"] == "fault"
        await play.at("2027-01-13T23:15:00")
        play.box.set_error(0)
        await play.settle()
        await play.at("2027-01-13T23:25:00")
        assert recorded.kinds[-1] == CHARGING
        play.box.set_loadshed(True)
        await play.settle()
        assert recorded.told[-1]["stop_reason"] == "load_shed"
        play.box.set_loadshed(False)
        await play.settle()
        await play.at("2027-01-13T23:35:00")
        await play.see.call("button.press", "pause_now")
        await play.settle()
        assert recorded.told[-1]["stop_reason"] == "user"
        play.box.unplug()
        await play.settle()
        [record] = await recorded.records()
        assert len(record.segments) == 3
        assert record.stop_reason is StopReason.USER
