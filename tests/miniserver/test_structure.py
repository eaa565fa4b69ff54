"""Structure files: real-looking ones, older ones and hostile ones."""

from contextlib import suppress
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .structures import MANAGER, ONLINE, WALLBOX, document, parse, uuid, wallbox
from custom_components.loxone_wallbox.miniserver.errors import StructureError
from custom_components.loxone_wallbox.miniserver.frames import raw_uuid
from custom_components.loxone_wallbox.miniserver.structure import (
    Watch,
    parse_structure,
)
from custom_components.loxone_wallbox.miniserver.wallbox import ChargeMode


def test_house() -> None:
    """What the file says of the house is read."""
    structure = parse(document())
    assert structure.serial == "504F94A02E7E"
    assert (structure.name, structure.project) == ("Home", "House")
    assert (structure.currency, structure.miniserver_type) == ("€", 2)
    assert structure.last_modified == "2026-01-02 03:04:05"
    assert structure.user_is_admin
    assert structure.modifications == raw_uuid(uuid(200))
    assert (structure.control_count, structure.unreadable_controls) == (3, 0)


def test_wallbox() -> None:
    """A wallbox is read with its limits, modes, tracker and states."""
    info = parse(document()).wallboxes[WALLBOX]
    assert (info.id, info.name, info.room) == (WALLBOX, "Wallbox 1", "Garage")
    assert (info.min_kw, info.max_kw) == (4.16, 11.0)
    assert info.modes == (
        ChargeMode(id=1, name="Eco", limit_kw=4.2, set_by_logic=True, price=None),
        ChargeMode(id=3, name="Full", limit_kw=11, set_by_logic=False, price=0.3),
        ChargeMode(id=4, name="Text", limit_kw=8, set_by_logic=False, price=None),
    )
    assert (info.manager_id, info.ocpp_name) == (None, None)
    assert (info.read_only, info.secured, info.has_meter) == (False, False, True)
    assert info.tracker_size == 40
    assert "actual" in info.states
    assert "total" not in info.states


def test_watches() -> None:
    """Every state is followed in the table it comes in."""
    control = wallbox()
    control["states"] |= {"total": "no uuid", "limit": [uuid(9)], "loadshed": None}
    structure = parse(document(control))
    power = Watch(control_id=WALLBOX, state="actual")
    assert structure.value_watches[raw_uuid(uuid(1))] == power
    assert structure.value_watches[raw_uuid(uuid(100))] == Watch(
        control_id=ONLINE, state="active"
    )
    assert {watch.state for watch in structure.value_watches.values()} == {
        "actual",
        "connected",
        "enabled",
        "active",
        "mode",
    }
    assert structure.text_watches == {
        raw_uuid(uuid(5)): Watch(control_id=WALLBOX, state="session"),
        raw_uuid(uuid(6)): Watch(control_id=WALLBOX, state="jLocked"),
        raw_uuid(WALLBOX): Watch(control_id=WALLBOX, state="entries"),
    }


def test_diagnostics() -> None:
    """Controls that may tell about the device are offered."""
    found = parse(document()).diagnostics
    assert list(found) == [ONLINE]
    assert (found[ONLINE].name, found[ONLINE].room) == ("Online", "Garage")
    assert found[ONLINE].digital
    content = document()
    content["controls"][ONLINE] = {
        "type": "InfoOnlyAnalog",
        "states": {"value": uuid(100)},
    }
    info = parse(content).diagnostics[ONLINE]
    assert (info.name, info.room, info.digital) == (ONLINE, None, False)
    content["controls"][ONLINE]["states"] = {"value": [uuid(100)]}
    assert parse(content).diagnostics == {}


def test_manager() -> None:
    """A manager names its wallboxes, also those in groups."""
    content = document(wallbox(details={"manager": MANAGER}))
    content["controls"][MANAGER] = {
        "name": "Manager",
        "type": "WallboxManager",
        "details": {
            "nodes": [
                {"nodeType": "Group", "nodes": [{"ctrlUuid": WALLBOX}, 1, None]},
                {"nodeType": "Wallbox", "ctrlUuid": uuid(8)},
            ]
        },
    }
    structure = parse(content)
    assert structure.managers[MANAGER].wallbox_ids == (WALLBOX, uuid(8))
    assert structure.wallboxes[WALLBOX].manager_id == MANAGER


def test_manager_nested_too_deeply() -> None:
    """A manager without a bottom is left out and counted."""
    nodes: list[Any] = []
    for _ in range(30):
        nodes = [{"nodes": nodes}]
    content = document()
    content["controls"][MANAGER] = {
        "type": "WallboxManager",
        "details": {"nodes": nodes},
    }
    structure = parse(content)
    assert structure.managers == {}
    assert structure.unreadable_controls == 1


def test_bare_wallbox() -> None:
    """A wallbox of which the file says nothing has the block's own values."""
    info = parse(document({"type": "Wallbox2"})).wallboxes[WALLBOX]
    assert (info.name, info.room) == ("Wallbox", None)
    assert (info.min_kw, info.max_kw) == (4.16, 11.0)
    assert (info.modes, info.tracker_size, info.has_meter) == ((), None, True)
    assert info.states == frozenset()


