"""Read the structure file into typed, frozen descriptions.

Takes the text of `data/LoxAPP3.json`, gives a `Structure`, raises `StructureError` when
it is not one. A control that cannot be read is left out and counted, the others stay.
Source: Loxone, "Structure File".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
import math
import re
from typing import Any

from .errors import ProtocolError, StructureError
from .frames import raw_uuid
from .wallbox import (
    MAX_PLAUSIBLE_KW,
    MODES,
    NO_PRICE,
    ChargeMode,
    DiagnosticInfo,
    ManagerInfo,
    WallboxInfo,
    clean_text,
)

WALLBOX_TYPE = "Wallbox2"
MANAGER_TYPE = "WallboxManager"
DIAGNOSTIC_STATES = {"InfoOnlyDigital": "active", "InfoOnlyAnalog": "value"}
TEXT_STATES = frozenset({"session", "jLocked", "entries"})
# The block's own values where a structure file leaves them out.
DEFAULT_MIN_KW = 4.16
DEFAULT_MAX_KW = 11.0
# Bits of a control's restrictions for connections the Miniserver counts as local and
# for those from outside.
READ_ONLY_LOCAL = 1 << 1
READ_ONLY_REMOTE = 1 << 5
# Bits of `connectedInputs`: power and meter reading are wired to the block.
POWER_INPUT = 1 << 2
METER_INPUT = 1 << 3
DEFAULT_TRACKER_SIZE = 100
MAX_TRACKER_SIZE = 1000
MAX_NODE_DEPTH = 20

# An id becomes part of commands and may become part of a file's name.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
# What a terminal or a log would obey instead of showing it: control characters, ends of
# lines, changes of the direction of writing.
_OBEYED = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """Where the event of one state belongs: control id and name of the state."""

    control_id: str
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """What a user may see of a Miniserver, as far as wallboxes need it.

    `simulated` is what this project's simulator says of itself, and no real one.
    """

    serial: str
    name: str
    project: str
    currency: str | None
    miniserver_type: int | None
    last_modified: str
    user_is_admin: bool
    wallboxes: Mapping[str, WallboxInfo]
    managers: Mapping[str, ManagerInfo]
    diagnostics: Mapping[str, DiagnosticInfo]
    value_watches: Mapping[bytes, Watch]
    text_watches: Mapping[bytes, Watch]
    modifications: bytes | None
    control_count: int
    unreadable_controls: int
    simulated: bool = False


def parse_structure(text: str, *, local: bool = True) -> Structure:
    """Read a structure file; `local` is how the Miniserver sees this connection."""
    try:
        document = json.loads(text, strict=False)
    except (ValueError, RecursionError) as err:
        raise StructureError("The structure file is no valid JSON") from err
    if not isinstance(document, dict):
        raise StructureError("The structure file is no object")
    info = _object(document.get("msInfo"))
    serial = _text(info.get("serialNr")).replace(":", "").upper()
    controls = document.get("controls")
    if not serial or not isinstance(controls, dict):
        raise StructureError("The structure file lacks its serial number or controls")
    reader = _Reader(document, local=local)
    for control_id, control in controls.items():
        reader.read(control_id, control)
    modifications = _object(document.get("globalStates")).get("modifications")
    return Structure(
        serial=serial,
        name=_name(info.get("msName")) or serial,
        project=_name(info.get("projectName")),
        currency=_name(info.get("currency")) or None,
        miniserver_type=_integer(info.get("miniserverType")),
        last_modified=_text(document.get("lastModified")),
        user_is_admin=bool(_object(info.get("currentUser")).get("isAdmin")),
        wallboxes=reader.wallboxes,
        managers=reader.managers,
        diagnostics=reader.diagnostics,
        value_watches=reader.value_watches,
        text_watches=reader.text_watches,
        modifications=_raw(modifications),
        control_count=len(controls),
        unreadable_controls=reader.unreadable,
        simulated=info.get("simulated") is True,
    )


class _Reader:
    """Collects what matters from the controls of one structure file."""

    def __init__(self, document: Mapping[str, Any], *, local: bool) -> None:
        """Start with nothing read."""
        self._rooms = _object(document.get("rooms"))
        self._read_only_bit = READ_ONLY_LOCAL if local else READ_ONLY_REMOTE
        self.wallboxes: dict[str, WallboxInfo] = {}
        self.managers: dict[str, ManagerInfo] = {}
        self.diagnostics: dict[str, DiagnosticInfo] = {}
        self.value_watches: dict[bytes, Watch] = {}
        self.text_watches: dict[bytes, Watch] = {}
        self.unreadable = 0

    def read(self, control_id: str, control: object) -> None:
        """Take one control, if it is of a kind that matters."""
        if not isinstance(control, dict) or not _ID.fullmatch(control_id):
            self.unreadable += 1
            return
        try:
            match control.get("type"):
                case str(kind) if kind == WALLBOX_TYPE:
                    self._wallbox(control_id, control)
                case str(kind) if kind == MANAGER_TYPE:
                    self._manager(control_id, control)
                case str(kind) if kind in DIAGNOSTIC_STATES:
                    self._diagnostic(control_id, control, kind)
        except StructureError, ProtocolError:
            self.unreadable += 1

    def _wallbox(self, control_id: str, control: dict[str, Any]) -> None:
        """Read a wallbox with its modes, states and tracker."""
        details = _object(control.get("details"))
        states = _object(control.get("states"))
        minimum = _limit(details.get("min"), DEFAULT_MIN_KW)
        maximum = _limit(details.get("max"), DEFAULT_MAX_KW)
        if not 0 <= minimum <= maximum <= MAX_PLAUSIBLE_KW or maximum == 0:
            raise StructureError("A wallbox has limits that make no sense")
        restrictions = _integer(control.get("restrictions")) or 0
        inputs = _integer(details.get("connectedInputs"))
        tracker = self._tracker(control_id, control)
        ocpp = _object(details.get("ocpp"))
        self.wallboxes[control_id] = WallboxInfo(
            id=control_id,
            name=_name(control.get("name")) or "Wallbox",
            room=self._room(control),
            min_kw=minimum,
            max_kw=maximum,
            modes=tuple(_modes(details.get("modes"))),
            manager_id=_text(details.get("manager")) or None,
            ocpp_name=_text(ocpp.get("name")) or ("OCPP" if ocpp else None),
            read_only=bool(restrictions & self._read_only_bit),
            secured=bool(control.get("isSecured")),
            # Older files do not say which inputs are wired; then assume a meter.
            measures_power=inputs is None or bool(inputs & POWER_INPUT),
            has_meter=inputs is None or bool(inputs & METER_INPUT),
            states=frozenset(states),
            tracker_size=tracker,
        )
        for name, target in states.items():
            self._watch(control_id, name, target)

    def _tracker(self, control_id: str, control: dict[str, Any]) -> int | None:
        """Find the session history among the sub-controls; its size or None."""
        for sub_control in _object(control.get("subControls")).values():
            sub = _object(sub_control)
            if sub.get("type") != "Tracker":
                continue
            entries = _object(sub.get("states")).get("entries")
            self._watch(control_id, "entries", entries)
            size = _integer(_object(sub.get("details")).get("maxEntries"))
            return min(max(size or DEFAULT_TRACKER_SIZE, 1), MAX_TRACKER_SIZE)
        return None

    def _manager(self, control_id: str, control: dict[str, Any]) -> None:
        """Read a wallbox manager and which wallboxes it has."""
        details = _object(control.get("details"))
        self.managers[control_id] = ManagerInfo(
            id=control_id,
            name=_name(control.get("name")) or "Wallbox Manager",
            wallbox_ids=tuple(_node_controls(details.get("nodes"), 0)),
        )

    def _diagnostic(self, control_id: str, control: dict[str, Any], kind: str) -> None:
        """Read a control that may tell about the wallbox device."""
        state = DIAGNOSTIC_STATES[kind]
        target = _object(control.get("states")).get(state)
        if _raw(target) is None:
            return
        self.diagnostics[control_id] = DiagnosticInfo(
            id=control_id,
            name=_name(control.get("name")) or control_id,
            room=self._room(control),
            digital=kind == "InfoOnlyDigital",
        )
        self._watch(control_id, state, target)

    def _watch(self, control_id: str, state: str, target: object) -> None:
        """Follow the events of one state; lists and odd ids are left alone."""
        if (raw := _raw(target)) is not None:
            watches = self.text_watches if state in TEXT_STATES else self.value_watches
            watches[raw] = Watch(control_id=control_id, state=state)

    def _room(self, control: Mapping[str, Any]) -> str | None:
        """Return the name of a control's room."""
        room = control.get("room")
        if not isinstance(room, str):
            return None
        return _name(_object(self._rooms.get(room)).get("name")) or None


