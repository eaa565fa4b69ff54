"""The security log as its owner has it: read, checked, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
import csv
from datetime import timedelta
from functools import partial
import json
from pathlib import Path
import re
import threading
from typing import Any
from unittest.mock import Mock

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .actions import Actions, refused, user_id
from .conftest import PASSWORD, StartSimulator, make_entry, set_up
from .flow_texts import LANGUAGES
from .helpers import Surface, eventually
from .security_home import broken, log_files, log_of, logged, miniserver_device
from custom_components.loxone_wallbox import security
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.security_log import SecurityLog
from custom_components.loxone_wallbox.rights import SecurityEvent
from simulator import Simulator

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Home:
    """A home whose wallboxes only administrators may override."""

    def __init__(self, hass: HomeAssistant, simulator: Simulator) -> None:
        """Take what is set up later."""
        self.hass = hass
        self.simulator = simulator
        self.entry: MockConfigEntry
        self.see = Surface(hass, simulator)

    async def begin(self, **data: Any) -> None:
        """Set it up."""
        entry = make_entry(self.simulator, data=data, override_users=[])
        self.entry = await set_up(self.hass, entry)

    async def restart(self) -> None:
        """Restart; only what is on the disk is left."""
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        self.hass.data[security._LOGS].clear()
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def attack(self, times: int = 1, box: int = 0) -> None:
        """Have somebody without the right override, each time in another way."""
        bob = await user_id(self.hass, "Bob", "user")
        ways = ("override", "cancel_override", "skip_delay", "remove_default_hours")
        act = Actions(self.hass, self.simulator, box)
        for number in range(times):
            data = {"mode": "charge"} if ways[number % 4] == "override" else {}
            with pytest.raises(HomeAssistantError):
                await act(ways[number % 4], by=bob, **data)
        await self.hass.async_block_till_done()

    async def ask(self, action: str, *, by: Any = "", **data: Any) -> Any:
        """Call an action on the Miniserver."""
        act = Actions(self.hass, self.simulator)
        act.devices = [miniserver_device(self.hass, self.simulator)]
        return await act(action, by=by, answer=True, **data)


@pytest.fixture
async def home(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[Home]:
    """Return a home that is set up."""
    home = Home(hass, await start_simulator())
    await home.begin()
    yield home
    if hass.config_entries.async_get_entry(home.entry.entry_id) is not None:
        await hass.config_entries.async_unload(home.entry.entry_id)


async def test_a_refusal(home: Home) -> None:
    """It is on the disk and then an event of that wallbox; who it was is in no state."""
    both = [Surface(home.hass, home.simulator, box) for box in (0, 1)]
    assert [see("security") for see in both] == ["unknown", "unknown"]
    await home.attack()
    [record] = await logged(home.hass, home.simulator)
    assert record["kind"] == "action_denied"
    assert record["outcome"] == "attempt_failed"
    assert STAMP.fullmatch(record["utc"])
    assert record["source"].startswith("ha_user:p")
    assert record["detail"]["wallbox"] == "Garage"
    assert record["detail"]["action"] == "override"
    assert record["hash"] in log_files(home.hass, home.simulator)[0].read_text()
    assert both[0].attribute("security", "event_type") == "action_denied"
    assert both[0].attribute("security", "seq") == 1
    assert both[0].attribute("security", "source") == "ha_user"
    assert both[1]("security") == "unknown"
    bob = await user_id(home.hass, "Bob", "user")
    everything = json.dumps([one.as_dict() for one in home.hass.states.async_all()])
    assert record["source"].partition(":")[2] not in everything
    assert bob not in everything


async def test_what_comes_while_the_log_is_read(home: Home) -> None:
    """It is written as soon as whoever reads is done."""
    log = log_of(home.hass, home.simulator)
    async with log._turn:
        log.record(SecurityEvent(kind="tamper_on", outcome="info"))
    await home.hass.async_block_till_done()
    assert home.see.attribute("security", "event_type") == "tamper_on"


async def test_what_is_read(home: Home, tmp_path: Path) -> None:
    """By wallbox, kind, time and page, the newest first; as a table and as a file."""
    await home.attack(3)
    await home.attack(1, box=1)
    whole = await home.ask("get_security_log")
    assert [one["seq"] for one in whole["records"]] == [4, 3, 2, 1]
    of_one = await Actions(home.hass, home.simulator, 1)(
        "get_security_log", answer=True
    )
    assert [one["seq"] for one in of_one["records"]] == [4]
    some = await home.ask("get_security_log", limit=2, offset=1)
    assert [one["seq"] for one in some["records"]] == [3, 2]
    assert some["total"] == 4
    none = await home.ask("get_security_log", kinds=["tamper_on"])
    assert none["records"] == []
    end = (dt_util.utcnow() - timedelta(hours=1)).isoformat()
    assert (await home.ask("get_security_log", end=end))["total"] == 0
    table = await home.ask("get_security_log", format="csv")
    rows = list(csv.DictReader(table["content"].splitlines()))
    assert [int(row["seq"]) for row in rows] == [4, 3, 2, 1]
    assert json.loads(rows[3]["detail"])["wallbox"] == "Garage"
    home.hass.config.allowlist_external_dirs = {str(tmp_path)}
    file = tmp_path / "log.json"
    answer = await home.ask("get_security_log", path=str(file))
    assert answer["count"] == 4
    assert json.loads(file.read_text()) == whole["records"]
    async with refused(home.entry, "path_not_allowed"):
        await home.ask("get_security_log", path="/etc/log.json")
    newest = (await home.ask("get_security_log"))["records"][0]
    assert newest["detail"]["reason"] == "path_not_allowed"
    async with refused(home.entry, "path_of_another_kind"):
        await home.ask("get_security_log", path=str(tmp_path / "secrets.yaml"))


async def test_whose_log(home: Home, start_simulator: StartSimulator) -> None:
    """Each Miniserver has its own; it can be read while the Miniserver is away."""
    await home.attack()
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert (await home.ask("get_security_log"))["total"] == 1
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    act = Actions(home.hass, home.simulator)
    act.devices = ["nobody"]
    async with refused(home.entry, "security_unknown_device"):
        await act("verify_security_log", answer=True)
    other = Home(home.hass, await start_simulator(serial="504F94A0FFFF"))
    await other.begin()
    act.devices = [miniserver_device(home.hass, one.simulator) for one in (home, other)]
    async with refused(home.entry, "security_one_miniserver"):
        await act("get_security_log", answer=True)
    assert (await other.ask("get_security_log"))["total"] == 0
    await home.hass.config_entries.async_unload(other.entry.entry_id)


@pytest.mark.parametrize("kind", ["user", "guest"])
async def test_only_administrators(
    home: Home,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    kind: str,
) -> None:
    """Everybody else is refused by action and command, and that is in the log."""
    await home.attack()
    somebody = await user_id(home.hass, "Eve", kind)
    for action in ("get_security_log", "verify_security_log"):
        async with refused(home.entry, "security_administrator_needed"):
            await home.ask(action, by=somebody)
    ask = {
        "type": "loxone_wallbox/security/list",
        "device_id": miniserver_device(home.hass, home.simulator),
    }
    client = await hass_ws_client(home.hass, hass_read_only_access_token)
    await client.send_json_auto_id(ask)
    reply = await client.receive_json()
    assert not reply["success"]
    assert reply["error"]["code"] == "unauthorized"
    told = await logged(home.hass, home.simulator, "action_denied")
    assert [one["detail"]["action"] for one in told[1:]] == [
        "get_security_log",
        "verify_security_log",
        "loxone_wallbox/security/list",
    ]
    assert len({one["source"] for one in told}) == 3
    client = await hass_ws_client(home.hass)
    await client.send_json_auto_id({**ask, "limit": 2})
    reply = await client.receive_json()
    assert [one["seq"] for one in reply["result"]["records"]] == [4, 3]
    assert reply["result"]["total"] == 4
    # An automation was written by an administrator.
    assert (await home.ask("get_security_log", by=None))["total"] == 4


async def test_restart_and_rotation(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is missing over both, and it is one chain."""
    small = partial(SecurityLog, most_records=4)
    monkeypatch.setattr(security, "SecurityLog", small)
    await home.restart()
    for _ in range(3):
        await home.attack(4)
        await home.restart()
    records = await logged(home.hass, home.simulator)
    assert [one["seq"] for one in records] == list(range(1, len(records) + 1))
    kinds = [one["kind"] for one in records]
    assert kinds.count("action_denied") == 12
    assert kinds.count("log_rotated") >= 3
    assert len(log_files(home.hass, home.simulator)) >= 4
    verdict = await home.ask("verify_security_log")
    count = len(records)
    assert verdict == {
        "whole": True,
        "records": count,
        "last_seq": count,
        "broken_seq": None,
    }


