"""What a simulated meter is: its model, its wires and the wallbox it measures."""

from dataclasses import dataclass
from typing import Literal, get_args

from .maps import MAPS
from .registers import MeterMap

type Link = Literal["tcp", "rtu_tcp", "pty"]

_MOST_UNITS = 247
_CLI_OPTIONS = {"wallbox", "unit", "name", "serial", "energy"}


@dataclass(frozen=True, kw_only=True)
class MeterConfig:
    """A meter; None takes what the model is delivered with."""

    # A key of maps.MAPS.
    profile: str
    # Position or name of the wallbox whose supply runs through the meter.
    wallbox: int | str = 0
    # The profile, if empty.
    name: str = ""
    # tcp: Modbus TCP. rtu_tcp: RTU frames through a transparent gateway. pty: RTU on a
    # serial device, which socat provides.
    link: Link = "tcp"
    # 0 is chosen by the system.
    port: int = 0
    # Of the serial device; empty makes one in a temporary folder.
    path: str = ""
    # Meters that name the same line hang on the same wires; so do those that name the
    # same port or path.
    line: str = ""
    unit: int | None = None
    serial: str = "23110001"
    # None starts where the Miniserver's own reading of the wallbox stands.
    energy_kwh: float | None = None
    export_kwh: float = 0.0
    # How often the meter renews its registers (seconds).
    refresh_s: float | None = None
    # Silence that the meter wants before a request (seconds).
    pause_s: float | None = None
    max_registers: int | None = None
    # Longer reads are not refused but not answered.
    silent_beyond: int | None = None
    # Refuses reads that touch unused registers.
    strict: bool | None = None
    # Addresses that this unit lacks although its model has them.
    absent: frozenset[int] = frozenset()
    # On Modbus TCP a gateway answers for a meter that is silent (exception 11).
    gateway: bool = True
    # Share by which the measured power wanders around the true one.
    wobble: float = 0.002

    def __post_init__(self) -> None:
        """Refuse what cannot be a meter."""
        if self.profile not in MAPS:
            known = ", ".join(MAPS)
            raise ValueError(f"unknown meter {self.profile!r}, choose from {known}")
        if self.link not in get_args(Link.__value__):
            raise ValueError(f"{self.link!r} is no link of a meter")
        if self.unit is not None and not 1 <= self.unit <= _MOST_UNITS:
            raise ValueError(f"a unit id goes from 1 to {_MOST_UNITS}")
        if not self.serial.isdigit():
            raise ValueError("the serial number of a meter has only digits")
        for name in (
            "energy_kwh",
            "refresh_s",
            "pause_s",
            "max_registers",
            "silent_beyond",
        ):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} of a meter is not negative")

    @property
    def map(self) -> MeterMap:
        """Return the layout of the model."""
        return MAPS[self.profile]

    @property
    def title(self) -> str:
        """Return the name by which people call the meter."""
        return self.name or self.profile

    @property
    def rtu(self) -> bool:
        """Return whether frames carry a checksum instead of a header."""
        return self.link != "tcp"

    @property
    def unit_id(self) -> int:
        """Return the address on the line."""
        if self.unit is not None:
            return self.unit
        if self.profile == "dvh4013":
            # The last two digits of the serial number, plus one, read as hexadecimal.
            return int(str((int(self.serial[-2:]) + 1) % 100), 16) or 1
        return self.map.unit_id

    @property
    def effective_refresh_s(self) -> float:
        """Return how often the registers are renewed (seconds)."""
        return self.map.refresh_s if self.refresh_s is None else self.refresh_s

    @property
    def effective_pause_s(self) -> float:
        """Return the silence before a request (seconds)."""
        return self.map.pause_s if self.pause_s is None else self.pause_s

    @property
    def most_registers(self) -> int:
        """Return the largest count of a read."""
        return self.max_registers or self.map.max_registers

    @property
    def refuses_gaps(self) -> bool:
        """Return whether reads that touch unused registers are refused."""
        return self.map.strict if self.strict is None else self.strict


def parse_meter(text: str, position: int) -> MeterConfig:
    """Return the meter of a command line.

    `sdm630:5020` on Modbus TCP, `sdm630:rtu:5020` on RTU over TCP, `sdm630:/dev/pts/x`
    on a serial device of that name, each followed by options such as
    `,wallbox=Carport,unit=3`. The meter measures the wallbox at its own position unless
    told otherwise. A text that says something else raises a ValueError.
    """
    first, *options = text.split(",")
    profile, _, place = first.partition(":")
    given = dict(option.partition("=")[::2] for option in options)
    if unknown := sorted(set(given) - _CLI_OPTIONS):
        raise ValueError(f"a meter has no option {', '.join(unknown)}")
    link: Link = "tcp"
    path = ""
    if place.startswith("/"):
        link, path, place = "pty", place, ""
    elif place.startswith("rtu:"):
        link, place = "rtu_tcp", place.removeprefix("rtu:")
    if place and not place.isdigit():
        raise ValueError(f"{place!r} is no port of a meter")
    wallbox = given.get("wallbox", str(position))
    return MeterConfig(
        profile=profile,
        link=link,
        port=int(place or 0),
        path=path,
        wallbox=int(wallbox) if wallbox.isdigit() else wallbox,
        unit=int(given["unit"]) if "unit" in given else None,
        name=given.get("name", ""),
        serial=given.get("serial", str(23110001 + position)),
        energy_kwh=float(given["energy"]) if "energy" in given else None,
    )
