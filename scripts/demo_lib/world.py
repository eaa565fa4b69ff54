"""The simulated Miniserver, moved through its control API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import sys
from typing import Any, Self

import aiohttp

from scripts.demo_lib.api import session, wait_for
from scripts.demo_lib.processes import Child
from scripts.demo_lib.progress import DemoError

START_TIMEOUT = 30
STOP_GRACE = 10
HTTP_ERROR = 400
USERNAME = "admin"
PASSWORD = "simulated-miniserver"  # noqa: S105 - of a simulator on this machine
# How often the meters in the wallboxes tell what they count.
ENERGY_EVERY_S = 15
# The meter before the first wallbox; it has counted for somebody else before.
METER = "sdm630"
METER_KWH = 8214.3
# A car's battery in kWh, and what of it is free where nothing else is said.
CAPACITY_KWH = 130
USUAL_FREE_KWH = 60


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that the Miniserver took, on its own clock."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What flows from an instant on, and the meter's reading then."""

    at: datetime
    kw: float
    total_kwh: float


class World:
    """The simulator's process and the client of its control API."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        tls_port: int,
        control_port: int,
        meter_port: int,
        wallboxes: int,
    ) -> None:
        """Describe it; start() starts it."""
        self.port = port
        self.tls_port = tls_port
        self.meter_port = meter_port
        self.url = f"http://127.0.0.1:{control_port}"
        self.child = Child(
            "The simulator",
            [
                *(sys.executable, "-u", "-m", "simulator"),
                *("--port", str(port), "--tls-port", str(tls_port)),
                *("--control-port", str(control_port)),
                *("--wallboxes", str(wallboxes)),
                *("--user", USERNAME, "--password", PASSWORD),
                *("--energy-every", str(ENERGY_EVERY_S)),
                *("--meter", f"{METER}:{meter_port},energy={METER_KWH}"),
            ],
            folder / "simulator.log",
        )
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        self._http = session(10)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the HTTP session."""
        if self._http is not None:
            await self._http.close()

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start the process and wait until its control API answers."""
        await self.child.start(environment)

        async def answers() -> bool | None:
            self.child.ensure_running()
            try:
                await self.state()
            except DemoError:
                return None
            return True

        await wait_for("the simulator", answers, START_TIMEOUT)

    async def stop(self) -> None:
        """End the process."""
        await self.child.stop(STOP_GRACE)

    async def state(self) -> dict[str, Any]:
        """Return the state of the simulated world."""
        state: dict[str, Any] = await self._request("GET", "/state")
        return state

    async def prefixes(self) -> dict[str, str]:
        """Return how Home Assistant's unique ids begin, by each wallbox's name."""
        state = await self.state()
        serial, boxes = state["serial"], state["wallboxes"]
        return {box["name"]: f"{serial}_{box['uuid']}" for box in boxes}

    async def box(self, name: str) -> dict[str, Any]:
        """Return what the simulator says of a wallbox."""
        boxes: list[dict[str, Any]] = (await self.state())["wallboxes"]
        return next(box for box in boxes if box["name"] == name)

    async def watts(self, name: str) -> float:
        """Return the power that really flows."""
        kilowatts: float = (await self.box(name))["power_kw"]
        return kilowatts * 1000

    async def commands(self, name: str, since: datetime) -> list[Command]:
        """Return the commands to a wallbox since an instant."""
        state = await self.state()
        uuid = next(box["uuid"] for box in state["wallboxes"] if box["name"] == name)
        return [
            Command(at=at, text=command["command"])
            for command in state["commands"]
            if command["control"] == uuid and (at := _utc(command["time"])) >= since
        ]

    async def flows(self, name: str, since: datetime) -> list[Flow]:
        """Return what flowed since an instant, with what flowed then."""
        flows = [
            Flow(
                at=_utc(flow["time"]),
                kw=flow["power_kw"],
                total_kwh=flow["total_kwh"],
            )
            for flow in (await self._request("GET", "/flows"))[name]
        ]
        later = [flow for flow in flows if flow.at > since]
        return [*flows[: len(flows) - len(later)][-1:], *later]

    async def plug(self, name: str, free_kwh: float = USUAL_FREE_KWH) -> None:
        """Plug a car in that has some energy free."""
        car = {"capacity_kwh": CAPACITY_KWH, "energy_kwh": CAPACITY_KWH - free_kwh}
        await self._request("POST", "/plug", {"wallbox": name, "car": car})

    async def unplug(self, name: str) -> None:
        """Pull the plug."""
        await self._request("POST", "/unplug", {"wallbox": name})

    async def _request(self, method: str, path: str, data: Any = None) -> Any:
        """Send a request and return the JSON of its answer."""
        if self._http is None:
            raise DemoError("The session to the simulator is not open.")
        url = f"{self.url}{path}"
        try:
            async with self._http.request(method, url, json=data) as answer:
                if answer.status >= HTTP_ERROR:
                    raise DemoError(
                        f"{method} {path}: {answer.status} {await answer.text()}"
                    )
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as err:
            raise DemoError(f"{method} {path}: {err!r}") from err


def _utc(seconds: float) -> datetime:
    """Return an instant of the simulator's clock."""
    return datetime.fromtimestamp(seconds, UTC)
