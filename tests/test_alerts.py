"""What the owner is told, as an automation hears it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .actions import map_inputs
from .conftest import StartSimulator, make_entry, set_up
from .helpers import entity_id, eventually
from .history_home import HistoryHome
from .security_home import log_of
from .stage import stage
from custom_components.loxone_wallbox import alert_month, commander
from custom_components.loxone_wallbox.charging import alerting
from custom_components.loxone_wallbox.firmware_news import FirmwareNews
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.rights import SecurityEvent
from simulator import Car, Simulator, WallboxConfig

DAY = "2027-01-13T"


def _told(state: State) -> tuple[str, str]:
    """Return what tells one alert from another; two may come in a millisecond."""
    return state.state, str(state.attributes.get("event_type"))


class Heard:
    """The alerts of a wallbox, as they came."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator, box: int = 0) -> None:
        """Listen from now on."""
        self.all: list[dict[str, Any]] = []
        alert = entity_id(hass, simulator, "alert", box)
        state = hass.states.get(alert)
        self._last = None if state is None else _told(state)
        async_track_state_change_event(hass, alert, self._take)

    @callback
    def _take(self, event: Event[EventStateChangedData]) -> None:
        """Take note of a state that is another alert."""
        state = event.data["new_state"]
        if state is None or state.state in {"unavailable", "unknown"}:
            return
        if _told(state) != self._last:
            self._last = _told(state)
            self.all.append(dict(state.attributes))

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of what was told."""
        return [one["event_type"] for one in self.all]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return what was told of a kind."""
        return [one for one in self.all if one["event_type"] == kind]


