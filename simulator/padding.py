"""Ordinary controls of a house, so that a structure file has a realistic size.

Source: Structure File, the sections of the types used here.
"""

from collections.abc import Callable
from dataclasses import dataclass
import random
from typing import Any

from .accounts import EPOCH_2009
from .identifiers import make_uuid
from .states import Daytimer, DaytimerEntry, StateTable, Value, Weather, WeatherEntry

_HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A type of control."""

    type: str
    title: str
    icon: str
    states: dict[str, Value]
    details: dict[str, Any]
    # Command to (state, value); "" takes a number.
    commands: dict[str, tuple[str, float]]


_DAY = Daytimer(
    default=0.0,
    entries=(
        DaytimerEntry(
            mode=3, start_minute=420, end_minute=540, need_activate=False, value=1.0
        ),
        DaytimerEntry(
            mode=4, start_minute=1020, end_minute=1380, need_activate=False, value=1.0
        ),
    ),
)

SORTS = (
    Sort(
        type="Switch",
        title="Socket",
        icon="IconsFilled/socket.svg",
        states={"active": 0.0},
        details={"jLockable": True},
        commands={"on": ("active", 1.0), "off": ("active", 0.0)},
    ),
    Sort(
        type="Dimmer",
        title="Lamp",
        icon="IconsFilled/light-bulb.svg",
        states={"position": 0.0, "min": 0.0, "max": 100.0, "step": 1.0},
        details={"jLockable": True},
        commands={
            "on": ("position", 100.0),
            "off": ("position", 0.0),
            "": ("position", 0.0),
        },
    ),
    Sort(
        type="Jalousie",
        title="Blind",
        icon="IconsFilled/blinds.svg",
        states={
            "up": 0.0,
            "down": 0.0,
            "position": 0.0,
            "shadePosition": 0.0,
            "safetyActive": 0.0,
            "autoAllowed": 1.0,
            "autoActive": 0.0,
            "locked": 0.0,
            "infoText": "",
            "autoInfoText": "",
        },
        details={"isAutomatic": True, "animation": 0, "jLockable": True},
        commands={"FullUp": ("position", 0.0), "FullDown": ("position", 1.0)},
    ),
    Sort(
        type="InfoOnlyAnalog",
        title="Temperature",
        icon="IconsFilled/thermometer.svg",
        states={"value": 21.0, "error": 0.0},
        details={"format": "%.1f\u00b0"},
        commands={},
    ),
    Sort(
        type="InfoOnlyDigital",
        title="Window",
        icon="IconsFilled/window.svg",
        states={"active": 0.0},
        details={
            "text": {"on": "open", "off": "closed"},
            "color": {"on": "#E73246", "off": "#69C350"},
        },
        commands={},
    ),
    Sort(
        type="TextState",
        title="Note",
        icon="IconsFilled/text.svg",
        states={"textAndIcon": "K\u00fcche: alles in Ordnung"},
        details={},
        commands={},
    ),
    Sort(
        type="Daytimer",
        title="Timer",
        icon="IconsFilled/clock.svg",
        states={
            "entriesAndDefaultValue": _DAY,
            "mode": 3.0,
            "override": 0.0,
            "value": 0.0,
            "needsActivation": 0.0,
            "resetActive": 0.0,
            "modeList": '0:mode=3;name="Weekday",1:mode=4;name="Weekend"',
        },
        details={"analog": False, "text": {"on": "on", "off": "off"}},
        commands={},
    ),
    Sort(
        type="Meter",
        title="Meter",
        icon="IconsFilled/meter.svg",
        states={
            "actual": 0.4,
            "total": 4711.0,
            "totalDay": 3.0,
            "totalWeek": 17.0,
            "totalMonth": 80.0,
            "totalYear": 900.0,
        },
        details={
            "type": "unidirectional",
            "actualFormat": "%.3fkW",
            "totalFormat": "%.1fkWh",
            "powerName": "Power",
            "displayType": 0,
        },
        commands={},
    ),
)
# Sorts whose numbers wander by themselves.
_WANDERING = {"InfoOnlyAnalog": "value", "Meter": "actual"}


@dataclass(frozen=True, kw_only=True)
class Ordinary:
    """A control that has nothing to do with charging."""

    uuid: str
    name: str
    room: str
    sort: Sort
    state_uuids: dict[str, str]


class Padding:
    """All ordinary controls and the weather."""

    def __init__(self, serial: str, count: int, states: StateTable, seed: int) -> None:
        """Make so many controls, the same ones for the same serial number."""
        self._states = states
        self._random = random.Random(seed)  # noqa: S311  (no secret)
        self.controls: dict[str, Ordinary] = {}
        for index in range(count):
            control = self._make(serial, index)
            self.controls[control.uuid] = control
            for name, state in control.state_uuids.items():
                states.declare(state, control.sort.states[name], control.uuid)
        self._wandering = [
            control.state_uuids[_WANDERING[control.sort.type]]
            for control in self.controls.values()
            if control.sort.type in _WANDERING
        ]
        self.weather_uuids = {
            name: make_uuid(serial, "weather", name) for name in ("actual", "forecast")
        }
        for name, hours in (("actual", 1), ("forecast", _HOURS)):
            states.declare(self.weather_uuids[name], _weather(hours))

    def wander(self, count: int) -> None:
        """Change some numbers, as a living house does."""
        for _ in range(count if self._wandering else 0):
            state = self._random.choice(self._wandering)
            self._states.set(state, round(self._random.uniform(0, 40), 3))

    def command(self, uuid: str, text: str) -> bool:
        """Obey a command to an ordinary control; return whether it has it."""
        control = self.controls[uuid]
        for name, (state, value) in control.sort.commands.items():
            if name and name.lower() == text.lower():
                self._states.set(control.state_uuids[state], value)
                return True
            if not name and text.replace(".", "", 1).isdigit():
                self._states.set(control.state_uuids[state], float(text))
                return True
        return False

    def structure(self, room: Callable[[str], str]) -> dict[str, Any]:
        """Return the controls as the structure file lists them."""
        return {
            control.uuid: {
                "name": control.name,
                "type": control.sort.type,
                "uuidAction": control.uuid,
                "room": room(control.room),
                "cat": room("Other"),
                "defaultRating": 0,
                "isFavorite": False,
                "isSecured": False,
                "defaultIcon": control.sort.icon,
                "restrictions": 0,
                "details": control.sort.details,
                "states": control.state_uuids,
            }
            for control in self.controls.values()
        }

    def _make(self, serial: str, index: int) -> Ordinary:
        """Return one control."""
        sort = SORTS[index % len(SORTS)]
        uuid = make_uuid(serial, "ordinary", index)
        return Ordinary(
            uuid=uuid,
            name=f"{sort.title} {index // len(SORTS) + 1}",
            room=f"Room {index % 23 + 1}",
            sort=sort,
            state_uuids={
                name: make_uuid(serial, "ordinary", index, name) for name in sort.states
            },
        )


def _weather(hours: int) -> Weather:
    """Return mild weather for some hours."""
    start = 1_800_000_000 - EPOCH_2009
    return Weather(
        updated=start,
        entries=tuple(
            WeatherEntry(
                timestamp=start + 3600 * hour,
                type=2,
                wind_direction=240,
                solar=max(0, 400 - 60 * abs(hour - 12)),
                humidity=71,
                temperature=9.5 + hour / 10,
                perceived=8.0 + hour / 10,
                dew_point=4.5,
                precipitation=0.0,
                wind_speed=11.0,
                pressure=1016.5,
            )
            for hour in range(hours)
        ),
    )
