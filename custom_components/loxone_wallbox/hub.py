"""Keep an entry's wallboxes in step with its subentries and the structure file.

A new, changed or deleted subentry, and a wallbox that Loxone Config changed, each touch
that one wallbox only; the others go on undisturbed.
"""

import asyncio
from functools import partial
from typing import override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
    ConfigSubentry,
)
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .alerts import Alerts
from .charging.owner import OwnerState
from .charging.variants import FACTS, Variant
from .clock_repair import ClockRepair
from .const import (
    CONF_DIAGNOSTIC_INPUTS,
    CONF_TARIFF,
    CONF_VARIANT,
    CONF_WALLBOX_ID,
    DOMAIN,
    LOGGER,
    SUBENTRY_WALLBOX,
)
from .coordinator import (
    LoxoneWallboxConfigEntry,
    LoxoneWallboxRuntimeData,
    WallboxCoordinator,
)
from .days_off import DaysOffFollower
from .dsr_sources import DsrSources
from .farewell import async_leave_wallbox
from .links import KeptLinks, async_load_links
from .login_repair import LoginRepair
from .meter_library import MeterLibraries
from .meter_settings import CONF_METER, MeterSettings
from .miniserver import ClientListener, Structure, Token, WallboxInfo
from .miniserver.errors import AuthenticationError, MiniserverError
from .records.state import StateKeeper
from .rules import KeptMeter, async_load_meter, async_load_state
from .security import Security
from .security_causes import dropped_event, event_of
from .security_options import OptionsWatch
from .security_watch import SecurityWatch
from .session_files import KeptSessions, async_load_sessions
from .site import Site
from .strays import async_forget_strays
from .tariff_settings import tariff_settings
from .watchdog import Watchdog


