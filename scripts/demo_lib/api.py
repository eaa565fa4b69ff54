"""Home Assistant as its frontend sees it: REST and the WebSocket API.

Nothing is kept open between two requests: on a clock that runs fast Home Assistant's
patience with an open connection ends within a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
import time
from typing import Any, Self

import aiohttp

from scripts.demo_lib.progress import DemoError

HTTP_ERROR = 400


class HomeAssistant:
    """A client for one Home Assistant; commands one after the other."""

    def __init__(self, url: str) -> None:
        """Remember the address; nothing is opened yet."""
        self.url = url
        self.token = ""
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        self._http = session(60)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        if self._http is not None:
            await self._http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """Return the open HTTP session."""
        if self._http is None:
            raise DemoError("The session to Home Assistant is not open.")
        return self._http

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return the JSON of its answer; raise on an error status."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            async with self.http.request(
                method, f"{self.url}{path}", headers=headers, **options
            ) as answer:
                if answer.status >= HTTP_ERROR:
                    raise DemoError(
                        f"{method} {path}: {answer.status} {await answer.text()}"
                    )
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as err:
            raise DemoError(f"{method} {path}: {err!r}") from err

    async def get(self, path: str) -> Any:
        """GET a path."""
        return await self.request("GET", path)

    async def post(self, path: str, data: Any = None) -> Any:
        """POST JSON to a path."""
        return await self.request("POST", path, json=data)

    async def command(self, kind: str, **data: Any) -> Any:
        """Send a WebSocket command and return its result."""
        async with (
            asyncio.timeout(60),
            self.http.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            answer = await socket.receive_json()
            if answer["type"] != "auth_ok":
                raise DemoError(f"Home Assistant refused the token: {answer}")
            await socket.send_json({"id": 1, "type": kind, **data})
            while answer["type"] != "result":
                answer = await socket.receive_json()
        if not answer["success"]:
            raise DemoError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def call(self, action: str, **data: Any) -> None:
        """Perform an action."""
        domain, service = action.split(".")
        await self.post(f"/api/services/{domain}/{service}", data)

    async def ask(self, action: str, **data: Any) -> Any:
        """Perform an action and return its response."""
        domain, service = action.split(".")
        path = f"/api/services/{domain}/{service}?return_response"
        return (await self.post(path, data))["service_response"]

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state of an entity."""
        state: dict[str, Any] = await self.get(f"/api/states/{entity_id}")
        return state

    async def sign_up(self, name: str, username: str, password: str) -> dict[str, Any]:
        """Make the first user, sign in, and return the tokens."""
        client_id = f"{self.url}/"
        created = await self.post(
            "/api/onboarding/users",
            {
                "client_id": client_id,
                "name": name,
                "username": username,
                "password": password,
                "language": "en",
            },
        )
        tokens = await self._tokens(
            client_id, grant_type="authorization_code", code=created["auth_code"]
        )
        self.token = tokens["access_token"]
        # Thirty minutes are too short for a clock that is sped up.
        self.token = await self.command(
            "auth/long_lived_access_token", client_name="Demo", lifespan=365
        )
        return {**tokens, "hassUrl": self.url, "clientId": client_id}

    async def renew(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Return the tokens with an access token that is new."""
        new = await self._tokens(
            tokens["clientId"],
            grant_type="refresh_token",
            refresh_token=tokens["refresh_token"],
        )
        return {**tokens, **new}

    async def _tokens(self, client_id: str, **grant: str) -> dict[str, Any]:
        """Return the tokens that a grant is worth."""
        data = {"client_id": client_id, **grant}
        tokens: dict[str, Any] = await self.request("POST", "/auth/token", data=data)
        return tokens


def session(timeout_s: float) -> aiohttp.ClientSession:
    """Return an HTTP session that opens a connection for each request."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        connector=aiohttp.TCPConnector(force_close=True),
    )


async def wait_for[T](
    what: str,
    look: Callable[[], Awaitable[T | None]],
    timeout: float,  # noqa: ASYNC109 - polling with a sentence at its end
    pause: float = 0.25,
) -> T:
    """Look again and again until there is something; raise after the time-out."""
    deadline = time.monotonic() + timeout
    while True:
        found = await look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"Waited {timeout:g} s in vain for {what}.")
        await asyncio.sleep(pause)
