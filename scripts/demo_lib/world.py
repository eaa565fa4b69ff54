"""The simulated Miniserver, moved through its control API."""

from collections.abc import Mapping
from pathlib import Path
import sys
from typing import Any, Self

import aiohttp

from scripts.demo_lib.api import wait_for
from scripts.demo_lib.processes import Child
from scripts.demo_lib.progress import DemoError

START_TIMEOUT = 30
STOP_GRACE = 10
HTTP_ERROR = 400
USERNAME = "admin"
PASSWORD = "simulated-miniserver"  # noqa: S105 - of a simulator on this machine


class World:
    """The simulator's process and the client of its control API."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        tls_port: int,
        control_port: int,
        wallboxes: int,
    ) -> None:
        """Describe it; start() starts it."""
        self.port = port
        self.url = f"http://127.0.0.1:{control_port}"
        self.child = Child(
            "The simulator",
            [
                *(sys.executable, "-u", "-m", "simulator"),
                *("--port", str(port), "--tls-port", str(tls_port)),
                *("--control-port", str(control_port)),
                *("--wallboxes", str(wallboxes)),
                *("--user", USERNAME, "--password", PASSWORD),
            ],
            folder / "simulator.log",
        )
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
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
            except aiohttp.ClientError, TimeoutError:
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

    async def identity(self, wallbox: int = 0) -> str:
        """Return how Home Assistant's unique ids of a wallbox begin."""
        state = await self.state()
        return f"{state['serial']}_{state['wallboxes'][wallbox]['uuid']}"

    async def watts(self, wallbox: int = 0) -> float:
        """Return the power that really flows."""
        kilowatts: float = (await self.state())["wallboxes"][wallbox]["power_kw"]
        return kilowatts * 1000

    async def plug(self, wallbox: int = 0) -> None:
        """Plug a car in."""
        await self._request("POST", "/plug", {"wallbox": wallbox})

    async def unplug(self, wallbox: int = 0) -> None:
        """Pull the plug."""
        await self._request("POST", "/unplug", {"wallbox": wallbox})

    async def _request(self, method: str, path: str, data: Any = None) -> Any:
        """Send a request and return the JSON of its answer."""
        if self._http is None:
            raise DemoError("The session to the simulator is not open.")
        async with self._http.request(method, f"{self.url}{path}", json=data) as answer:
            if answer.status >= HTTP_ERROR:
                raise DemoError(
                    f"{method} {path}: {answer.status} {await answer.text()}"
                )
            return await answer.json(content_type=None)
