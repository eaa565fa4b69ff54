"""An hour without a link, by all that an owner may be told of it."""

import logging

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .blueprint_helpers import Phone, use
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .stage import Stage, stage
from .test_alerts import Heard
from custom_components.loxone_wallbox.const import LOGGER
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.miniserver.errors import MiniserverError
from simulator import Car

DAY = "2027-01-13T"
HALF_PAST_TEN = f"{DAY}22:30:00"


class Tried:
    """The attempts to have the link back, which come quickly."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count from now on."""
        for name in ("RETRY_MIN_S", "RETRY_STARTING_S", "RETRY_MAX_S"):
            monkeypatch.setattr(backoff, name, 0.02)
        self._count, pause = 0, backoff.Backoff.next

        def failed(this: backoff.Backoff, error: MiniserverError) -> float:
            """Count an attempt that failed."""
            self._count += 1
            return pause(this, error)

        monkeypatch.setattr(backoff.Backoff, "next", failed)

    async def again(self) -> None:
        """Wait for two more of them."""
        least = self._count + 2
        await eventually(lambda: self._count >= least)


class Everywhere:
    """All that an owner may be told by: the alert, the phone, the repairs, the log."""

    def __init__(
        self, play: Stage, phone: Phone, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Listen from now on."""
        self._log, self._phone = caplog, phone
        self._alerts = Heard(play.hass, play.simulator)
        self.repairs: list[str] = []
        play.hass.bus.async_listen(
            ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED,
            lambda event: self.repairs.append(
                f"{event.data['action']} {event.data['issue_id'].rpartition('_')[0]}"
            ),
        )
        caplog.clear()

    @property
    def alerts(self) -> list[str]:
        """Return the alerts, each of which has come to the phone as well."""
        texts = [one["message"].partition(":")[0] for one in self._phone.sent]
        told = [text.lower().replace("connection", "link") for text in texts]
        kinds = self._alerts.kinds
        return kinds if told == [one.replace("_", " ") for one in kinds] else ["?"]

    @property
    def warnings(self) -> int:
        """Return how many warnings the log has of us."""
        ours = (one for one in self._log.records if one.name.startswith(LOGGER.name))
        return sum(one.levelno >= logging.WARNING for one in ours)


async def test_an_hour_without_a_link(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However often it is tried and looked at, the owner is told once, and of its end."""
    tried = Tried(monkeypatch)
    async with stage(hass, start_simulator, monkeypatch, begin=HALF_PAST_TEN) as play:
        hass.config_entries.async_update_entry(
            play.entry, options={**play.entry.options, "unavailable_after": 0}
        )
        phone = Phone(hass, "Ann's phone")
        phone.reach_by("mobile_app_ann_s_phone")
        alert = entity_id(hass, play.simulator, "alert")
        await use(hass, "alarms", phones=[phone.device_id], alerts=[alert])
        play.deal(0)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.at(f"{DAY}23:00:00")
        told, orders = Everywhere(play, phone, caplog), [*play.see.commands]
        play.simulator.fault("booting")
        await play.simulator.drop()
        await eventually(lambda: told.alerts == ["link_lost"])
        for minute, repairs in (("14", 0), ("16", 1), ("29", 1), ("31", 1), ("59", 1)):
            await play.at(f"{DAY}23:{minute}:00")
            await tried.again()
            assert play.see("status") == "unreachable"
            assert play.see("charging_power") == "unavailable"
            assert told.alerts == ["link_lost"]
            assert told.repairs == ["create wallbox_out_of_reach"] * repairs
        assert told.warnings == 1
        play.simulator.clear()
        await eventually(lambda: told.alerts == ["link_lost", "link_restored"])
        await play.at("2027-01-14T00:31:00")
        assert told.alerts == ["link_lost", "link_restored"]
        assert [one.split()[0] for one in told.repairs] == ["create", "remove"]
        assert told.warnings == 1
        assert play.see("status") == "charging"
        assert float(play.see("session_energy")) == pytest.approx(22.1, abs=0.1)
        assert play.see.commands == orders
