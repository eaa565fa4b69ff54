"""Keep the states of a Miniserver's wallboxes as its event tables tell them.

Takes event tables, gives `WallboxState`s and the values of diagnostic controls, and
tells which controls changed. Raises `ProtocolError` for a broken table, in which case
nothing of that table is kept.
"""

from collections import defaultdict
from collections.abc import Mapping
import math

from .dropped import Dropped
from .frames import (
    Kind,
    decode_daytimers,
    decode_texts,
    decode_values,
    decode_weather,
)
from .structure import Structure, Watch
from .tracker import TrackerLog
from .wallbox import WallboxSession, WallboxState, WallboxTexts, make_state

# Without these a wallbox is not known well enough to be shown.
ESSENTIAL_STATES = frozenset({"connected", "enabled", "active", "actual"})
# Without these a running session would seem to have ended, a locked wallbox free.
ESSENTIAL_TEXTS = frozenset({"session", "jLocked"})


class StateStore:
    """The present states of one structure's wallboxes and diagnostic controls."""

    def __init__(self, structure: Structure, dropped: Dropped) -> None:
        """Start with everything unknown; `dropped` counts what is not believed."""
        self.structure = structure
        self._dropped = dropped
        self._values: dict[str, dict[str, float]] = defaultdict(dict)
        self._texts: dict[str, WallboxTexts] = defaultdict(WallboxTexts)
        self._texts_seen: set[Watch] = set()
        self._states: dict[str, WallboxState] = {}
        self._values_to_watch: Mapping[bytes, Watch] = structure.value_watches
        self._texts_to_watch: Mapping[bytes, Watch] = dict(structure.text_watches)
        if structure.modifications is not None:
            self._texts_to_watch[structure.modifications] = Watch(
                control_id="", state="modifications"
            )
        self.structure_modified = False

    def has_values(self) -> bool:
        """Tell whether every wallbox's essential values have arrived."""
        return all(
            ESSENTIAL_STATES & wallbox.states <= self._values[control_id].keys()
            for control_id, wallbox in self.structure.wallboxes.items()
        )

    def has_texts(self) -> bool:
        """Tell whether sessions and locks have arrived, which come after the values."""
        return all(
            watch in self._texts_seen
            for watch in self.structure.text_watches.values()
            if watch.state in ESSENTIAL_TEXTS
        )

    def take(self, kind: Kind, payload: bytes) -> frozenset[str]:
        """Take an event table and return the ids of the controls that changed."""
        changed: set[str] = set()
        match kind:
            case Kind.VALUES:
                for watch, value in decode_values(payload, self._values_to_watch):
                    values = self._values[watch.control_id]
                    if values.get(watch.state) != value:
                        values[watch.state] = value
                        changed.add(watch.control_id)
            case Kind.TEXTS:
                for watch, text in decode_texts(payload, self._texts_to_watch):
                    if watch.control_id:
                        self._texts_seen.add(watch)
                        drop = self._dropped.of(watch.control_id)
                        self._texts[watch.control_id].take(watch.state, text, drop)
                        changed.add(watch.control_id)
                    elif text:
                        self.structure_modified = True
            case Kind.DAYTIMERS:
                # Nothing of a wallbox comes this way; read all the same, so that a
                # broken table is noticed where it occurs.
                decode_daytimers(payload, {})
            case Kind.WEATHER:
                decode_weather(payload, {})
        for control_id in changed:
            self._states.pop(control_id, None)
        return frozenset(changed)

    def wallbox(self, control_id: str) -> WallboxState:
        """Return the state of a wallbox."""
        state = self._states.get(control_id)
        if state is None:
            state = make_state(
                self._values[control_id],
                self._texts[control_id],
                self._dropped.of(control_id),
            )
            self._states[control_id] = state
        return state

    def tracker(self, control_id: str) -> TrackerLog[WallboxSession] | None:
        """Return a wallbox's log of sessions, None until it has arrived."""
        return self._texts[control_id].tracker

    def diagnostic(self, control_id: str) -> float | None:
        """Return the value of a diagnostic control, None where it is unknown."""
        values = self._values[control_id]
        value = values.get("active", values.get("value"))
        if value is None or math.isfinite(value):
            return value
        self._dropped.of(control_id)("value", value)
        return None
