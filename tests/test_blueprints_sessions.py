"""The blueprints of what charging came to: a session's end and the month's report."""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import device_of
from .blueprint_helpers import AUTOMATION, Phone, running, triggered, use, use_script
from .conftest import StartSimulator
from .cost_home import FIXED, cost_home
from .helpers import entity_id, eventually
from .history_home import HistoryHome, history_home

DAY = "2027-01-13T"
ITSELF = {"entity_id": AUTOMATION}
# What the end of a session tells to actions of one's own.
FIGURES = {
    one: f"{{{{ {one} }}}}"
    for one in (
        "name",
        "energy",
        "hours",
        "cost",
        "user",
        "month_energy",
        "month_cost",
    )
}


@pytest.fixture
def phone(hass: HomeAssistant) -> Phone:
    """Return a phone that can be reached."""
    phone = Phone(hass, "Ann's phone")
    phone.reach_by("mobile_app_ann_s_phone")
    return phone


async def test_session_finished(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    phone: Phone,
) -> None:
    """The end of a session is told once, with its figures, its user and the month."""
    monkeypatch.setattr(dt_util, "now", _played_now)
    told: list[Any] = []
    hass.bus.async_listen("told", lambda event: told.append(event.data))
    async with cost_home(hass, start_simulator, monkeypatch, FIXED) as home:
        simulator, entry = home.play.simulator, home.play.entry
        hass.config_entries.async_update_entry(entry, options={"people": {"u7": "Ann"}})
        await home.settle()
        await use(
            hass,
            "session_finished",
            session=entity_id(hass, simulator, "session"),
            phones=[phone.device_id],
            and_then=[{"event": "told", "event_data": FIGURES}],
        )
        await home.plug()
        home.play.box.set_user("u7")
        await home.until(f"{DAY}23:10:00")
        assert not told
        record = await home.unplug()
        await eventually(lambda: len(told) == 1 and running(hass) == 0)
        assert record.cost_minor is not None
        cost = f"{record.cost_minor / 100:.2f} GBP"
        energy = round(record.import_wh / 1000, 2)
        assert energy > 2
        hours = f"0:{record.importing_s // 60:02}"
        assert told[0] == {
            "name": "Garage",
            "energy": energy,
            "hours": hours,
            "cost": cost,
            "user": "Ann",
            "month_energy": round(energy, 1),
            "month_cost": cost,
        }
        assert [one["title"] for one in phone.sent] == ["Garage"]
        assert phone.sent[0]["message"] == (
            f"{energy} kWh in {hours} h, {cost}, Ann."
            f" This month {round(energy, 1)} kWh, {cost}."
        )
        at = triggered(hass)
        await hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
        assert triggered(hass) == at


class Reports:
    """A home with sessions of last month, and the script that reports them."""

    def __init__(self, home: HistoryHome, folder: Path, phone: Phone) -> None:
        """Take the home, the folder of the files and who is told."""
        self.home = home
        self.folder = folder
        self.phone = phone

    async def make(self, **inputs: Any) -> str:
        """Make the script, which may write to the folder; return its id."""
        hass, simulator = self.home.hass, self.home.simulator
        hass.config.allowlist_external_dirs = {str(self.folder)}
        return await use_script(
            hass,
            "monthly_report",
            wallboxes=[device_of(hass, simulator, box) for box in (0, 1)],
            folder=f"{self.folder}/",
            phones=[self.phone.device_id],
            **inputs,
        )

    async def lines(self, name: str) -> list[str]:
        """Return the lines of a file."""
        read = (self.folder / name).read_text
        text = await self.home.hass.async_add_executor_job(read, "utf-8")
        return text.splitlines()


async def test_monthly_report(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    tmp_path: Path,
    phone: Phone,
) -> None:
    """The month's sessions are in a file, and its sums on the phone and in the answer."""
    async with history_home(hass, start_simulator) as home:
        await home.keep(
            home.session("2026-09-03T10:00:00Z"),
            home.session("2026-09-04T10:00:00Z", 4.0, user="ben"),
            home.session("2026-10-01T10:00:00Z"),
        )
        reports = Reports(home, tmp_path, phone)
        name = (await reports.make()).partition(".")[2]
        answer: Any = await hass.services.async_call(
            "script", name, {"month": "2026-09-17"}, blocking=True, return_response=True
        )
        path = str(tmp_path / "wallbox-2026-09.csv")
        assert (answer["month"], answer["file"]) == ("2026-09", path)
        total = answer["total"]
        assert (total["sessions"], total["energy_kwh"]) == (2, 3.0)
        assert len(answer["users"]) == 2
        assert [one["sessions"] for one in answer["wallboxes"]] == [2, 0]
        lines = await reports.lines("wallbox-2026-09.csv")
        assert len(lines) == 3
        assert all("2026-09-0" in line for line in lines[1:])
        [sent] = phone.sent
        assert sent["title"] == "Wallbox, 2026-09"
        assert sent["message"] == f"2 sessions, 3.0 kWh, 0.30 GBP. {path}"


async def test_the_report_of_every_month(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    phone: Phone,
) -> None:
    """It is made at its time, once a month, and made up for when that was missed."""
    async with history_home(hass, start_simulator) as home:
        reports = Reports(home, tmp_path, phone)
        script = await reports.make(prefix="box", form="json")
        due = dt_util.now() + timedelta(seconds=1.2)
        await use(
            hass,
            "monthly_report_run",
            script=script,
            day=due.day,
            at=f"{due:%H:%M:%S}",
        )
        assert not triggered(hass)
        await eventually(lambda: len(phone.sent) == 1)
        last = _month_before(due)
        assert await reports.lines(f"box-{last:%Y-%m}.json")
        await _start_again(hass)
        await eventually(lambda: running(hass) == 0)
        assert len(phone.sent) == 1
        later = due + timedelta(days=32)
        monkeypatch.setattr(dt_util, "now", lambda _zone=None: later)
        await _start_again(hass)
        await eventually(lambda: len(phone.sent) == 2)
        assert await reports.lines(f"box-{_month_before(later):%Y-%m}.json")
        await hass.services.async_call("automation", "turn_off", ITSELF, blocking=True)


def _played_now(zone: tzinfo | None = None) -> datetime:
    """Return the time that is played, by the clock on the wall."""
    return dt_util.utcnow().astimezone(zone or dt_util.get_default_time_zone())


def _month_before(at: datetime) -> datetime:
    """Return a day of the month before."""
    return at.replace(day=1) - timedelta(days=1)


async def _start_again(hass: HomeAssistant) -> None:
    """Have the automation see a start of Home Assistant."""
    await hass.services.async_call("automation", "turn_off", ITSELF, blocking=True)
    hass.set_state(CoreState.starting)
    await hass.services.async_call("automation", "turn_on", ITSELF, blocking=True)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
