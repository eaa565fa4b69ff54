"""Sessions to take away: as a table for people, or as they are kept, to be read back.

Takes wallboxes and filters, gives text or a file in an allowed folder. What may go
wrong: a folder that is not allowed, a disk that takes nothing. Raises translated errors;
a file is there as a whole or not at all.
"""

from collections.abc import AsyncIterator, Container, Iterable, Mapping
import csv
from dataclasses import asdict
from enum import StrEnum
import io
import json
from pathlib import Path
from typing import Any

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError, write_utf8_file_atomic

from .charging.session import Quality
from .const import DOMAIN
from .history import async_get_store
from .history_file import GrowingFile
from .history_pages import async_pages
from .history_plain import plain_session
from .history_query import FILTERS, Box, async_names_of, home_zone, wanted_of
from .naming import Names
from .targets import invalid

ATTR_FORMAT = "format"
ATTR_PATH = "path"
ATTR_ROWS = "rows"
FORMAT_NAME = "loxone_wallbox_sessions"
SCHEMA = 1
# Home Assistant sends an answer as a whole: of so many sessions that is 10 MB.
MOST_ANSWERED = 5_000
# A year of fifty wallboxes with room: some 350 MB as JSON, 70 MB as a table.
MOST_WRITTEN = 200_000
# A table program reads a text that begins like this as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How sessions are written."""

    CSV = "csv"
    JSON = "json"


class Rows(StrEnum):
    """What a row of a table is."""

    SESSIONS = "sessions"
    SLICES = "slices"


EXPORT_SCHEMA: dict[Any, Any] = {
    probatio.Optional(ATTR_FORMAT, default=Format.CSV): probatio.Coerce(Format),
    probatio.Optional(ATTR_ROWS, default=Rows.SESSIONS): probatio.Coerce(Rows),
    probatio.Optional(ATTR_PATH): cv.string,
    **FILTERS,
}

_SESSION_COLUMNS = (
    *("id", "wallbox", "kind", "connected_local", "connected_utc"),
    *("disconnected_local", "disconnected_utc", "first_import_local"),
    *("first_import_utc", "last_import_local", "last_import_utc", "energy_kwh"),
    *("exported_kwh", "charging_s", "connected_s", "meter_start_kwh"),
    *("meter_stop_kwh", "max_power_w", "cost", "currency", "cost_status", "user"),
    *("tag", "vehicle", "stop_reason", "estimated_timing", "gaps_s", "user_id"),
    *("origin", "coarse", "connection_only", "source", "flagged", "error_pct"),
    *("integral_wh", "mode", "repricings"),
)
_SLICE_COLUMNS = (
    *("session_id", "wallbox", "user", "start_local", "start_utc", "end_local"),
    *("end_utc", "energy_kwh", "in_peak", "grid_event", "price_per_kwh", "currency"),
    *("cost", "cost_status", "estimated_timing", "repricings", "old_price_per_kwh"),
    *("old_currency", "old_cost", "replaced_local", "replaced_utc"),
)


async def async_export(
    hass: HomeAssistant, boxes: Mapping[str, Box], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return sessions, the oldest first, or how many were written to a file.

    A table is `content`, text; JSON is `data`, which an import takes as it is.
    """
    kind, rows, path = asked[ATTR_FORMAT], asked[ATTR_ROWS], asked.get(ATTR_PATH)
    if kind is Format.JSON and rows is not Rows.SESSIONS:
        raise invalid("export_rows_only_csv")
    if path is not None:
        await hass.async_add_executor_job(check_path, hass, path, kind.value)
    names, store = await async_names_of(hass, boxes), async_get_store(hass)
    wanted = wanted_of(boxes, asked, names)
    # To refuse what is too much must not cost what it would have cost.
    _, total = await store.async_listed(wanted, limit=0)
    if total > (MOST_WRITTEN if path else MOST_ANSWERED):
        raise _too_much(total, in_file=path is not None)
    if path is not None:
        pages, written = (
            async_pages(store, wanted, total),
            _Text(kind, rows, boxes, names),
        )
        count = await _async_write(hass, path, written, pages)
        return {"format": kind.value, "sessions": count, "path": path}
    records, total = await store.async_listed(wanted, limit=MOST_ANSWERED)
    if total > len(records):
        raise _too_much(total, in_file=False)
    records.reverse()
    answer: dict[str, Any] = {"format": kind.value, "sessions": len(records)}
    if kind is Format.JSON:
        return {**answer, "data": plain_export(records, boxes, names)}
    text = await hass.async_add_executor_job(table, rows, records, boxes, names)
    return {**answer, "content": text}


def _too_much(found: int, *, in_file: bool) -> ServiceValidationError:
    """Return the error of too many sessions, which says what can be done."""
    placeholders = {"found": str(found), "most_in_file": str(MOST_WRITTEN)}
    if not in_file:
        placeholders["most"] = str(MOST_ANSWERED)
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="export_file_too_much" if in_file else "export_too_much",
        translation_placeholders=placeholders,
    )


async def _async_write(
    hass: HomeAssistant,
    path: str,
    text: _Text,
    pages: AsyncIterator[list[dict[str, Any]]],
) -> int:
    """Write sessions page by page and return how many; raises translated errors."""
    job, file = hass.async_add_executor_job, GrowingFile(path)
    try:
        async for records in pages:
            await job(lambda some: file.add(text.page(some)), records)
        await job(lambda: file.add(text.end()))
        await job(file.finish)
    except OSError as err:
        raise _not_written(path, err) from err
    finally:
        await job(file.discard)
    return text.count


def check_path(hass: HomeAssistant, path: str, suffix: str) -> Path:
    """Return a file's path. Blocking.

    Raises a translated error where it is not in an allowed folder, or is not called
    like a file of its kind.
    """
    file = Path(path)
    try:
        # What comes after a null is another file than the one that was checked.
        allowed = file.is_absolute() and "\0" not in path
        allowed = allowed and hass.config.is_allowed_path(path)
        folder = allowed and file.is_dir()
    except (OSError, ValueError) as err:
        raise _path_error("path_not_allowed", path) from err
    if not allowed:
        raise _path_error("path_not_allowed", path)
    if folder or file.suffix.lower() != f".{suffix}":
        raise _path_error("path_of_another_kind", path, suffix=suffix)
    return file


def _path_error(key: str, path: str, **more: str) -> ServiceValidationError:
    """Return the error of a path."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"path": path, **more},
    )


