"""Attacks by the wire, by names and by what actions take: refused, told, and over."""

from collections.abc import AsyncIterator
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import probatio
import pytest
import yaml

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .actions import FOLDER, TEXTS, states_of
from .attack_home import Attacked, attacked_home
from .conftest import StartSimulator
from .helpers import eventually
from .security_home import log_files, logged
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import User
from simulator.connection import _Message
from simulator.states import Kind

# Line ends of every kind, a terminal's colours, an end of a text, and a web page.
EVIL = (
    "X\nFORGED 1\r\nFORGED 2\x0bFORGED 3\x0cFORGED 4\x85FORGED 5\u2028FORGED 6"
    '\x1b[2J\x1b[31m\x00","seq":99}<script>alert(1)</script>\u202e{{ 7*7 }}%s'
)
# Every action that takes a path; each of them is offered one that leads elsewhere.
WITH_PATH = sorted(
    action
    for action, described in yaml.safe_load(
        (FOLDER.parent / "services.yaml").read_text()
    ).items()
    if "path" in described["fields"]
)
DEEP = "[" * 100_000
LONG = "x" * 1_000_000
FOREVER = "9999-12-31T23:59:59-12:00"
NEVER = "0001-01-01T00:00:00+14:00"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Attacked]:
    """Return a home in which a car charges, and which reconnects at once."""
    for name in ("RETRY_MIN_S", "RETRY_MAX_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)
    async with attacked_home(hass, start_simulator) as home:
        yield home


def forged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the log that somebody else has begun or coloured."""
    formatter = logging.Formatter("%(levelname)s %(name)s %(message)s")
    lines = (
        line
        for record in caplog.records
        if not record.name.startswith("simulator")
        for line in formatter.format(record).splitlines()
    )
    return [
        line for line in lines if line.startswith("FORGED") or {"\x1b", "\0"} & {*line}
    ]


async def check_whole(home: Attacked) -> None:
    """Expect that every line of the security log is a record, and the chain whole."""
    records = await logged(home.hass, home.simulator)
    text = "".join(
        file.read_text(encoding="utf-8")
        for file in log_files(home.hass, home.simulator)
    )
    assert len(text.splitlines()) == len(records)
    assert all(json.loads(line) for line in text.splitlines())
    assert text.replace("\n", "").isprintable()
    verdict = await home.act("verify_security_log", answer=True)
    assert verdict["whole"]


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("half_table", {}),
        ("half_table", {"kind": 3}),
        ("garbage_frame", {"size": 5000}),
        ("wrong_length", {}),
        ("huge_length", {}),
    ],
)
async def test_truncated_frames(
    home: Attacked, fault: str, options: dict[str, Any]
) -> None:
    """A frame that is not what it says ends the link, is told, and changes nothing."""
    before, links = states_of(home.entry), home.client.connections
    home.simulator.fault(fault, **options)
    await eventually(lambda: bool(home.client.connections > links))
    await home.charges()
    [record] = await logged(home.hass, home.simulator, "invalid_input")
    assert record["detail"]["reason"] == "protocol_broken"
    assert record["source"] == "miniserver"
    assert states_of(home.entry) == before
    assert home.see.commands == ["allow/off", "allow/on"]


async def test_replayed_frames(home: Attacked) -> None:
    """What is said again is no answer, no other session and no other energy."""
    [link] = home.simulator.clients
    before, links = states_of(home.entry), home.client.connections
    forged = {"control": "dev/sps/io/forged", "value": "1", "Code": "200"}
    for _ in range(20):
        link.send_all_states()
        link._put(_Message(kind=Kind.TEXT, payload=json.dumps({"LL": forged})))
    await home.see.call("number.set_value", "target_power", value=6)
    await eventually(lambda: home.see("power_limit") == "6.0")
    await home.charges()
    assert home.client.connections == links
    assert home.see.commands[2:] == ["manualLimit/6"]
    assert states_of(home.entry)[0]["override"] == before[0]["override"]


def hostile(text: str, home: Attacked) -> dict[str, str]:
    """Return structure files nobody should have to read, by what is wrong with them."""
    good = json.loads(text)

    def with_serial(serial: object) -> str:
        """Return the file of another Miniserver."""
        return json.dumps({**good, "msInfo": {**good["msInfo"], "serialNr": serial}})

    return {
        "deep": DEEP,
        "deep in a control": text[:-1] + ',"x":' + DEEP,
        "no object": "[]",
        "nothing": "",
        "cut": text[: len(text) // 2],
        "controls are a list": json.dumps({**good, "controls": [1]}),
        "no Miniserver": json.dumps({**good, "msInfo": 7}),
        "another folder": with_serial(f"../{home.simulator.config.serial}"),
        "another Miniserver": with_serial("504F94000001"),
        "no serial number": with_serial(["504F94000001"]),
    }


def odd(text: str, home: Attacked) -> dict[str, str]:
    """Return structure files whose wallbox makes no sense, by what is wrong with it."""
    good, box = json.loads(text), home.simulator.wallboxes[0].uuid

    def with_box(**changes: Any) -> str:
        """Return the file with another wallbox in the place of ours."""
        control = {**good["controls"][box], **changes}
        return json.dumps({**good, "controls": {**good["controls"], box: control}})

    return {
        "types": with_box(details=3, states=[], name={}, room=7, subControls="x"),
        "numbers": with_box(details={"min": "1e999", "max": 1e308, "modes": 5}),
        "an id that is a path": json.dumps(
            {**good, "controls": {"../../x": good["controls"][box]}}
        ),
    }


async def test_hostile_structure_files(
    home: Attacked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is put away, which is told, and after them a good one is read again."""
    source = home.simulator.unit.structure
    user = next(iter(home.simulator.unit.accounts.users.values()))
    before, good = states_of(home.entry), source.text(user)
    waiting = list(hostile(good, home).values())
    links = home.client.connections

    def text(_user: User) -> str:
        """Return the next one, a good one after the last."""
        return waiting.pop() if waiting else good

    with monkeypatch.context() as changed:
        changed.setattr(source, "text", text)
        await home.simulator.change_structure(down_s=0.05)
        await eventually(lambda: not waiting, 20)
        await eventually(lambda: bool(home.client.connections > links), 10)
    assert home.client.connections == links + 1
    await home.charges()
    records = await logged(home.hass, home.simulator, "invalid_input")
    assert records[0]["detail"]["reason"] == "structure_unreadable"
    assert states_of(home.entry) == before
    assert "Traceback" not in caplog.text
    assert home.see.commands == ["allow/off", "allow/on"]


async def back_after_a_save(home: Attacked) -> None:
    """Save in Loxone Config, and wait until the link is there again."""
    links = home.client.connections
    await home.simulator.change_structure(down_s=0.05)
    await eventually(lambda: bool(home.client.connections > links), 10)


async def test_odd_wallboxes(home: Attacked, monkeypatch: pytest.MonkeyPatch) -> None:
    """What of a file makes no sense is left out; the car charges on."""
    source = home.simulator.unit.structure
    user = next(iter(home.simulator.unit.accounts.users.values()))
    good, serial = source.text(user), home.simulator.config.serial
    before = states_of(home.entry)
    for text in odd(good, home).values():
        with monkeypatch.context() as changed:
            changed.setattr(source, "text", lambda _user, text=text: text)
            await back_after_a_save(home)
        assert home.client.structure.serial == serial
        await back_after_a_save(home)
        await home.charges()
    told = await logged(home.hass, home.simulator, "invalid_input")
    assert any(one["detail"].get("what") == "unreadable" for one in told)
    assert states_of(home.entry) == before
    assert home.simulator.wallboxes[0].enabled


def wrong_events() -> list[tuple[str, dict[str, Any]]]:
    """Return grid events that make no sense."""
    return [
        ("dsr_start", {"event_id": "A", "end": "2027-01-01T00:00:00Z", **wrong})
        for wrong in (
            {"event_id": LONG},
            {"program": LONG},
            {"source": EVIL * 10},
            {"event_id": EVIL},
            {"end": FOREVER},
            {"end": NEVER},
            {"start": NEVER},
            {"limit_kw": "inf", "kind": "limit"},
            {"limit_kw": "nan", "kind": "limit"},
            {"priority": 10**400},
            {"reward_per_kwh": "nan"},
            {"validity_s": 10**30},
            {"version": 10**400},
            {"kind": EVIL},
        )
    ]


def nonsense(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return what actions are not to take: too much, too far away, too deep."""
    return [
        *wrong_events(),
        ("dsr_update", {"event_id": EVIL}),
        ("dsr_opt_out", {"scope": "event", "event_id": EVIL}),
        ("override", {"mode": EVIL}),
        ("override", {"mode": "pause", "until": "time", "end": FOREVER}),
        ("override", {"mode": "pause", "until": "time", "end": NEVER}),
        (
            "override",
            {"mode": "pause", "until": "duration", "duration": {"days": 999_999_999}},
        ),
        ("set_default_hours", {"windows": [{}] * 10_000}),
        ("set_default_hours", {"windows": [{"start": LONG, "end": EVIL, "days": []}]}),
        ("set_default_hours", {"windows": [{EVIL: EVIL}]}),
        ("get_power_series", {"session": EVIL}),
        ("get_power_series", {"start": NEVER, "end": FOREVER}),
        ("get_sessions", {"limit": 10**30}),
        ("get_sessions", {"start": FOREVER, "end": NEVER}),
        ("get_summary", {"period": "custom", "start": FOREVER, "end": NEVER}),
        ("get_summary", {"period": EVIL}),
        ("import_sessions", {"data": DEEP}),
        ("import_sessions", {"data": EVIL}),
        ("import_sessions", {"data": {"format": EVIL}}),
        ("get_security_log", {"kinds": [EVIL]}),
        ("get_security_log", {"offset": 10**30}),
        ("delete_personal_data", {"users": [LONG]}),
        ("delete_personal_data", {"users": ["x"] * 10_000}),
        ("delete_personal_data", {"users": [EVIL]}),
        ("run_fallback_test", {"consent": EVIL}),
        ("verify_security_log", {"device_id": [EVIL]}),
        ("override", {"mode": "pause", "device_id": [LONG]}),
        ("override", {"mode": "pause", "device_id": ["x"] * 10_000}),
        *(
            (action, {"path": f"{path}/{name}"})
            for action in WITH_PATH
            for name in (
                "../../outside.csv",
                "../secrets.json",
                "%2e%2e/outside.md",
                f"{EVIL}.csv",
                "x" * 10_000,
                "..",
                "",
            )
        ),
    ]


def others(path: Path) -> list[Path]:
    """Return every file that is not the integration's own."""
    return sorted(one for one in path.rglob("*") if DOMAIN not in one.parts)


async def test_nonsense(
    home: Attacked, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Too much, too far or too deep: refused in words, and nothing is as it was not."""
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "allowed"
    folder.mkdir()
    home.hass.config.allowlist_external_dirs = {str(folder)}
    before, files = states_of(home.entry), others(tmp_path)
    wrong = []
    for action, data in nonsense(folder):
        response = home.hass.services.supports_response(DOMAIN, action)
        try:
            with contextlib.suppress(probatio.Invalid):
                await home.act(action, answer=response != "none", **data)
                wrong.append((action, str(data)[:80], "taken"))
        except HomeAssistantError as err:
            words = err.translation_placeholders or {}
            key = str(err.translation_key)
            for texts in TEXTS.values():
                assert texts[key]["message"].format(**words)
        except Exception as err:  # noqa: BLE001 - each is told, with what it was
            wrong.append((action, str(data)[:80], repr(err)[:200]))
    assert wrong == []
    assert states_of(home.entry) == before
    assert others(tmp_path) == files
    assert forged(caplog) == []
    await check_whole(home)
    await home.charges()


async def test_names(
    home: Attacked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Names of the Miniserver's are one line that nobody obeys."""
    caplog.set_level(logging.DEBUG)
    [box] = home.simulator.wallboxes
    source = home.simulator.unit.structure
    user = next(iter(home.simulator.unit.accounts.users.values()))
    evil = json.loads(source.text(user))
    for name in ("msName", "projectName", "currency", "location"):
        evil["msInfo"][name] = EVIL
    for control in evil["controls"].values():
        control["name"] = EVIL
    for room in evil["rooms"].values():
        room["name"] = EVIL
    monkeypatch.setattr(source, "text", lambda _user: json.dumps(evil))
    await home.simulator.change_structure(down_s=0.05)
    box.set_user(EVIL)
    box.lock(EVIL)
    await eventually(lambda: home.see("status") == "locked", 10)
    structure = home.client.structure
    told = structure.wallboxes[box.uuid]
    names = (structure.name, structure.project, structure.currency, told.name)
    assert all(name.isprintable() and "FORGED" in name for name in names)
    assert told.room is None or told.room.isprintable()
    box.unlock()
    await home.charges()
    box.unplug()
    await eventually(lambda: home.see("status") == "disconnected")
    await home.hass.async_block_till_done()
    assert forged(caplog) == []
    await check_whole(home)
