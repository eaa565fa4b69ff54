"""Borrow a unit on a connection that Home Assistant shares, and give it back.

A config entry gives its units back when it is unloaded. The meter of a wallbox ends
sooner where the wallbox alone is set up anew, and then its line may have other settings:
somebody who still held the old ones would keep everybody off it.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import DOMAIN, SUBENTRY_WALLBOX
from .meter_settings import MeterSettings, meter_settings

if TYPE_CHECKING:
    from modbus_connection import ModbusSerialParams, ModbusTcpParams, ModbusUnit

type _Release = Callable[[], Coroutine[Any, Any, None] | None]


class _Tenant:
    """A config entry, to whoever lends it something, with an end of its own."""

    def __init__(self, entry: ConfigEntry) -> None:
        """Take the entry that is to be known as the one who uses it."""
        self._entry = entry
        self._releases: list[_Release] = []

    def __getattr__(self, name: str) -> Any:
        """Return what the entry has."""
        return getattr(self._entry, name)

    def async_on_unload(self, func: _Release) -> None:
        """Keep what gives something back."""
        self._releases.append(func)

    async def async_end(self) -> None:
        """Give everything back."""
        while self._releases:
            if (work := self._releases.pop()()) is not None:
                await work


@asynccontextmanager
async def hold_unit(
    hass: HomeAssistant,
    entry: ConfigEntry | None,
    params: ModbusTcpParams | ModbusSerialParams,
    unit_id: int,
) -> AsyncIterator[ModbusUnit]:
    """Hold a unit for an entry, or for nobody; the last one who lets go closes the line.

    Raises `HomeAssistantError` where it is in use with other line settings.
    """
    # Not at the top: the wallbox has to be controllable where Modbus does not load.
    from homeassistant.components.modbus import (  # noqa: PLC0415
        async_get_temporary_unit,
        async_get_unit,
    )

    if entry is None:
        async with async_get_temporary_unit(hass, params, unit_id) as unit:
            yield unit
        return
    tenant = _Tenant(entry)
    try:
        yield async_get_unit(hass, cast(ConfigEntry, tenant), params, unit_id)
    finally:
        await tenant.async_end()


def owner_of(hass: HomeAssistant, settings: MeterSettings) -> ConfigEntry | None:
    """Return the entry one of whose wallboxes has a meter, None where none has."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.get_subentries_of_type(SUBENTRY_WALLBOX):
            found = meter_settings(subentry.data)
            if found is not None and _place(found) == _place(settings):
                return entry
    return None


def _place(settings: MeterSettings) -> tuple[Any, ...]:
    """Return where a meter is."""
    place = (settings.host, settings.port, settings.device)
    return (settings.transport, *place, settings.unit_id)