def write_file(path: str, text: str) -> None:
    """Write a file that only Home Assistant's own user can read. Blocking.

    Raises a translated error where the disk does not take it.
    """
    try:
        write_utf8_file_atomic(path, text, private=True)
    except (WriteError, OSError) as err:
        raise _not_written(path, err) from err


def _not_written(path: str, err: Exception) -> HomeAssistantError:
    """Return the error of a disk that did not take a file."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="export_not_written",
        translation_placeholders={"path": path, "error": str(err)},
    )


class _Text:
    """What is written to a file: pages, the oldest session first, and its end."""

    def __init__(
        self, kind: Format, rows: Rows, boxes: Mapping[str, Box], names: Names
    ) -> None:
        """Begin."""
        self.count = 0
        self._kind = kind
        self._rows = rows
        self._boxes = boxes
        self._names = names
        self._users: set[str | None] = set()

    def page(self, records: list[dict[str, Any]]) -> str:
        """Return more sessions as text."""
        first, self.count = not self.count, self.count + len(records)
        if self._kind is Format.CSV:
            return table(self._rows, records, self._boxes, self._names, header=first)
        self._users |= {one["user_id"] for one in records}
        lines = (json.dumps(one, ensure_ascii=False) for one in records)
        return ('{"sessions": [\n' if first else ",\n") + ",\n".join(lines)

    def end(self) -> str:
        """Return what comes after the last session."""
        begin = "" if self.count else self.page([])
        if self._kind is Format.CSV:
            return begin
        about = _about(self._boxes, self._names, self._users)
        return f"{begin}\n],{json.dumps(about, ensure_ascii=False, indent=1)[1:]}\n"


def plain_export(
    records: list[dict[str, Any]], boxes: Mapping[str, Box], names: Names
) -> dict[str, Any]:
    """Return records as they are kept, with what is needed to read them back.

    The owner's names stand beside them: an import takes the records as they are.
    """
    users = {record["user_id"] for record in records}
    return {**_about(boxes, names, users), "sessions": records}


def _about(
    boxes: Mapping[str, Box], names: Names, users: Container[str | None]
) -> dict[str, Any]:
    """Return what an export says beside its sessions."""
    return {
        "format": FORMAT_NAME,
        "schema": SCHEMA,
        "exported_utc": dt_util.utcnow().isoformat(),
        "time_zone": str(home_zone()),
        "wallboxes": {box.key: {"name": box.title} for box in boxes.values()},
        "users": {
            user: name for user, name in names.by_pseudonym.items() if user in users
        },
    }


def table(
    rows: Rows,
    records: Iterable[dict[str, Any]],
    boxes: Mapping[str, Box],
    names: Names,
    *,
    header: bool = True,
) -> str:
    """Return a table: one row a session, or one a slice."""
    columns = _SESSION_COLUMNS if rows is Rows.SESSIONS else _SLICE_COLUMNS
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    if header:
        writer.writeheader()
    zone = home_zone()
    for record in records:
        box = boxes[record["wallbox"]]
        session = {**plain_session(record, zone, names), "wallbox": box.title}
        for row in _rows(rows, session):
            writer.writerow({name: cell(row[name]) for name in columns})
    return out.getvalue()


def _rows(rows: Rows, session: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a session."""
    if rows is Rows.SESSIONS:
        # A record of an older version has not all of it.
        row = {**asdict(Quality()), **session["quality"], **session}
        return [{**row, "repricings": len(session["repricings"])}]
    own = {"session_id": session["id"], "wallbox": session["wallbox"]}
    own["user"] = session["user"]
    return [
        {**own, **one, **_replaced(session["repricings"], one)}
        for one in session["slices"]
    ]


def _replaced(changes: list[dict[str, Any]], part: dict[str, Any]) -> dict[str, Any]:
    """Return how often a slice had another price, and the last one that it had."""
    own = [one for one in changes if one["slice_start_utc"] == part["start_utc"]]
    last = own[-1] if own else {}
    return {
        "repricings": len(own),
        **{
            f"old_{name}": last.get(name)
            for name in ("price_per_kwh", "currency", "cost")
        },
        **{name: last.get(name) for name in ("replaced_local", "replaced_utc")},
    }


def cell(value: Any) -> Any:
    """Return what stands in a field; a text is never read as a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value