def flip(file: Path, seq: int) -> None:
    """Change one byte in a record."""
    lines = file.read_bytes().splitlines(keepends=True)
    middle = lines[seq - 1].index(b"action_denied")
    changed = bytearray(lines[seq - 1])
    changed[middle] ^= 0x01
    lines[seq - 1] = bytes(changed)
    file.write_bytes(b"".join(lines))


@pytest.mark.parametrize("at_start", [False, True])
async def test_one_byte(
    home: Home, hass_client: ClientSessionGenerator, *, at_start: bool
) -> None:
    """Its record is named, the owner is asked, and checking begins anew behind it."""
    assert await async_setup_component(home.hass, REPAIRS, {})
    await home.attack(4)
    flip(log_files(home.hass, home.simulator)[0], 3)
    if at_start:
        await home.restart()
        assert home.entry.state is ConfigEntryState.LOADED
    else:
        assert broken(home.hass, home.simulator) is None
    verdict = await home.ask("verify_security_log")
    assert (verdict["whole"], verdict["broken_seq"]) == (False, 3)
    issue = broken(home.hass, home.simulator)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["record"] == "3"
    [told] = await logged(home.hass, home.simulator, "chain_broken")
    assert told["detail"] == {"first_broken": 3}
    if not at_start:
        assert home.see.attribute("security", "event_type") == "chain_broken"
    await settle(home, await hass_client(), issue.issue_id)
    assert broken(home.hass, home.simulator) is None
    verdict = await home.ask("verify_security_log")
    assert verdict["whole"]
    assert verdict["records"] == 2
    left = await home.ask("get_security_log")
    assert left["total"] == 5
    changed = left["records"][0]
    assert changed["kind"] == "config_security_changed"
    assert changed["source"].startswith("ha_user:p")


