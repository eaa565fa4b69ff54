"""A wallbox as the Miniserver's program sees it: the block "Wallbox".

Source: Structure File, "Wallbox2", and Loxone's page of the block.
"""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from .car import Car
from .charge_point import ChargePoint
from .config import Mode, WallboxConfig
from .flows import Flows
from .identifiers import locked_uuid, make_uuid
from .session import Session, Tracker

MANUAL = 99
_TINY = 1e-9
PERIODS = ("totalDay", "totalWeek", "totalMonth", "totalYear")
_STATES = (
    "actual",
    "total",
    "connected",
    "enabled",
    "active",
    "loadshed",
    "phaseSwitching",
    "mode",
    "limit",
    "modeUnplug",
    "session",
)
# States that some firmware and some installations lack, with the first firmware.
_SINCE = {
    **dict.fromkeys(PERIODS, (14, 1)),
    "priority": (14, 5),
    "pricePerHour": (14, 5),
    "pricePerkWh": (14, 5),
    "limitedBy": (14, 5),
    "temporaryLimitation": (16, 1),
}
OPTIONAL_STATES = tuple(_SINCE)
DIAGNOSTICS = {
    "Online": ("InfoOnlyDigital", "active"),
    "Charging error": ("InfoOnlyDigital", "active"),
    "Fault current": ("InfoOnlyDigital", "active"),
    "Temperature": ("InfoOnlyAnalog", "value"),
    "Error code": ("InfoOnlyAnalog", "value"),
}
# What no wallbox tells by itself: contacts that an installer has wired.
CONTACTS = {
    "Tamper": ("InfoOnlyDigital", "active"),
    "Over-temperature": ("InfoOnlyDigital", "active"),
}


class Surroundings(Protocol):
    """What a wallbox needs of the world around it."""

    @property
    def now(self) -> float:
        """Return the instant of the world (monotonic)."""

    @property
    def unix(self) -> int:
        """Return the instant of the world (whole seconds since 1970)."""

    def change(self, note: str) -> AbstractContextManager[None]:
        """Bring the world up to date, let something happen, and tell everybody."""