@pytest.mark.parametrize(
    ("restrictions", "local", "read_only"),
    [
        (0, True, False),
        (1, True, False),
        (2, True, True),
        (2, False, False),
        (32, True, False),
        (32, False, True),
        ("2", True, True),
        (None, True, False),
        ("x", True, False),
    ],
)
def test_restrictions(restrictions: object, local: bool, read_only: bool) -> None:
    """What may be written depends on where the connection comes from."""
    structure = parse(document(wallbox(restrictions=restrictions)), local=local)
    assert structure.wallboxes[WALLBOX].read_only is read_only


@pytest.mark.parametrize(
    ("details", "ocpp", "meter"),
    [
        ({"ocpp": {"name": "Plugin"}}, "Plugin", True),
        ({"ocpp": {"x": 1}}, "OCPP", True),
        ({"ocpp": {}}, None, True),
        ({"connectedInputs": 0b10111}, None, False),
        ({"connectedInputs": 0b01000}, None, True),
    ],
)
def test_details(details: dict[str, Any], ocpp: str | None, meter: bool) -> None:
    """Authorisation from outside and a missing meter are noticed."""
    info = parse(document(wallbox(details=details))).wallboxes[WALLBOX]
    assert (info.ocpp_name, info.has_meter) == (ocpp, meter)


@pytest.mark.parametrize(
    "details",
    [
        {"min": -1},
        {"min": 12},
        {"max": 0, "min": 0},
        {"max": 1000},
        {"min": 5, "max": 4},
    ],
)
def test_limits_without_sense(details: dict[str, Any]) -> None:
    """A wallbox whose limits make no sense is left out, the others stay."""
    structure = parse(document(wallbox(details=details), wallbox()))
    assert list(structure.wallboxes) == [uuid(5001)]
    assert structure.unreadable_controls == 1


@pytest.mark.parametrize(
    "control_id",
    ["", "../../etc/passwd", "a b", "a/b", "x" * 100, "\ud800", "é", "a\n"],
)
def test_odd_ids(control_id: str) -> None:
    """An id that could not be sent or name a file is left out."""
    content = document()
    content["controls"][control_id] = wallbox()
    content["controls"][control_id + "1"] = {
        "type": "InfoOnlyDigital",
        "states": {"active": uuid(100)},
    }
    structure = parse(content)
    assert set(structure.wallboxes) == {WALLBOX}
    assert structure.unreadable_controls >= 1


def test_names_are_for_people() -> None:
    """A name is one line that ends and can be stored."""
    content = document(wallbox(name="a\n b\ud800" + "x" * 500))
    content["msInfo"]["msName"] = "\ud800"
    structure = parse(content)
    name = structure.wallboxes[WALLBOX].name
    assert name.startswith("a b?x")
    assert len(name) == 200
    assert structure.name == "?"


@pytest.mark.parametrize("size", [-5, 0, None, "x", 1e300])
def test_tracker_size(size: object) -> None:
    """A history has a size that makes sense."""
    control = wallbox()
    control["subControls"][f"{WALLBOX}/tracker"]["details"] = {"maxEntries": size}
    tracker_size = parse(document(control)).wallboxes[WALLBOX].tracker_size
    assert tracker_size is not None
    assert 1 <= tracker_size <= 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "null",
        "{}",
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"a": ' + "9" * 5000 + "}",
        '{"msInfo": {"serialNr": ""}, "controls": {}}',
        '{"msInfo": {"serialNr": "504F94A02E7E"}}',
        '{"msInfo": {"serialNr": "504F94A02E7E"}, "controls": []}',
        '{"msInfo": {"serialNr": 1}, "controls": {}}',
    ],
    ids=lambda text: text[:30],
)
def test_refused(text: str) -> None:
    """What is no structure file is refused."""
    with pytest.raises(StructureError):
        parse_structure(text)


def test_serial_with_colons() -> None:
    """The serial number is compared without its colons."""
    content = document()
    content["msInfo"]["serialNr"] = "50:4f:94:a0:2e:7e"
    assert parse(content).serial == "504F94A02E7E"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just(uuid(1)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
TOP = ["lastModified", "msInfo", "globalStates", "rooms", "controls", "x"]


@given(st.text(max_size=100) | json_values.map(json.dumps))
def test_arbitrary_text(text: str) -> None:
    """Any text is a structure file or refused."""
    with suppress(StructureError):
        parse_structure(text)


@given(st.dictionaries(st.sampled_from(TOP), json_values))
def test_wrong_types_at_the_top(changes: dict[str, Any]) -> None:
    """Any type in any place is read or refused."""
    with suppress(StructureError):
        parse(document(**changes))


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*wallbox(), "links"]), json_values),
    st.dictionaries(
        st.sampled_from([*wallbox()["details"], "manager", "ocpp", "nodes"]),
        json_values,
    ),
    st.sampled_from(
        ["Wallbox2", "WallboxManager", "InfoOnlyDigital", "InfoOnlyAnalog"]
    ),
)
def test_wrong_types_in_a_control(
    changes: dict[str, Any], details: dict[str, Any], kind: str
) -> None:
    """A control of any types costs at most itself."""
    control = wallbox(details={**wallbox()["details"], **details}, type=kind)
    structure = parse(document({**control, **changes}, wallbox()))
    assert uuid(5001) in structure.wallboxes


@given(json_values)
def test_wrong_types_for_modes(value: Any) -> None:
    """Modes of any types are read or left out."""
    for modes in (value, [value], [{"id": value, "name": value, "value": value}]):
        parse(document(wallbox(details={"modes": modes})))
