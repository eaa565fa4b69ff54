"""What a simulated Miniserver is made of: users, wallboxes and the unit itself."""

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Literal

from .meters.config import MeterConfig

type Variant = Literal["11kw_tree", "11kw_air", "7.4kw_tree", "7.4kw_air"]
type HashAlgorithm = Literal["SHA1", "SHA256"]
type OnLinkLoss = Literal["continue", "stop"] | float

KW_MIN_THREE_PHASE = 4.16
KW_MIN_SINGLE_PHASE = 1.38


class Right(IntFlag):
    """Permission bits of a token.

    Source: Communicating with the Miniserver, "Permissions".
    """

    ADMIN = 0x1
    WEB = 0x2
    APP = 0x4
    CONFIG = 0x8
    FTP = 0x10
    CHANGE_PASSWORD = 0x20
    EXPERT_MODE = 0x40
    OPERATING_MODES = 0x80
    SYSTEM_SERVICES = 0x100
    AUTOMATIC_DESIGNER = 0x200
    LIGHT_EXPERT_MODE = 0x400
    USER_MANAGEMENT = 0x800
    DEVICE_SEARCH = 0x1000
    PLUGINS = 0x2000
    TRUST = 0x4000
    TRIGGER_UPDATE = 0x8000
    TRIGGER_BACKUP = 0x10000


ALL_RIGHTS = int(~Right(0))
APP_RIGHTS = int(Right.WEB | Right.APP)


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of the Miniserver."""

    name: str
    password: str
    # None leaves the field out of the answer to getkey2, as firmware before 10.4 does.
    hash_alg: HashAlgorithm | None = "SHA256"
    # The most a token of this user may carry; a token needs WEB or APP.
    rights: int = ALL_RIGHTS
    # False: sees its controls, and gets 403 for every command to them.
    may_control: bool = True
    # Names of the wallboxes this user sees; None sees everything.
    sees: tuple[str, ...] | None = None
    disabled: bool = False
    visu_password: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A charging mode of the block, set up by the installer."""

    id: int
    name: str = ""
    limit_kw: float = 0.0
    set_by_logic: bool = False
    price: float | None = None


@dataclass(frozen=True, kw_only=True)
class VariantFacts:
    """What the four models differ in."""

    article: str
    title: str
    min_kw: float
    max_kw: float
    phases: int
    air: bool