class Wallbox:
    """The block, with the charge point behind it. Its methods act as the app does."""

    def __init__(
        self,
        config: WallboxConfig,
        serial: str,
        version: tuple[int, ...],
        surroundings: Surroundings,
    ) -> None:
        """Start as the installer left it."""
        self._world = surroundings
        self.config = config
        self.name = config.name
        self.uuid = make_uuid(serial, "wallbox", config.name)
        self.state_uuids = {
            name: make_uuid(serial, "wallbox", config.name, name)
            for name in _offered_states(config, version)
        }
        self.state_uuids["jLocked"] = locked_uuid(self.uuid)
        self.diagnostics = {**DIAGNOSTICS, **(CONTACTS if config.contacts else {})}
        self.diagnostic_uuids = {
            title: make_uuid(serial, "diagnostic", config.name, title)
            for title in self.diagnostics
        }
        self.diagnostic_states = {
            title: make_uuid(serial, "diagnostic", config.name, title, "state")
            for title in self.diagnostics
        }
        self.contacts = dict.fromkeys(CONTACTS, False)
        self.tree_serial = make_uuid(serial, "device", config.name)[:8].upper()
        self.point = ChargePoint(config)
        self.enabled = config.allowed
        self.modes: dict[int, Mode] = {mode.id: mode for mode in config.all_modes}
        self.mode = min(config.mode, 2) if config.managed else config.mode
        self.mode_unplug = config.mode_unplug
        self.manual_limit_kw = (
            config.maximum_kw
            if config.manual_limit_kw is None
            else config.manual_limit_kw
        )
        self.loadshed = False
        self.locked: tuple[int, str] | None = None
        # Given by a WallboxManager above.
        self.assigned_kw = config.maximum_kw
        self.limited_by = 0
        self.total_kwh = config.total_kwh
        self.period_kwh = dict.fromkeys(PERIODS, 0.0)
        self.session: Session | None = None
        self.charging_s = 0.0
        self.flows = Flows()
        self.tracker = Tracker(
            config.tracker_entries, newest_first=config.tracker_newest_first
        )

    # What is the case.

    @property
    def car(self) -> Car | None:
        """Return the car that is plugged in."""
        return self.point.car

    @property
    def connected(self) -> bool:
        """Return whether a car is plugged in."""
        return self.point.car is not None

    @property
    def power_kw(self) -> float:
        """Return the power that flows now (kW)."""
        return self.point.power_kw(self._world.now)

    @property
    def active(self) -> bool:
        """Return whether energy flows."""
        return self.power_kw > _TINY

    @property
    def phase_switching(self) -> bool:
        """Return whether charging pauses for a change of phases."""
        return self.point.switching(self._world.now)

    @property
    def limit_kw(self) -> float:
        """Return the limit of the current mode (kW)."""
        if self.config.managed:
            return self.assigned_kw
        if self.mode == MANUAL:
            return self.manual_limit_kw
        return self.modes[self.mode].limit_kw

    @property
    def target_kw(self) -> float:
        """Return the power the block asks for: 0 when not allowed or below minimum."""
        if not self.enabled or self.loadshed or self.locked:
            return 0.0
        if self.limit_kw < self.config.minimum_kw - _TINY:
            return 0.0
        return min(self.limit_kw, self.config.maximum_kw)

    @property
    def price_per_kwh(self) -> float | None:
        """Return the price of energy in the current mode, None without one."""
        mode = self.modes.get(self.mode)
        if mode is not None and mode.price is not None:
            return mode.price
        return self.config.price_per_kwh

    # What people, cars and installers do.

    def plug(self, car: Car | None = None) -> None:
        """Plug a car in."""
        with self._world.change(f"{self.name}: plugged in"):
            if self.connected:
                raise ValueError(f"a car is already plugged into {self.name}")
            self.point.plug(car or Car(), self._world.now)
            utc = self._world.unix
            self.session = Session(
                connect=utc,
                start=utc if self.enabled else 0,
                user=self.config.user_id,
                price=None if self.price_per_kwh is None else 0.0,
            )
            self.charging_s = 0.0

    def unplug(self) -> Car:
        """Unplug the car and return it."""
        with self._world.change(f"{self.name}: unplugged"):
            car = self.point.unplug()
            if car is None or self.session is None:
                raise ValueError(f"no car is plugged into {self.name}")
            self.session.disconnect = self._world.unix
            self.session.power = 0.0
            self.tracker.add(self.session.as_dict())
            if self.mode_unplug and not self.config.managed:
                self.mode = self.mode_unplug
            return car

    def set_allowed(self, on: bool) -> None:
        """Allow or forbid charging."""
        with self._world.change(
            f"{self.name}: charging {'allowed' if on else 'forbidden'}"
        ):
            if on and not self.enabled:
                self.point.wake()
                if self.connected and self.session:
                    self.session.start = self._world.unix
            self.enabled = on

    def set_mode(self, mode: int) -> None:
        """Choose a mode: a configured one of 1 to 5, or 99 for manual."""
        if self.config.managed:
            raise ValueError("the mode belongs to the manager")
        if mode != MANUAL and not (mode in self.modes and self.modes[mode].name):
            raise ValueError(f"mode {mode} is not configured")
        with self._world.change(f"{self.name}: mode {mode}"):
            self.mode = mode

    def set_manual_limit(self, limit_kw: float) -> None:
        """Set the manual limit (kW) and change to manual."""
        if self.config.managed:
            raise ValueError("the limit belongs to the manager")
        if not 0 <= limit_kw < float("inf"):
            raise ValueError("a limit is a number of kW from 0 on")
        with self._world.change(f"{self.name}: manual limit {limit_kw:g} kW"):
            self.manual_limit_kw = min(limit_kw, self.config.maximum_kw)
            self.mode = MANUAL

    def set_mode_unplug(self, mode: int) -> None:
        """Choose the mode after unplugging: 0 keeps, 1 to 5."""
        if mode and not (mode in self.modes and self.modes[mode].name):
            raise ValueError(f"mode {mode} is not configured")
        with self._world.change(f"{self.name}: mode after unplugging {mode}"):
            self.mode_unplug = mode

    def update_mode(
        self, number: int, limit_kw: float, name: str, price: float | None
    ) -> None:
        """Change a mode of the block; the list of modes is in the structure file."""
        if number not in self.modes or not 0 <= limit_kw < float("inf"):
            raise ValueError(f"mode {number} cannot be {limit_kw} kW")
        old = self.modes[number]
        if old.set_by_logic and limit_kw != old.limit_kw:
            raise ValueError(f"the limit of mode {number} comes from the program")
        with self._world.change(
            f"{self.name}: mode {number} is {name}, {limit_kw:g} kW"
        ):
            self.modes[number] = replace(
                old,
                name=name,
                limit_kw=limit_kw,
                price=old.price if price is None else price,
            )

    def set_manager_mode(self, mode: int) -> None:
        """Set the mode of a managed wallbox: 0 not allowed, 1 Eco, 2 Priority."""
        if not self.config.managed or mode not in (0, 1, 2):
            raise ValueError("0, 1 and 2 are modes of managed wallboxes")
        with self._world.change(f"{self.name}: mode {mode} of the manager"):
            self.mode = mode

    def set_user(self, user: str) -> None:
        """Name the user of the session, as an NFC reader does."""
        with self._world.change(f"{self.name}: user {user}"):
            if self.session and self.connected:
                self.session.user = user

    def spoil_history(self, *lines: str) -> None:
        """Put lines that are no entries between those of the history; none ends it."""
        with self._world.change(f"{self.name}: {len(lines)} broken lines of history"):
            self.tracker.broken = lines

    def set_loadshed(self, on: bool) -> None:
        """Shed this load, or end it."""
        with self._world.change(f"{self.name}: load shedding {'on' if on else 'off'}"):
            self.loadshed = on

    def lock(self, reason: str = "", by: int = 1) -> None:
        """Lock the control: by a user (1) or by the program (2)."""
        with self._world.change(f"{self.name}: locked: {reason}"):
            self.locked = (by, reason)

    def unlock(self) -> None:
        """Unlock the control."""
        with self._world.change(f"{self.name}: unlocked"):
            self.locked = None

    def set_online(self, on: bool) -> None:
        """Cut or restore the link between the Miniserver and the box."""
        with self._world.change(f"{self.name}: link {'up' if on else 'down'}"):
            self.point.set_online(on)

    def tamper(self, on: bool) -> None:
        """Breach the box's interface, or mend it: for Loxone a lost link."""
        self.set_online(not on)

    def set_contact(self, title: str, on: bool) -> None:
        """Close or open a contact: "Tamper" or "Over-temperature"."""
        if not self.config.contacts or title not in CONTACTS:
            raise ValueError(f"{self.name} has no contact {title}")
        with self._world.change(f"{self.name}: {title} {'on' if on else 'off'}"):
            self.contacts[title] = on

    def set_error(self, code: int) -> None:
        """Raise an error of the charge point; 0 ends it."""
        if code and not 100 <= code <= 300:  # noqa: PLR2004
            raise ValueError("error codes go from 101 to 300; 0 is none")
        with self._world.change(f"{self.name}: error code {code}"):
            self.point.error_code = code

    # How time passes.

    def settle(self, now: float) -> None:
        """Hand the target to the charge point."""
        self.point.request(self.target_kw, now)
        self.point.settle(now)

    def integrate(self, now: float, seconds: float) -> None:
        """Let time pass with everything as it is."""
        charging = self.point.power_kw(now) > _TINY
        energy = self.point.integrate(now, seconds)
        if not self.config.meter:
            energy = 0.0
        self.total_kwh += energy
        for period in PERIODS:
            self.period_kwh[period] += energy
        if self.session is None or not self.connected:
            return
        self.charging_s += seconds * charging
        self.session.energy += energy
        if self.session.price is not None:
            hourly = self.config.price_per_hour or 0.0
            self.session.price += energy * (self.price_per_kwh or 0.0)
            self.session.price += seconds / 3600 * hourly

    def begin_periods(self, periods: tuple[str, ...]) -> None:
        """Start the counters of a day, week, month or year anew."""
        for period in periods:
            self.period_kwh[period] = 0.0

    def snapshot(self) -> dict[str, Any]:
        """Return everything as JSON for a person."""
        car = self.car
        return {
            "name": self.name,
            "uuid": self.uuid,
            "variant": self.config.variant,
            "connected": self.connected,
            "enabled": self.enabled,
            "active": self.active,
            "power_kw": round(self.power_kw, 3),
            "mode": self.mode,
            "limit_kw": self.limit_kw,
            "target_kw": self.target_kw,
            "manual_limit_kw": self.manual_limit_kw,
            "mode_unplug": self.mode_unplug,
            "phase_switching": self.phase_switching,
            "loadshed": self.loadshed,
            "locked": self.locked is not None,
            "online": self.point.online,
            "error_code": self.point.error_code,
            "total_kwh": round(self.total_kwh, 6),
            "charging_s": round(self.charging_s, 3),
            "session": self.session.as_dict() if self.session else None,
            "history": self.tracker.records,
            "car": None
            if car is None
            else {
                "capacity_kwh": car.capacity_kwh,
                "energy_kwh": round(car.energy_kwh, 6),
                "full": car.full,
                "asleep": car.asleep,
            },
        }


def _offered_states(config: WallboxConfig, version: tuple[int, ...]) -> list[str]:
    """Return the names of the states that exist in this installation."""
    optional = [
        name
        for name, since in _SINCE.items()
        if config.optional_states
        and version >= since
        and (name != "limitedBy" or config.managed)
    ]
    return [*_STATES, *optional]