async def settle(home: Home, client: Any, issue_id: str) -> None:
    """Take note of the break as the frontend does."""
    response = await client.post(
        "/api/repairs/issues/fix",
        json={"handler": "loxone_wallbox", "issue_id": issue_id},
    )
    form = await response.json()
    assert form["step_id"] == "confirm"
    for texts in LANGUAGES.values():
        flow = texts["issues"]["security_log_broken"]["fix_flow"]
        for text in flow["step"]["confirm"].values():
            assert text.format(**form["description_placeholders"])
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await response.json())["type"] == "create_entry"
    await home.hass.async_block_till_done()


async def test_a_disk_that_gives_and_takes_nothing(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """The wallboxes are set up and refuse as ever; what came is written later."""
    home = Home(hass, await start_simulator())
    folder = Path(hass.config.path("loxone_wallbox")) / home.simulator.config.serial
    blocked = folder / "security.000001.jsonl"
    blocked.mkdir(parents=True)
    await home.begin()
    assert home.entry.state is ConfigEntryState.LOADED
    await home.attack(3)
    assert home.see("security") == "unknown"
    async with refused(home.entry, "security_log_unreadable"):
        await home.ask("verify_security_log")
    blocked.rmdir()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=310))
    await eventually(lambda: home.see.attribute("security", "seq") == 3)
    assert (await home.ask("verify_security_log"))["whole"]
    await hass.config_entries.async_unload(home.entry.entry_id)


