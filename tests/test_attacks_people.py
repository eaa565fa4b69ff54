"""Whoever is no administrator gets no further by any action, command or address."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http import HTTPStatus
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
import yaml

from homeassistant.components.websocket_api import TYPE_RESULT
from homeassistant.components.websocket_api.const import DOMAIN as WEBSOCKET
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .actions import FOLDER, TEXTS, states_of, user_id
from .attack_home import Attacked, attacked_home
from .conftest import StartSimulator
from custom_components.loxone_wallbox.const import DOMAIN

MONTH = {"period": "month", "date": "2026-11-01"}
# What everybody may who may look at the wallbox; all else is refused.
READS = {
    "dsr_list",
    "export_sessions",
    "get_power_series",
    "get_sessions",
    "get_summary",
}
# Commands of Home Assistant by which something of an integration can be read.
OTHERS: tuple[dict[str, Any], ...] = (
    {"type": "get_states"},
    {"type": "get_config"},
    {"type": "config_entries/get", "domain": DOMAIN},
    {"type": "config_entries/flow/progress"},
    {"type": "config/device_registry/list"},
    {"type": "config/entity_registry/list"},
    {"type": "repairs/list_issues"},
    {"type": "diagnostics/list"},
    {"type": "system_health/info"},
    {"type": "system_log/list"},
)


@pytest.fixture
async def home(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[Attacked]:
    """Return a home in which a car charges."""
    async with attacked_home(hass, start_simulator) as home:
        yield home


def described() -> set[str]:
    """Return every action that the integration describes."""
    return set(yaml.safe_load((FOLDER.parent / "services.yaml").read_text()))


def calls(path: Path) -> dict[str, dict[str, Any]]:
    """Return every action with what would work if an administrator called it."""
    now = dt_util.utcnow()
    span = {
        "start": (now - timedelta(minutes=1)).isoformat(),
        "end": (now + timedelta(hours=1)).isoformat(),
    }
    return {
        "set_default_hours": {"preset": "gb_complement"},
        "remove_default_hours": {},
        "override": {"mode": "pause"},
        "cancel_override": {},
        "skip_delay": {},
        "dsr_opt_out": {"scope": "all"},
        "dsr_start": {"event_id": "evil", "end": span["end"]},
        "dsr_update": {"event_id": "evil"},
        "dsr_cancel": {"event_id": "evil"},
        "dsr_list": {},
        "get_power_series": span,
        "get_sessions": {},
        "get_summary": MONTH,
        "export_sessions": {"format": "json"},
        "import_sessions": {"path": str(path / "sessions.json")},
        "get_security_log": {},
        "generate_compliance_report": {},
        "run_fallback_test": {"consent": True},
        "verify_security_log": {},
        "delete_personal_data": {"users": ["Ann"]},
    }


def commands(device_id: str) -> dict[str, dict[str, Any]]:
    """Return every command of the integration with what makes sense for it."""
    return {
        "loxone_wallbox/power/subscribe": {"device_id": device_id},
        "loxone_wallbox/sessions/list": {"device_id": device_id},
        "loxone_wallbox/sessions/summary": {"device_id": device_id, **MONTH},
        "loxone_wallbox/security/list": {"device_id": device_id},
        "loxone_wallbox/plan": {"device_id": device_id},
    }


def is_translated(error: dict[str, Any]) -> bool:
    """Tell whether a refusal has its words in every language."""
    key = error.get("translation_key", "")
    words = error.get("translation_placeholders") or {}
    return error.get("translation_domain") == DOMAIN and all(
        texts[key]["message"].format(**words) for texts in TEXTS.values()
    )


def routes(hass: HomeAssistant) -> Iterator[str]:
    """Return the commands of ours that Home Assistant knows."""
    return (one for one in hass.data[WEBSOCKET] if one.startswith(DOMAIN))


async def test_nothing_is_forgotten(home: Attacked, tmp_path: Path) -> None:
    """Every action and every command there is has its attack here."""
    hass = home.hass
    assert set(calls(tmp_path)) == described()
    assert set(hass.services.async_services_for_domain(DOMAIN)) == described()
    assert set(routes(hass)) == set(commands(""))


@pytest.mark.parametrize("kind", ["user", "guest"])
async def test_every_action(
    home: Attacked, hass_ws_client: WebSocketGenerator, tmp_path: Path, kind: str
) -> None:
    """Over the socket: refused in words, in the security log, and nothing changed."""
    client = await hass_ws_client(home.hass, await home.token("Eve", kind))
    before, sent = states_of(home.entry), list(home.see.commands)
    told, refused = [], []
    for action, data in calls(tmp_path).items():
        response = home.hass.services.supports_response(DOMAIN, action)
        await client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": DOMAIN,
                "service": action,
                "service_data": {"device_id": [home.box], **data},
                "return_response": response != "none",
            }
        )
        reply = await client.receive_json()
        told.append(json.dumps(reply))
        assert reply["success"] is (action in READS), action
        if action not in READS:
            assert is_translated(reply["error"]), action
            refused.append(action)
    home.check_nothing_told("".join(told))
    assert await home.denied() == refused
    assert states_of(home.entry) == before
    assert home.see.commands == sent
    assert home.see("status") == "charging"


@pytest.mark.parametrize("kind", ["user", "guest"])
async def test_every_command(
    home: Attacked, hass_ws_client: WebSocketGenerator, kind: str
) -> None:
    """No command of ours, and none of Home Assistant's, tells anybody a secret."""
    client = await hass_ws_client(home.hass, await home.token("Eve", kind))
    ours = [{"type": name, **data} for name, data in commands(home.box).items()]
    told, refused = [], []
    for ask in (*ours, *OTHERS):
        await client.send_json_auto_id(ask)
        while (reply := await client.receive_json())["type"] != TYPE_RESULT:
            told.append(json.dumps(reply))
        told.append(json.dumps(reply))
        if not reply["success"]:
            refused.append(ask["type"])
            assert reply["error"]["code"] in {"unauthorized", "unknown_command"}, reply
    home.check_nothing_told("".join(told))
    assert "loxone_wallbox/security/list" in refused
    assert "diagnostics/list" in refused
    assert await home.denied() == ["loxone_wallbox/security/list"]
    assert home.see("status") == "charging"


