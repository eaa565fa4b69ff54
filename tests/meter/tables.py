"""The vectors: each meter's words next to the numbers they stand for."""

from collections.abc import Mapping
import json
from pathlib import Path
import struct
from typing import Any

from custom_components.loxone_wallbox.meter.profiles import Words

VECTORS = Path(__file__).parent / "vectors"


def vector(meter: str) -> dict[str, Any]:
    """Return the vector of a meter."""
    content: dict[str, Any] = json.loads(
        (VECTORS / f"{meter}.json").read_text(encoding="utf-8")
    )
    return content


def words_in(rows: list[dict[str, Any]]) -> Words:
    """Return the words of a vector's rows."""
    words: dict[Any, dict[int, int]] = {}
    for row in rows:
        for offset, word in enumerate(row["words"].split()):
            words.setdefault(row["space"], {})[row["at"] + offset] = int(word, 16)
    return words


def with_struct(row: Mapping[str, Any]) -> Any:
    """Return what the words of a row stand for, by Python's own means."""
    words = row["words"].split()
    if row.get("low_word_first"):
        words.reverse()
    raw = bytes.fromhex("".join(words))
    if row["as"].startswith("s"):
        return raw.rstrip(b"\0").decode("ascii")
    return struct.unpack(f">{row['as']}", raw)[0]
