"""Open the way to a meter: Home Assistant's shared connection or one of our own.

Whatever speaks Modbus is loaded here, when a meter is to be read, and by a thread. A
wallbox has to be controllable where Modbus does not load; then its meter is silent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .meter.clock import MeterClock
from .meter_settings import MeterSettings, Sharing

if TYPE_CHECKING:
    from .meter.link import MeterLink

# Home Assistant's own integration, which has the shared connections.
SHARED_MODULE = "homeassistant.components.modbus"
_LINK, _DEDICATED = f"{__package__}.meter.link", f"{__package__}.meter.dedicated"


@asynccontextmanager
async def open_link(
    hass: HomeAssistant, settings: MeterSettings, clock: MeterClock | None = None
) -> AsyncIterator[MeterLink]:
    """Hold a link to a meter; nothing is sent yet.

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
    from homeassistant.components.modbus import (  # noqa: PLC0415
        async_get_temporary_unit,
    )

    from .meter.link import SharedLink, Wire  # noqa: PLC0415

    async with async_get_temporary_unit(
        hass, settings.params, settings.unit_id
    ) as unit:
        link = SharedLink(unit, settings.profile, Wire.of(settings.params), clock=clock)
        try:
            yield link
        finally:
            await link.close()


async def async_load_for(hass: HomeAssistant, settings: MeterSettings) -> None:
    """Load what a meter is read with; raises `HomeAssistantError`, see `async_load`."""
    if settings.sharing is Sharing.SHARED:
        await async_load(hass, _LINK, SHARED_MODULE)
        return
    await async_load(hass, _DEDICATED)
    from .meter.dedicated import backend_of  # noqa: PLC0415

    await async_load(hass, backend_of(settings.params))


async def async_load(hass: HomeAssistant, *names: str) -> None:
    """Load modules in Home Assistant's thread for that.

    Home Assistant's own helper remembers for good that a module was not there; this
    tries again, so that a library that was repaired is found without a restart.

    Raises `HomeAssistantError`, with the reason in words, where one does not load.
    """
    for name in names:
        try:
            await hass.async_add_import_executor_job(import_module, name)
        except Exception as err:
            # A library of the wrong release may fail with anything.
            raise HomeAssistantError(f"Modbus does not load ({err})") from err
