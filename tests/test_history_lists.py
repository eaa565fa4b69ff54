"""Sessions as they are listed and summed up: by page, month, year, user; who may ask."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.auth.models import Group
from homeassistant.auth.permissions.types import PolicyType
from homeassistant.core import HomeAssistant

from .actions import refused, user_id
from .conftest import StartSimulator
from .helpers import entity_id
from .history_home import HistoryHome, history_home


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture(params=[True, False], ids=["recorder", "no_recorder"])
def database(request: pytest.FixtureRequest) -> None:
    """Have Home Assistant's recorder in one run, and none in the other."""
    if request.param:
        request.getfixturevalue("recorder_mock")


@pytest.fixture
async def home(
    database: None, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home."""
    async with history_home(hass, start_simulator) as home:
        yield home


async def filled(home: HistoryHome) -> list[str]:
    """Write a year's story; return the ids, the newest first."""
    records = [
        home.session("2027-12-31T23:00", 4.0),
        home.session("2028-02-29T20:00", 2.0, user="ben"),
        home.session("2028-03-25T23:00", 4.0),
        home.session("2028-10-28T23:30", 4.0, user="ben"),
    ]
    await home.keep(*records)
    other = home.session("2028-03-01T20:00", 8.0, box=1)
    await home.keep(other, box=1)
    ordered = sorted([*records, other], key=lambda one: one.connected_utc)
    return [one.id for one in reversed(ordered)]


async def asked(home: HistoryHome, action: str, **data: Any) -> Any:
    """Return the answer of an action for both wallboxes; it is plain data."""
    answer = await home.both(action, answer=True, **data)
    assert json.loads(json.dumps(answer)) == answer
    return answer


async def test_list(home: HistoryHome) -> None:
    """The newest first, page by page, by time, user and wallbox."""
    ids = await filled(home)
    pages = [
        await asked(home, "get_sessions", limit=2, offset=at) for at in (0, 2, 4, 6)
    ]
    assert [[one["id"] for one in page["sessions"]] for page in pages] == [
        ids[:2],
        ids[2:4],
        ids[4:],
        [],
    ]
    assert {page["total"] for page in pages} == {5}
    found = await asked(
        home,
        "get_sessions",
        start="2028-02-29T20:00:00+00:00",
        end="2028-03-01T20:00:00+00:00",
    )
    assert [one["id"] for one in found["sessions"]] == [ids[3]]
    found = await asked(home, "get_sessions", user="ben")
    assert [one["id"] for one in found["sessions"]] == [ids[0], ids[3]]
    assert (await asked(home, "get_sessions", user="nobody"))["total"] == 0
    found = await home.first("get_sessions", answer=True)
    assert found["total"] == 4
    again = await home.first("get_sessions", answer=True)
    assert again == found


async def test_a_session_in_words(home: HistoryHome) -> None:
    """Units, both clocks where the hour comes twice, cost in pounds, its parts."""
    await filled(home)
    [session] = (await home.first("get_sessions", answer=True, limit=1))["sessions"]
    assert session["device_id"] == home.first.devices[0]
    assert session["wallbox"] == "Garage"
    assert session["kind"] == "occasion"
    assert session["connected_local"] == "2028-10-29T00:30:00+01:00"
    assert session["connected_utc"] == "2028-10-28T23:30:00+00:00"
    assert session["disconnected_local"] == "2028-10-29T03:30:00+00:00"
    assert session["last_import_local"] == "2028-10-29T01:30:00+00:00"
    assert session["energy_kwh"] == 2.0
    assert (session["cost"], session["currency"]) == (0.2, "GBP")
    assert session["cost_status"] == "final"
    assert session["connected_s"] == 4 * 3600
    assert session["user"] == "ben"
    assert sum(one["energy_kwh"] for one in session["slices"]) == pytest.approx(2.0)
    assert session["slices"][0]["price_per_kwh"] == 0.1
    assert session["quality"]["integral_wh"] is not None


async def test_visits(home: HistoryHome) -> None:
    """Where next to nothing flowed is listed only if that is asked for."""
    visit = home.session("2028-01-05T10:00", 0.01)
    assert visit.kind == "visit"
    await home.keep(visit)
    assert (await asked(home, "get_sessions"))["total"] == 0
    assert (await asked(home, "get_sessions", visits=True))["total"] == 1


async def test_over_new_year(home: HistoryHome) -> None:
    """Energy counts in the month in which it flowed, the session where it began."""
    await filled(home)
    found = {
        day: (await asked(home, "get_summary", period="month", date=day))["total"]
        for day in ("2027-12-31", "2028-01-01")
    }
    assert [(one["sessions"], one["energy_kwh"]) for one in found.values()] == [
        (1, 1.0),
        (0, 1.0),
    ]
    year = await asked(home, "get_summary", period="year", date="2028-06-01")
    assert len(year["months"]) == 12
    assert year["total"]["energy_kwh"] == 1 + 1 + 2 + 2 + 4
    for key in ("energy_kwh", "sessions", "charging_s", "connected_s"):
        assert sum(one[key] for one in year["months"]) == year["total"][key]
    costs = [one["costs"][0]["cost"] for one in year["months"] if one["costs"]]
    assert year["total"]["costs"] == [
        {"currency": "GBP", "cost": pytest.approx(sum(costs))}
    ]


async def test_where_the_clock_changes(home: HistoryHome) -> None:
    """A month is the home's: March loses an hour, October has one more."""
    march = await asked(home, "get_summary", date="2028-03-10")
    assert march["start_local"] == "2028-03-01T00:00:00+00:00"
    assert march["end_local"] == "2028-04-01T00:00:00+01:00"
    assert march["end_utc"] == "2028-03-31T23:00:00+00:00"
    october = await asked(home, "get_summary", date="2028-10-10")
    assert october["start_utc"] == "2028-09-30T23:00:00+00:00"
    assert october["end_utc"] == "2028-11-01T00:00:00+00:00"
    late = home.session("2028-10-31T23:59", 0.5)
    early = home.session("2028-03-31T23:00", 1.0)
    await home.keep(early, late)
    for day, sessions in (("2028-03-31", 0), ("2028-04-01", 1), ("2028-10-31", 1)):
        found = await asked(home, "get_summary", date=day)
        assert found["total"]["sessions"] == sessions, day


async def test_rolling_year(home: HistoryHome) -> None:
    """The twelve months up to the end of a day, also of the 29th of February."""
    await filled(home)
    found = await asked(home, "get_summary", period="rolling_year", date="2028-02-28")
    assert found["start_local"] == "2027-02-28T00:00:00+00:00"
    assert found["end_local"] == "2028-02-29T00:00:00+00:00"
    assert found["total"]["energy_kwh"] == 2.0
    found = await asked(
        home, "get_summary", period="rolling_year", date="2029-02-28", months=True
    )
    assert found["start_local"] == "2028-03-01T00:00:00+00:00"
    assert found["total"]["energy_kwh"] == 8.0
    assert sum(one["energy_kwh"] for one in found["months"]) == 8.0
    assert [one["month"] for one in found["months"]][::11] == ["2028-03", "2029-02"]


async def test_custom(home: HistoryHome) -> None:
    """Any time, by user and by wallbox, also of one without a session."""
    await filled(home)
    span = {"start": "2028-02-01T00:00:00Z", "end": "2028-03-02T00:00:00Z"}
    found = await asked(
        home, "get_summary", period="custom", by_user=True, by_wallbox=True, **span
    )
    assert [(one["user"], one["energy_kwh"]) for one in found["users"]] == [
        ("anna", 4.0),
        ("ben", 1.0),
    ]
    assert [(one["wallbox"], one["energy_kwh"]) for one in found["wallboxes"]] == [
        ("Garage", 1.0),
        ("Carport", 4.0),
    ]
    assert "months" not in found
    found = await asked(home, "get_summary", period="custom", user="ben", **span)
    assert found["total"]["energy_kwh"] == 1.0


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("get_sessions", {"start": "2027-01-01T00:00:00"}, "time_naive"),
    ("get_sessions", {"end": "2027-01-01T00:00:00"}, "time_naive"),
    (
        "get_sessions",
        {"start": "2027-01-02T00:00Z", "end": "2027-01-02T00:00Z"},
        "power_end_before_start",
    ),
    ("get_sessions", {"user": ""}, "history_user_invalid"),
    ("get_sessions", {"user": "x" * 65}, "history_user_invalid"),
    ("get_sessions", {"device_id": "nobody"}, "unknown_wallbox"),
    ("get_summary", {"user": ""}, "history_user_invalid"),
    ("get_summary", {"period": "custom"}, "summary_custom_fields"),
    (
        "get_summary",
        {"period": "custom", "start": "2027-01-01T00:00Z"},
        "summary_custom_fields",
    ),
    ("get_summary", {"start": "2027-01-01T00:00Z"}, "summary_only_custom"),
    ("get_summary", {"end": "2027-01-01T00:00Z"}, "summary_only_custom"),
    ("get_summary", {"date": "1999-12-31"}, "summary_date_invalid"),
    ("get_summary", {"date": "9999-12-31"}, "summary_date_invalid"),
    (
        "get_summary",
        {
            "period": "custom",
            "months": True,
            "start": "2020-01-01T00:00Z",
            "end": "2030-01-02T00:00Z",
        },
        "summary_too_many_months",
    ),
    (
        "get_summary",
        {
            "period": "custom",
            "months": True,
            "start": "0001-01-01T00:00Z",
            "end": "0002-01-02T00:00Z",
        },
        "summary_too_many_months",
    ),
    ("export_sessions", {"user": ""}, "history_user_invalid"),
]
BAD_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("get_sessions", {"start": "soon"}),
    ("get_sessions", {"end": 5}),
    ("get_sessions", {"limit": 0}),
    ("get_sessions", {"limit": 1001}),
    ("get_sessions", {"offset": -1}),
    ("get_sessions", {"visits": "maybe"}),
    ("get_sessions", {"device_id": []}),
    ("get_summary", {"period": "decade"}),
    ("get_summary", {"date": "2027-02-29"}),
    ("get_summary", {"months": "some"}),
    ("export_sessions", {"format": "xml"}),
    ("export_sessions", {"rows": "hours"}),
]


