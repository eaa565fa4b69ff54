"""One record of the security log, and the chain that it is a link of.

Takes what happened as plain words, gives a record whose hash covers all of it and the
hash of the record before. Who did it is covered by a digest only: a person can be
forgotten later, and the chain still holds. Nothing here reads or writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
import hashlib
import json
import secrets
from typing import Any

# What a chain begins with.
NOTHING_BEFORE = "0" * 64
# A record is a line of a log, not a place for whatever somebody sends.
MOST_TEXT = 200
MOST_FIELDS = 12
SALT_BYTES = 16
FORGOTTEN = "deleted"
# Every kind there is.
KINDS = (
    *("tamper_on", "tamper_off", "meter_link_lost", "meter_link_restored"),
    *("meter_replaced", "auth_failed", "auth_locked", "action_denied"),
    *("override_refused", "invalid_input", "identity_changed", "firmware_changed"),
    *("tls_changed", "config_security_changed", "clock_step", "data_deleted"),
    *("log_rotated", "chain_broken", "fallback_test"),
)
PERSON = "ha_user"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Something to be recorded.

    `kind` and `outcome` are words of ours, `source` is `miniserver`, `network`,
    `integration` or `ha_user`; then `person` is the pseudonym of who it was.
    """

    kind: str
    outcome: str
    source: str = "integration"
    person: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Where a chain stands: the number and the hash of its last record."""

    seq: int = 0
    hash: str = NOTHING_BEFORE


def make_record(entry: Entry, before: Link, at: datetime) -> dict[str, Any]:
    """Return an entry as the next record of a chain, by UTC to the millisecond."""
    record: dict[str, Any] = {
        "seq": before.seq + 1,
        "utc": utc_text(at),
        "kind": plain_text(entry.kind),
        "outcome": plain_text(entry.outcome),
        "source": plain_text(entry.source),
        "detail": plain_detail(entry.detail),
        "prev": before.hash,
    }
    if entry.person is not None:
        salt = secrets.token_hex(SALT_BYTES)
        record["person_digest"] = _digest(salt, entry.person)
        record["person"] = {"pseudonym": entry.person, "salt": salt}
    record["hash"] = hash_of(record)
    return record


def hash_of(record: Mapping[str, Any]) -> str:
    """Return the hash of a record, which covers all but itself and the person."""
    covered = {
        name: value for name, value in record.items() if name not in ("hash", "person")
    }
    text = json.dumps(covered, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def link_of(record: Mapping[str, Any]) -> Link:
    """Return where a chain stands after a record."""
    return Link(seq=record["seq"], hash=record["hash"])


def follows(record: Mapping[str, Any], before: Link | None) -> bool:
    """Tell whether a record is whole and the next one of its chain.

    `before` None is a record that nothing is known to come before.
    """
    try:
        if before is not None and (
            record["seq"] != before.seq + 1 or record["prev"] != before.hash
        ):
            return False
        person = record.get("person")
        if person is not None and record["person_digest"] != _digest(
            person["salt"], person["pseudonym"]
        ):
            return False
        return bool(record["hash"] == hash_of(record))
    except KeyError, TypeError, AttributeError:
        return False


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as it is read: who did it as one word."""
    source = record["source"]
    if "person_digest" in record:
        person = record.get("person")
        name = FORGOTTEN if person is None else person["pseudonym"]
        source = f"{source}:{name}"
    return {
        "seq": record["seq"],
        "utc": record["utc"],
        "kind": record["kind"],
        "outcome": record["outcome"],
        "source": source,
        "detail": record["detail"],
        "prev": record["prev"],
        "hash": record["hash"],
    }


def utc_text(at: datetime) -> str:
    """Return an instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return details that are short, on one line and of plain values."""
    kept = list(detail.items())[:MOST_FIELDS]
    return {plain_text(str(name)): _plain(value) for name, value in kept}


def plain_text(text: str) -> str:
    """Return a text on one line: what would begin another one is shown as `?`."""
    cut = text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"
    return "".join(sign if sign.isprintable() else "?" for sign in cut)


def _plain(value: Any) -> Any:
    """Return a value that JSON has and that is short."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has no infinity.
        return value if abs(value) < float("inf") else str(value)
    return plain_text(value if isinstance(value, str) else str(value))


def _digest(salt: str, person: str) -> str:
    """Return what stands for a person in the chain."""
    return hashlib.sha256(f"{salt}:{person}".encode()).hexdigest()
