"""Every action, used well and badly."""

from datetime import timedelta
import json
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .actions import Actions, device_of, refused, states_of
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .stage import GB_NIGHT
from custom_components.loxone_wallbox.compliance_actions import ACTION as REPORT
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.fallback_actions import ACTION as FALLBACK
from custom_components.loxone_wallbox.history_actions import HISTORY_ACTIONS
from custom_components.loxone_wallbox.personal_action import ACTION as FORGET
from custom_components.loxone_wallbox.security_actions import SECURITY_ACTIONS
from custom_components.loxone_wallbox.services import _HANDLERS
from simulator import Car, Simulator

NIGHT = {"days": ["mon", "tue"], "start": "23:30", "end": "05:30"}


def ahead(**delta: float) -> str:
    """Return an instant ahead as an automation would write it."""
    return (dt_util.utcnow() + timedelta(**delta)).isoformat()


def owner(entry: MockConfigEntry, box: int = 0) -> Any:
    """Return the kept state of a wallbox."""
    return list(entry.runtime_data.wallboxes.values())[box].controller.state


async def test_home_assistant_can_show_them(hass: HomeAssistant) -> None:
    """The form of every action is one that Home Assistant takes, field by field.

    One word of `services.yaml` that it does not know, and none has a form.
    """
    assert await async_setup_component(hass, DOMAIN, {})
    shown = (await async_get_all_descriptions(hass))[DOMAIN]
    assert set(shown) == set(hass.services.async_services_for_domain(DOMAIN))
    for name, action in shown.items():
        assert action["fields"], name


async def test_there_before_any_entry(hass: HomeAssistant) -> None:
    """The actions exist without an entry, so that automations can be checked."""
    assert await async_setup_component(hass, DOMAIN, {})
    there = set(hass.services.async_services_for_domain(DOMAIN))
    asking = {"dsr_list", "get_power_series", *HISTORY_ACTIONS, *SECURITY_ACTIONS}
    more: dict[str, dict[str, Any]] = {
        REPORT: {},
        FALLBACK: {"consent": True},
        FORGET: {"users": ["nobody"]},
    }
    asking |= set(more)
    assert there == {*_HANDLERS, *asking}
    for name in sorted(there):
        with pytest.raises(ServiceValidationError) as caught:
            await hass.services.async_call(
                DOMAIN,
                name,
                {
                    "device_id": "nobody",
                    **({"mode": "charge"} if name == "override" else {}),
                    **({"event_id": "A"} if name.startswith("dsr_") else {}),
                }
                if name not in asking
                else {"device_id": "nobody", **more.get(name, {})},
                blocking=True,
                return_response=name in asking,
            )
        of_log = name in {*SECURITY_ACTIONS, FORGET}
        expected = "security_unknown_device" if of_log else "unknown_wallbox"
        assert caught.value.translation_key == expected


async def test_hours(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Presets and own windows are set, on either clock, and removed."""
    act = Actions(hass, miniserver)
    await act("set_default_hours", preset="gb_complement")
    assert owner(entry).hours.preset == "gb_complement"
    await act("set_default_hours", windows=[NIGHT], clock="utc")
    hours = owner(entry).hours
    assert [window.as_dict() for window in hours.windows] == [NIGHT]
    assert (hours.clock, hours.preset) == ("utc", None)
    assert hours.changed_at is not None
    await act("remove_default_hours")
    assert owner(entry).hours.windows == ()
    assert Surface(hass, miniserver)("default_hours") == "unavailable"


async def test_hours_in_the_peak(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Hours that reach into the peak hold, and are warned of until they do not."""
    miniserver = await start_simulator()
    settings: dict[str, Any] = dict(GB_NIGHT)
    entry = await set_up(hass, make_entry(miniserver, **settings))
    act = Actions(hass, miniserver)
    (subentry, *_) = [
        one
        for one in entry.subentries.values()
        if one.unique_id == miniserver.wallboxes[0].uuid
    ]
    issue = (DOMAIN, f"hours_in_peak_{subentry.subentry_id}")
    issues = ir.async_get(hass).issues
    assert issue not in issues
    evening = {"days": ["tue", "sat"], "start": "21:00", "end": "23:00"}
    await act("set_default_hours", windows=[evening])
    assert [one.as_dict() for one in owner(entry).hours.windows] == [evening]
    assert issues[issue].translation_placeholders == {
        "wallbox": "Garage",
        "hours": "Tuesday 21:00-22:00",
    }
    await act("set_default_hours", preset="gb_complement")
    assert issue not in issues
    await act("set_default_hours", windows=[evening])
    assert issue in issues
    see = Surface(hass, miniserver)
    await see.call("switch.turn_off", "default_hours")
    assert issue not in issues
    await see.call("switch.turn_on", "default_hours")
    assert issue in issues
    await hass.config_entries.async_unload(entry.entry_id)
    assert issue not in issues


BAD_HOURS: list[tuple[dict[str, Any], str]] = [
    ({}, "preset_or_windows"),
    ({"preset": "gb_night", "windows": [NIGHT]}, "preset_or_windows"),
    ({"windows": []}, "windows_missing"),
    ({"windows": [NIGHT | {"end": "23:30"}]}, "window_without_length"),
    ({"windows": [NIGHT, NIGHT | {"days": []}]}, "window_days_invalid"),
    ({"windows": [NIGHT | {"days": ["monday"]}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"days": "mon"}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"days": 3}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"start": "24:00"}]}, "window_time_invalid"),
    ({"windows": [NIGHT | {"start": "25:00"}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"start": "23:30:01"}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"start": -5}]}, "window_unreadable"),
    ({"windows": [NIGHT | {"end": None}]}, "window_unreadable"),
    ({"windows": [{"days": ["mon"], "start": "23:30"}]}, "window_unreadable"),
]