def _modes(modes: object) -> Iterator[ChargeMode]:
    """Read the modes that have a name; one without is not configured."""
    for mode in modes if isinstance(modes, list) else ():
        fields = _object(mode)
        number, name = _integer(fields.get("id")), _name(fields.get("name"))
        if number is None or number not in MODES or not name:
            continue
        price = _finite(fields.get("price"))
        yield ChargeMode(
            id=number,
            name=name,
            limit_kw=_finite(fields.get("value")),
            set_by_logic=bool(fields.get("setByLogic")),
            price=None if price == NO_PRICE else price,
        )


def _node_controls(nodes: object, depth: int) -> Iterator[str]:
    """Return the wallboxes of a manager's tree, which may be nested."""
    if depth > MAX_NODE_DEPTH:
        raise StructureError("A wallbox manager is nested too deeply")
    for node in nodes if isinstance(nodes, list) else ():
        fields = _object(node)
        if control := _text(fields.get("ctrlUuid")):
            yield control
        yield from _node_controls(fields.get("nodes"), depth + 1)


def _object(value: object) -> dict[str, Any]:
    """Return an object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Return a text that can be stored, empty for anything else."""
    return clean_text(value) if isinstance(value, str) else ""


def _name(value: object) -> str:
    """Return a name for people: one line of what can be shown."""
    if not isinstance(value, str):
        return ""
    return clean_text(" ".join(_OBEYED.sub(" ", value).split()))


def _finite(value: object) -> float | None:
    """Return a finite number, also where it came as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError, OverflowError:
        return None
    return number if math.isfinite(number) else None


def _limit(value: object, default: float) -> float:
    """Return a power limit in kW, or the default where the file has none."""
    number = _finite(value)
    return default if number is None else number


def _integer(value: object) -> int | None:
    """Return a whole number, also where it came as text."""
    number = _finite(value)
    return None if number is None else int(number)


def _raw(value: object) -> bytes | None:
    """Return a uuid as the tables have it, None where it cannot occur in one."""
    if not isinstance(value, str):
        return None
    try:
        return raw_uuid(value)
    except ProtocolError:
        return None
