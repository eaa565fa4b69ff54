"""Sessions to take away: as a table for people, or as they are kept, to be read back.

Takes wallboxes and filters, gives text or a file in an allowed folder. What may go
wrong: a folder that is not allowed, a disk that takes nothing. Raises translated errors;
a file is there as a whole or not at all.
"""

from collections.abc import Iterable, Mapping
import csv
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

from .const import DOMAIN
from .history import async_get_store
from .history_plain import plain_session
from .history_query import FILTERS, Box, home_zone, wanted_of
from .targets import invalid

ATTR_FORMAT = "format"
ATTR_PATH = "path"
ATTR_ROWS = "rows"
FORMAT_NAME = "loxone_wallbox_sessions"
SCHEMA = 1
# What one answer, and what one file, can hold without anybody noticing.
MOST_ANSWERED = 5_000
MOST_WRITTEN = 50_000
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
    *("tag", "vehicle", "stop_reason", "estimated_timing", "gaps_s"),
)
_SLICE_COLUMNS = (
    *("session_id", "wallbox", "user", "start_local", "start_utc", "end_local"),
    *("end_utc", "energy_kwh", "in_peak", "grid_event", "price_per_kwh", "currency"),
    *("cost", "cost_status"),
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
    wanted, most = wanted_of(boxes, asked), MOST_WRITTEN if path else MOST_ANSWERED
    records, total = await async_get_store(hass).async_listed(wanted, limit=most)
    if total > most:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="export_too_much",
            translation_placeholders={"found": str(total), "most": str(most)},
        )
    records.reverse()
    answer: dict[str, Any] = {"format": kind.value, "sessions": len(records)}
    if path is not None:
        await hass.async_add_executor_job(
            lambda: _write(path, _text(kind, rows, records, boxes))
        )
        return {**answer, "path": path}
    if kind is Format.JSON:
        return {**answer, "data": plain_export(records, boxes)}
    text = await hass.async_add_executor_job(table, rows, records, boxes)
    return {**answer, "content": text}


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


def _write(path: str, text: str) -> None:
    """Write a file that only Home Assistant's own user can read. Blocking."""
    try:
        write_utf8_file_atomic(path, text, private=True)
    except (WriteError, OSError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="export_not_written",
            translation_placeholders={"path": path, "error": str(err)},
        ) from err


def _text(
    kind: Format, rows: Rows, records: list[dict[str, Any]], boxes: Mapping[str, Box]
) -> str:
    """Return what is written to a file."""
    if kind is Format.JSON:
        return json.dumps(plain_export(records, boxes), ensure_ascii=False, indent=1)
    return table(rows, records, boxes)


def plain_export(
    records: list[dict[str, Any]], boxes: Mapping[str, Box]
) -> dict[str, Any]:
    """Return records as they are kept, with what is needed to read them back."""
    return {
        "format": FORMAT_NAME,
        "schema": SCHEMA,
        "exported_utc": dt_util.utcnow().isoformat(),
        "time_zone": str(home_zone()),
        "wallboxes": {box.key: {"name": box.title} for box in boxes.values()},
        "sessions": records,
    }


def table(
    rows: Rows, records: Iterable[dict[str, Any]], boxes: Mapping[str, Box]
) -> str:
    """Return a table: one row a session, or one a slice."""
    columns = _SESSION_COLUMNS if rows is Rows.SESSIONS else _SLICE_COLUMNS
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    zone = home_zone()
    for record in records:
        box = boxes[record["wallbox"]]
        session = {**plain_session(record, zone), "wallbox": box.title}
        for row in _rows(rows, session):
            writer.writerow({name: cell(row[name]) for name in columns})
    return out.getvalue()


def _rows(rows: Rows, session: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a session."""
    if rows is Rows.SESSIONS:
        return [{**session, **session["quality"]}]
    own = {"session_id": session["id"], "wallbox": session["wallbox"]}
    own["user"] = session["user"]
    return [{**own, **one} for one in session["slices"]]


def cell(value: Any) -> Any:
    """Return what stands in a field; a text is never read as a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value
