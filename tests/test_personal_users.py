"""Users of Home Assistant are forgotten in what wallboxes keep of who did what."""

from collections.abc import AsyncIterator
from dataclasses import replace
import json
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from .actions import user_id
from .conftest import StartSimulator
from .history_home import HistoryHome
from .personal_home import (
    DATABASE,
    DATABASE_FILES,
    DRIVER,
    bytes_of,
    forget,
    personal_home,
    where,
)
from .security_home import logged
from custom_components.loxone_wallbox.charging.observe import Observation
from custom_components.loxone_wallbox.charging.override import Override, OverrideMode
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.undoing import Attempt, Attempts


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/{DATABASE}"


@pytest.fixture
async def home(
    recorder_mock: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with a recorder, in which three have charged."""
    async with personal_home(hass, start_simulator) as home:
        yield home


def kept_of(home: HistoryHome) -> str:
    """Return all that the settings and the states of the wallboxes hold, as text."""
    boxes = home.entry.runtime_data.wallboxes.values()
    live = [[one.settings, one.controller.state.as_dict()] for one in boxes]
    settings = [dict(one.data) for one in home.entry.subentries.values()]
    return json.dumps([live, settings], default=str)


async def test_who_did_something(home: HistoryHome, tmp_path: Path) -> None:
    """A user of Home Assistant is in no state and no setting; what they did stays."""
    hass, simulator = home.hass, home.simulator
    driver = await user_id(hass, DRIVER, "user")
    other = await user_id(hass, "Another", "user")
    hours = [{"days": ["tue"], "start": "23:00", "end": "23:30"}]
    signed = {"at": "2026-01-01T00:00:00+00:00", "by": driver}
    for subentry in list(home.entry.subentries.values()):
        users = {"override_users": [driver, other]} if subentry.unique_id else {}
        chosen = {"choice": "own", "windows": hours, **signed}
        data = {**subentry.data, **users, "first_use": chosen}
        data |= {"exemption": {"who": "miniserver", **signed}}
        hass.config_entries.async_update_subentry(home.entry, subentry, data=data)
    await hass.async_block_till_done()
    await home.first("override", mode="pause", by=driver)
    await home.first("cancel_override", by=driver)
    await home.first("set_default_hours", windows=hours, by=driver)
    [wallbox, second] = home.entry.runtime_data.wallboxes.values()
    before = wallbox.controller.state
    assert before.override is not None
    assert before.hours.changed_by == before.override.by == driver
    assert kept_of(home).count(driver) > 8

    await home.first("get_sessions", answer=True, user=driver)
    answer = await forget(home, DRIVER)
    # That of the sessions and this one.
    assert (answer["files"], answer["calls"]) == (1, 2)
    assert driver not in kept_of(home)
    found = where(await bytes_of(home, tmp_path), driver)
    assert {name for _, name in found} <= DATABASE_FILES
    for one in home.entry.subentries.values():
        assert one.data["first_use"] == {**chosen, "by": None}
    # Nobody was disturbed: the same wallboxes, and what was asked for still stands.
    assert [*home.entry.runtime_data.wallboxes.values()] == [wallbox, second]
    after = wallbox.controller.state
    assert after.override is not None
    assert after.override.end == before.override.end
    assert after.hours.windows == before.hours.windows
    assert after.hours.changed_at == before.hours.changed_at
    # The others may still do what they were allowed to, and nobody more than they.
    await home.first("override", mode="pause", by=other)
    with pytest.raises(ServiceValidationError) as refused:
        await home.first("override", mode="charge", by=driver)
    assert refused.value.translation_key == "not_permitted"
    told = await logged(hass, simulator, "config_security_changed")
    changes = [
        one["detail"] for one in told if one["detail"]["what"] == "override_users"
    ]
    assert {(one["from"], one["to"]) for one in changes[-2:]} == {(2, 1)}
    answer = await forget(home, other)
    assert (answer["settings"], answer["files"]) == (2, 1)
    assert other not in kept_of(home)
    assert wallbox.settings["override_users"] == []
    with pytest.raises(ServiceValidationError):
        await home.first("override", mode="charge", by=other)


async def test_while_nothing_is_set_up(home: HistoryHome, tmp_path: Path) -> None:
    """A wallbox that is not set up has a file all the same, and a user is forgotten."""
    driver = await user_id(home.hass, DRIVER, "user")
    await home.first("override", mode="pause", by=driver)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    await home.hass.auth.async_remove_user(
        await home.hass.auth.async_get_user(driver)  # type: ignore[arg-type]
    )
    call = {"users": [driver]}
    await home.hass.services.async_call(
        DOMAIN, "delete_personal_data", call, blocking=True
    )
    found = where(await bytes_of(home, tmp_path), driver)
    assert {name for _, name in found} <= DATABASE_FILES
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    [wallbox, _] = home.entry.runtime_data.wallboxes.values()
    assert wallbox.controller.state.override is not None
    assert wallbox.controller.state.override.by is None


def test_an_act_that_fails() -> None:
    """What stood before it comes back without whoever was forgotten meanwhile."""
    now = dt_util.utcnow()
    override = Override(mode=OverrideMode.PAUSE, start=now, by="ada")
    before = OwnerState(override=override)
    after = replace(before, override=replace(override, ended_by="ada", end=now))
    attempts = Attempts()
    act = Attempt(
        before=before, after=after, decided=after, commands=None, lasting=False
    )
    attempts.add(act)
    attempts.forget({"ada"})
    seen = Observation(
        connected=True,
        allowed=False,
        charging=False,
        mode=None,
        limit_kw=None,
        blocked_by=None,
        load_shedding=False,
        visit=None,
        min_kw=4.16,
        max_kw=11.0,
        mode_limits={},
    )
    state = attempts.taken_back(act, after.without({"ada"}), seen, now)
    assert state == before.without({"ada"})
    assert "ada" not in json.dumps(state.as_dict())
