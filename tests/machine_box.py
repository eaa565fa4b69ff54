"""A wallbox that needs no Miniserver: the device, and what the rules see of it.

The device obeys at once, after some seconds, or not at all, as it is told to be. What
is seen of it follows while there is a link, as a wallbox's coordinator does it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant

from custom_components.loxone_wallbox.acts import Acts
from custom_components.loxone_wallbox.charging.observe import MANUAL, Observation
from custom_components.loxone_wallbox.charging.wish import Reason
from custom_components.loxone_wallbox.commander import Commander
from custom_components.loxone_wallbox.controller import Controller
from custom_components.loxone_wallbox.miniserver import (
    Allow,
    Command,
    SetManualLimit,
    SetMode,
    WallboxInfo,
    WallboxState,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    MiniserverConnectionError,
    MissingRightError,
)
from custom_components.loxone_wallbox.miniserver.wallbox import (
    ChargeMode,
    Lock,
    WallboxSession,
)


class Obeys(StrEnum):
    """How the device takes a command."""

    AT_ONCE = "at_once"
    SOON = "soon"
    LATE = "late"
    NEVER = "never"
    REFUSES = "refuses"


# Within the patience of the first try, and beyond it.
TAKES_S = {Obeys.SOON: 0.4, Obeys.LATE: 12.0}


@dataclass(frozen=True, kw_only=True)
class Given:
    """A command that reached the device, and what was decided and shown just then."""

    at: datetime
    command: Command
    target_allowed: bool
    target_kw: float
    shown: WallboxState
    fault: bool


@dataclass(kw_only=True)
class Device:
    """The device itself, which goes on without Home Assistant."""

    info: WallboxInfo
    state: WallboxState
    fault: bool = False
    tampered: bool = False
    obeys: Obeys = Obeys.AT_ONCE
    under_way: int = 0
    timers: set[asyncio.TimerHandle] = field(default_factory=set)
    changed: Callable[[], None] = lambda: None
    _free_at: float = 0.0

    def change(self, **changes: Any) -> None:
        """Change what it shows."""
        self.state = replace(self.state, **changes)
        state = self.state
        self.state = replace(
            state,
            charging=bool(
                state.connected
                and state.allowed
                and not state.load_shedding
                and not state.lock
                and not self.fault
            ),
        )
        self.changed()

    def plug(self, now: datetime) -> None:
        """Plug a car in."""
        session = WallboxSession(
            connected_at=now,
            disconnected_at=None,
            started_at=None,
            energy_kwh=0.0,
            power_kw=0.0,
            user=None,
            price=None,
            authority=None,
        )
        self.change(connected=True, session=session)

    def limit_of(self, mode: int) -> float | None:
        """Return the limit of a configured mode."""
        return next((one.limit_kw for one in self.info.modes if one.id == mode), None)

    def take(self, command: Command, loop: asyncio.AbstractEventLoop) -> None:
        """Do what was asked for, in the device's own time, one after the other."""
        if self.obeys is Obeys.NEVER:
            return
        seconds = TAKES_S.get(self.obeys, 0.0)
        if not seconds and not self.under_way:
            self._do(command)
            return
        self._free_at = max(self._free_at, loop.time() + seconds)
        self.under_way += 1

        def done() -> None:
            """Do it now."""
            self.under_way -= 1
            self.timers.discard(timer)
            self._do(command)

        timer = loop.call_at(self._free_at, done)
        self.timers.add(timer)

    def _do(self, command: Command) -> None:
        """Do what was asked for, rounded as it is written."""
        match command:
            case Allow(on=on):
                self.change(allowed=on)
            case SetMode(mode=mode):
                self.change(mode=mode, limit_kw=self.limit_of(mode))
            case SetManualLimit():
                limit = float(command.text.partition("/")[2])
                self.change(mode=MANUAL, limit_kw=limit)


def make_info(max_kw: float, min_kw: float, *, managed: bool) -> WallboxInfo:
    """Return the description of a wallbox with three modes."""
    limits = {1: min_kw + 0.34, 2: 6.5, 5: max_kw}
    return WallboxInfo(
        id="0f0f-box",
        name="Garage",
        room=None,
        min_kw=min_kw,
        max_kw=max_kw,
        modes=tuple(
            ChargeMode(
                id=number, name=str(number), limit_kw=kw, set_by_logic=False, price=None
            )
            for number, kw in limits.items()
        ),
        manager_id="manager" if managed else None,
        ocpp_name=None,
        read_only=False,
        secured=False,
        measures_power=False,
        has_meter=False,
    )