async def test_bad_hours(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
) -> None:
    """Windows that are none are refused."""
    act = Actions(hass, miniserver)
    for data, key in BAD_HOURS:
        async with refused(entry, key):
            await act("set_default_hours", **data)


BAD_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("set_default_hours", {"preset": "gb_noon"}),
    ("set_default_hours", {"windows": [NIGHT], "clock": "sidereal"}),
    ("set_default_hours", {"windows": ["at night"]}),
    ("override", {}),
    ("override", {"mode": "fly"}),
    ("override", {"mode": "charge", "until": "doomsday"}),
    ("override", {"mode": "charge", "until": "time", "end": "soon"}),
    (
        "override",
        {"mode": "charge", "until": "duration", "duration": {"hours": -1}},
    ),
    ("skip_delay", {"seconds": 5}),
    ("dsr_start", {}),
    ("dsr_start", {"event_id": "A", "end": "soon"}),
    ("dsr_start", {"event_id": "A", "kind": "boost"}),
    ("dsr_start", {"event_id": "A", "limit_kw": "little"}),
    ("dsr_cancel", {}),
]


async def test_what_the_schema_refuses(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
) -> None:
    """Home Assistant itself says what is wrong with the form of a call."""
    act, before = Actions(hass, miniserver), states_of(entry)
    for action, data in BAD_FORMS:
        with pytest.raises(probatio.Invalid):
            await act(action, **data)
        assert states_of(entry) == before


