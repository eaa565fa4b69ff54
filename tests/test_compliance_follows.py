"""What the compliance sensor follows, and what of it the owner is told."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .charging.test_delivery import event
from .compliance_home import Office, offices
from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import metered
from .stage import GB_NIGHT
from .test_alerts import Heard
from .test_meter_refresh import QUICK
from custom_components.loxone_wallbox import evidence
from custom_components.loxone_wallbox.alerts import SETTLES_AFTER
from custom_components.loxone_wallbox.charging.alerting import QUIET
from custom_components.loxone_wallbox.charging.delivery import Delivery
from custom_components.loxone_wallbox.compliance_sensor import LOOK_AGAIN
from custom_components.loxone_wallbox.delivering import Delivering


@pytest.fixture
async def office(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """Return an office in Great Britain."""
    async with offices(hass, start_simulator, monkeypatch) as home:
        yield home


def miss(office: Office) -> None:
    """Let a grid event end of which the wallbox knew nothing."""
    now = dt_util.utcnow()
    known = event(start=now - timedelta(minutes=30), end=now, heard_at=now)
    record = Delivery.begin(known, 6.0, []).end(now, opted_out=False)
    office.wallbox.delivering._put((*record.key, record.began_at), record)


def pass_by(office: Office, monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    """Let time pass."""
    later = dt_util.utcnow() + span
    monkeypatch.setattr(dt_util, "utcnow", lambda: later)
    async_fire_time_changed(office.hass, later)


async def test_a_missed_event(office: Office) -> None:
    """The sensor knows as soon as it is known what came of the event."""
    heard = Heard(office.hass, office.simulator)
    assert "R5c" not in office.failing
    miss(office)
    await eventually(lambda: "R5c" in office.failing)
    await eventually(lambda: "compliance_changed" in heard.kinds)


async def test_newer_firmware(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows at once; the owner is told of the firmware itself, and that once."""
    heard = Heard(office.hass, office.simulator)
    miniserver, before = office.wallbox.miniserver, office.failing
    monkeypatch.setattr(miniserver.news, "_source", "https://example.org/list.xml")
    miniserver.news.async_set_updated_data("99.0.0.0")
    await eventually(lambda: "S3b" in office.failing)
    assert "R12" in office.failing
    await eventually(lambda: heard.kinds == ["firmware_available"])
    miniserver.news.async_set_updated_data(miniserver.firmware)
    await eventually(lambda: office.failing == before)
    await office.hass.async_block_till_done()
    assert heard.kinds == ["firmware_available"]


async def test_a_meter_that_falls_silent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that gives nothing from the start on shows without waiting an hour."""
    monkeypatch.setattr(evidence, "is_demonstration", lambda _host: False)
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        [subentry] = home.entry.subentries.values()
        data = {**subentry.data, **GB_NIGHT}
        hass.config_entries.async_update_subentry(home.entry, subentry, data=data)
        await hass.async_block_till_done()
        await home.run(5)
        see = home.see[0]
        assert "R9c" not in see.attribute("compliance_status", "failing")
        await home.gateway(on=False)
        await home.restart()
        assert "R9c" in see.attribute("compliance_status", "failing")


async def test_what_a_restart_finds_out_late(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no change, neither that it is not known at first nor that it then is."""
    heard = Heard(office.hass, office.simulator)
    miss(office)
    await eventually(lambda: "compliance_changed" in heard.kinds)
    told = list(heard.kinds)
    pass_by(office, monkeypatch, 2 * QUIET)
    with monkeypatch.context() as late:
        late.setattr(Delivering, "outcomes", Counter[str]())
        await office.hass.config_entries.async_reload(office.entry.entry_id)
        await office.hass.async_block_till_done()
        assert "R5c" not in office.failing
    pass_by(office, monkeypatch, LOOK_AGAIN)
    await eventually(lambda: "R5c" in office.failing)
    pass_by(office, monkeypatch, SETTLES_AFTER)
    await office.hass.async_block_till_done()
    assert heard.kinds == told


async def test_what_changed_over_a_restart(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once it has lasted for a while."""
    heard = Heard(office.hass, office.simulator)
    miss(office)
    await eventually(lambda: "compliance_changed" in heard.kinds)
    told = list(heard.kinds)
    pass_by(office, monkeypatch, 2 * QUIET)
    monkeypatch.setattr(Delivering, "outcomes", Counter(delivered=1))
    await office.hass.config_entries.async_reload(office.entry.entry_id)
    await office.hass.async_block_till_done()
    assert "R5c" not in office.failing
    assert heard.kinds == told
    pass_by(office, monkeypatch, SETTLES_AFTER)
    await eventually(lambda: heard.kinds == [*told, "compliance_changed"])
    assert "R5c" not in heard.all[-1]["failing"]