VARIANTS: dict[Variant, VariantFacts] = {
    "11kw_tree": VariantFacts(
        article="100526",
        title="Wallbox 11kW 16A Tree",
        min_kw=KW_MIN_THREE_PHASE,
        max_kw=11.0,
        phases=3,
        air=False,
    ),
    "11kw_air": VariantFacts(
        article="100527",
        title="Wallbox 11kW 16A Air",
        min_kw=KW_MIN_THREE_PHASE,
        max_kw=11.0,
        phases=3,
        air=True,
    ),
    "7.4kw_tree": VariantFacts(
        article="100535",
        title="Wallbox 7.4kW 32A Tree",
        min_kw=KW_MIN_SINGLE_PHASE,
        max_kw=7.4,
        phases=1,
        air=False,
    ),
    "7.4kw_air": VariantFacts(
        article="100536",
        title="Wallbox 7.4kW 32A Air",
        min_kw=KW_MIN_SINGLE_PHASE,
        max_kw=7.4,
        phases=1,
        air=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class WallboxConfig:
    """A wallbox and the block behind it, as the installer left them."""

    name: str
    variant: Variant = "11kw_tree"
    room: str = "Garage"
    # Under a WallboxManager limit and mode belong to the manager.
    managed: bool = False
    # Bits of the structure file: 0 reference only, 1 read only, 4/5 same from outside.
    restrictions: int = 0
    secured: bool = False
    # Places the diagnostic inputs as controls of their own.
    diagnostics: bool = True
    # Places contacts for tampering and over-temperature among them.
    contacts: bool = False
    # False leaves out what only some firmware or some installers offer.
    optional_states: bool = True
    # None: three modes (Eco, Normal, Full) and two unconfigured ones.
    modes: tuple[Mode, ...] | None = None
    mode: int = 3
    mode_unplug: int = 0
    # None: the largest power of the variant.
    manual_limit_kw: float | None = None
    # None: of the variant. A three-phase box with a minimum below 4.16 kW changes to
    # one phase for small limits.
    min_kw: float | None = None
    max_kw: float | None = None
    allowed: bool = True
    # False: no meter in the wallbox, so that power and readings stay at zero.
    meter: bool = True
    total_kwh: float = 100.0
    # Per kWh and per hour; None announces -1337 ("no price") from firmware 15.1 on.
    price_per_kwh: float | None = 0.25
    price_per_hour: float | None = 0.0
    # The identity that shows in the session, for instance from an NFC Code Touch.
    user_id: str = ""
    tracker_entries: int = 100
    tracker_newest_first: bool = True
    # The text of `session` before the first car.
    idle_session: str = ""
    # What the box itself does while its Tree or Air link is down: a number is a kW.
    on_link_loss: OnLinkLoss = "continue"
    self_test_s: float = 10.0
    phase_switch_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what no installer could have set."""
        if self.variant not in VARIANTS:
            msg = f"unknown variant {self.variant!r}, choose from {', '.join(VARIANTS)}"
            raise ValueError(msg)
        if not self.name:
            raise ValueError("a wallbox needs a name")

    @property
    def facts(self) -> VariantFacts:
        """Return what is fixed by the model."""
        return VARIANTS[self.variant]

    @property
    def minimum_kw(self) -> float:
        """Return the power below which the block pauses."""
        return self.facts.min_kw if self.min_kw is None else self.min_kw

    @property
    def maximum_kw(self) -> float:
        """Return the largest power of the block."""
        return self.facts.max_kw if self.max_kw is None else self.max_kw

    @property
    def all_modes(self) -> tuple[Mode, ...]:
        """Return the five modes, unconfigured ones with an empty name."""
        given = {mode.id: mode for mode in self.modes or self._usual_modes()}
        return tuple(given.get(number, Mode(id=number)) for number in range(1, 6))

    def _usual_modes(self) -> tuple[Mode, ...]:
        """Return the modes that an installer typically leaves."""
        middle = round((self.minimum_kw + self.maximum_kw) / 2, 1)
        return (
            Mode(id=1, name="Eco", limit_kw=self.minimum_kw, price=self.price_per_kwh),
            Mode(id=2, name="Normal", limit_kw=middle, price=self.price_per_kwh),
            Mode(id=3, name="Full", limit_kw=self.maximum_kw, price=self.price_per_kwh),
        )


def _usual_users() -> tuple[User, ...]:
    """Return one administrator."""
    return (User(name="admin", password="Wallbox-1234"),)  # noqa: S106


def _usual_wallboxes() -> tuple[WallboxConfig, ...]:
    """Return two wallboxes of different models."""
    return (
        WallboxConfig(name="Garage", variant="11kw_tree"),
        WallboxConfig(name="Carport", variant="7.4kw_air", room="Carport"),
    )


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """The Miniserver. A port of 0 is chosen by the system, None is not opened."""

    serial: str = "504F94A00001"
    name: str = "Home"
    firmware: str = "16.1.11.6"
    # 1: http and ws only. 2: https and wss as well.
    generation: Literal[1, 2] = 2
    # None: 0 for the first generation and 2 for the second.
    miniserver_type: int | None = None
    users: tuple[User, ...] = field(default_factory=_usual_users)
    wallboxes: tuple[WallboxConfig, ...] = field(default_factory=_usual_wallboxes)
    # Energy meters on Modbus in the supplies of wallboxes.
    meters: tuple[MeterConfig, ...] = ()
    # A WallboxManager above the wallboxes with `managed`.
    manager: bool = False
    manager_max_kw: float = 22.0
    manager_eco_kw: float = 6.0
    # True answers 403 to mode and limit of a managed wallbox, False answers 200 and
    # ignores them. What a real unit does is not documented.
    manager_refuses: bool = True
    # Names of virtual inputs, which take a pulse and do nothing.
    virtual_inputs: tuple[str, ...] = ()
    # Pads the structure file to at least so many controls or so many MiB.
    extra_controls: int = 0
    structure_mib: float = 0.0
    # Changes of padding states per second.
    background_events: float = 0.0

    # Bit of the header's third byte that announces an estimate: 0x80, or 0x01 as some
    # read the documentation.
    estimated_headers: bool = False
    estimated_mask: int = 0x80
    # Numbers of entries in one event table.
    table_entries: int = 2000
    # None: four weeks for an App token, a day for a Web token.
    token_lifetime_s: float | None = None
    key_lifetime_s: float = 60.0
    refresh_keeps_old: bool = False
    mask_hashes: bool = False
    login_timeout_s: float = 10.0
    # Loxone's own client relies on the unit to close after a refused login, while others
    # try again on the same websocket; so it closes when nothing more comes for a while.
    # None never closes.
    refusal_grace_s: float | None = 1.0
    idle_timeout_s: float = 300.0
    max_clients: int = 31
    lockout_after: int = 5
    lockout_s: float = 300.0
    # The block length is multiplied by this on each repetition.
    lockout_growth: float = 2.0
    timezone: str = "Europe/London"
    currency: str = "£"
    seed: int = 0

    host: str = "127.0.0.1"
    port: int = 0
    tls_port: int | None = 0
    control_port: int | None = None
    discovery_port: int | None = None
    # A real unit answers to UDP port 7071 whatever the port of the question. None
    # answers to the sender only; a number answers to that port as well.
    discovery_reply_port: int | None = None
    tick_s: float = 1.0
    # How often power and energy are measured anew while nothing else happens.
    power_every_s: float = 1.0
    energy_every_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what cannot be a Miniserver."""
        if len(self.serial) != 12 or not _is_hex(self.serial):  # noqa: PLR2004
            raise ValueError(f"a serial number has 12 hex digits, not {self.serial!r}")
        if not self.firmware.replace(".", "").isdigit():
            raise ValueError(f"a firmware looks like 16.1.11.6, not {self.firmware!r}")
        if self.generation not in (1, 2):
            raise ValueError(f"the generation is 1 or 2, not {self.generation!r}")
        names = [wallbox.name for wallbox in self.wallboxes]
        if len(set(names)) != len(names):
            raise ValueError("two wallboxes have the same name")
        if self.tick_s <= 0:
            raise ValueError("a tick takes some time")

    @property
    def version(self) -> tuple[int, ...]:
        """Return the firmware as numbers."""
        return tuple(int(part) for part in self.firmware.split("."))

    @property
    def type(self) -> int:
        """Return the number of the hardware type in the structure file."""
        if self.miniserver_type is not None:
            return self.miniserver_type
        return 0 if self.generation == 1 else 2

    @property
    def tls_name(self) -> str:
        """Return the only host name the certificate is made for."""
        address = self.host.replace(".", "-").replace(":", "-")
        return f"{address}.{self.serial.upper()}.dyndns.loxonecloud.com"


def _is_hex(text: str) -> bool:
    """Return whether a text consists of hex digits."""
    return all(digit in "0123456789abcdefABCDEF" for digit in text)