async def test_override(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """An override has the end that was asked for."""
    act, see = Actions(hass, miniserver), Surface(hass, miniserver)
    await act("override", mode="pause")
    assert see("reason") == "no_vehicle"
    override = owner(entry).override
    assert (override.mode, override.end, override.source) == ("pause", None, "user")
    end = dt_util.utcnow().replace(microsecond=0) + timedelta(hours=3)
    await act("override", mode="charge", until="time", end=end.isoformat())
    assert owner(entry).override.end == end
    assert see("override_ends") == end.isoformat()
    await act("override", mode="charge", until="duration", duration={"minutes": 90})
    override = owner(entry).override
    assert override.end - override.start == timedelta(minutes=90)
    await act("set_default_hours", preset="gb_night")
    await act("override", mode="charge", until="boundary")
    controller = next(iter(entry.runtime_data.wallboxes.values())).controller
    assert owner(entry).override.end == controller.next_boundary(dt_util.utcnow())
    await act("cancel_override")
    assert owner(entry).override.end <= dt_util.utcnow()
    ended = owner(entry)
    await act("cancel_override")
    await act("skip_delay")
    assert owner(entry) == ended


BAD_OVERRIDES: list[tuple[dict[str, Any], str]] = [
    ({"until": "time"}, "override_end_missing"),
    ({"until": "time", "end": "2030-01-01T10:00:00"}, "time_naive"),
    ({"until": "time", "end": "2020-01-01T10:00:00Z"}, "override_is_over"),
    ({"until": "time", "end": "2099-01-01T10:00:00Z"}, "override_too_long"),
    (
        {"until": "time", "end": "9999-12-31T23:59:59-12:00"},
        "override_too_long",
    ),
    ({"until": "duration"}, "override_duration_missing"),
    ({"until": "duration", "duration": 0}, "override_is_over"),
    ({"until": "duration", "duration": {"hours": 25}}, "override_too_long"),
    ({"until": "duration", "duration": {"days": 9999999}}, "override_too_long"),
]


async def test_bad_overrides(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
) -> None:
    """An override without an end it can have is refused."""
    act = Actions(hass, miniserver)
    for data, key in BAD_OVERRIDES:
        async with refused(entry, key):
            await act("override", mode="pause", **data)


async def test_events(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """An event is taken, changed, listed and called off."""
    act = Actions(hass, miniserver)
    start = dt_util.utcnow().replace(microsecond=0)
    await act(
        "dsr_start",
        event_id="A",
        program="winter",
        source="grid",
        start=start.astimezone(dt_util.get_time_zone("Asia/Tokyo")).isoformat(),
        end=(start + timedelta(hours=1)).isoformat(),
        kind="limit",
        limit_kw=6,
        priority=80,
        reward_per_kwh=0.3,
        validity_s=900,
        already_randomised=True,
    )
    await act("dsr_start", event_id="A", end=ahead(hours=2), start=ahead(hours=1))
    listed = (await act("dsr_list", answer=True))[act.devices[0]]
    assert json.loads(json.dumps(listed)) == listed
    first, second = listed
    assert first["start"] == start.isoformat()
    assert (first["kind"], first["limit_kw"], first["priority"]) == ("limit", 6.0, 80)
    assert (first["active"], second["active"]) == (True, False)
    assert (second["kind"], second["version"]) == ("pause", 1)
    await act("dsr_update", event_id="A", program="winter", limit_kw=5)
    event = owner(entry).dsr.events["winter", "A"]
    assert (event.limit_kw, event.version, event.priority) == (5.0, 2, 80)
    assert (event.start, event.kind, event.source) == (start, "limit", "grid")
    await act("dsr_cancel", event_id="A", program="winter")
    first = (await act("dsr_list", answer=True))[act.devices[0]][0]
    assert first["active"] is False
    assert first["cancelled_at"] is not None
    async with refused(entry, "dsr_is_over"):
        await act("dsr_cancel", event_id="A", program="winter")


BAD_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"end": None}, "dsr_end_missing"),
    ({"start": "+2"}, "dsr_end_before_start"),
    ({"start": "+1"}, "dsr_end_before_start"),
    ({"start": "2030-01-01T10:00:00"}, "time_naive"),
    ({"end": "2030-01-01T10:00:00"}, "time_naive"),
    ({"start": "-3", "end": "-2"}, "dsr_is_over"),
    ({"end": "+25"}, "dsr_too_long"),
    ({"kind": "limit"}, "dsr_limit_missing"),
    ({"kind": "limit", "limit_kw": -1}, "dsr_limit_invalid"),
    ({"kind": "limit", "limit_kw": 101}, "dsr_limit_invalid"),
    ({"kind": "limit", "limit_kw": "nan"}, "dsr_limit_invalid"),
    ({"limit_kw": "inf"}, "dsr_limit_invalid"),
    ({"reward_per_kwh": "nan"}, "dsr_reward_invalid"),
    ({"reward_per_kwh": float("inf")}, "dsr_reward_invalid"),
    ({"reward_per_kwh": float("-inf")}, "dsr_reward_invalid"),
    ({"event_id": ""}, "dsr_id_invalid"),
    ({"event_id": "x" * 121}, "dsr_id_invalid"),
    ({"source": "x" * 121}, "dsr_text_too_long"),
    ({"priority": 101}, "dsr_priority_invalid"),
    ({"validity_s": 0}, "dsr_validity_invalid"),
    ({"validity_s": 10**15}, "dsr_validity_invalid"),
]


async def test_bad_events(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    miniserver: Simulator,
) -> None:
    """An event that makes no sense is refused."""
    act = Actions(hass, miniserver)
    for data, key in BAD_EVENTS:
        usual: dict[str, Any] = {"event_id": "A", "end": "+1", **data}
        given = {
            name: ahead(hours=int(value))
            if isinstance(value, str) and value[:1] in {"+", "-"}
            else value
            for name, value in usual.items()
            if value is not None
        }
        async with refused(entry, key):
            await act("dsr_start", **given)


