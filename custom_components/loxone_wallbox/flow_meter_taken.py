"""Who else is on a line: other wallboxes' meters, other integrations, our own reader."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from os.path import realpath
from typing import Any
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .const import DOMAIN, LOGGER, SUBENTRY_WALLBOX
from .coordinator import WallboxCoordinator
from .flow_connection import FlowError
from .flow_meter_forms import CONF_SHARING, CONF_UNIT_ID, DEFAULT_PORT
from .meter_link import (
    SHARED_MODULE,
    MeterLibraryError,
    async_load,
    async_load_for,
    async_load_library,
)
from .meter_settings import MeterSettings, Sharing, Transport, meter_settings

# The name of a wallbox and its meter.
type Neighbour = tuple[str, MeterSettings]


def neighbours_of(hass: HomeAssistant, subentry_id: str | None) -> Iterator[Neighbour]:
    """Yield the meters that are set up, except that of one wallbox."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        for subentry in entry.get_subentries_of_type(SUBENTRY_WALLBOX):
            settings = meter_settings(subentry.data)
            if settings is not None and subentry.subentry_id != subentry_id:
                yield subentry.title, settings


async def same_line(
    hass: HomeAssistant, one: MeterSettings, other: MeterSettings
) -> bool:
    """Tell whether two meters are behind the same port or the same serial device."""
    serial = one.transport is Transport.SERIAL
    if serial is not (other.transport is Transport.SERIAL):
        return False
    if not serial:
        return (one.host.lower(), one.port) == (other.host.lower(), other.port)
    # A device has several names, and the links are on a disk.
    places = await hass.async_add_executor_job(
        lambda: {realpath(one.device), realpath(other.device)}
    )
    return len(places) == 1


async def check_free(
    hass: HomeAssistant, settings: MeterSettings, neighbours: Iterable[Neighbour]
) -> set[int]:
    """Return the unit ids that neighbours have on the same line.

    Raises `FlowError` where the meter is a neighbour's, and where one of the two or
    another integration wants a line for itself: two masters would garble it.
    """
    taken = set()
    for title, other in neighbours:
        shown = {"other": title}
        same_serial = settings.serial is not None and settings.serial == other.serial
        if same_serial and settings.profile_id == other.profile_id:
            raise FlowError("meter_of_another", CONF_UNIT_ID, shown)
        if not await same_line(hass, settings, other):
            continue
        if settings.unit_id == other.unit_id:
            raise FlowError("meter_of_another", CONF_UNIT_ID, shown)
        alone = Sharing.DEDICATED in {settings.sharing, other.sharing}
        if alone and settings.transport is not Transport.TCP:
            raise FlowError("meter_line_of_another", CONF_SHARING, shown)
        taken.add(other.unit_id)
    (await company_of(hass, settings)).check(settings)
    return taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """Who else in Home Assistant reads on a line, by the names its owner knows.

    `guests` use the connection that Home Assistant shares, `hubs` are those of
    configuration.yaml, each with a connection of its own.
    """

    guests: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()

    def check(self, settings: MeterSettings) -> None:
        """Raise `FlowError` where there would be two masters, who garble a line.

        With Modbus TCP the gateway lets one after the other ask.
        """
        if settings.transport is Transport.TCP:
            return
        if self.hubs:
            shown = {"other": ", ".join(self.hubs)}
            raise FlowError("meter_line_of_hub", "base", shown)
        if self.guests and settings.sharing is Sharing.DEDICATED:
            shown = {"other": ", ".join(self.guests)}
            raise FlowError("meter_line_of_guest", CONF_SHARING, shown)

    @property
    def notice(self) -> FlowError | None:
        """Return what to mention of those with whom a meter gets along."""
        names = (*self.guests, *self.hubs)
        if not names:
            return None
        return FlowError("meter_company", "base", {"other": ", ".join(names)})


async def library_complaint(
    hass: HomeAssistant, settings: MeterSettings | None = None
) -> FlowError | None:
    """Return that what a meter is read with does not load, None where it does.

    Without settings that is what any meter needs.
    """
    try:
        await async_load_library(hass)
    except MeterLibraryError as err:
        return _unloadable("meter_library_missing", "base", err)
    try:
        if settings is not None:
            await async_load_for(hass, settings)
    except MeterLibraryError as err:
        shared = settings is not None and settings.sharing is Sharing.SHARED
        key = "meter_shared_missing" if shared else "meter_backend_missing"
        return _unloadable(key, CONF_SHARING, err)
    return None


def _unloadable(key: str, on: str, err: MeterLibraryError) -> FlowError:
    """Return the sentence for something that does not load, which the log keeps."""
    LOGGER.error("A meter cannot be set up: %s", err)
    return FlowError(key, on, {"error": err.reason})


async def company_of(hass: HomeAssistant, settings: MeterSettings) -> Company:
    """Return who else reads on the line of a meter; wallboxes do not count.

    Raises `FlowError` where what the meter is read with does not load.
    """
    if (complaint := await library_complaint(hass, settings)) is not None:
        raise complaint
    try:
        await async_load(hass, SHARED_MODULE)
    except MeterLibraryError:
        # Nobody else can read then either.
        return Company()
    # Not at the top: the wallbox has to be controllable where Modbus does not load.
    from homeassistant.components.modbus.connection import (  # noqa: PLC0415
        async_get_connection_info,
    )
    from homeassistant.components.modbus.const import (  # noqa: PLC0415
        DATA_MODBUS_HUBS,
    )

    guests = [
        entry.title
        for info in async_get_connection_info(hass)
        if await same_line(hass, settings, _at(settings, info.endpoint))
        for entry_id in info.units
        if (entry := hass.config_entries.async_get_entry(entry_id))
        and entry.domain != DOMAIN
    ]
    hubs = [
        name
        for name, hub in hass.data.get(DATA_MODBUS_HUBS, {}).items()
        if await same_line(hass, settings, _at(settings, hub.endpoint))
    ]
    return Company(guests=tuple(guests), hubs=tuple(hubs))


def _at(settings: MeterSettings, endpoint: tuple[Any, ...]) -> MeterSettings:
    """Return settings of a meter at an endpoint of Home Assistant's."""
    from .meter.link import SOCKET  # noqa: PLC0415

    kind, place, *port = endpoint
    if kind == "serial" and not place.startswith(SOCKET):
        return replace(settings, transport=Transport.SERIAL, device=place)
    if kind == "serial":
        address = urlsplit(place)
        place, port = address.hostname or "", [address.port or DEFAULT_PORT]
    return replace(settings, transport=Transport.TCP, host=place, port=port[0])


@asynccontextmanager
async def room_on(
    hass: HomeAssistant, settings: MeterSettings, wallbox: WallboxCoordinator | None
) -> AsyncIterator[None]:
    """Keep the reader of a wallbox off a line, which stands one master at a time."""
    meter = None if wallbox is None else wallbox.meter
    if (
        wallbox is None
        or meter is None
        or not await same_line(hass, settings, meter.settings)
    ):
        yield
        return
    await meter.async_stop()
    try:
        yield
    finally:
        entry = wallbox.config_entry
        # The wallbox may have been taken down meanwhile.
        if entry.state is ConfigEntryState.LOADED and (
            entry.runtime_data.wallboxes.get(wallbox.subentry_id) is wallbox
        ):
            meter.start()