class Link:
    """The way to the device, which may be cut; stands for the Miniserver's client."""

    def __init__(self, face: Face) -> None:
        """Take the face whose commands go this way."""
        self._face = face

    async def send(
        self, _wallbox_id: str, command: Command, *, visualisation_password: str | None
    ) -> None:
        """Send a command; raises what a client raises."""
        face = self._face
        assert visualisation_password is None
        # A command takes its way, however short.
        await asyncio.sleep(0)
        if not face.linked:
            raise MiniserverConnectionError("no link")
        decision = face.controller.decision
        assert decision is not None
        face.given(
            Given(
                at=face.now(),
                command=command,
                target_allowed=decision.target.allowed,
                target_kw=decision.target.limit_kw,
                shown=face.state,
                fault=face.fault,
            )
        )
        if face.device.obeys is Obeys.REFUSES:
            raise MissingRightError(403, command.text)
        face.device.take(command, asyncio.get_running_loop())


class Face:
    """A wallbox as the rules see it while one Home Assistant runs."""

    title = "Garage"
    wallbox_id = "0f0f-box"
    writable = True
    controller: Controller

    def __init__(
        self,
        hass: HomeAssistant,
        device: Device,
        *,
        now: Callable[[], datetime],
        given: Callable[[Given], None],
        looked: Callable[[], None],
        decided: Callable[[], None],
    ) -> None:
        """Take the device, a clock and who wants to be told."""
        self.hass = hass
        self.device = device
        self.info = device.info
        self.settings: Mapping[str, Any] = {}
        self.now = now
        self.given = given
        self._looked = looked
        self._decided = decided
        self.linked = True
        self.back_at = None
        self.available = True
        self.state = device.state
        self.fault, self.tampered = device.fault, device.tampered
        self.alerts: list[str] = []
        self._told = device.state
        self._listeners: list[CALLBACK_TYPE] = []
        self.client: Any = Link(self)
        self.commander = Commander(self)
        device.changed = self.refresh

    def attach(self, controller: Controller) -> None:
        """Take the controller that was made for it."""
        self.controller = controller
        self.acts = Acts(self, security=lambda _event: None)

    def refresh(self) -> None:
        """Look at the device, decide, and tell who listens."""
        if not self.linked:
            return
        device = self.device
        self.state, self.fault = device.state, device.fault
        self.tampered = device.tampered
        self._looked()
        self.controller.evaluate()
        self._tell()

    def set_link(self, *, linked: bool) -> None:
        """Cut the link or make it; half a minute later it shows, which is not played."""
        self.linked = self.available = linked
        if linked:
            self.refresh()
        else:
            self.controller.evaluate()
            self._tell()

    def async_decided(self) -> None:
        """Take note of a decision."""
        self._decided()
        self._tell()

    def _tell(self) -> None:
        """Tell the listeners what is new."""
        if self._told != self.state:
            self._told = self.state
            for listener in tuple(self._listeners):
                listener()

    def async_add_listener(self, update_callback: CALLBACK_TYPE) -> Callable[[], None]:
        """Have a callback called with every new state."""
        self._listeners.append(update_callback)
        return lambda: self._listeners.remove(update_callback)

    def async_alert(self, kind: str, details: dict[str, Any]) -> None:
        """Keep an alert."""
        self.alerts.append(f"{kind} {details}")

    def observe(self) -> Observation:
        """Return what the rules look at, as a wallbox's coordinator puts it together."""
        state, info = self.state, self.info
        blocked = None
        if self.fault:
            blocked = Reason.FAULT
        elif state.lock is not None:
            blocked = Reason.LOCKED
        return Observation(
            connected=state.connected,
            allowed=state.allowed,
            charging=bool(state.charging),
            mode=state.mode,
            limit_kw=state.limit_kw,
            blocked_by=blocked,
            load_shedding=bool(state.load_shedding),
            visit=None if state.session is None else state.session.connected_at,
            min_kw=info.min_kw,
            max_kw=info.max_kw,
            mode_limits={
                one.id: one.limit_kw for one in info.modes if one.limit_kw is not None
            },
            managed=info.manager_id is not None,
            locked=state.lock is not None,
            tampered=self.tampered,
        )


LOCKED = Lock(level=2, reason="maintenance")
