"""Read the log of a wallbox's sessions, which the Miniserver keeps by itself.

Takes the text of a tracker, gives its sessions and how many entries could not be read;
never raises. One object an entry with `|` between them, as many as the block keeps (up
to 100). Source: Loxone, "Structure File", `Tracker` and `Wallbox2`; that the sign also
stands within texts, and the order of the entries, are inferred.
"""

from collections.abc import Callable
from dataclasses import dataclass
import json
import re
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
# The place before an entry.
_ENTRY = re.compile(r"(?:^|\|)\s{0,9}(?=\{)")
_BETWEEN = "| \t\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerLog[T]:
    """The entries in the order in which they came; `unreadable` is how many were not."""

    sessions: tuple[T, ...] = ()
    unreadable: int = 0


def parse_tracker[T](
    text: str,
    read: Callable[[dict[str, Any]], T | None],
    mend: Callable[[str], dict[str, Any]],
) -> TrackerLog[T]:
    """Read a tracker's text.

    `read` makes a session of an entry's fields, or None; `mend` gives the fields of an
    entry that is no valid JSON. An entry ends where its object does.
    """
    # The sign for a line break within a text.
    text = text.replace("\x14", "\n")
    sessions: list[T] = []
    unreadable = position = 0
    while (start := _ENTRY.search(text, position)) is not None:
        begin = start.end()
        unreadable += _pieces(text[position : start.start()])
        try:
            value, position = _DECODER.raw_decode(text, begin)
        except ValueError, RecursionError:
            # Up to what looks like the next entry.
            following = _ENTRY.search(text, begin + 1)
            position = len(text) if following is None else following.start()
            value = mend(text[begin:position].strip(_BETWEEN))
        session = read(value) if isinstance(value, dict) else None
        if session is None:
            unreadable += 1
        else:
            sessions.append(session)
    unreadable += _pieces(text[position:])
    return TrackerLog(sessions=tuple(sessions), unreadable=unreadable)


def _pieces(text: str) -> int:
    """Return how many entries stand in a text that are none."""
    return sum(bool(piece.strip(_BETWEEN)) for piece in text.split("|"))
