"""Sessions taken away and brought back: tables, files, another Miniserver, refusals."""

import asyncio
from collections.abc import AsyncIterator
import csv
from dataclasses import replace
import io
import json
import os
from pathlib import Path
import tempfile
from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .actions import refused, user_id
from .conftest import StartSimulator
from .helpers import eventually
from .history_home import HistoryHome, history_home
from .security_home import logged
from custom_components.loxone_wallbox import history_export, history_pages
from custom_components.loxone_wallbox.people import async_get_people
from custom_components.loxone_wallbox.records import queries
from custom_components.loxone_wallbox.records.ledger import Ledger

ANNA, FORMULA = "p000000000000a77a", '=HYPERLINK("x")'
YEAR = {"period": "year", "date": "2024-01-01", "by_user": True, "by_wallbox": True}


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    """Have the recorder write to a file, as at home."""
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
async def home(
    recorder_mock: Recorder, hass: HomeAssistant, start_simulator: StartSimulator
) -> AsyncIterator[HistoryHome]:
    """Return a home with some sessions."""
    assert recorder_mock.enabled
    async with history_home(hass, start_simulator) as home:
        named = (await async_get_people(hass)).pseudonym("named")
        hass.config_entries.async_update_entry(
            home.entry, options={"people": {"named": FORMULA}}
        )
        await home.keep(
            home.session("2024-02-29T20:00", user=ANNA),
            home.session("2024-10-26T23:30", 4.0, user=named),
        )
        await home.keep(home.session("2024-03-01T20:00", 8.0, box=1, user=ANNA), box=1)
        yield home


@pytest.fixture
async def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a folder that Home Assistant allows."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    hass.config.allowlist_external_dirs = {str(allowed)}
    return allowed


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [one.name for one in folder.iterdir()]


async def summary(home: HistoryHome) -> Any:
    """Return the sums of the year."""
    return await home.both("get_summary", answer=True, **YEAR)


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the rows of a table as Python reads it."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_table(home: HistoryHome) -> None:
    """One row a session, both clocks, and no formula."""
    answer = await home.both("export_sessions", answer=True)
    rows = rows_of(answer["content"])
    assert [row["energy_kwh"] for row in rows] == ["1.0", "4.0", "2.0"]
    assert [row["wallbox"] for row in rows] == ["Garage", "Carport", "Garage"]
    assert rows[2]["connected_local"] == "2024-10-27T00:30:00+01:00"
    assert rows[2]["disconnected_local"] == "2024-10-27T03:30:00+00:00"
    assert rows[2]["connected_utc"] == "2024-10-26T23:30:00+00:00"
    assert (rows[2]["source"], rows[2]["flagged"]) == ("", "false")
    assert {"error_pct", "integral_wh", "mode"} <= rows[2].keys()
    assert rows[2]["user"] == f"'{FORMULA}"
    assert (rows[0]["user"], rows[0]["cost"], rows[0]["currency"]) == (
        ANNA,
        "0.1",
        "GBP",
    )
    parts = await home.both("export_sessions", answer=True, rows="slices")
    found = rows_of(parts["content"])
    assert sum(float(one["energy_kwh"]) for one in found) == pytest.approx(7.0)
    assert {one["session_id"] for one in found} == {one["id"] for one in rows}
    assert {one["price_per_kwh"] for one in found} == {"0.1"}
    one = await home.both("export_sessions", answer=True, user=ANNA)
    assert one["sessions"] == 2


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "  =1"])
async def test_no_formula(home: HistoryHome, text: str) -> None:
    """However a text begins, a table program shows it and runs nothing."""
    record = replace(home.session("2024-05-01T20:00"), tag=text)
    await home.keep(record)
    answer = await home.first("export_sessions", answer=True)
    [row] = [one for one in rows_of(answer["content"]) if one["id"] == record.id]
    assert row["tag"] == f"'{text}"


