"""Give a wallbox one command at a time and see that it obeys.

Takes a command, is done when the wallbox's state confirms it; raises a translated error
when the command cannot be given or was not obeyed, and tells of the latter as an alert.
A command that nobody wants any more is not repeated; that is no failure.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import CONF_VISUALISATION_PASSWORD, DOMAIN, LOGGER
from .miniserver import (
    Allow,
    Command,
    MiniserverClient,
    SetManualLimit,
    WallboxInfo,
    WallboxState,
)
from .miniserver.errors import (
    AuthenticationError,
    MiniserverConnectionError,
    MiniserverError,
    MissingRightError,
    VisualisationPasswordError,
)

ALERT_COMMAND_FAILED = "command_failed"
# The state follows within a second on a healthy installation; the first try and two
# more, each with this patience.
CONFIRM_S = 10.0
ATTEMPTS = 3


class OvertakenError(Exception):
    """Something else is wanted by now, so a command is not waited for any longer."""


class CommandedWallbox(Protocol):
    """What a commander needs of a wallbox."""

    info: WallboxInfo
    settings: Mapping[str, Any]
    title: str

    @property
    def available(self) -> bool:
        """Tell whether the wallbox can be reached."""

    @property
    def client(self) -> MiniserverClient:
        """Return the client that sends the commands."""

    @property
    def state(self) -> WallboxState:
        """Return the present state."""

    @property
    def wallbox_id(self) -> str:
        """Return the id of the wallbox block."""

    def async_add_listener(self, update_callback: CALLBACK_TYPE) -> Callable[[], None]:
        """Have a callback called with every new state."""

    def async_alert(self, kind: str, details: dict[str, Any]) -> None:
        """Tell of something the owner should know."""


class Commander:
    """The commands of one wallbox, in the order they were given."""

    def __init__(self, wallbox: CommandedWallbox) -> None:
        """Follow the wallbox's state."""
        self._wallbox = wallbox
        self._turn = asyncio.Lock()
        self._look: CALLBACK_TYPE | None = None

    async def async_execute(
        self, command: Command, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Give a command and wait until the state confirms it.

        Raises `OvertakenError` once `wanted` says no, which is asked before each try,
        with each new state and by `reconsider`.
        """
        self.check(command)
        async with self._turn:
            if command.confirmed_by(self._wallbox.state):
                return
            for attempt in range(1, ATTEMPTS + 1):
                if not wanted():
                    raise OvertakenError
                await self._send(command)
                if await self._confirmed(command, wanted):
                    return
                LOGGER.debug("%s was not obeyed at attempt %s", command, attempt)
        self._wallbox.async_alert(ALERT_COMMAND_FAILED, {"command": command.name})
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="command_not_obeyed",
            translation_placeholders={"wallbox": self._wallbox.title},
        )

    @callback
    def reconsider(self) -> None:
        """Have the command that is waited for looked at, because of a new decision."""
        if self._look is not None:
            self._look()

    def check(self, command: Command) -> None:
        """Refuse what the wallbox would not take now, and say why."""
        wallbox = self._wallbox
        info, state = wallbox.info, wallbox.state
        reasons = (
            (not wallbox.available, "wallbox_unreachable"),
            (info.read_only, "wallbox_read_only"),
            (state.lock is not None, "wallbox_locked"),
            (
                info.manager_id is not None and not isinstance(command, Allow),
                "wallbox_managed",
            ),
            (
                info.secured and not wallbox.settings.get(CONF_VISUALISATION_PASSWORD),
                "wallbox_secured",
            ),
            (
                isinstance(command, SetManualLimit)
                and not info.min_kw <= command.limit_kw <= info.max_kw,
                "limit_out_of_range",
            ),
        )
        for applies, key in reasons:
            if applies:
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key=key,
                    translation_placeholders={"wallbox": wallbox.title},
                )

    async def _send(self, command: Command) -> None:
        """Send a command, with the reason in words where that fails."""
        wallbox = self._wallbox
        try:
            await wallbox.client.send(
                wallbox.wallbox_id,
                command,
                visualisation_password=wallbox.settings.get(
                    CONF_VISUALISATION_PASSWORD
                ),
            )
        except MiniserverError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=_reason(err),
                translation_placeholders={"wallbox": wallbox.title},
            ) from err

    async def _confirmed(self, command: Command, wanted: Callable[[], bool]) -> bool:
        """Wait for the state that shows the command was obeyed."""
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        @callback
        def look() -> None:
            """Compare the new state with what was asked for."""
            if outcome.done():
                return
            if command.confirmed_by(self._wallbox.state):
                outcome.set_result(None)
            elif not wanted():
                outcome.set_exception(OvertakenError)

        stop = self._wallbox.async_add_listener(look)
        self._look = look
        try:
            look()
            async with asyncio.timeout(CONFIRM_S):
                await outcome
        except TimeoutError:
            return False
        finally:
            self._look = None
            stop()
        return True


def _reason(error: MiniserverError) -> str:
    """Return the translation key that says why a command could not be sent."""
    match error:
        case VisualisationPasswordError():
            return "visualisation_password_wrong"
        case MissingRightError() | AuthenticationError():
            return "right_missing"
        case MiniserverConnectionError():
            return "link_lost"
        case _:
            return "command_refused"
