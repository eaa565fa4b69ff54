"""The choice of default charging hours at first use, which nobody can leave out."""

from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData

from .conftest import StartSimulator
from .flow_helpers import (
    Result,
    answer,
    live_in_britain,
    options_of,
    settings,
    suggestions,
    to_wallboxes,
)
from custom_components.loxone_wallbox.charging.regulation import PRESETS, Preset
from custom_components.loxone_wallbox.const import DOMAIN
from simulator import WallboxConfig

pytestmark = pytest.mark.usefixtures("unload_all")

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NIGHT = [{"days": DAYS, "start": "22:00", "end": "08:00"}]
OWN = {
    "preset": "own_window",
    "days": DAYS,
    "start": "00:30:00",
    "end": "05:30:00",
    "clock": "local",
}


@pytest.fixture(autouse=True)
async def _britain(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Live in Great Britain, in winter."""
    await live_in_britain(hass)
    freezer.move_to(datetime(2027, 1, 13, 17, 30, tzinfo=UTC))
    freezer.tick()


async def to_hours(hass: HomeAssistant, start: StartSimulator) -> Result:
    """Answer the questions about the only wallbox; the choice of hours is shown."""
    result = await to_wallboxes(
        hass, await start(wallboxes=(WallboxConfig(name="Garage"),))
    )
    result = await answer(hass, result, suggestions(result))
    assert result["step_id"] == "hours"
    return result


async def to_change(hass: HomeAssistant, start: StartSimulator) -> Result:
    """Go on to other hours."""
    result = await answer(hass, await to_hours(hass, start), {"choice": "change"})
    assert result["step_id"] == "hours_change"
    return result


def first_use(result: Result) -> dict[str, Any]:
    """Return what was kept, without the instant, which is now."""
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    [wallbox] = settings(result["result"]).values()
    kept: dict[str, Any] = dict(wallbox["first_use"])
    assert kept.pop("at").startswith("2027-01-13T17:30:0")
    assert kept.pop("by") is None
    return kept


async def test_nothing_is_chosen_beforehand(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Without a choice the flow cannot be finished, and says so."""
    result = await to_hours(hass, start_simulator)
    assert suggestions(result) == {}
    # The frontend would tick the first option of a required field by itself.
    [field] = result["data_schema"].schema
    assert type(field).__name__ == "Optional"
    assert options_of(result, "choice") == ["accept", "change", "remove"]
    assert result["description_placeholders"] == {
        "wallbox": "Garage",
        "number": "1",
        "count": "1",
        "start": "22:00",
        "end": "08:00",
    }
    for _ in range(2):
        result = await answer(hass, result, {})
        assert result["step_id"] == "hours"
        assert result["errors"] == {"choice": "choice_missing"}
    with pytest.raises(InvalidData):
        await answer(hass, result, {"choice": "later"})
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await answer(hass, result, {"choice": "accept"})
    assert first_use(result) == {
        "choice": "accept",
        "windows": NIGHT,
        "clock": "local",
        "preset": "gb_night",
    }


async def test_remove(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """No hours are an answer too."""
    result = await to_hours(hass, start_simulator)
    result = await answer(hass, result, {"choice": "remove"})
    assert first_use(result) == {
        "choice": "remove",
        "windows": [],
        "clock": "local",
        "preset": None,
    }


@pytest.mark.parametrize("profile", ["de_14a", "none"])
async def test_other_profiles(
    hass: HomeAssistant, start_simulator: StartSimulator, profile: str
) -> None:
    """Nobody else is asked."""
    result = await to_wallboxes(
        hass, await start_simulator(wallboxes=(WallboxConfig(name="Garage"),))
    )
    result = await answer(hass, result, {**suggestions(result), "profile": profile})
    [kept] = settings(result["result"]).values()
    assert kept["profile"] == profile
    assert "first_use" not in kept


@pytest.mark.parametrize("preset", list(Preset))
async def test_preset(
    hass: HomeAssistant, start_simulator: StartSimulator, preset: Preset
) -> None:
    """Ready-made hours; those that leave out the peak only are suggested."""
    result = await to_change(hass, start_simulator)
    assert suggestions(result) == {
        "preset": "gb_complement",
        "days": DAYS,
        "clock": "local",
    }
    result = await answer(hass, result, {**suggestions(result), "preset": preset.value})
    assert first_use(result) == {
        "choice": "change",
        "windows": [one.as_dict() for one in PRESETS[preset]],
        "clock": "local",
        "preset": preset.value,
    }


@pytest.mark.parametrize("clock", ["local", "utc"])
async def test_own_window(
    hass: HomeAssistant, start_simulator: StartSimulator, clock: str
) -> None:
    """A window of the owner's own, with days and clock."""
    result = await to_change(hass, start_simulator)
    own = {**OWN, "days": ["sun", "sat"], "clock": clock}
    result = await answer(hass, result, own)
    assert first_use(result) == {
        "choice": "change",
        "windows": [{"days": ["sat", "sun"], "start": "00:30", "end": "05:30"}],
        "clock": clock,
        "preset": None,
    }


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"end": "00:30:00"}, {"end": "window_without_length"}),
        ({"days": []}, {"days": "window_days_invalid"}),
        ({"start": "00:30:15"}, {"start": "window_time_invalid"}),
        ({"end": "5:3"}, {"end": "window_time_invalid"}),
        ({"start": None}, {"start": "time_missing"}),
        (
            {"start": None, "end": None},
            {"start": "time_missing", "end": "time_missing"},
        ),
        ({"preset": "gb_night"}, {"preset": "preset_or_window"}),
        ({"preset": "gb_night", "start": None}, {"preset": "preset_or_window"}),
        (
            {"preset": "gb_night", "start": None, "end": None, "clock": "utc"},
            {"preset": "preset_or_window"},
        ),
        (
            {"preset": "gb_night", "start": None, "end": None, "days": ["mon"]},
            {"preset": "preset_or_window"},
        ),
    ],
)
async def test_no_window(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    changes: Result,
    errors: dict[str, str],
) -> None:
    """What is no window is complained about at its field; nothing typed in is lost."""
    result = await to_change(hass, start_simulator)
    bad = {key: value for key, value in {**OWN, **changes}.items() if value is not None}
    # Once more is no yes here.
    for _ in range(2):
        result = await answer(hass, result, bad)
        assert result["step_id"] == "hours_change"
        assert result["errors"] == errors
        assert suggestions(result) == bad
    assert first_use(await answer(hass, result, OWN))["windows"] == [
        {"days": DAYS, "start": "00:30", "end": "05:30"}
    ]


