"""The structure file LoxAPP3.json.

Source: Structure File, "Structure" and the sections of the controls.
"""

from datetime import timedelta
import json
from typing import Any

from .accounts import Accounts
from .config import Right, SimulatorConfig, User
from .faults import Faults
from .identifiers import make_uuid
from .manager import Manager
from .padding import Padding
from .states import StateTable
from .wallbox import OPTIONAL_STATES, Wallbox
from .world import World

_GLOBAL_STATES: dict[str, float | str] = {
    "operatingMode": 0.0,
    "sunrise": 480.0,
    "sunset": 960.0,
    "notifications": "",
    "modifications": "",
    "favColors": "",
    "favColorSequences": "",
    "liveSearch": "",
    "pastTasks": "",
    "plannedTasks": "",
    "userSettings": "",
    "userSettingsTs": 0.0,
}
# With more controls the file is written without line breaks, to be quick.
_PRETTY_UP_TO = 2000


class Structure:
    """Writes the structure file, for each user the part that the user may see."""

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        accounts: Accounts,
        world: World,
        states: StateTable,
        padding: Padding,
        faults: Faults,
    ) -> None:
        """Take everything that is described in the file."""
        self._config = config
        self._accounts = accounts
        self._world = world
        self._padding = padding
        self._faults = faults
        self._cache: dict[str, str] = {}
        self._modified = world.local().replace(microsecond=0)
        self._global = {
            name: make_uuid(config.serial, "global", name) for name in _GLOBAL_STATES
        }
        for name, value in _GLOBAL_STATES.items():
            states.declare(self._global[name], value)
        self._message_center = make_uuid(config.serial, "message center")
        states.declare(make_uuid(self._message_center, "changed"), 0.0)

    @property
    def last_modified(self) -> str:
        """Return when the configuration was saved last, in local time."""
        return self._modified.strftime("%Y-%m-%d %H:%M:%S")

    @property
    def modifications_uuid(self) -> str:
        """Return the state that announces edits over the API."""
        return self._global["modifications"]

    def touch(self) -> None:
        """Save the configuration; two saves never carry the same second."""
        now = self._world.local().replace(microsecond=0)
        self._modified = max(now, self._modified + timedelta(seconds=1))
        self._cache.clear()

    def text(self, user: User) -> str:
        """Return the file of a user, with what is wrong with it at the moment."""
        if not self._faulty():
            if user.name not in self._cache:
                self._cache[user.name] = self._dump(self.build(user))
            return self._cache[user.name]
        built = self.build(user)
        if self._faults.take("structure_without_wallbox"):
            built["controls"] = {
                uuid: control
                for uuid, control in built["controls"].items()
                if not control["type"].startswith("Wallbox")
            }
        if missing := self._faults.take("missing_states"):
            _leave_out(built["controls"], missing["names"])
        text = self._dump(built)
        if self._faults.take("structure_invalid"):
            return text[: len(text) * 2 // 3]
        return text

    def visible(self, user: User, control: str | None) -> bool:
        """Return whether a user sees a control and its states."""
        if user.sees is None or control is None:
            return True
        for box in self._world.wallboxes:
            if control == box.uuid or control in box.diagnostic_uuids.values():
                return box.name in user.sees
        return control in self._padding.controls

    def build(self, user: User) -> dict[str, Any]:
        """Return the content of the file."""
        boxes = [box for box in self._world.wallboxes if self.visible(user, box.uuid)]
        controls: dict[str, Any] = {}
        for box in boxes:
            controls[box.uuid] = self._wallbox(box)
            if box.config.diagnostics:
                controls |= self._diagnostics(box)
        manager = self._world.manager
        if manager and self.visible(user, manager.uuid):
            controls[manager.uuid] = self._manager(manager)
        controls |= self._padding.structure(self._place)
        rooms = {control["room"] for control in controls.values()}
        names = self._room_names(boxes)
        return {
            "lastModified": self.last_modified,
            "msInfo": self._ms_info(user),
            "globalStates": self._global,
            "operatingModes": {"0": "Automatic", "1": "Out of home", "2": "Holiday"},
            "rooms": {uuid: self._room(uuid, names[uuid]) for uuid in sorted(rooms)},
            "cats": {
                self._place(name): self._category(name) for name in ("Energy", "Other")
            },
            "controls": controls,
            "weatherServer": {
                "states": self._padding.weather_uuids,
                "format": {"temperature": "%.1f\u00b0", "windspeed": "%.1fkm/h"},
                "weatherTypeTexts": {"2": "cloudy"},
            },
            "times": {},
            "caller": {},
            "mailer": {},
            "autopilot": {},
            "messageCenter": {
                self._message_center: {
                    "name": "Message center",
                    "uuidAction": self._message_center,
                    "states": {"changed": make_uuid(self._message_center, "changed")},
                }
            },
        }

    def _room(self, uuid: str, name: str) -> dict[str, Any]:
        """Return a room."""
        return {
            "uuid": uuid,
            "name": name,
            "image": "IconsFilled/room.svg",
            "defaultRating": 0,
            "isFavorite": False,
            "type": 0,
        }

    def _category(self, name: str) -> dict[str, Any]:
        """Return a category."""
        return {
            "uuid": self._place(name),
            "name": name,
            "image": "IconsFilled/category.svg",
            "defaultRating": 0,
            "isFavorite": False,
            "type": "undefined",
            "color": "#69C350",
        }

    def _faulty(self) -> bool:
        """Return whether something is wrong with the file at the moment."""
        return any(
            self._faults.peek(name)
            for name in (
                "structure_invalid",
                "structure_without_wallbox",
                "missing_states",
            )
        )

    def _dump(self, content: dict[str, Any]) -> str:
        """Return JSON, with tabs as the unit writes it."""
        if len(content["controls"]) > _PRETTY_UP_TO:
            return json.dumps(content, ensure_ascii=False)
        return json.dumps(content, ensure_ascii=False, indent="\t")

    def _place(self, name: str) -> str:
        """Return the identifier of a room or a category."""
        return make_uuid(self._config.serial, "place", name)

    def _room_names(self, boxes: list[Wallbox]) -> dict[str, str]:
        """Return the name of each room by identifier."""
        names = {box.config.room for box in boxes} | {"Energy", "Other"}
        names |= {control.room for control in self._padding.controls.values()}
        return {self._place(name): name for name in names}

    def _ms_info(self, user: User) -> dict[str, Any]:
        """Return what the file tells about the unit; the firmware is not in it."""
        config = self._config
        return {
            "serialNr": config.serial,
            "msName": config.name,
            "projectName": config.name,
            "localUrl": config.host,
            "remoteUrl": "",
            "tempUnit": 0,
            "currency": config.currency,
            "squareMeasure": "m\u00b2",
            "location": "Reading",
            "latitude": 51.45,
            "longitude": -0.97,
            "altitude": 61,
            "languageCode": "ENG",
            "heatPeriodStart": "10-01",
            "heatPeriodEnd": "04-30",
            "catTitle": "Category",
            "roomTitle": "Room",
            "miniserverType": config.type,
            # No real one says that: whoever makes a report of it is to know.
            "simulated": True,
            "sortByRating": False,
            "currentUser": {
                "name": user.name,
                "uuid": self._accounts.uuid_of(user),
                "isAdmin": bool(user.rights & Right.ADMIN),
                "changePassword": bool(user.rights & Right.CHANGE_PASSWORD),
                "userRights": user.rights,
            },
        }

    def _wallbox(self, box: Wallbox) -> dict[str, Any]:
        """Return a control of the type Wallbox2."""
        tracker = f"{box.uuid}/tracker"
        return {
            "name": box.name,
            "type": "Wallbox2",
            "uuidAction": box.uuid,
            "room": self._place(box.config.room),
            "cat": self._place("Energy"),
            "defaultRating": 1,
            "isFavorite": False,
            "isSecured": box.config.secured,
            "defaultIcon": "IconsFilled/eco-car-charge.svg",
            "restrictions": box.config.restrictions,
            "details": self._wallbox_details(box),
            "statisticV2": _statistics(),
            "states": dict(box.state_uuids),
            "subControls": {
                tracker: {
                    "name": "Charging sessions",
                    "type": "Tracker",
                    "uuidAction": tracker,
                    "defaultRating": 0,
                    "isFavorite": False,
                    "isSecured": False,
                    "details": {"maxEntries": box.config.tracker_entries},
                    "states": {"entries": box.uuid},
                }
            },
        }

    def _wallbox_details(self, box: Wallbox) -> dict[str, Any]:
        """Return the details of a Wallbox2."""
        details: dict[str, Any] = {
            "jLockable": True,
            "type": "unidirectional",
            "actualFormat": "%.3fkW",
            "totalFormat": "%.1fkWh",
            "powerName": "Power",
            "displayType": 0,
            "min": box.config.minimum_kw,
            "max": box.config.maximum_kw,
            "modes": [
                {
                    "id": mode.id,
                    "name": mode.name,
                    "value": mode.limit_kw,
                    "setByLogic": mode.set_by_logic,
                    "price": 0.0 if mode.price is None else mode.price,
                }
                for mode in box.modes.values()
            ],
            # Enable input free, vehicle, power, meter and charging active wired.
            "connectedInputs": 0b11110 if box.config.meter else 0b10010,
        }
        if box.config.managed and self._world.manager:
            details["manager"] = self._world.manager.uuid
        return details

    def _diagnostics(self, box: Wallbox) -> dict[str, Any]:
        """Return the diagnostic inputs that the installer placed."""
        return {
            box.diagnostic_uuids[title]: {
                "name": f"{box.name} {title}",
                "type": kind,
                "uuidAction": box.diagnostic_uuids[title],
                "room": self._place(box.config.room),
                "cat": self._place("Energy"),
                "defaultRating": 0,
                "isFavorite": False,
                "isSecured": False,
                "defaultIcon": None,
                "restrictions": 0,
                "details": {"format": "%.1f\u00b0" if title == "Temperature" else "%d"}
                if kind == "InfoOnlyAnalog"
                else {"text": {"on": "on", "off": "off"}, "color": {}},
                "states": {state: box.diagnostic_states[title]},
            }
            for title, (kind, state) in box.diagnostics.items()
        }

    def _manager(self, manager: Manager) -> dict[str, Any]:
        """Return the control of the type WallboxManager."""
        return {
            "name": "Wallbox Manager",
            "type": "WallboxManager",
            "uuidAction": manager.uuid,
            "room": self._place("Energy"),
            "cat": self._place("Energy"),
            "defaultRating": 0,
            "isFavorite": False,
            "isSecured": False,
            "defaultIcon": "IconsFilled/eco-car-charge.svg",
            "restrictions": 0,
            "details": {"jLockable": True, "nodes": manager.nodes()},
            "states": manager.state_uuids,
        }


def _statistics() -> dict[str, Any]:
    """Return what the unit records about a wallbox."""
    return {
        "groups": [
            {
                "id": "1",
                "mode": 10,
                "dataPoints": [
                    {"title": "Power", "format": "%.3fkW", "output": "actual"}
                ],
            },
            {
                "id": "2",
                "mode": 11,
                "accumulated": True,
                "dataPoints": [
                    {"title": "Meter reading", "format": "%.1fkWh", "output": "total"}
                ],
            },
        ]
    }


def _leave_out(controls: dict[str, Any], names: list[str] | None) -> None:
    """Remove states from all wallboxes: the given ones, or all optional ones."""
    for control in controls.values():
        if control["type"] == "Wallbox2":
            for name in names or OPTIONAL_STATES:
                control["states"].pop(name, None)