@pytest.fixture
async def home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[HistoryHome]:
    """Return a home whose link comes back at once."""
    monkeypatch.setattr(backoff, "RETRY_MIN_S", 0.05)
    simulator = await start_simulator()
    entry = make_entry(simulator)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"unavailable_after": 0})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield HistoryHome(hass, simulator, entry)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_an_evening(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plugged in during the peak, delayed at night, charged: each is told once."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        heard = Heard(hass, play.simulator)
        play.deal(400)
        play.box.plug(Car(capacity_kwh=77, energy_kwh=76))
        await play.at(f"{DAY}17:30:00")
        [plugged] = heard.all
        assert plugged["event_type"] == "plugged_in_peak"
        assert plugged["reason"] == "outside_default_hours"
        assert plugged["until"] == "2027-01-13T22:00:00+00:00"
        await play.at(f"{DAY}22:00:30")
        assert heard.kinds == ["plugged_in_peak", "random_delay"]
        assert heard.all[1]["seconds"] == 400
        assert heard.all[1]["change"] == "start"
        assert heard.all[1]["until"] == "2027-01-13T22:06:40+00:00"
        for minute in ("07", "10", "15", "20"):
            await play.at(f"{DAY}22:{minute}:00")
        assert play.see("status") == "finished"
        play.box.unplug()
        await play.at(f"{DAY}22:41:00")
        assert heard.kinds == ["plugged_in_peak", "random_delay", "charge_finished"]
        finished = heard.all[2]
        assert finished["energy"] == pytest.approx(1.0, abs=0.15)
        assert finished["unplugged"] is False
        assert finished["charging_time"] > 100


async def test_unplugged_early(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A car that leaves before it is full was charged as well; a short delay is none."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}23:00:00"
    ) as play:
        heard = Heard(hass, play.simulator)
        play.deal(30)
        play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await play.at(f"{DAY}23:20:00")
        assert heard.all == []
        play.box.unplug()
        await play.at(f"{DAY}23:21:00")
        [finished] = heard.all
        assert finished["event_type"] == "charge_finished"
        assert finished["unplugged"] is True
        assert finished["energy"] > 3


async def test_the_link(home: HistoryHome) -> None:
    """Lost and back, each once; a second time within half an hour nothing."""
    heard, other = (Heard(home.hass, home.simulator, box) for box in (0, 1))
    await home.simulator.drop()
    await eventually(lambda: heard.kinds == ["link_lost", "link_restored"])
    assert [one["link"] for one in heard.all] == ["miniserver"] * 2
    client = home.entry.runtime_data.miniserver.client
    made = client.connections
    await home.simulator.drop()
    await eventually(lambda: client.connections == made + 1 and client.connected)
    await home.hass.async_block_till_done()
    assert heard.kinds == other.kinds == ["link_lost", "link_restored"]


async def test_a_restart_without_a_link(home: HistoryHome) -> None:
    """Neither the loss is told again by it, nor is its end forgotten."""
    heard = Heard(home.hass, home.simulator)
    home.simulator.fault("booting")
    await home.simulator.drop()
    await eventually(lambda: heard.kinds == ["link_lost"])
    for _ in range(2):
        await home.hass.config_entries.async_reload(home.entry.entry_id)
        await home.hass.async_block_till_done()
        assert home.entry.state is ConfigEntryState.SETUP_RETRY
    home.simulator.clear()
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await eventually(lambda: heard.kinds == ["link_lost", "link_restored"])


async def test_a_restart_repeats_nothing(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told before it is not told again."""
    monkeypatch.setattr(commander, "CONFIRM_S", 0.05)
    heard = Heard(home.hass, home.simulator)
    home.simulator.fault("command_ignored")
    await limit(home, 6)
    assert heard.kinds == ["command_failed"]
    assert heard.all[0]["command"] == "set_manual_limit"
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.hass.async_block_till_done()
    await limit(home, 7)
    assert heard.kinds == ["command_failed"]


async def limit(home: HistoryHome, power_kw: float) -> None:
    """Ask for a limit that the wallbox does not obey."""
    with pytest.raises(HomeAssistantError) as caught:
        await home.see.call("number.set_value", "target_power", value=power_kw)
    assert caught.value.translation_key == "command_not_obeyed"


async def test_tamper(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Told when it begins and when it is over, also over a restart."""
    box = WallboxConfig(name="Garage", contacts=True)
    simulator = await start_simulator(wallboxes=(box,))
    entry = await set_up(hass, make_entry(simulator))
    await map_inputs(hass, entry, simulator)
    heard = Heard(hass, simulator)
    simulator.wallboxes[0].set_contact("Tamper", True)
    await eventually(lambda: heard.kinds == ["tamper"])
    assert heard.all[0]["policy"] == "limit"
    await hass.config_entries.async_unload(entry.entry_id)
    simulator.wallboxes[0].set_contact("Tamper", False)
    await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: heard.kinds == ["tamper", "tamper_cleared"])
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_grid_event(home: HistoryHome) -> None:
    """Announced half an hour before it begins, and told what came of it."""
    heard = Heard(home.hass, home.simulator)
    now = dt_util.utcnow()
    start = now + timedelta(minutes=30, seconds=0.5)
    event = {"event_id": "saving", "kind": "pause"}
    await home.first("dsr_start", **event, **times(start, 600))
    await home.hass.async_block_till_done()
    assert heard.all == []
    await eventually(lambda: heard.kinds == ["dsr_soon"])
    assert heard.all[0]["event_id"] == "saving"
    assert heard.all[0]["event_kind"] == "pause"
    assert heard.all[0]["start"] == start.isoformat()
    await home.first("dsr_cancel", event_id="saving")
    await home.first("dsr_start", event_id="now", kind="pause", **times(now, 600))
    await home.first("dsr_cancel", event_id="now")
    await eventually(lambda: heard.kinds == ["dsr_soon", "dsr_result"])
    assert heard.all[1]["event_id"] == "now"
    assert heard.all[1]["outcome"] == "no_vehicle"


def times(start: datetime, seconds: float) -> dict[str, str]:
    """Return start and end of an event."""
    end = start + timedelta(seconds=seconds)
    return {"start": start.isoformat(), "end": end.isoformat()}


async def test_the_month(home: HistoryHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first days of a month, if something was charged in the last; once."""
    heard, other = (Heard(home.hass, home.simulator, box) for box in (0, 1))
    await home.hass.config.async_set_time_zone("Europe/London")
    await home.keep(home.session("2026-06-29T22:00"), home.session("2026-06-30T22:00"))
    instant = datetime(2026, 7, 1, 7, 0, 1, tzinfo=UTC)
    monkeypatch.setattr(dt_util, "utcnow", lambda: instant)
    for wallbox in home.entry.runtime_data.wallboxes.values():
        wallbox.async_update_listeners()
        wallbox.async_update_listeners()
    await home.hass.async_block_till_done()
    [told] = heard.all
    assert told["event_type"] == "monthly_summary"
    assert told["month"] == "2026-06"
    assert told["sessions"] == 2
    assert told["energy"] == 2.0
    assert told["costs"] == [{"currency": "GBP", "cost": 0.2}]
    assert other.all == []


@pytest.mark.parametrize(
    ("local", "month", "following"),
    [
        ("2026-07-01T07:59", None, "2026-07-01T07:00"),
        ("2026-07-01T08:00", "2026-06-01", "2026-08-01T07:00"),
        ("2026-01-07T23:59", "2025-12-01", "2026-02-01T08:00"),
        ("2026-01-08T00:00", None, "2026-02-01T08:00"),
    ],
)
async def test_when_a_month_is_told(
    hass: HomeAssistant, local: str, month: str | None, following: str
) -> None:
    """In the morning of the first day by the home's clock, or a few days late."""
    await hass.config.async_set_time_zone("Europe/London")
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/London"))
    told, later = alert_month.month_due(now.astimezone(UTC))
    assert (None if told is None else told.isoformat()) == month
    assert later == datetime.fromisoformat(following).replace(tzinfo=UTC)


async def test_a_new_firmware(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told once for each version that is newer than the one that runs.

    However much else has been told since: of that only so much is remembered.
    """
    monkeypatch.setattr(alerting, "MOST_KEPT", 0)
    heard = Heard(home.hass, home.simulator)
    wallbox = next(iter(home.entry.runtime_data.wallboxes.values()))
    for newest in (None, "1.0.0.0", "99.1.2.3", "99.1.2.3", "99.1.2.4"):
        monkeypatch.setattr(FirmwareNews, "newest", newest)
        wallbox.async_update_listeners()
        await home.hass.async_block_till_done()
    assert heard.kinds == ["firmware_available"] * 2
    assert [one["after"] for one in heard.all] == ["99.1.2.3", "99.1.2.4"]
    assert heard.all[0]["before"] == home.simulator.config.firmware


async def test_what_the_log_tells(home: HistoryHome) -> None:
    """Refused logins once they are many, the firmware, and the meter of this box."""
    heard, other = (Heard(home.hass, home.simulator, box) for box in (0, 1))
    log = log_of(home.hass, home.simulator)
    for number in range(4):
        log.record(
            SecurityEvent(
                kind="auth_failed", outcome="attempt_failed", detail={"n": number}
            )
        )
    detail = {"what": "firmware", "from": "15.0.0.0", "to": "16.0.0.0"}
    log.record(SecurityEvent(kind="firmware_changed", outcome="info", detail=detail))
    next(iter(home.entry.runtime_data.wallboxes.values())).security(
        SecurityEvent(kind="meter_link_lost", outcome="info")
    )
    await home.hass.async_block_till_done()
    await eventually(lambda: len(heard.all) == 3)
    assert other.kinds == ["login_failures", "firmware_changed"]
    assert heard.of("login_failures")[0]["count"] == 3
    assert heard.of("firmware_changed")[0]["after"] == "16.0.0.0"
