"""The history as entities: the energy of month and year, and the calendar."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .history_home import HistoryHome, history_home, instant
from .records.nights import stay
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.history import async_get_store


class Watch:
    """A clock that the test sets."""

    def __init__(self, at: str) -> None:
        """Start at an instant of UTC."""
        self.now = instant(at)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Live in a leap year."""
    watch = Watch("2028-02-29T12:00")
    monkeypatch.setattr(dt_util, "utcnow", watch)
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: watch.now.astimezone(zone or dt_util.get_default_time_zone()),
    )
    return watch


@pytest.fixture
async def home(
    watch: Watch, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home without a recorder."""
    assert dt_util.utcnow() == watch.now
    async with history_home(hass, start_simulator) as home:
        yield home


async def test_month_and_year(home: HistoryHome, watch: Watch) -> None:
    """They follow each session, and begin anew at midnight."""
    await eventually(lambda: home.see("month_energy") == "0.0")
    assert home.see.attribute("month_energy", "state_class") == "total"
    reset = home.see.attribute("month_energy", "last_reset")
    assert reset == "2028-02-01T00:00:00+00:00"
    assert home.see.attribute("rolling_year_energy", "state_class") is None
    await home.keep(home.session("2027-02-28T18:00"))
    await home.keep(home.session("2027-12-31T23:00", 4.0))
    await home.keep(home.session("2028-02-29T02:00", 8.0))
    await eventually(lambda: home.see("month_energy") == "4.0")
    await eventually(lambda: home.see("rolling_year_energy") == "7.0")
    watch.now = instant("2028-03-01T00:00")
    async_fire_time_changed(home.hass, watch.now)
    await eventually(lambda: home.see("month_energy") == "0.0")
    await eventually(lambda: home.see("rolling_year_energy") == "6.0")
    reset = home.see.attribute("month_energy", "last_reset")
    assert reset == "2028-03-01T00:00:00+00:00"
    home.simulator.fault("booting")
    await home.simulator.drop()
    await home.keep(home.session("2028-03-01T02:00", 4.0))
    await eventually(lambda: home.see("month_energy") == "2.0")


async def listed(home: HistoryHome, start: str, end: str) -> list[dict[str, Any]]:
    """Return the events between two instants as the action gives them."""
    calendar = entity_id(home.hass, home.simulator, "sessions")
    answer: Any = await home.hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": calendar,
            "start_date_time": instant(start).isoformat(),
            "end_date_time": instant(end).isoformat(),
        },
        blocking=True,
        return_response=True,
    )
    events: list[dict[str, Any]] = answer[calendar]["events"]
    return events


async def test_calendar(home: HistoryHome, watch: Watch) -> None:
    """Past sessions with energy and cost, the running one as the present event."""
    calendar = "sessions"
    await eventually(lambda: home.see(calendar) == "off")
    await home.keep(
        home.session("2027-10-30T23:30", 4.0), home.session("2028-02-28T22:00", 4.0)
    )
    [one] = await listed(home, "2027-10-31T00:00", "2027-10-31T01:00")
    assert one["start"] == "2027-10-31T00:30:00+01:00"
    assert one["end"] == "2027-10-31T03:30:00+00:00"
    assert one["summary"] == "Charged 2.00 kWh"
    assert one["description"] == (
        "Charging: 2 h 00 min\nPlugged in: 4 h 00 min\nCost: 0.20 GBP"
    )
    assert len(await listed(home, "2027-10-01T00:00", "2028-03-01T00:00")) == 2
    assert await listed(home, "2027-10-31T03:30", "2028-02-28T22:00") == []
    await home.hass.config.async_update(language="de")
    [one] = await listed(home, "2028-02-28T23:00", "2028-02-28T23:01")
    assert one["summary"] == "2,00 kWh geladen"

    book = SessionBook(wallbox=home.key(), seq=50)
    running = stay(watch.now - timedelta(hours=1), 8.0, book)[1][0].record
    await home.keep(running)
    await eventually(lambda: home.see(calendar) == "on")
    assert home.see.attribute(calendar, "start_time") == "2028-02-29 11:00:00"
    ended = replace(
        home.session("2028-02-29T11:00", 0.5), id=running.id, revision=running.revision
    )
    await home.keep(ended)
    await eventually(lambda: home.see(calendar) == "off")


async def test_figures(home: HistoryHome) -> None:
    """Rounded as the sensor is where it is shown: a half goes up, and so a minute."""
    record = home.session("2028-02-28T22:00", 4.0)
    changes = {
        "import_wh": 7435,
        "importing_s": 7170,
        "connected_s": 7169,
        "cost_minor": 1005,
        "currency": "KWD",
    }
    plain = {**record.as_dict(), **changes}
    plain["slices"][0] |= {"wh": 7435, "cost_minor": 1005, "currency": "KWD"}
    plain["slices"] = plain["slices"][:1]
    await home.keep(SessionRecord.from_dict(plain))
    [one] = await listed(home, "2028-02-28T00:00", "2028-02-29T23:00")
    assert one["summary"] == "Charged 7.44 kWh"
    assert one["description"] == (
        "Charging: 2 h 00 min\nPlugged in: 1 h 59 min\nCost: 1.01 KWD"
    )


async def test_unloaded(home: HistoryHome) -> None:
    """Nobody listens to the sessions of an entry that is not loaded."""
    store = async_get_store(home.hass)
    # Two sensors and a calendar of each wallbox.
    assert len(store._listeners) == 6
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert store._listeners == []
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    assert len(store._listeners) == 6