@pytest.mark.parametrize(
    ("changes", "errors", "shown"),
    [
        # Monday's peak, although the window opens on a Sunday.
        (
            {"days": ["sun"], "start": "23:00:00", "end": "09:00:00"},
            {"base": "hours_in_peak"},
            {"hours": "Monday 08:00-09:00"},
        ),
        (
            {"days": ["mon", "fri"], "start": "10:00:00", "end": "17:00:00"},
            {"base": "hours_in_peak"},
            {"hours": "Monday, Friday 10:00-11:00; Monday, Friday 16:00-17:00"},
        ),
        # Outside the peak in winter only.
        (
            {"days": ["tue"], "start": "03:00:00", "end": "07:30:00", "clock": "utc"},
            {"base": "hours_in_peak"},
            {"hours": "Tuesday 08:00-08:30"},
        ),
        (
            {"start": "01:00:00", "end": "01:10:00"},
            {"end": "window_short", "start": "window_hidden"},
            {"minutes": "10", "date": "2027-03-28"},
        ),
        (
            {"start": "02:00:00", "end": "02:10:00"},
            {"end": "window_short"},
            {"minutes": "10"},
        ),
        (
            {"days": ["sun"], "start": "01:15:00", "end": "01:45:00"},
            {"start": "window_hidden"},
            {"date": "2027-03-28"},
        ),
        (
            {"days": ["mon"], "start": "08:00:00", "end": "08:05:00"},
            {"base": "hours_in_peak", "end": "window_short"},
            {"hours": "Monday 08:00-08:05", "minutes": "10"},
        ),
    ],
)
async def test_notices(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    changes: Result,
    errors: dict[str, str],
    shown: dict[str, str],
) -> None:
    """What an owner should know is mentioned once, and then taken."""
    result = await to_change(hass, start_simulator)
    own = {**OWN, **changes}
    result = await answer(hass, result, own)
    assert result["errors"] == errors
    placeholders = result["description_placeholders"]
    assert {name: placeholders[name] for name in shown} == shown
    assert suggestions(result) == own
    kept = first_use(await answer(hass, result, own))
    assert kept["windows"][0]["start"] == own["start"][:5]


@pytest.mark.parametrize(
    "changes",
    [
        # Friday evening belongs to the weekend, which has no peak.
        {"days": ["fri"], "start": "23:30:00", "end": "05:30:00"},
        {"days": ["fri"], "start": "22:00:00", "end": "08:00:00"},
        {"days": ["sat", "sun"], "start": "08:00:00", "end": "22:00:00"},
        {"start": "02:00:00", "end": "02:11:00"},
        # Clocks change on Sundays, and UTC has no such nights.
        {"days": DAYS[:6], "start": "01:15:00", "end": "01:45:00"},
        {"start": "01:15:00", "end": "01:45:00", "clock": "utc"},
        # Of the night that lasts an hour less enough is left.
        {"start": "23:30:00", "end": "01:30:00"},
    ],
)
async def test_nothing_to_notice(
    hass: HomeAssistant, start_simulator: StartSimulator, changes: Result
) -> None:
    """Hours that are fine are taken at once."""
    result = await to_change(hass, start_simulator)
    assert first_use(await answer(hass, result, {**OWN, **changes}))


async def test_notice_of_other_hours(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Yes to one window is no yes to another."""
    result = await to_change(hass, start_simulator)
    for end in ("09:00:00", "09:30:00", "09:00:00"):
        result = await answer(hass, result, {**OWN, "end": end})
        assert result["errors"] == {"base": "hours_in_peak"}
    result = await answer(hass, result, {**OWN, "end": "09:00:00"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_days_in_german(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Days have their names in the language of Home Assistant."""
    hass.config.language = "de"
    result = await to_change(hass, start_simulator)
    own = {**OWN, "days": ["wed"], "start": "21:00:00"}
    result = await answer(hass, result, own)
    assert result["description_placeholders"]["hours"] == "Mittwoch 21:00-22:00"


async def test_british_hours_elsewhere(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Hours and peak follow the country's clock, whatever Home Assistant's is."""
    await hass.config.async_set_time_zone("Europe/Vienna")
    result = await to_change(hass, start_simulator)
    own = {**OWN, "start": "22:00:00", "end": "08:30:00", "days": ["mon"]}
    result = await answer(hass, result, own)
    assert result["errors"] == {"base": "hours_in_peak"}
    assert result["description_placeholders"]["hours"] == "Tuesday 08:00-08:30"
    result = await answer(hass, result, {**own, "end": "08:00:00"})
    assert first_use(result)
