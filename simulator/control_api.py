"""The HTTP interface by which people, the demo and tests move the world.

    GET  /state                 the whole world, with the commands of clients
    GET  /flows                 since when how much flows, wallbox by wallbox
    GET  /faults                every fault with its options
    POST /plug                  {"wallbox": 0, "car": {"energy_kwh": 20, ...}}
    POST /unplug                {"wallbox": "Garage"}
    POST /app                   {"wallbox": 0, "allow": true, "mode": 3, "limit": 6.0,
                                 "mode_unplug": 0, "user": "Anna"}
    POST /spoil_history         {"wallbox": 0, "lines": ["x"]}   broken entries; [] ends it
    POST /loadshed /tamper /offline   {"wallbox": 0, "on": true}
    POST /contact               {"wallbox": 0, "name": "Tamper", "on": true}   or
                                 "Over-temperature", where they are wired
    POST /lock                  {"wallbox": 0, "on": true, "reason": "...", "by": 1}
    POST /error                 {"wallbox": 0, "code": 101}
    POST /fault                 {"name": "delay", "seconds": 2, "times": 1}
    POST /clear                 {} or {"name": "delay"}
    POST /drop                  {"hard": true}
    POST /close                 {"code": 4005, "reason": "..."}
    POST /restart               {"down_s": 10}
    POST /structure             {"add": [{"name": "New", "variant": "7.4kw_air"}],
                                 "remove": ["Garage"], "rename": {"Old": "New"}}
    GET  /meters                the truth of every meter
    GET  /meters/faults         every fault of a meter with its options
    POST /meter/fault           {"meter": 0, "name": "silent", "times": 3}
    POST /meter/clear           {"meter": "sdm630"} or {"meter": 0, "name": "silent"}
    POST /meter/replace         {"meter": 0, "serial": "23110002", "energy_kwh": 0.3}
    POST /meter/reset           {"meter": 0}
    POST /meter/energy          {"meter": 0, "energy_kwh": 999999.9}
    POST /meter/reboot          {"meter": 0, "seconds": 5}
    POST /meter/tariff          {"meter": 0, "tariff": 2}

A wallbox is named by its position, its name or its identifier, a meter by its position or
its name; the first is meant where none is named. Wrong input is answered with 400 and
{"ok": false, "error": "..."}.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from aiohttp import web

from .car import Car
from .config import WallboxConfig
from .control_input import known, number, switch, which
from .faults import FAULTS
from .meters.control import Action, MeterControl
from .meters.installation import Meters
from .miniserver import Miniserver
from .wallbox import Wallbox


class World(Protocol):
    """What can be moved: the simulator, as far as it is needed here."""

    unit: Miniserver
    meters: Meters

    def wallbox(self, which: int | str) -> Wallbox:
        """Return a wallbox by position, name or identifier."""

    def fault(self, name: str, **options: Any) -> None:
        """Inject a fault."""

    def clear(self, name: str | None = None) -> None:
        """End a fault, or all of them."""

    async def drop(self, *, hard: bool = True) -> None:
        """End all connections."""

    async def restart(self, down_s: float = 10.0) -> None:
        """Restart the unit."""

    async def close_clients(self, code: int, reason: str = "") -> None:
        """Close all connections with a code."""

    async def change_structure(
        self,
        *,
        add: Sequence[WallboxConfig] = (),
        remove: Sequence[int | str] = (),
        rename: Mapping[str, str] | None = None,
        down_s: float = 2.0,
    ) -> None:
        """Change wallboxes."""


def control_application(simulator: World) -> web.Application:
    """Return the application of the control port."""
    api = _ControlApi(simulator)
    app = web.Application()
    for name, view in api.views.items():
        app.router.add_get(f"/{name}", api.viewer(view))
    for name, action in api.actions.items():
        app.router.add_post(f"/{name}", api.handler(action))
    return app


class _ControlApi:
    """One action per path; input that makes no sense is answered with a sentence."""

    def __init__(self, simulator: World) -> None:
        """Take the simulator."""
        self._simulator = simulator
        meters = MeterControl(simulator.meters)
        self.views: dict[str, Callable[[], Any]] = {
            "state": lambda: {**simulator.unit.snapshot(), "meters": meters.state()},
            "flows": self._flows,
            "faults": self._faults,
            "meters": meters.state,
            "meters/faults": meters.faults,
        }
        self.actions: dict[str, Action] = {
            "plug": self._plug,
            "unplug": self._unplug,
            "fault": self._fault,
            "clear": self._clear,
            "drop": self._drop,
            "restart": self._restart,
            "tamper": self._tamper,
            "contact": self._contact,
            "offline": self._offline,
            "error": self._error,
            "loadshed": self._loadshed,
            "spoil_history": self._spoil_history,
            "lock": self._lock,
            "app": self._app,
            "structure": self._structure,
            "close": self._close,
            **meters.actions,
        }

    def viewer(
        self, view: Callable[[], Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the handler of a view."""

        async def handle(_request: web.Request) -> web.Response:
            """Show what there is."""
            return web.json_response(view())

        return handle

    def _flows(self) -> dict[str, Any]:
        """Return every change of the power that flows, with its instant."""
        world = self._simulator.unit.world
        world.advance()
        return {box.name: box.flows.as_list() for box in world.wallboxes}

    def _faults(self) -> dict[str, Any]:
        """Return the faults with their options."""
        return {
            name: {"summary": kind.summary, "options": dict(kind.options)}
            for name, kind in FAULTS.items()
        }

    def handler(
        self, action: Action
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the handler of an action."""

        async def handle(request: web.Request) -> web.Response:
            """Run the action and show the world after it."""
            try:
                await action(await _body(request))
            except KeyError as err:
                return _refused(f"{err.args[0]!r} is missing")
            except (ValueError, TypeError) as err:
                return _refused(str(err))
            return web.json_response({"ok": True})

        return handle

    async def _plug(self, data: dict[str, Any]) -> None:
        """Plug a car in."""
        car = data.get("car", {})
        known(car, {field.name for field in fields(Car)})
        for name, value in car.items():
            if name not in ("phases", "sleeps_after_s") and value is None:
                raise ValueError(f"{name} of a car is not null")
            if isinstance(value, str):
                raise TypeError(f"{name} of a car is not a text")
        self._box(data, "car").plug(Car(**car))

    async def _unplug(self, data: dict[str, Any]) -> None:
        """Unplug the car."""
        self._box(data).unplug()

    async def _fault(self, data: dict[str, Any]) -> None:
        """Inject a fault."""
        options = dict(data)
        self._simulator.fault(options.pop("name"), **options)

    async def _clear(self, data: dict[str, Any]) -> None:
        """End one fault or all."""
        known(data, {"name"})
        self._simulator.clear(data.get("name"))

    async def _drop(self, data: dict[str, Any]) -> None:
        """End all connections."""
        known(data, {"hard"})
        await self._simulator.drop(hard=switch(data, "hard", usual=True))

    async def _restart(self, data: dict[str, Any]) -> None:
        """Restart the unit."""
        known(data, {"down_s"})
        await self._simulator.restart(number(data, "down_s", 10.0))

    async def _tamper(self, data: dict[str, Any]) -> None:
        """Breach the interface of a wallbox, or mend it."""
        self._box(data, "on").tamper(switch(data, "on", usual=True))

    async def _contact(self, data: dict[str, Any]) -> None:
        """Close a contact that an installer has wired, or open it."""
        box = self._box(data, "name", "on")
        box.set_contact(str(data["name"]), switch(data, "on", usual=True))

    async def _offline(self, data: dict[str, Any]) -> None:
        """Cut the link of a wallbox, or restore it."""
        self._box(data, "on").set_online(not switch(data, "on", usual=True))

    async def _error(self, data: dict[str, Any]) -> None:
        """Raise an error of a wallbox; 0 ends it."""
        self._box(data, "code").set_error(int(number(data, "code")))

    async def _spoil_history(self, data: dict[str, Any]) -> None:
        """Break the history of a wallbox, or mend it."""
        lines = data.get("lines", ["x"])
        if not isinstance(lines, list) or not all(isinstance(x, str) for x in lines):
            raise ValueError("lines is a list of texts")
        self._box(data, "lines").spoil_history(*lines)

    async def _loadshed(self, data: dict[str, Any]) -> None:
        """Shed the load of a wallbox, or end it."""
        self._box(data, "on").set_loadshed(switch(data, "on", usual=True))

    async def _lock(self, data: dict[str, Any]) -> None:
        """Lock a wallbox, or unlock it."""
        box = self._box(data, "on", "reason", "by")
        if switch(data, "on", usual=True):
            box.lock(str(data.get("reason", "")), int(number(data, "by", 1)))
        else:
            box.unlock()

    async def _app(self, data: dict[str, Any]) -> None:
        """Change a wallbox as somebody in Loxone's app does."""
        names = ("allow", "mode", "limit", "mode_unplug", "user")
        box = self._box(data, *names)
        if not set(names) & set(data):
            raise ValueError(f"nothing to do, give one of {', '.join(names)}")
        if "allow" in data:
            box.set_allowed(switch(data, "allow", usual=True))
        if "mode" in data and box.config.managed:
            box.set_manager_mode(int(number(data, "mode")))
        elif "mode" in data:
            box.set_mode(int(number(data, "mode")))
        if "limit" in data:
            box.set_manual_limit(number(data, "limit"))
        if "mode_unplug" in data:
            box.set_mode_unplug(int(number(data, "mode_unplug")))
        if "user" in data:
            box.set_user(str(data["user"]))

    async def _structure(self, data: dict[str, Any]) -> None:
        """Add, remove or rename wallboxes."""
        known(data, {"add", "remove", "rename", "down_s"})
        allowed = {"name", "variant", "room", "managed", "restrictions", "secured"}
        for wallbox in data.get("add", []):
            known(wallbox, allowed)
        await self._simulator.change_structure(
            add=[WallboxConfig(**wallbox) for wallbox in data.get("add", [])],
            remove=data.get("remove", []),
            rename=data.get("rename", {}),
            down_s=number(data, "down_s", 2.0),
        )

    async def _close(self, data: dict[str, Any]) -> None:
        """Close all connections with a code."""
        known(data, {"code", "reason"})
        code = int(number(data, "code"))
        await self._simulator.close_clients(code, str(data.get("reason", "")))

    def _box(self, data: dict[str, Any], *others: str) -> Wallbox:
        """Return the wallbox that is meant; the first one if none is named."""
        known(data, {"wallbox", *others})
        return self._simulator.wallbox(which(data, "wallbox"))


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; no body is an empty one."""
    data = await request.json() if request.can_read_body else {}
    if not isinstance(data, dict):
        raise TypeError("the body has to be a JSON object")
    return data


def _refused(sentence: str) -> web.Response:
    """Return a refusal with its reason."""
    return web.json_response({"ok": False, "error": sentence}, status=400)
