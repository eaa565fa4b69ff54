"""What a grid event delivered, as it is listed: planned and actual, before and after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions
from .conftest import StartSimulator
from .helpers import eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox import delivering
from custom_components.loxone_wallbox.charging.delivery import BASELINE_S
from custom_components.loxone_wallbox.records.journal import Journal
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"
TWO = (WallboxConfig(name="Garage"), WallboxConfig(name="Carport"))
# The power is told a second after it changed, so that is what may be wrong.
NEAR_WH = 11_000 * 3 / 3600


class Evening:
    """A stage with its grid events."""

    def __init__(self, play: Stage) -> None:
        """Take the stage."""
        self.play = play
        self.act = Actions(play.hass, play.simulator)

    async def at(self, *times: str) -> None:
        """Go to each local time, and wait until Home Assistant knows the power."""
        for time in times:
            await self.play.at(f"{DAY}{time}")
            await eventually(self._power_is_known)

    def _power_is_known(self) -> bool:
        """Tell whether Home Assistant knows what flows."""
        boxes = {box.uuid: box for box in self.play.simulator.wallboxes}
        runtime = self.play.entry.runtime_data
        if not runtime.miniserver.connected:
            return True
        return all(
            one.state.power_kw
            == pytest.approx(boxes[one.wallbox_id].power_kw, abs=0.002)
            for one in runtime.wallboxes.values()
        )

    async def plug(self) -> None:
        """Plug cars in; a wallbox tests itself for ten seconds then."""
        for box in self.play.simulator.wallboxes:
            box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await self.play.settle()

    async def start(self, start: str, end: str, **fields: Any) -> None:
        """Start a limit between two local times, or what the fields say."""
        await self.act(
            "dsr_start",
            start=self.play.instant(f"{DAY}{start}").isoformat(),
            end=self.play.instant(f"{DAY}{end}").isoformat(),
            **{"event_id": "A", **(fields or {"kind": "limit", "limit_kw": 6.0})},
        )

    async def listed(self) -> dict[str, Any]:
        """Return the only event that is known."""
        [events] = (await self.act("dsr_list", answer=True)).values()
        [event] = events
        return dict(event)

    async def delivered(self) -> dict[str, Any]:
        """Return what the only event delivered."""
        record = (await self.listed())["delivered"]
        assert record is not None
        return dict(record)


@asynccontextmanager
async def evening(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *draws: int,
    **changes: Any,
) -> AsyncIterator[Evening]:
    """Play from twenty to eleven."""
    async with stage(
        hass, start, monkeypatch, begin=f"{DAY}22:40:00", **changes
    ) as play:
        play.deal(*draws)
        yield Evening(play)


def clock(text: str | None) -> str | None:
    """Return the local time of an instant, which is UTC in winter."""
    return None if text is None else text[11:19]


def files(hass: HomeAssistant) -> list[Path]:
    """Return the files in which the records are kept."""
    return list(Path(hass.config.path("loxone_wallbox")).rglob("*.dsr.jsonl"))


async def test_a_delayed_limit(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half an hour at 6 kW after 11 kW, with a delay at either end."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45, 300) as play:
        await play.plug()
        await play.at("22:40:12")
        await play.start("23:00:00", "23:30:00")
        await play.at("22:59:00")
        assert (await play.listed())["delivered"] is None
        await play.at("23:00:00")
        begun = play.play.box.total_kwh
        await play.at("23:00:30")
        record = await play.delivered()
        assert (record["applied_at"], record["outcome"]) == (None, None)
        await play.at("23:00:45", "23:00:46", "23:30:00")
        flowed_wh = (play.play.box.total_kwh - begun) * 1000
        record = await play.delivered()
        assert record["released_at"] is None
        await play.at("23:35:00", "23:36:00")
        record = await play.delivered()
        assert flowed_wh == pytest.approx(11_000 * 45 / 3600 + 6000 * 1755 / 3600, 1e-3)
        assert record.pop("measured_wh") == pytest.approx(flowed_wh, abs=NEAR_WH)
        assert record.pop("delivered_wh") == pytest.approx(
            5500 - flowed_wh, abs=NEAR_WH
        )
        times = ("planned_start", "planned_end", "began_at", "ended_at")
        assert [clock(record.pop(name)) for name in times] == [
            "23:00:00",
            "23:30:00",
        ] * 2
        assert clock(record.pop("applied_at")) == "23:00:45"
        assert clock(record.pop("released_at")) == "23:35:00"
        assert record == {
            "limit_kw": 6.0,
            "drawn_start_s": 45,
            "drawn_end_s": 300,
            "baseline_w": 11000.0,
            "baseline_coverage": 1.0,
            "baseline_10_w": None,
            "coverage": 1.0,
            "outcome": "delivered",
        }


async def test_opting_out(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The record ends when the owner leaves, and stays so."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45) as play:
        await play.plug()
        await play.start("23:00:00", "23:30:00")
        await play.at("22:40:12", "23:00:45", "23:00:46", "23:05:00")
        await play.play.see.call("button.press", "dsr_opt_out")
        await play.at("23:05:01", "23:40:00")
        event = await play.listed()
        record = event["delivered"]
        assert event["opted_out_by"] is not None
        assert record["outcome"] == "opted_out"
        assert clock(record["ended_at"]) == "23:05:00"
        assert clock(record["released_at"]) == "23:05:00"
        assert (record["drawn_start_s"], record["drawn_end_s"]) == (45, None)
        saved_wh = 5000 * 255 / 3600
        assert record["delivered_wh"] == pytest.approx(saved_wh, abs=NEAR_WH)


async def test_no_vehicle(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a car there is nothing to deliver, and that is known."""
    async with evening(hass, start_simulator, monkeypatch) as play:
        await play.start("23:00:00", "23:30:00")
        await play.at("22:40:12", "22:59:00", "23:31:00")
        record = await play.delivered()
        assert record["outcome"] == "no_vehicle"
        assert (record["applied_at"], record["released_at"]) == (None, None)
        assert (record["baseline_w"], record["delivered_wh"]) == (0.0, 0.0)
        await play.play.at("2027-01-21T12:00:00")
        await play.play.restart()
        [file] = files(hass)
        before = file.read_bytes()
        assert (await play.listed())["delivered"] is None
        await hass.async_block_till_done()
        assert file.read_bytes() == before


