"""Structure files as a Miniserver writes them, in parts to change."""

import json
from typing import Any

from custom_components.loxone_wallbox.miniserver.structure import (
    Structure,
    parse_structure,
)

WALLBOX = "1ee5cba0-019c-7bfc-ffff55b4338cf594"


MANAGER = "1ee5cba0-0200-1111-ffff55b4338cf594"


ONLINE = "1ee5cba0-0300-1111-ffff55b4338cf594"


ROOM = "1ee5cba0-0400-1111-ffff55b4338cf594"


def uuid(number: int) -> str:
    """Return the uuid of a state."""
    return f"{number:08x}-0001-0002-ffff55b4338cf594"


def wallbox(**changes: Any) -> dict[str, Any]:
    """Return a wallbox as a structure file has it."""
    control = {
        "name": "Wallbox 1",
        "type": "Wallbox2",
        "uuidAction": WALLBOX,
        "room": ROOM,
        "cat": uuid(999),
        "defaultRating": 1,
        "isFavorite": True,
        "isSecured": False,
        "defaultIcon": "IconsFilled/eco-car-charge.svg",
        "restrictions": 0,
        "details": {
            "jLockable": True,
            "type": "unidirectional",
            "actualFormat": "%.3fkW",
            "totalFormat": "%.1fkWh",
            "displayType": 0,
            "min": 4.16,
            "max": 11,
            "connectedInputs": 31,
            "modes": [
                {"id": 1, "name": "Eco", "value": 4.2, "setByLogic": True},
                {"id": 2, "name": "", "value": 0, "setByLogic": False},
                {"id": 3, "name": "Full", "value": 11, "price": 0.3},
                {"id": "4", "name": "Text", "value": "8", "price": -1337},
            ],
        },
        "states": {
            "actual": uuid(1),
            "connected": uuid(2),
            "enabled": uuid(3),
            "active": uuid(4),
            "session": uuid(5),
            "jLocked": uuid(6),
            "mode": uuid(7),
        },
        "subControls": {
            f"{WALLBOX}/tracker": {
                "name": "History",
                "type": "Tracker",
                "uuidAction": f"{WALLBOX}/tracker",
                "details": {"maxEntries": 40},
                "states": {"entries": WALLBOX},
            }
        },
    }
    return {**control, **changes}


def document(*wallboxes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a structure file."""
    controls: dict[str, Any] = {
        WALLBOX if number == 0 else uuid(5000 + number): control
        for number, control in enumerate(wallboxes or (wallbox(),))
    }
    controls[ONLINE] = {
        "name": "Online",
        "type": "InfoOnlyDigital",
        "room": ROOM,
        "states": {"active": uuid(100)},
    }
    controls[uuid(7000)] = {"name": "Lamp", "type": "Switch", "states": {}}
    return {
        "lastModified": "2026-01-02 03:04:05",
        "msInfo": {
            "serialNr": "504F94A02E7E",
            "msName": "Home",
            "projectName": "House",
            "currency": "€",
            "miniserverType": 2,
            "currentUser": {"name": "admin", "isAdmin": True},
        },
        "globalStates": {"modifications": uuid(200), "sunrise": uuid(201)},
        "rooms": {ROOM: {"name": "Garage"}},
        "controls": controls,
        **changes,
    }


def parse(content: Any, *, local: bool = True) -> Structure:
    """Read a document."""
    return parse_structure(json.dumps(content), local=local)
