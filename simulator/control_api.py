"""The HTTP interface by which people, the demo and tests move the world.

    GET  /state                 the whole world, with the commands of clients
    GET  /faults                every fault with its options
    POST /plug                  {"wallbox": 0, "car": {"energy_kwh": 20, ...}}
    POST /unplug                {"wallbox": "Garage"}
    POST /app                   {"wallbox": 0, "allow": true, "mode": 3, "limit": 6.0,
                                 "mode_unplug": 0, "user": "Anna"}
    POST /loadshed /tamper /offline   {"wallbox": 0, "on": true}
    POST /lock                  {"wallbox": 0, "on": true, "reason": "...", "by": 1}
    POST /error                 {"wallbox": 0, "code": 101}
    POST /fault                 {"name": "delay", "seconds": 2, "times": 1}
    POST /clear                 {} or {"name": "delay"}
    POST /drop                  {"hard": true}
    POST /close                 {"code": 4005, "reason": "..."}
    POST /restart               {"down_s": 10}
    POST /structure             {"add": [{"name": "New", "variant": "7.4kw_air"}],
                                 "remove": ["Garage"], "rename": {"Old": "New"}}

A wallbox is named by its position, its name or its identifier; the first is meant where
none is named. Wrong input is answered with 400 and {"ok": false, "error": "..."}.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .car import Car
from .config import WallboxConfig
from .faults import FAULTS
from .wallbox import Wallbox

if TYPE_CHECKING:
    from .simulator import Simulator

type _Action = Callable[[dict[str, Any]], Awaitable[None]]


def control_application(simulator: Simulator) -> web.Application:
    """Return the application of the control port."""
    api = _ControlApi(simulator)
    app = web.Application()
    app.router.add_get("/state", api.state)
    app.router.add_get("/faults", api.faults)
    for name, action in api.actions.items():
        app.router.add_post(f"/{name}", api.handler(action))
    return app


class _ControlApi:
    """One action per path; input that makes no sense is answered with a sentence."""

    def __init__(self, simulator: Simulator) -> None:
        """Take the simulator."""
        self._simulator = simulator
        self.actions: dict[str, _Action] = {
            "plug": self._plug,
            "unplug": self._unplug,
            "fault": self._fault,
            "clear": self._clear,
            "drop": self._drop,
            "restart": self._restart,
            "tamper": self._tamper,
            "offline": self._offline,
            "error": self._error,
            "loadshed": self._loadshed,
            "lock": self._lock,
            "app": self._app,
            "structure": self._structure,
            "close": self._close,
        }

    async def state(self, _request: web.Request) -> web.Response:
        """Show the whole world."""
        return web.json_response(self._simulator.unit.snapshot())

    async def faults(self, _request: web.Request) -> web.Response:
        """List the faults with their options."""
        return web.json_response(
            {
                name: {"summary": kind.summary, "options": dict(kind.options)}
                for name, kind in FAULTS.items()
            }
        )

    def handler(
        self, action: _Action
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
        _known(car, {field.name for field in fields(Car)})
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
        _known(data, {"name"})
        self._simulator.clear(data.get("name"))

    async def _drop(self, data: dict[str, Any]) -> None:
        """End all connections."""
        _known(data, {"hard"})
        await self._simulator.drop(hard=_switch(data, "hard", usual=True))

    async def _restart(self, data: dict[str, Any]) -> None:
        """Restart the unit."""
        _known(data, {"down_s"})
        await self._simulator.restart(_number(data, "down_s", 10.0))

    async def _tamper(self, data: dict[str, Any]) -> None:
        """Breach the interface of a wallbox, or mend it."""
        self._box(data, "on").tamper(_switch(data, "on", usual=True))

    async def _offline(self, data: dict[str, Any]) -> None:
        """Cut the link of a wallbox, or restore it."""
        self._box(data, "on").set_online(not _switch(data, "on", usual=True))

    async def _error(self, data: dict[str, Any]) -> None:
        """Raise an error of a wallbox; 0 ends it."""
        self._box(data, "code").set_error(int(_number(data, "code")))

    async def _loadshed(self, data: dict[str, Any]) -> None:
        """Shed the load of a wallbox, or end it."""
        self._box(data, "on").set_loadshed(_switch(data, "on", usual=True))

    async def _lock(self, data: dict[str, Any]) -> None:
        """Lock a wallbox, or unlock it."""
        box = self._box(data, "on", "reason", "by")
        if _switch(data, "on", usual=True):
            box.lock(str(data.get("reason", "")), int(_number(data, "by", 1)))
        else:
            box.unlock()

    async def _app(self, data: dict[str, Any]) -> None:
        """Change a wallbox as somebody in Loxone's app does."""
        names = ("allow", "mode", "limit", "mode_unplug", "user")
        box = self._box(data, *names)
        if not set(names) & set(data):
            raise ValueError(f"nothing to do, give one of {', '.join(names)}")
        if "allow" in data:
            box.set_allowed(_switch(data, "allow", usual=True))
        if "mode" in data and box.config.managed:
            box.set_manager_mode(int(_number(data, "mode")))
        elif "mode" in data:
            box.set_mode(int(_number(data, "mode")))
        if "limit" in data:
            box.set_manual_limit(_number(data, "limit"))
        if "mode_unplug" in data:
            box.set_mode_unplug(int(_number(data, "mode_unplug")))
        if "user" in data:
            box.set_user(str(data["user"]))

    async def _structure(self, data: dict[str, Any]) -> None:
        """Add, remove or rename wallboxes."""
        _known(data, {"add", "remove", "rename", "down_s"})
        allowed = {"name", "variant", "room", "managed", "restrictions", "secured"}
        for wallbox in data.get("add", []):
            _known(wallbox, allowed)
        await self._simulator.change_structure(
            add=[WallboxConfig(**wallbox) for wallbox in data.get("add", [])],
            remove=data.get("remove", []),
            rename=data.get("rename", {}),
            down_s=_number(data, "down_s", 2.0),
        )

    async def _close(self, data: dict[str, Any]) -> None:
        """Close all connections with a code."""
        _known(data, {"code", "reason"})
        code = int(_number(data, "code"))
        await self._simulator.close_clients(code, str(data.get("reason", "")))

    def _box(self, data: dict[str, Any], *others: str) -> Wallbox:
        """Return the wallbox that is meant; the first one if none is named."""
        _known(data, {"wallbox", *others})
        which = data.get("wallbox", 0)
        if isinstance(which, bool) or not isinstance(which, int | str):
            raise TypeError("wallbox is a position, a name or an identifier")
        return self._simulator.wallbox(which)


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; no body is an empty one."""
    data = await request.json() if request.can_read_body else {}
    if not isinstance(data, dict):
        raise TypeError("the body has to be a JSON object")
    return data


def _refused(sentence: str) -> web.Response:
    """Return a refusal with its reason."""
    return web.json_response({"ok": False, "error": sentence}, status=400)


def _known(data: Any, names: set[str]) -> None:
    """Refuse what nobody would read."""
    if not isinstance(data, dict):
        raise TypeError("an object was expected")
    if unknown := sorted(set(data) - names):
        expected = ", ".join(sorted(names)) or "nothing"
        raise ValueError(f"{', '.join(unknown)} is not known here, only {expected}")


def _switch(data: dict[str, Any], name: str, *, usual: bool) -> bool:
    """Return true or false from the input."""
    value = data.get(name, usual)
    if not isinstance(value, bool):
        raise TypeError(f"{name} is true or false")
    return value


def _number(data: dict[str, Any], name: str, usual: float | None = None) -> float:
    """Return a number from the input."""
    value = data[name] if usual is None else data.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} is a number")
    return value