async def test_there_and_back(home: HistoryHome, folder: Path) -> None:
    """What was exported to a file, wiped and imported gives the same sums."""
    before = await summary(home)
    path = str(folder / "sessions.json")
    done = await home.both("export_sessions", answer=True, format="json", path=path)
    assert done == {"format": "json", "sessions": 3, "path": path}
    assert names(folder) == ["sessions.json"]
    await home.wipe()
    empty = await summary(home)
    assert (empty["total"]["sessions"], empty["total"]["energy_kwh"]) == (0, 0)
    report = await home.both("import_sessions", answer=True, path=path)
    counts = [(one["imported"], one["already_there"]) for one in report["wallboxes"]]
    assert counts == [(2, 0), (1, 0)]
    assert await summary(home) == before
    again = await home.both("import_sessions", answer=True, path=path)
    counts = [(one["imported"], one["already_there"]) for one in again["wallboxes"]]
    assert counts == [(0, 2), (0, 1)]
    assert all(one["refused"] == [] for one in again["wallboxes"])
    assert await summary(home) == before


async def test_one_writer_at_a_time(
    home: HistoryHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that runs is not written while an import writes to the same ledger."""
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    await home.wipe()
    order: list[str] = []
    absorb, write = Ledger.absorb, Ledger.write
    loop = home.hass.loop

    async def plugged() -> None:
        """Plug a car in and let what follows from that begin."""
        home.simulator.wallboxes[0].plug()
        await eventually(lambda: home.see("vehicle_connected") == "on")
        await home.hass.async_add_executor_job(lambda: None)

    def slow(ledger: Ledger, records: Any) -> list[str]:
        """Import while a car is plugged in."""
        order.append("import begins")
        asyncio.run_coroutine_threadsafe(plugged(), loop).result(20)
        taken = absorb(ledger, records)
        order.append("import ends")
        return taken

    def noted(ledger: Ledger, record: Any, transition: str) -> bool:
        """Write what happened."""
        order.append(transition)
        return write(ledger, record, transition)

    monkeypatch.setattr(Ledger, "absorb", slow)
    monkeypatch.setattr(Ledger, "write", noted)
    await home.first("import_sessions", answer=True, data=exported)
    await eventually(lambda: "session_started" in order)
    assert order.index("import ends") < order.index("session_started")


async def test_table_in_a_file(home: HistoryHome, folder: Path) -> None:
    """A table in a file is the one of the answer, and only ours to read."""
    path = folder / "sessions.csv"
    answer = await home.both("export_sessions", answer=True)
    await home.both("export_sessions", path=str(path))
    assert path.read_bytes().decode() == answer["content"]
    assert path.stat().st_mode & 0o077 == 0


async def test_a_long_history(home: HistoryHome, folder: Path) -> None:
    """A file is written page by page, in the order and with the content of an answer."""
    answer = await home.both("export_sessions", answer=True, format="json")
    table = await home.both("export_sessions", answer=True)
    with patch.object(history_pages, "PAGE", 1):
        for kind in ("json", "csv"):
            path = str(folder / f"sessions.{kind}")
            done = await home.both(
                "export_sessions", answer=True, format=kind, path=path
            )
            assert done["sessions"] == 3
    assert sorted(names(folder)) == ["sessions.csv", "sessions.json"]
    written = json.loads((folder / "sessions.json").read_text())
    assert written["sessions"] == answer["data"]["sessions"]
    assert written.keys() == answer["data"].keys()
    assert written["users"] == answer["data"]["users"]
    with (folder / "sessions.csv").open(newline="") as file:
        assert file.read() == table["content"]


@pytest.mark.parametrize(
    ("limit", "where", "key"),
    [
        ("MOST_ANSWERED", {}, "export_too_much"),
        ("MOST_WRITTEN", {"path": "sessions.json"}, "export_file_too_much"),
    ],
)
async def test_too_much(
    home: HistoryHome, folder: Path, limit: str, where: dict[str, str], key: str
) -> None:
    """What is too much is refused before a session was read, with what to do then."""
    asked = {name: str(folder / file) for name, file in where.items()}
    with (
        patch.object(history_export, limit, 2),
        patch.object(queries, "listed", wraps=queries.listed) as read,
        pytest.raises(ServiceValidationError) as caught,
    ):
        await home.both("export_sessions", answer=True, format="json", **asked)
    assert caught.value.translation_key == key
    assert "3 sessions" in str(caught.value)
    assert "Give a start and an end" in str(caught.value)
    assert {call.kwargs["limit"] for call in read.call_args_list} <= {0}
    assert names(folder) == []


async def test_a_disk_that_becomes_full(home: HistoryHome, folder: Path) -> None:
    """Nothing is left of a file that was not finished, and the one before stays."""
    path = folder / "sessions.json"
    path.write_text("before")

    def on_a_full_disk(**_: object) -> tuple[int, str]:
        """Return a file that takes nothing."""
        (folder / "begun.tmp").touch()
        return os.open("/dev/full", os.O_WRONLY), str(folder / "begun.tmp")

    with (
        patch.object(tempfile, "mkstemp", on_a_full_disk),
        pytest.raises(HomeAssistantError, match="No space left"),
    ):
        await home.both("export_sessions", answer=True, format="json", path=str(path))
    assert names(folder) == ["sessions.json"]
    assert path.read_text() == "before"


async def test_another_miniserver(home: HistoryHome) -> None:
    """Sessions of a block of another serial go to the chosen wallbox, once."""
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    text = json.dumps(exported).replace(home.key(), "AABBCCDDEEFF_old")
    foreign = json.loads(text)
    second = home.both.devices[1]
    home.first.devices = [second]
    for imported, there in ((2, 0), (0, 2)):
        report = await home.first("import_sessions", answer=True, data=foreign)
        [one] = report["wallboxes"]
        assert (one["device_id"], one["imported"], one["already_there"]) == (
            second,
            imported,
            there,
        )
    listed = await home.first("get_sessions", answer=True)
    ids = {one["id"] for one in exported["sessions"]}
    assert listed["total"] == 3
    assert ids.isdisjoint(one["id"] for one in listed["sessions"])
    async with refused(home.entry, "import_wallbox_unclear"):
        await home.both("import_sessions", data=foreign)
    async with refused(home.entry, "import_wallbox_unclear"):
        await home.first("import_sessions", data=foreign, wallbox="nobody's")


def changed(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a record with changes."""
    return {**record, **changes}


async def test_refused_sessions(home: HistoryHome) -> None:
    """What breaks a rule or lies upon another is named, the rest is taken."""
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    known = exported["sessions"][0]
    good = home.session("2024-06-01T20:00").as_dict()
    upon = home.session("2024-06-01T21:00").as_dict()
    bad = home.session("2024-07-01T20:00").as_dict()
    wrong = [
        (changed(bad, import_wh=7), "sum_of_slices"),
        (changed(bad, schema=99), "schema_unknown"),
        (changed(bad, connected_utc="2024-07-01T20:00:00"), "unreadable"),
        (changed(bad, max_w="much"), "unreadable"),
        (changed(bad, max_w=2**40), "unreadable"),
        (changed(bad, user_id="x" * 65), "user_invalid"),
        (changed(bad, tag="x" * 121), "unreadable"),
        (changed(bad, currency="QQQ"), "currency_unknown"),
        (changed(bad, id="../../x"), "session_id_invalid"),
        (changed(bad, id="20240101T000000Z-0123456789ab"), "session_id_invalid"),
        (changed(bad, surprise=1), "unreadable"),
        (changed(bad, connected_s=7201), "connected_longer"),
        (changed(bad, kind="open", disconnected_utc=None), "still_open"),
        (home.session("2999-07-01T20:00").as_dict(), "in_future"),
        (home.session("1999-07-01T20:00").as_dict(), "time_impossible"),
        ({"wallbox": home.key()}, "schema_unknown"),
        (upon, "sessions_overlap"),
    ]
    data = {**exported, "sessions": [known, good, *(one for one, _ in wrong)]}
    report = await home.first("import_sessions", answer=True, data=data)
    [one] = report["wallboxes"]
    assert (one["imported"], one["already_there"]) == (1, 1)
    assert sorted(bad["reason"] for bad in one["refused"]) == sorted(
        reason for _, reason in wrong
    )
    assert (await home.first("get_sessions", answer=True))["total"] == 3


async def test_deleted_stays_deleted(home: HistoryHome) -> None:
    """An import does not bring back what somebody deleted."""
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    gone = exported["sessions"][0]["id"]
    home.ledger().delete(gone, home.session("2024-09-01T10:00").connected_utc, "owner")
    report = await home.first("import_sessions", answer=True, data=exported)
    [one] = report["wallboxes"]
    assert one["refused"] == [{"id": gone, "reason": "deleted"}]
    assert (one["imported"], one["already_there"]) == (0, 1)


async def tried(home: HistoryHome) -> list[str]:
    """Return what the security log has of files that are out of bounds."""
    records = await logged(home.hass, home.simulator, "action_denied")
    assert {one["detail"]["reason"] for one in records} == {"path_not_allowed"}
    found = [str(one["detail"]["action"]) for one in records]
    return list(dict.fromkeys(found))


async def test_paths(home: HistoryHome, folder: Path) -> None:
    """Only files of their kind in allowed folders are written or read."""
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(folder.parent / "other.csv")
    (folder.parent / "other.csv").write_text("mine")
    for path, key in (
        ("sessions.csv", "path_not_allowed"),
        ("", "path_not_allowed"),
        ("/etc/sessions.csv", "path_not_allowed"),
        (f"{folder}/../sessions.csv", "path_not_allowed"),
        (f"{folder}/link.csv", "path_not_allowed"),
        (f"{folder}/\0.csv", "path_not_allowed"),
        (f"{folder}/none/sessions.csv", "export_not_written"),
        (f"{folder}/{'x' * 300}.csv", "export_not_written"),
        (f"{folder}/sessions.json", "path_of_another_kind"),
        (f"{folder}/folder.csv", "path_of_another_kind"),
        (str(folder), "path_of_another_kind"),
    ):
        async with refused(home.entry, key):
            await home.first("export_sessions", path=path)
    assert (folder.parent / "other.csv").read_text() == "mine"
    assert await tried(home) == ["export_sessions"]
    async with refused(home.entry, "path_not_allowed"):
        await home.first("import_sessions", path=f"{folder}/../sessions.json")
    assert await tried(home) == ["export_sessions", "import_sessions"]
    async with refused(home.entry, "path_of_another_kind"):
        await home.first("import_sessions", path=f"{folder}/sessions.csv")
    async with refused(home.entry, "import_file_unreadable"):
        await home.first("import_sessions", path=f"{folder}/sessions.json")
    async with refused(home.entry, "export_rows_only_csv"):
        await home.first("export_sessions", answer=True, format="json", rows="slices")


async def test_what_is_no_export(home: HistoryHome, folder: Path) -> None:
    """Anything else is refused in words, and nothing is written."""
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    for data, key in (
        ({}, "import_not_ours"),
        ("[]", "import_not_ours"),
        ("{", "import_not_ours"),
        ("[" * 100_000, "import_not_ours"),
        ({**exported, "format": "other"}, "import_not_ours"),
        ({**exported, "schema": 2}, "import_of_another_version"),
        ({**exported, "sessions": {}}, "import_not_ours"),
        ({**exported, "sessions": [1]}, "import_not_ours"),
        ({**exported, "sessions": []}, "import_wallbox_unclear"),
    ):
        async with refused(home.entry, key):
            await home.first("import_sessions", data=data)
    (folder / "x.json").write_bytes(b"\xff\xfe")
    async with refused(home.entry, "import_not_ours"):
        await home.first("import_sessions", path=str(folder / "x.json"))
    for both in ({}, {"path": str(folder / "x.json"), "data": {}}):
        async with refused(home.entry, "import_path_or_data"):
            await home.first("import_sessions", **both)


async def test_who_may(home: HistoryHome, folder: Path) -> None:
    """A file and an import are an administrator's, or an automation's."""
    path = str(folder / "sessions.json")
    write = {"format": "json", "path": path}
    exported = (await home.first("export_sessions", answer=True, format="json"))["data"]
    by = await user_id(home.hass, "User", "user")
    async with refused(home.entry, "history_administrator_needed"):
        await home.first("export_sessions", by=by, **write)
    async with refused(home.entry, "history_administrator_needed"):
        await home.first("import_sessions", by=by, data=exported)
    assert not names(folder)
    await home.first("export_sessions", by=None, **write)
    assert await home.first("import_sessions", by=None, answer=True, data=exported)
