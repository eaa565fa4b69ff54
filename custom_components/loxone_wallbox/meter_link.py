"""Open the way to a meter: Home Assistant's shared connection or one of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homeassistant.core import HomeAssistant

from .meter.clock import MeterClock
from .meter.dedicated import DedicatedLink
from .meter.link import MeterLink, SharedLink, Wire
from .meter_settings import MeterSettings, Sharing


@asynccontextmanager
async def open_link(
    hass: HomeAssistant, settings: MeterSettings, clock: MeterClock | None = None
) -> AsyncIterator[MeterLink]:
    """Hold a link to a meter; nothing is sent yet.

    Begins with the silence that the meter needs between two requests: a link that was
    closed just before may have asked it something.

    Raises `HomeAssistantError` where another integration uses the same serial device
    with other line settings.
    """
    await asyncio.sleep(settings.profile.limits.spacing_s)
    if settings.sharing is Sharing.DEDICATED:
        link: MeterLink = DedicatedLink(
            settings.params, settings.unit_id, settings.profile, clock=clock
        )
        try:
            yield link
        finally:
            await link.close()
        return
    # Not at the top: the wallbox has to be controllable where Modbus does not load.
    from homeassistant.components.modbus import (  # noqa: PLC0415
        async_get_temporary_unit,
    )

    async with async_get_temporary_unit(
        hass, settings.params, settings.unit_id
    ) as unit:
        link = SharedLink(unit, settings.profile, Wire.of(settings.params), clock=clock)
        try:
            yield link
        finally:
            await link.close()
