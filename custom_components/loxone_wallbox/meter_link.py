"""Open the way to a meter: Home Assistant's shared connection or one of our own.

Whatever speaks Modbus is loaded here, when a meter is to be read, and by a thread. A
wallbox has to be controllable where Modbus does not load; see `meter_library`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .meter.clock import MeterClock
from .meter_hold import hold_unit, owner_of
from .meter_settings import MeterSettings, Sharing

if TYPE_CHECKING:
    from .meter.link import MeterLink

# Home Assistant's own integration, which has the shared connections.
SHARED_MODULE = "homeassistant.components.modbus"
_LINK, _DEDICATED = f"{__package__}.meter.link", f"{__package__}.meter.dedicated"
# What makes numbers of what was read.
_DECODER = "modbus_connection.decode"


class MeterLibraryError(HomeAssistantError):
    """What a meter is read with does not load."""

    def __init__(self, reason: str) -> None:
        """Take the reason in the words of whoever failed."""
        super().__init__(f"Modbus does not load ({reason})")
        self.reason = reason


@asynccontextmanager
async def open_link(
    hass: HomeAssistant,
    settings: MeterSettings,
    clock: MeterClock | None = None,
    *,
    lasting: bool = False,
) -> AsyncIterator[MeterLink]:
    """Hold a link to a meter; nothing is sent yet.

    `lasting` is for the meter of a wallbox, whose entry is then known to use the
    connection. A flow has no wallbox yet: what it borrows is nobody's, and given back
    with the end of this.

    Begins with the silence that the meter needs between two requests: a link that was
    closed just before may have asked it something.

    Raises `HomeAssistantError` where another integration uses the same serial device
    with other line settings, and where Modbus does not load.
    """
    await asyncio.sleep(settings.profile.limits.spacing_s)
    await async_load_for(hass, settings)
    if settings.sharing is Sharing.DEDICATED:
        from .meter.dedicated import DedicatedLink  # noqa: PLC0415

        link: MeterLink = DedicatedLink(
            settings.params, settings.unit_id, settings.profile, clock=clock
        )
        try:
            yield link
        finally:
            await link.close()
        return
    from .meter.link import SharedLink, Wire  # noqa: PLC0415

    entry = owner_of(hass, settings) if lasting else None
    async with hold_unit(hass, entry, settings.params, settings.unit_id) as unit:
        link = SharedLink(unit, settings.profile, Wire.of(settings.params), clock=clock)
        try:
            yield link
        finally:
            await link.close()


async def async_load_for(hass: HomeAssistant, settings: MeterSettings) -> None:
    """Load what a meter is read with; raises `MeterLibraryError`."""
    await async_load_library(hass)
    if settings.sharing is Sharing.SHARED:
        await async_load(hass, SHARED_MODULE)
        return
    from .meter.dedicated import backend_of  # noqa: PLC0415

    await async_load(hass, backend_of(settings.params))


async def async_load_library(hass: HomeAssistant) -> None:
    """Load what any meter is read with; raises `MeterLibraryError`."""
    await async_load(hass, _DECODER, _LINK, _DEDICATED)


async def async_load(hass: HomeAssistant, *names: str) -> None:
    """Load modules in Home Assistant's thread for that.

    Home Assistant's own helper remembers for good that a module was not there; this
    tries again, so that a library that was repaired is found without a restart.

    Raises `MeterLibraryError` where one does not load.
    """
    for name in names:
        try:
            await hass.async_add_import_executor_job(import_module, name)
        except Exception as err:
            # A library of the wrong release may fail with anything.
            raise MeterLibraryError(str(err) or type(err).__name__) from err