class Hub(ClientListener):
    """Spreads what the client tells to the coordinators."""

    def __init__(
        self, hass: HomeAssistant, entry: LoxoneWallboxConfigEntry, security: Security
    ) -> None:
        """Prepare; the client may tell of a new token before anything is set up."""
        self._hass = hass
        self._security = security
        self._watch = SecurityWatch(hass, security)
        self._options = OptionsWatch(entry, security)
        self._entry = entry
        self._runtime: LoxoneWallboxRuntimeData | None = None
        self._syncing = asyncio.Lock()
        self._sources: dict[str, DsrSources] = {}
        self._days_off: dict[str, DaysOffFollower] = {}
        self._site = Site(hass)
        self._clock = ClockRepair(hass, entry)
        self._watchdog = Watchdog(hass, entry)
        self._login = LoginRepair(hass, entry)
        self._libraries = MeterLibraries(hass, self._schedule_sync)

    async def async_start(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Build the wallboxes and follow the entry from now on."""
        self._runtime = runtime
        await self._async_sync()
        self._entry.async_on_unload(
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
            )
        )
        self._entry.async_on_unload(self._stop_sources)
        self._clock.start(runtime)
        self._entry.async_on_unload(self._clock.stop)
        self._watchdog.start(runtime)
        self._entry.async_on_unload(self._watchdog.stop)
        self._entry.async_on_unload(self._libraries.stop)
        self._watch.start(runtime)
        self._entry.async_on_unload(self._watch.stop)
        self._login.look(runtime.miniserver.client)
        self._entry.async_on_unload(self._login.stop)

    @override
    def connection_made(self) -> None:
        if self._runtime is not None:
            self._runtime.miniserver.link_made()
            self._watch.look()
            self._login.look(self._runtime.miniserver.client)
            self._clock.look_soon()
            self._schedule_sync()

    @override
    def connection_lost(self, error: MiniserverError) -> None:
        if self._runtime is not None:
            self._runtime.miniserver.link_lost(error)

    @override
    def attempt_failed(self, error: MiniserverError) -> None:
        if (event := event_of(error)) is not None:
            self._security.record(event)

    @override
    def structure_changed(self, structure: Structure) -> None:
        LOGGER.debug(
            "The structure of %s is now %s", self._entry.title, structure.last_modified
        )
        self._schedule_sync()

    @override
    def states_changed(self, control_ids: frozenset[str]) -> None:
        if self._runtime is None:
            return
        for wallbox in self._runtime.wallboxes.values():
            if not control_ids.isdisjoint(wallbox.control_ids):
                wallbox.async_refresh_state()

    @override
    def value_dropped(self, control_id: str, state: str, count: int) -> None:
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_WALLBOX):
            wallbox_id = subentry.data[CONF_WALLBOX_ID]
            mapped = subentry.data.get(CONF_DIAGNOSTIC_INPUTS, {}).items()
            names = [name for name, one in mapped if one == control_id]
            if control_id == wallbox_id or names:
                sink = self._security.sink(wallbox_id, subentry.title)
                sink(dropped_event(names[0] if names else state, count))

    @override
    def token_changed(self, token: Token) -> None:
        self._hass.config_entries.async_update_entry(
            self._entry, data={**self._entry.data, CONF_TOKEN: token.as_dict()}
        )

    @override
    def credentials_refused(self, error: AuthenticationError) -> None:
        LOGGER.warning(
            "The Miniserver %s refuses the login: %s", self._entry.title, error
        )
        self.attempt_failed(error)
        self._entry.async_start_reauth(self._hass)

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look whether a subentry of ours changed."""
        if (
            change is ConfigEntryChange.UPDATED
            and entry is self._entry
            and entry.state is ConfigEntryState.LOADED
        ):
            self._options.look()
            self._watchdog.look()
            if self._runtime is not None:
                self._runtime.miniserver.news.look()
            self._schedule_sync()

    def _schedule_sync(self) -> None:
        """Bring the wallboxes in step soon."""
        self._entry.async_create_task(
            self._hass, self._async_sync(), f"{DOMAIN} wallboxes of {self._entry.title}"
        )

    async def _async_sync(self) -> None:
        """Add, rebuild or drop the wallboxes that are not as they should be."""
        runtime = self._runtime
        if runtime is None:
            return
        async with self._syncing:
            wanted = {
                subentry.subentry_id: subentry
                for subentry in self._entry.get_subentries_of_type(SUBENTRY_WALLBOX)
            }
            for subentry_id, wallbox in list(runtime.wallboxes.items()):
                subentry = wanted.get(subentry_id)
                if subentry is None:
                    await async_leave_wallbox(self._hass, wallbox)
                if subentry is None or not self._is_current(wallbox, subentry):
                    await self._async_drop(runtime, wallbox)
            new = [one for key, one in wanted.items() if key not in runtime.wallboxes]
            serial = runtime.miniserver.serial
            loaded = [
                (
                    await async_load_state(
                        self._hass, serial, one.data[CONF_WALLBOX_ID], one.data
                    ),
                    await self._async_meter(serial, one),
                    await async_load_sessions(self._hass, serial, one.data),
                    await async_load_links(self._hass, serial, one.data),
                )
                for one in new
            ]
            # All are there before the first decides: they may share a limit.
            built = [
                self._build(runtime, subentry, state, meter, sessions, links=links)
                for subentry, (state, meter, sessions, links) in zip(
                    new, loaded, strict=True
                )
            ]
            for wallbox in built:
                days_off = DaysOffFollower(self._hass, self._entry, wallbox)
                self._days_off[wallbox.subentry_id] = days_off
                await days_off.async_start()
                self._start(runtime, wallbox)
            self._report_missing(runtime)
            self._clock.look_soon()
            await self._async_forget_strays(runtime)

    async def _async_forget_strays(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Forget who was removed before; the others do not depend on it."""
        client = runtime.miniserver.client
        try:
            await async_forget_strays(self._hass, self._entry, client)
        except Exception:  # noqa: BLE001 - a fault of ours must not keep others away
            LOGGER.exception("Wallboxes that were removed before are still kept")

    async def _async_meter(
        self, serial: str, subentry: ConfigSubentry
    ) -> KeptMeter | None:
        """Return a wallbox's meter, None where there is none that can be read."""
        meter = await async_load_meter(self._hass, serial, subentry.data)
        if meter is None or not await self._libraries.async_loads(subentry, meter[0]):
            return None
        return meter

    def _is_current(
        self, wallbox: WallboxCoordinator, subentry: ConfigSubentry
    ) -> bool:
        """Tell whether a wallbox is as its subentry and the structure say.

        Subentries are changed in place, so the wallbox keeps a copy to compare with.
        """
        info = wallbox.client.structure.wallboxes.get(wallbox.wallbox_id, wallbox.info)
        _take_tariff(wallbox, subentry)
        return (
            wallbox.settings == dict(subentry.data)
            and wallbox.title == subentry.title
            and wallbox.info == info
            and wallbox.measuring.unreadable
            is self._libraries.lacks(wallbox.subentry_id)
        )

    async def _async_drop(
        self, runtime: LoxoneWallboxRuntimeData, wallbox: WallboxCoordinator
    ) -> None:
        """Take a wallbox and its entities away; the registries keep what they have."""
        runtime.wallboxes.pop(wallbox.subentry_id)
        if (sources := self._sources.pop(wallbox.subentry_id, None)) is not None:
            sources.stop()
        if (days_off := self._days_off.pop(wallbox.subentry_id, None)) is not None:
            days_off.stop()
        self._watch.leave(wallbox)
        for entity in tuple(wallbox.entities):
            await entity.async_remove(force_remove=True)
        await wallbox.async_shutdown()
        ir.async_delete_issue(self._hass, DOMAIN, missing_issue(wallbox.subentry_id))
        self._libraries.forget(wallbox.subentry_id)

    def _build(
        self,
        runtime: LoxoneWallboxRuntimeData,
        subentry: ConfigSubentry,
        state: tuple[StateKeeper, OwnerState],
        meter: KeptMeter | None,
        sessions: KeptSessions,
        *,
        links: KeptLinks,
    ) -> WallboxCoordinator:
        """Set a wallbox up, with what was kept for it."""
        structure = runtime.miniserver.client.structure
        info = structure.wallboxes.get(subentry.data[CONF_WALLBOX_ID])
        wallbox = WallboxCoordinator(
            self._hass,
            self._entry,
            subentry,
            runtime.miniserver,
            info or _missing_wallbox(subentry),
            keeper=state[0],
            owner=state[1],
            site=self._site,
            links=links,
        )
        if meter is not None:
            wallbox.measuring.measure_with(
                *meter,
                show=wallbox.async_refresh_state,
                learned=partial(self._keep_meter, wallbox),
            )
        wallbox.measuring.unreadable = self._libraries.lacks(subentry.subentry_id)
        wallbox.record_with(sessions)
        runtime.wallboxes[subentry.subentry_id] = wallbox
        return wallbox

    @callback
    def _keep_meter(self, wallbox: WallboxCoordinator, meter: MeterSettings) -> None:
        """Keep what a wallbox found out about its meter, without building it anew.

        One whose subentry was changed meanwhile is built anew soon, and finds out again.
        """
        subentry = self._entry.subentries.get(wallbox.subentry_id)
        if subentry is None or wallbox.settings != dict(subentry.data):
            return
        wallbox.settings = {**wallbox.settings, CONF_METER: meter.as_dict()}
        self._hass.config_entries.async_update_subentry(
            self._entry, subentry, data=dict(wallbox.settings)
        )

    def _start(
        self, runtime: LoxoneWallboxRuntimeData, wallbox: WallboxCoordinator
    ) -> None:
        """Show a wallbox and let it decide."""
        Alerts(self._hass, wallbox).start()
        for add in runtime.platforms:
            add(wallbox)
        wallbox.async_refresh_state()
        if wallbox.meter is not None:
            wallbox.meter.start()
        sources = DsrSources(self._hass, self._entry, wallbox)
        self._sources[wallbox.subentry_id] = sources
        sources.start()
        self._watch.follow(wallbox)

    @callback
    def _stop_sources(self) -> None:
        """Follow the sources of grid events and of days off no longer."""
        for sources in self._sources.values():
            sources.stop()
        for days_off in self._days_off.values():
            days_off.stop()
        self._sources.clear()
        self._days_off.clear()

    def _report_missing(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Raise or clear the repair of each wallbox the structure file lacks."""
        for wallbox in runtime.wallboxes.values():
            issue_id = missing_issue(wallbox.subentry_id)
            if wallbox.known:
                ir.async_delete_issue(self._hass, DOMAIN, issue_id)
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                issue_id,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="wallbox_missing",
                translation_placeholders={
                    "wallbox": wallbox.title,
                    "miniserver": self._entry.title,
                },
            )


def missing_issue(subentry_id: str) -> str:
    """Return the id of the repair of a missing wallbox; it travels in diagnostics."""
    return f"wallbox_missing_{subentry_id}"


def _take_tariff(wallbox: WallboxCoordinator, subentry: ConfigSubentry) -> None:
    """Let another tariff hold from now on; nothing is built anew for it."""
    tariff, was = tariff_settings(subentry.data), tariff_settings(wallbox.settings)
    if tariff == was or wallbox.recording is None:
        return
    settings = {**wallbox.settings, CONF_TARIFF: tariff}
    wallbox.settings = {
        name: value
        for name, value in settings.items()
        if name != CONF_TARIFF or tariff is not None
    }
    wallbox.recording.prices.settle(tariff)


def _missing_wallbox(subentry: ConfigSubentry) -> WallboxInfo:
    """Describe a wallbox that the structure file no longer has."""
    facts = FACTS[Variant(subentry.data[CONF_VARIANT])]
    return WallboxInfo(
        id=subentry.data[CONF_WALLBOX_ID],
        name=subentry.title,
        room=None,
        min_kw=facts.min_kw,
        max_kw=facts.max_kw,
        modes=(),
        manager_id=None,
        ocpp_name=None,
        read_only=False,
        secured=False,
        measures_power=True,
        has_meter=True,
    )
