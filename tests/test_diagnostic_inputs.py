"""Which controls are suggested as diagnostic inputs."""

from dataclasses import replace

from custom_components.loxone_wallbox.diagnostic_inputs import likely_inputs
from custom_components.loxone_wallbox.miniserver import (
    DiagnosticInfo,
    Structure,
    WallboxInfo,
)
from custom_components.loxone_wallbox.miniserver.structure import parse_structure

EMPTY = parse_structure('{"msInfo": {"serialNr": "504F94A00001"}, "controls": {}}')


def wallbox(name: str, room: str | None = None) -> WallboxInfo:
    """Return a wallbox."""
    return WallboxInfo(
        id=name,
        name=name,
        room=room,
        min_kw=4.16,
        max_kw=11.0,
        modes=(),
        manager_id=None,
        ocpp_name=None,
        read_only=False,
        secured=False,
        measures_power=True,
        has_meter=True,
    )


def structure(
    wallboxes: list[WallboxInfo], *controls: tuple[str, bool, str | None]
) -> Structure:
    """Return a structure; controls are name, whether digital, and room."""
    return replace(
        EMPTY,
        wallboxes={one.id: one for one in wallboxes},
        diagnostics={
            f"{name}/{room}": DiagnosticInfo(
                id=f"{name}/{room}", name=name, room=room, digital=digital
            )
            for name, digital, room in controls
        },
    )


def test_by_the_name_of_the_wallbox() -> None:
    """A control that names the wallbox is its own, in both languages."""
    left, right = wallbox("Left", "Garage"), wallbox("Rechts", "Garage")
    found = structure(
        [left, right],
        ("Left online", True, None),
        ("Rechts Online-Status", True, None),
        ("Left error code", False, None),
        ("Rechts Fehlercode", False, None),
        ("Left fault current", True, None),
        ("Rechts Fehlerstrom", True, None),
        ("Left charging error", True, None),
        ("Rechts Ladefehler", True, None),
        ("Left temperature", False, None),
        ("Rechts Temperatur", False, None),
        ("Left over-temperature", True, None),
        ("Rechts Übertemperatur", True, None),
        ("Left tamper contact", True, None),
        ("Rechts Sabotage", True, None),
    )
    assert likely_inputs(left, found) == {
        "online": "Left online/None",
        "error_code": "Left error code/None",
        "fault_current": "Left fault current/None",
        "charging_error": "Left charging error/None",
        "temperature": "Left temperature/None",
        "over_temperature": "Left over-temperature/None",
        "tamper": "Left tamper contact/None",
    }
    assert set(likely_inputs(right, found)) == set(likely_inputs(left, found))


def test_by_the_room() -> None:
    """Without a name the room tells, where there is one such control in it."""
    left, right = wallbox("Left", "Garage"), wallbox("Right", "Carport")
    found = structure(
        [left, right],
        ("Online", True, "Garage"),
        ("Online", True, "Carport"),
        ("Error code", False, "Garage"),
        ("Error code 2", False, "Garage"),
    )
    assert likely_inputs(left, found) == {"online": "Online/Garage"}
    assert likely_inputs(right, found) == {"online": "Online/Carport"}


def test_by_being_the_only_one() -> None:
    """One wallbox and one such control belong together; two of either do not."""
    only = wallbox("Wallbox")
    one = ("Error code", False, "Cellar")
    assert likely_inputs(only, structure([only], one)) == {
        "error_code": "Error code/Cellar"
    }
    assert likely_inputs(only, structure([only, wallbox("Other")], one)) == {}
    assert likely_inputs(only, structure([only], one, ("Fehlercode", False, "x"))) == {}


def test_kind_of_control() -> None:
    """A number is no switch and the other way round."""
    only = wallbox("Wallbox")
    wrong = [("Online", False, None), ("Temperature", True, None)]
    assert likely_inputs(only, structure([only], *wrong)) == {}