async def test_wrong_logins(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Many of them are two records, and no password is in any file of the log."""
    home = Home(hass, await start_simulator())
    await home.begin(password="wrong horse 8")
    for _ in range(3):
        await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done()
    [first] = await logged(hass, home.simulator, "auth_failed")
    assert first["source"] == "miniserver"
    assert first["detail"] == {"reason": "login_refused"}
    await log_of(hass, home.simulator).async_stop()
    told = await logged(hass, home.simulator, "auth_failed")
    assert [one["detail"].get("repeated") for one in told] == [None, 3]
    assert set(told[1]["detail"]) == {"repeated", "first", "last", "reason"}
    hass.config_entries.async_update_entry(
        home.entry, data={**home.entry.data, "password": PASSWORD}
    )
    await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.LOADED
    token = home.entry.data["token"]["value"]
    files = log_files(hass, home.simulator)[0].parent.glob("security.*")
    kept = b"".join(file.read_bytes() for file in files)
    assert b"auth_failed" in kept
    for secret in ("wrong horse 8", PASSWORD, token):
        assert secret.encode() not in kept
    await hass.config_entries.async_unload(home.entry.entry_id)


async def test_a_name_stays_on_its_line(
    hass: HomeAssistant, start_simulator: StartSimulator
) -> None:
    """Whatever somebody calls a wallbox begins no record of its own."""
    home = Home(hass, await start_simulator())
    entry = make_entry(home.simulator, override_users=[])
    evil = 'Garage\n{"c":"0","r":{"seq":99,"kind":"data_deleted"}}\r\u2028=1+1'
    for one in entry.subentries.values():
        object.__setattr__(one, "title", evil)
    home.entry = await set_up(hass, entry)
    await home.attack(2)
    records = await logged(hass, home.simulator)
    assert [one["seq"] for one in records] == [1, 2]
    assert all(one["detail"]["wallbox"].isprintable() for one in records)
    [file] = log_files(hass, home.simulator)
    assert len(file.read_text().splitlines()) == 2
    table = await home.ask("get_security_log", format="csv")
    assert len(table["content"].splitlines()) == 3
    assert (await home.ask("verify_security_log"))["whole"]
    await hass.config_entries.async_unload(home.entry.entry_id)


@pytest.mark.parametrize("wish", ["goes", "stays"])
async def test_a_broken_log_of_a_miniserver_that_is_removed(
    home: Home, wish: str
) -> None:
    """Nobody is asked about it any more."""
    hass, entry = home.hass, home.entry
    hass.config_entries.async_update_entry(entry, options={"history_on_removal": wish})
    log = log_of(hass, home.simulator)
    log.record(SecurityEvent(kind="tamper_on", outcome="info"))
    await log.async_verify()
    [file] = log_files(hass, home.simulator)
    file.write_bytes(file.read_bytes().replace(b"tamper_on", b"tamper_of"))
    await log.async_verify()
    assert broken(hass, home.simulator) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert broken(hass, home.simulator) is None


async def test_more_than_can_wait(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many were lost while the disk took nothing is recorded in their place."""
    monkeypatch.setattr(security, "MOST_WAITING", 5)
    log = log_of(home.hass, home.simulator)
    append, gate = SecurityLog.append, threading.Event()

    def fails(*_args: Any) -> None:
        """Fail like a full disk, while others come."""
        gate.wait(10)
        raise JournalError("full")

    def happen(*numbers: int) -> None:
        """Have something happen so many times."""
        for number in numbers:
            detail = {"number": number}
            log.record(
                SecurityEvent(kind="invalid_input", outcome="info", detail=detail)
            )

    monkeypatch.setattr(SecurityLog, "append", fails)
    happen(0)
    await asyncio.sleep(0.05)
    happen(*range(1, 9))
    gate.set()
    await home.hass.async_block_till_done()
    happen(9, 10)
    monkeypatch.setattr(SecurityLog, "append", append)
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=6))
    await home.hass.async_block_till_done()
    lost, *others = await logged(home.hass, home.simulator)
    assert lost["kind"] == "data_deleted"
    assert lost["detail"]["what"] == "security_events"
    assert lost["detail"]["reason"] == "disk_full"
    assert lost["detail"]["number"] == 6
    assert STAMP.fullmatch(lost["detail"]["first"])
    assert lost["utc"] == lost["detail"]["last"]
    assert [one["detail"]["number"] for one in others] == [6, 7, 8, 9, 10]
    happen(11)
    newest = (await logged(home.hass, home.simulator))[-1]
    assert newest["kind"] == "invalid_input"


async def test_a_listener_that_fails(home: Home) -> None:
    """The others are told, and the log goes on."""
    log, told = log_of(home.hass, home.simulator), []

    def fails(_record: object) -> None:
        """Fail."""
        raise ValueError("a fault of ours")

    log.listen(fails)
    log.listen(lambda record: told.append(record["kind"]))
    for _ in range(2):
        log.record(SecurityEvent(kind="tamper_on", outcome="info"))
        log.record(SecurityEvent(kind="tamper_off", outcome="info"))
    assert len(await logged(home.hass, home.simulator)) == 4
    assert len(told) == 4


async def test_a_log_that_is_read_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not called unread any longer, whoever has read it."""
    log = log_of(home.hass, home.simulator)
    await log.async_verify()
    with monkeypatch.context() as disk:
        disk.setattr(SecurityLog, "check", Mock(side_effect=JournalError("no")))
        with pytest.raises(JournalError):
            await log.async_verify()
    assert log.failing
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=400))
    await eventually(lambda: not log.failing)