@pytest.mark.parametrize("database", [False], indirect=True)
async def test_what_makes_no_sense(home: HistoryHome) -> None:
    """It is refused in words, or by the form of the call."""
    for action, data, key in BAD:
        async with refused(home.entry, key):
            await home.first(action, answer=True, **data)
    for action, data in BAD_FORMS:
        with pytest.raises(probatio.Invalid):
            await home.first(action, answer=True, **data)


async def somebody(hass: HomeAssistant, policy: PolicyType) -> str:
    """Return a user with a policy of their own."""
    await user_id(hass)
    user = await hass.auth.async_create_user("Visitor")
    user.groups = [Group(name="Some", policy=policy)]
    user.invalidate_cache()
    return user.id


@pytest.mark.parametrize("database", [False], indirect=True)
async def test_who_may_read(home: HistoryHome) -> None:
    """Whoever may see the energy, and automations; of all wallboxes or none."""
    await filled(home)
    energy = entity_id(home.hass, home.simulator, "energy_total")
    policy: PolicyType = {"entities": {"entity_ids": {energy: {"read": True}}}}
    seeing = await somebody(home.hass, policy)
    for action in ("get_sessions", "get_summary", "export_sessions"):
        for by in (None, seeing, await user_id(home.hass, "Guest", "guest")):
            assert await home.first(action, answer=True, by=by)
        async with refused(home.entry, "history_not_readable"):
            await home.both(action, answer=True, by=seeing)
        async with refused(home.entry, "history_user_gone"):
            await home.first(action, answer=True, by="nobody")


async def test_websocket(home: HistoryHome, hass_ws_client: WebSocketGenerator) -> None:
    """The commands answer as the actions do, and refuse in words."""
    await filled(home)
    client = await hass_ws_client(home.hass)

    async def said(command: str, **data: Any) -> dict[str, Any]:
        """Return the answer to a command."""
        message = {"type": f"loxone_wallbox/sessions/{command}", **data}
        await client.send_json_auto_id(message)
        answer: dict[str, Any] = await client.receive_json()
        return answer

    devices = home.both.devices
    page = await said("list", device_id=devices, limit=2, offset=1)
    assert page["result"] == await asked(home, "get_sessions", limit=2, offset=1)
    year = {"period": "year", "date": "2028-01-01", "by_user": True}
    found = await said("summary", device_id=devices, **year)
    assert found["result"] == await asked(home, "get_summary", **year)
    assert (await said("list", device_id=devices[0]))["result"]["total"] == 4
    for data, code in (
        ({"device_id": "nobody"}, "not_found"),
        ({"device_id": devices, "start": "2027-01-01T00:00:00"}, "invalid_format"),
        ({"device_id": devices, "limit": 1001}, "invalid_format"),
    ):
        refusal = await said("list", **data)
        assert refusal["error"]["code"] == code