async def test_versions(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """Only a newer version replaces; what is not known cannot be changed."""
    act = Actions(hass, miniserver)
    await act("dsr_start", event_id="A", end=ahead(hours=1), version=5)
    for version in (4, 5):
        async with refused(entry, "dsr_version_not_newer"):
            await act("dsr_start", event_id="A", end=ahead(hours=1), version=version)
        async with refused(entry, "dsr_version_not_newer"):
            await act("dsr_update", event_id="A", version=version, end=ahead(hours=3))
    # The same word again says that its source is still there.
    await act("dsr_update", event_id="A", version=5)
    await act("dsr_update", event_id="A", end=ahead(hours=2))
    assert owner(entry).dsr.events["", "A"].version == 6
    for action in ("dsr_update", "dsr_cancel"):
        async with refused(entry, "dsr_unknown"):
            await act(action, event_id="B")
    async with refused(entry, "dsr_is_over"):
        await act(
            "dsr_update", event_id="A", start=ahead(hours=-2), end=ahead(hours=-1)
        )
    async with refused(entry, "dsr_end_before_start"):
        await act("dsr_update", event_id="A", end=ahead(hours=-3))
    async with refused(entry, "dsr_reward_invalid"):
        await act("dsr_update", event_id="A", reward_per_kwh="nan")


async def test_several_wallboxes(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """An action reaches all it names, and none when one of them is unknown."""
    act = Actions(hass, miniserver, 0, 1)
    await act("dsr_start", event_id="A", end=ahead(hours=1))
    assert [len(owner(entry, box).dsr.events) for box in (0, 1)] == [1, 1]
    listed = await act("dsr_list", answer=True)
    assert set(listed) == set(act.devices)
    registry = dr.async_get(hass)
    other = registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("other", "thing")}
    )
    for stranger in ("nobody", other.id):
        act.devices = [device_of(hass, miniserver), stranger]
        for action, data in (
            ("set_default_hours", {"preset": "gb_night"}),
            ("remove_default_hours", {}),
            ("override", {"mode": "charge"}),
            ("cancel_override", {}),
            ("skip_delay", {}),
            ("dsr_start", {"event_id": "B", "end": ahead(hours=1)}),
            ("dsr_update", {"event_id": "A"}),
            ("dsr_cancel", {"event_id": "A"}),
        ):
            async with refused(entry, "unknown_wallbox"):
                await act(action, **data)
        async with refused(entry, "unknown_wallbox"):
            await act("dsr_list", answer=True)


async def test_a_wallbox_named_twice(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """A device that comes by itself and by its area is one wallbox."""
    act = Actions(hass, miniserver, 0, 0)
    await act("dsr_start", event_id="A", end=ahead(hours=1))
    assert len(owner(entry).dsr.events) == 1
    assert list(await act("dsr_list", answer=True)) == act.devices[:1]


async def test_nothing_by_halves(
    hass: HomeAssistant, entry: MockConfigEntry, miniserver: Simulator
) -> None:
    """What one of the wallboxes would refuse is done by none."""
    second = Actions(hass, miniserver, 1)
    both = Actions(hass, miniserver, 0, 1)
    await both("dsr_start", event_id="A", end=ahead(hours=1))
    await second("dsr_update", event_id="A", version=9)
    async with refused(entry, "dsr_version_not_newer"):
        await both("dsr_start", event_id="A", end=ahead(hours=1), version=5)
    await second("dsr_cancel", event_id="A")
    async with refused(entry, "dsr_is_over"):
        await both("dsr_cancel", event_id="A")
    miniserver.wallboxes[1].set_loadshed(True)
    see = Surface(hass, miniserver, 1)
    await eventually(lambda: see("reason") == "load_shedding")
    async with refused(entry, "unsafe_load_shedding"):
        await both("override", mode="charge")


async def test_unloaded(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """A wallbox whose entry is not loaded is none of ours at the moment."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    act = Actions(hass, simulator)
    simulator.wallboxes[0].plug(Car())
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await act("override", mode="charge")
    assert caught.value.translation_key == "unknown_wallbox"
