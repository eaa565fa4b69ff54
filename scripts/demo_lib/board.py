"""A dashboard of the wallboxes for the one who looks at the demo.

Takes Home Assistant's API, makes a dashboard that the integration's own strategy fills,
and gives its address. What may go wrong: the card is not among the dashboard's resources,
and a browser shows nothing.
"""

from collections.abc import Awaitable, Callable

from scripts.demo_lib.api import HomeAssistant
from scripts.demo_lib.findings import Findings

type Scene = tuple[str, Callable[[], Awaitable[None]]]

PATH = "wallbox-board"
STRATEGY = {"strategy": {"type": "custom:loxone-wallbox"}}


async def make_board(api: HomeAssistant) -> str:
    """Make the dashboard, and return its address."""
    await api.command(
        "lovelace/dashboards/create",
        url_path=PATH,
        title="Wallboxes",
        icon="mdi:ev-station",
        mode="storage",
    )
    await api.command("lovelace/config/save", url_path=PATH, config=STRATEGY)
    return f"{api.url}/{PATH}"


class Board:
    """The check of that dashboard."""

    def __init__(self, api: HomeAssistant, findings: Findings) -> None:
        """Take whose dashboard it is."""
        self._api = api
        self._findings = findings
        self.scenes: list[Scene] = [("a dashboard of the wallboxes", self._made)]

    async def _made(self) -> None:
        """Hold that it is kept, and that the card it needs is loaded with it."""
        await make_board(self._api)
        kept = await self._api.command("lovelace/config", url_path=PATH)
        self._findings.require(kept == STRATEGY, "the dashboard is kept")
        listed = [one["url"] for one in await self._api.command("lovelace/resources")]
        ours = [url for url in listed if "/loxone-wallbox-card.js?v=" in url]
        self._findings.require(len(ours) == 1, "the card is among its resources, once")
        async with self._api.http.get(f"{self._api.url}{ours[0]}") as answer:
            module = await answer.text() if answer.ok else ""
        self._findings.require("loxone-wallbox-card" in module, "its module is served")
