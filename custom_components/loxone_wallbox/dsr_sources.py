"""The entities of others that tell a wallbox of grid events, as its settings say."""

from datetime import timedelta
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback, split_entity_id
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .charging.sources import PROGRAM, Source, source_name
from .const import (
    CONF_DSR_END_AFTER_MIN,
    CONF_DSR_ENTITIES,
    CONF_DSR_LIMIT_KW,
    CONF_DSR_RESPONSE,
    DOMAIN,
    LOGGER,
    WALLBOX_DEFAULTS,
)
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .dsr_follower import (
    CalendarFollower,
    Followed,
    Follower,
    SensorFollower,
    Worker,
)

KINDS: dict[str, type[Follower]] = {
    Platform.BINARY_SENSOR: SensorFollower,
    Platform.CALENDAR: CalendarFollower,
}


class DsrSources:
    """All sources of one wallbox."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
    ) -> None:
        """Take the wallbox; its settings name the sources."""
        settings = {**WALLBOX_DEFAULTS, **wallbox.settings}
        end_after = timedelta(minutes=settings[CONF_DSR_END_AFTER_MIN])
        self.followers: list[Follower] = []
        registry = er.async_get(hass)
        for named in dict.fromkeys(settings[CONF_DSR_ENTITIES]):
            entity_id = er.async_resolve_entity_id(registry, named)
            if entity_id is None:
                LOGGER.warning(
                    "%s is no entity and gives %s no grid events", named, wallbox.title
                )
                continue
            known = registry.async_get(entity_id)
            kind = KINDS.get(split_entity_id(entity_id)[0])
            if kind is None or (known is not None and known.platform == DOMAIN):
                LOGGER.warning(
                    "%s can give %s no grid events", entity_id, wallbox.title
                )
                continue
            source = Source(
                name=source_name(entity_id),
                limit_kw=settings[CONF_DSR_LIMIT_KW],
                response=settings[CONF_DSR_RESPONSE],
            )
            self.followers.append(
                kind(
                    hass,
                    entry,
                    wallbox,
                    Followed(entity_id=entity_id, source=source, end_after=end_after),
                )
            )
        self._forgetter = Forgetter(
            hass, entry, wallbox, {one.source.name for one in self.followers}
        )

    @callback
    def start(self) -> None:
        """Follow the sources; events of those that are none any more are called off."""
        self._forgetter.look()
        for follower in self.followers:
            follower.start()

    @callback
    def stop(self) -> None:
        """Follow nothing any more; what is in the book stays."""
        for one in (self._forgetter, *self.followers):
            one.stop()


class Forgetter(Worker):
    """Calls off the events of entities that are no sources any more."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        wallbox: WallboxCoordinator,
        sources: set[str],
    ) -> None:
        """Take the names of the sources there are."""
        super().__init__(hass, entry, wallbox, "former sources")
        self._sources = sources

    @override
    async def async_work(self) -> None:
        """Call off what is left of others."""
        book = self.wallbox.controller.state.dsr
        now = dt_util.utcnow()
        for event in list(book.events.values()):
            if (
                event.program == PROGRAM
                and event.source not in self._sources
                and event.end > now
                and event.cancelled_at is None
                and event.opted_out_at is None
            ):
                await self.wallbox.acts.async_cancel_event(event.key)