async def test_missed_without_a_link(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody was told and nobody saw: missed, without a figure."""
    async with evening(hass, start_simulator, monkeypatch, 0, 20, 20) as play:
        await play.plug()
        await play.start("23:00:00", "23:10:00")
        await play.at("22:40:12", "22:59:00")
        play.play.simulator.fault("booting")
        await play.play.simulator.drop()
        connection = "miniserver_connection"
        await eventually(lambda: play.play.see(connection) == "off")
        await play.at("23:11:00")
        play.play.simulator.clear()
        await eventually(lambda: play.play.see(connection) == "on", 30)
        await play.at("23:12:00")
        record = await play.delivered()
        assert record["outcome"] == "missed"
        assert clock(record["ended_at"]) == "23:10:00"
        assert (record["applied_at"], record["coverage"]) == (None, 0.0)
        assert (record["measured_wh"], record["delivered_wh"]) == (None, None)
        assert record["baseline_w"] == 11000.0


async def test_a_restart_in_the_middle(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The baseline, the times and the energy before it are still there after it."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45, 10) as play:
        await play.plug()
        await play.start("23:00:00", "23:30:00")
        await play.at("22:40:12", "23:00:45", "23:00:46", "23:15:00")
        before = await play.delivered()
        await play.at("23:15:50")
        await play.play.restart()
        await play.at("23:16:00", "23:30:00", "23:30:10", "23:31:00")
        record = await play.delivered()
        same = ("applied_at", "baseline_w", "baseline_coverage", "drawn_start_s")
        assert {name: record[name] for name in same} == {
            name: before[name] for name in same
        }
        assert before["measured_wh"] < record["measured_wh"]
        assert record["delivered_wh"] == pytest.approx(2437.5, abs=2 * NEAR_WH)
        assert record["coverage"] == pytest.approx(1, abs=0.01)
        assert record["outcome"] == "delivered"
        await play.play.restart()
        assert await play.delivered() == record


async def test_away_for_the_end(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What nobody saw is a hole: its share is told and no figure is made up."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45) as play:
        await play.plug()
        await play.start("23:00:00", "23:30:00")
        await play.at("22:40:12", "23:00:45", "23:00:46", "23:15:00")
        entry_id = play.play.entry.entry_id
        await hass.config_entries.async_unload(entry_id)
        play.play.simulator.advance(1800)
        await hass.config_entries.async_setup(entry_id)
        await play.play.settle()
        record = await play.delivered()
        assert clock(record["ended_at"]) == "23:30:00"
        assert record["outcome"] == "partial"
        assert record["coverage"] == pytest.approx(0.5, abs=0.01)
        assert (record["measured_wh"], record["delivered_wh"]) == (None, None)


async def test_an_increase_outside_the_hours(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What flows more than before is delivered."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}17:00:00"
    ) as scene:
        play = Evening(scene)
        scene.deal(60, 30)
        await play.plug()
        await play.start("17:30:00", "18:00:00", kind="increase")
        await play.at("17:00:01", "17:31:00", "17:31:01", "18:00:00", "18:01:00")
        record = await play.delivered()
        assert (record["limit_kw"], record["baseline_w"]) == (None, 0.0)
        assert clock(record["applied_at"]) == "17:31:00"
        assert record["outcome"] == "delivered"
        assert record["delivered_wh"] == record["measured_wh"]
        assert record["delivered_wh"] == pytest.approx(
            11_000 * 29 / 60, abs=2 * NEAR_WH
        )


async def test_a_new_limit_in_the_middle(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The record goes on, against what flowed before the event."""
    async with evening(hass, start_simulator, monkeypatch, 0, 0, 0, 0) as play:
        await play.plug()
        await play.start("23:00:00", "23:20:00")
        await play.at("22:40:12", "23:00:01", "23:10:00")
        await play.act("dsr_update", event_id="A", limit_kw=5.0)
        await play.at("23:10:01", "23:20:00", "23:21:00")
        record = await play.delivered()
        assert (record["limit_kw"], record["baseline_w"]) == (5.0, 11000.0)
        assert clock(record["began_at"]) == "23:00:00"
        assert record["outcome"] == "delivered"
        assert record["delivered_wh"] == pytest.approx(11_000 / 6, abs=2 * NEAR_WH)


async def test_the_sum_of_a_site(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The site's event has what all delivered together; a removal forgets it."""
    async with evening(hass, start_simulator, monkeypatch, boxes=TWO) as play:
        play.play.deal(*[0] * 12)
        await play.plug()
        [wallbox] = play.act.devices
        [play.act.devices] = [[play.play.wallbox.miniserver.device_id]]
        limit = {"kind": "limit", "limit_kw": 10, "response_service": True}
        await play.start("23:00:00", "23:20:00", **limit)
        await play.at("22:40:12", "23:00:00", "23:00:01", "23:20:00", "23:21:00")
        record = await play.delivered()
        assert record["baseline_w"] == 22_000.0
        assert record["delivered_wh"] == pytest.approx(4000, abs=4 * NEAR_WH)
        parts = record["wallboxes"]
        assert sorted(parts) == ["Carport", "Garage"]
        assert record["outcome"] == "delivered"
        whole = sum(one["delivered_wh"] for one in parts.values())
        assert record["delivered_wh"] == pytest.approx(whole, abs=0.2)
        play.act.devices = [wallbox]
        assert await play.delivered() == parts["Garage"]
        assert len(files(hass)) == 2
        await hass.config_entries.async_remove(play.play.entry.entry_id)
        assert not files(hass)


async def test_a_disk_that_takes_and_gives_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is said, and the record is made in memory all the same."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45, 10) as play:
        await play.plug()
        await play.start("23:00:00", "23:30:00")
        journal = play.play.wallbox.delivering._journal
        journal.path.mkdir(parents=True)
        await play.at("22:40:12", "23:00:45", "23:00:46", "23:15:00", "23:30:00")
        assert (await play.delivered())["outcome"] == "delivered"
        assert caplog.text.count("What grid events delivered could not be kept") == 1
        await play.play.restart()
        assert "What grid events delivered could not be read" in caplog.text
        assert (await play.listed())["delivered"] is None
        journal.path.rmdir()


async def test_the_most_that_is_kept(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest records go, and stay away though their events are still known."""
    monkeypatch.setattr(delivering, "MOST_RECORDS", 3)
    monkeypatch.setattr(delivering, "COMPACT_AFTER", 4)
    async with evening(hass, start_simulator, monkeypatch) as play:
        for minute in range(45, 51):
            fields = {"event_id": str(minute), "kind": "pause"}
            await play.start(f"22:{minute}:00", f"22:{minute}:30", **fields)
        await play.at("22:52:00", "22:53:00", "22:54:00")
        [events] = (await play.act("dsr_list", answer=True)).values()
        told = [one["event_id"] for one in events if one["delivered"] is not None]
        assert told == ["48", "49", "50"]
        assert events[-1]["delivered"]["baseline_coverage"] == pytest.approx(
            600 / BASELINE_S, abs=0.005
        )
        await play.play.restart()
        await play.at("22:55:00")
        [events] = (await play.act("dsr_list", answer=True)).values()
        assert told == [one["event_id"] for one in events if one["delivered"]]
        [file] = files(hass)
        assert len(Journal(file).read().records) <= 4 + 6


async def test_a_wrong_record_stops_nothing(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong with it, the limit comes and goes as it should."""
    async with evening(hass, start_simulator, monkeypatch, 0, 45, 10) as play:
        await play.plug()
        await play.start("23:00:00", "23:30:00")
        begun = play.play.instant(f"{DAY}22:00:00")
        wrong = {("", "A", begun): None}
        play.play.wallbox.delivering._records.update(wrong)  # type: ignore[arg-type]
        await play.at("22:40:12", "23:00:45", "23:00:46")
        assert play.play.see("power_limit") == "6.0"
        await play.at("23:30:10")
        assert play.play.see("power_limit") == "11.0"
        assert caplog.text.count("cannot be followed") == 1