async def test_who_may_see_nothing(
    home: Attacked, hass_ws_client: WebSocketGenerator, tmp_path: Path
) -> None:
    """A user in no group reads nothing by any action or command, and that is recorded."""
    await user_id(home.hass)
    client = await hass_ws_client(home.hass, await home.token("Eve", "nobody"))
    asked = [{"type": name, **data} for name, data in commands(home.box).items()]
    names = list(commands(home.box))
    for action in sorted(READS):
        data = {"device_id": [home.box], **calls(tmp_path)[action]}
        service = {"domain": DOMAIN, "service": action, "service_data": data}
        asked.append({"type": "call_service", **service, "return_response": True})
        names.append(action)
    told = []
    for ask in asked:
        await client.send_json_auto_id(ask)
        reply = await client.receive_json()
        told.append(json.dumps(reply))
        assert reply["type"] == TYPE_RESULT
        assert reply["success"] is False, ask
    home.check_nothing_told("".join(told))
    assert await home.denied() == names


# The server's side of a socket that was refused keeps its heartbeat for a while.
@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_without_a_login(
    home: Attacked,
    hass_client_no_auth: ClientSessionGenerator,
    tmp_path: Path,
) -> None:
    """Who is not logged in is not heard: no action, no diagnostics, no socket."""
    client = await hass_client_no_auth()
    before = states_of(home.entry)
    for action, data in calls(tmp_path).items():
        answer = await client.post(
            f"/api/services/{DOMAIN}/{action}",
            json={"device_id": [home.box], **data},
            headers={"Authorization": "Bearer forged"},
        )
        assert answer.status == HTTPStatus.UNAUTHORIZED
        home.check_nothing_told(await answer.text())
    entry_id = home.entry.entry_id
    answer = await client.get(f"/api/diagnostics/config_entry/{entry_id}")
    assert answer.status == HTTPStatus.UNAUTHORIZED
    for name, data in commands(home.box).items():
        async with client.ws_connect("/api/websocket") as socket:
            assert (await socket.receive_json())["type"] == "auth_required"
            await socket.send_json({"id": 1, "type": name, **data})
            assert (await socket.receive_json())["type"] == "auth_invalid"
            await socket.receive()
            assert socket.closed
    assert await home.denied() == []
    assert states_of(home.entry) == before
    assert home.see("status") == "charging"


@pytest.mark.parametrize("kind", ["user", "guest"])
async def test_addresses(
    home: Attacked, hass_client: ClientSessionGenerator, kind: str
) -> None:
    """Neither diagnostics nor a settings flow are anybody else's."""
    client = await hass_client(await home.token("Eve", kind))
    entry_id = home.entry.entry_id
    [subentry] = home.entry.subentries
    flow = {"handler": [entry_id, "wallbox"]}
    # Home Assistant lists entries to everybody, without what is in them.
    listed = await client.get("/api/config/config_entries/entry")
    home.check_nothing_told(await listed.text())
    for method, address, data in (
        ("GET", f"/api/diagnostics/config_entry/{entry_id}", None),
        ("POST", "/api/config/config_entries/flow", {"handler": DOMAIN}),
        ("POST", "/api/config/config_entries/options/flow", {"handler": entry_id}),
        ("POST", "/api/config/config_entries/subentries/flow", flow),
        ("DELETE", f"/api/config/config_entries/entry/{entry_id}", None),
    ):
        answer = await client.request(method, address, json=data)
        assert answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}, address
        home.check_nothing_told(await answer.text())
    assert list(home.entry.subentries) == [subentry]
    assert home.hass.config_entries.flow.async_progress() == []
    assert home.see("status") == "charging"
