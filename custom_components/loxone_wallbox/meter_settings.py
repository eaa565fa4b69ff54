"""What a wallbox's settings say of its meter.

Takes the `meter` part of a subentry, gives typed settings and the parameters of a
connection. Settings that cannot be read are as good as none: then power and energy come
from the Miniserver.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self

from .const import LOGGER
from .meter.fit import Fit
from .meter.model import MeterProfile
from .meter.profiles import PROFILES

if TYPE_CHECKING:
    from modbus_connection import ModbusSerialParams, ModbusTcpParams

CONF_METER = "meter"


class Sharing(StrEnum):
    """Whose connection a meter is read through."""

    # Home Assistant's own, which other integrations on the same gateway use too.
    SHARED = "shared"
    # One of our own, where a slow neighbour would cost readings.
    DEDICATED = "dedicated"


class Transport(StrEnum):
    """What is between Home Assistant and a meter."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    SERIAL = "serial"


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterSettings:
    """How to reach a meter and what it is.

    `host` and `port` for the two ways over TCP, `device` (a path) and the line for a
    serial one. `inverted` is a meter that counts the car's energy as export. `serial`
    is the number it gave at setup. `refresh_s` is how often it measures anew, found at
    setup or in the first session, None where that is not proven yet; `slow_accepted` is
    that the owner was told at setup that it is too slow for power every second. `fit` is
    how this unit is to be read, so that it need not refuse again what it has not.
    """

    profile_id: str
    sharing: Sharing = Sharing.SHARED
    transport: Transport = Transport.TCP
    host: str = ""
    port: int = 502
    device: str = ""
    baudrate: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    unit_id: int = 1
    inverted: bool = False
    serial: str | None = None
    refresh_s: float | None = None
    slow_accepted: bool = False
    fit: Fit = field(default_factory=Fit)

    @property
    def profile(self) -> MeterProfile:
        """Return the meter's profile."""
        return PROFILES[self.profile_id]

    @property
    def params(self) -> ModbusTcpParams | ModbusSerialParams:
        """Return the parameters of the connection; loads the library's part of them."""
        from modbus_connection import (  # noqa: PLC0415
            ModbusSerialParams,
            ModbusTcpParams,
        )

        if self.transport is Transport.TCP:
            return ModbusTcpParams(host=self.host, port=self.port)
        device = self.device
        if self.transport is Transport.RTU_OVER_TCP:
            host = f"[{self.host}]" if ":" in self.host else self.host
            device = f"socket://{host}:{self.port}"
        return ModbusSerialParams(
            device=device,
            baudrate=self.baudrate,
            parity=self.parity,
            stopbits=self.stopbits,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, as the subentry holds it."""
        return {
            "profile": self.profile_id,
            "sharing": self.sharing.value,
            "transport": self.transport.value,
            "host": self.host,
            "port": self.port,
            "device": self.device,
            "baudrate": self.baudrate,
            "parity": self.parity,
            "stopbits": self.stopbits,
            "unit_id": self.unit_id,
            "inverted": self.inverted,
            "serial": self.serial,
            "refresh_s": self.refresh_s,
            "slow_accepted": self.slow_accepted,
            "fit": self.fit.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data; raises `KeyError`, `TypeError` or `ValueError`."""
        fields = {name: value for name, value in data.items() if name != "profile"}
        if data["profile"] not in PROFILES:
            raise ValueError(f"no meter {data['profile']!r} is known")
        fields["sharing"] = Sharing(data["sharing"])
        fields["transport"] = Transport(data["transport"])
        fields["fit"] = Fit.from_dict(data.get("fit", {}))
        return cls(profile_id=data["profile"], **fields)


def meter_settings(settings: Mapping[str, Any]) -> MeterSettings | None:
    """Return the meter of a wallbox's settings, None where there is none."""
    data = settings.get(CONF_METER)
    if not isinstance(data, Mapping):
        return None
    try:
        return MeterSettings.from_dict(data)
    except (KeyError, TypeError, ValueError) as err:
        LOGGER.error("The settings of a meter cannot be read: %s", err)
        return None
