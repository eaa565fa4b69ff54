"""The repairs of what lasts, raised late and taken back by themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .actions import Actions
from .conftest import StartSimulator, make_entry
from .flow_texts import LANGUAGES
from .helpers import eventually
from custom_components.loxone_wallbox import commander, driving, standing_repairs
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from custom_components.loxone_wallbox.standing_repairs import (
    DISOBEDIENT,
    UNREACHABLE,
    StandingRepairs,
)
from simulator import Car

START = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)


def raised(hass: HomeAssistant) -> set[str]:
    """Return which of the repairs there are, by their texts."""
    issues = ir.async_get(hass).issues.values()
    mine = {one.translation_key for one in issues if one.domain == DOMAIN}
    return {one for one in (UNREACHABLE, DISOBEDIENT) if one in mine}


def at(minutes: float) -> datetime:
    """Return an instant of the story."""
    return START + timedelta(minutes=minutes)


async def test_out_of_reach(hass: HomeAssistant) -> None:
    """After a quarter of an hour in a row, until it is back."""
    repairs = StandingRepairs(hass, "box", "Garage")
    assert repairs.look(at(0), reachable=False, obeys=None) == at(15)
    assert repairs.look(at(14), reachable=True, obeys=True) is None
    assert repairs.look(at(14.5), reachable=False, obeys=None) == at(29.5)
    assert repairs.look(at(29.4), reachable=False, obeys=None) == at(29.5)
    assert raised(hass) == set()
    assert repairs.look(at(29.5), reachable=False, obeys=None) is None
    assert raised(hass) == {UNREACHABLE}
    repairs.look(at(31), reachable=True, obeys=True)
    assert raised(hass) == set()


async def test_disobedient(hass: HomeAssistant) -> None:
    """Two minutes after a command that was not obeyed, if it still is not."""
    repairs = StandingRepairs(hass, "box", "Garage")
    repairs.disobeyed(at(0))
    assert repairs.look(at(0), reachable=True, obeys=False) == at(2)
    repairs.disobeyed(at(1))
    assert repairs.look(at(1), reachable=True, obeys=False) == at(2)
    assert repairs.look(at(1.5), reachable=True, obeys=True) is None
    repairs.disobeyed(at(3))
    repairs.look(at(5), reachable=True, obeys=None)
    assert raised(hass) == {DISOBEDIENT}
    repairs.clear()
    assert raised(hass) == set()
    assert repairs.look(at(9), reachable=True, obeys=False) is None


async def test_a_wallbox(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that ignores a grid event and then is away: each has its repair meanwhile."""
    for module, name, value in (
        (backoff, "RETRY_MIN_S", 0.05),
        (commander, "CONFIRM_S", 0.05),
        (driving, "RETRY_AFTER", timedelta(seconds=0.2)),
        (standing_repairs, "DISOBEDIENT_AFTER", timedelta(seconds=0.2)),
        (standing_repairs, "OUT_OF_REACH_AFTER", timedelta(seconds=0.3)),
    ):
        monkeypatch.setattr(module, name, value)
    simulator = await start_simulator()
    entry = make_entry(simulator)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"unavailable_after": 0})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    box = simulator.wallboxes[0]
    box.plug(Car(capacity_kwh=77, energy_kwh=10))
    wallbox = next(iter(entry.runtime_data.wallboxes.values()))
    await eventually(lambda: bool(wallbox.state.connected))
    simulator.fault("command_ignored")
    now = dt_util.utcnow()
    await Actions(hass, simulator)(
        "dsr_start",
        event_id="now",
        kind="pause",
        start=now.isoformat(),
        end=(now + timedelta(minutes=9)).isoformat(),
        response_service=True,
    )
    await eventually(lambda: raised(hass) == {DISOBEDIENT})
    simulator.clear()
    await eventually(lambda: box.enabled is False, 10)
    await eventually(lambda: raised(hass) == set())
    await simulator.restart(1.0)
    await eventually(lambda: raised(hass) == {UNREACHABLE})
    await eventually(lambda: raised(hass) == set(), 10)
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("key", [UNREACHABLE, DISOBEDIENT])
def test_texts(key: str) -> None:
    """In every language, with the name of the wallbox."""
    for texts in LANGUAGES.values():
        issue = texts["issues"][key]
        assert "{wallbox}" in issue["title"]
        assert "{wallbox}" in issue["description"]
