"""Where the world of one wallbox meets Home Assistant.

Takes what the Miniserver tells and what the owner set, gives what the entities show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .charging.faults import Fault, find_fault
from .charging.status import (
    FINISHED_AFTER_S,
    Status,
    StatusInputs,
    derive_status,
)
from .charging.variants import FACTS, Variant, VariantFacts, likely_variant
from .charging.visit import Visit, is_charging
from .commander import Commander
from .const import (
    CONF_DIAGNOSTIC_INPUTS,
    CONF_VARIANT,
    CONF_WALLBOX_ID,
    DOMAIN,
    INPUT_CHARGING_ERROR,
    INPUT_ERROR_CODE,
    INPUT_FAULT_CURRENT,
    INPUT_ONLINE,
    LOGGER,
    MANUFACTURER,
)
from .meter.quality import EnergyMemory, MonotonicEnergy
from .miniserver import (
    MANUAL_MODE,
    MiniserverClient,
    WallboxInfo,
    WallboxState,
)
from .miniserver_coordinator import MiniserverCoordinator

type LoxoneWallboxConfigEntry = ConfigEntry[LoxoneWallboxRuntimeData]


@dataclass(frozen=True, kw_only=True)
class WallboxData:
    """What the entities of one wallbox show; None is unknown."""

    info: WallboxInfo
    state: WallboxState
    status: Status
    charging: bool
    fault: Fault | None
    diagnosed: bool
    reachable: bool
    linked: bool
    firmware: str
    power_limit_kw: float | None
    energy_kwh: float | None
    target_power_kw: float


class WallboxCoordinator(DataUpdateCoordinator[WallboxData]):
    """One wallbox: gathers its inputs and makes of them what is shown."""

    config_entry: LoxoneWallboxConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        subentry: ConfigSubentry,
        miniserver: MiniserverCoordinator,
        info: WallboxInfo,
    ) -> None:
        """Take the wallbox of a subentry as the structure file describes it."""
        super().__init__(hass, LOGGER, config_entry=entry, name=subentry.title)
        self.miniserver = miniserver
        self.subentry_id = subentry.subentry_id
        self.settings: Mapping[str, Any] = dict(subentry.data)
        self.title = subentry.title
        self.info = info
        self.energy: MonotonicEnergy | None = None
        self._target_power_kw: float | None = None
        self._visit = Visit()
        self._recheck: CALLBACK_TYPE | None = None
        self._alert_listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self.entities: set[Entity] = set()
        self.commander = Commander(self)
        self.data = self._gather()
        self._stop_following: CALLBACK_TYPE | None = miniserver.async_add_listener(
            self.async_refresh_state
        )

    @property
    def wallbox_id(self) -> str:
        """Return the id of the wallbox block."""
        return str(self.settings[CONF_WALLBOX_ID])

    @property
    def variant(self) -> VariantFacts:
        """Return the facts of the variant the owner chose."""
        chosen = self.settings.get(CONF_VARIANT, likely_variant(self.info.max_kw))
        return FACTS[Variant(chosen)]

    @property
    def device_info(self) -> DeviceInfo:
        """Return the wallbox's device."""
        serial = self.miniserver.serial
        return DeviceInfo(
            identifiers={(DOMAIN, f"{serial}_{self.wallbox_id}")},
            manufacturer=MANUFACTURER,
            model=self.variant.model,
            model_id=self.variant.article,
            name=self.title,
            suggested_area=self.info.room,
            via_device_id=self.miniserver.device_id,
        )

    @property
    def known(self) -> bool:
        """Tell whether the structure file still has the wallbox."""
        return self.wallbox_id in self.miniserver.client.structure.wallboxes

    @property
    def available(self) -> bool:
        """Tell whether what is shown is up to date."""
        return self.data.reachable

    @property
    def client(self) -> MiniserverClient:
        """Return the Miniserver's client."""
        return self.miniserver.client

    @property
    def state(self) -> WallboxState:
        """Return the present state of the wallbox."""
        return self.data.state

    def diagnostic(self, name: str) -> float | None:
        """Return the value of a mapped diagnostic input, None where there is none."""
        control_id = self.settings.get(CONF_DIAGNOSTIC_INPUTS, {}).get(name)
        return control_id and self.miniserver.client.diagnostic(control_id)

    @property
    def control_ids(self) -> frozenset[str]:
        """Return the ids of all controls that this wallbox follows."""
        mapped = self.settings.get(CONF_DIAGNOSTIC_INPUTS, {}).values()
        return frozenset({self.wallbox_id, *mapped})

    @callback
    def restore(self, memory: EnergyMemory | None) -> None:
        """Start counting energy, from what is remembered."""
        self.energy = MonotonicEnergy(self.variant.max_kw, memory)
        self.async_refresh_state()

    @callback
    def restore_target_power(self, power_kw: float) -> None:
        """Go on with the owner's wish of before a restart; a newer one stands."""
        if self._target_power_kw is None:
            self._target_power_kw = power_kw
            self.async_refresh_state()

    @callback
    def async_refresh_state(self) -> None:
        """Look at the wallbox anew and tell the entities what changed."""
        data = self._gather()
        if data != self.data:
            self.async_set_updated_data(data)

    @callback
    def async_add_alert_listener(
        self, listener: Callable[[str, dict[str, Any]], None]
    ) -> CALLBACK_TYPE:
        """Have a listener told of alerts; returns what ends that."""
        self._alert_listeners.append(listener)
        return lambda: self._alert_listeners.remove(listener)

    @callback
    def async_alert(self, kind: str, details: dict[str, Any]) -> None:
        """Tell of something the owner should know."""
        for listener in tuple(self._alert_listeners):
            listener(kind, details)

    @override
    async def async_shutdown(self) -> None:
        """Stop following the link and the timer; may come twice."""
        if self._stop_following is not None:
            self._stop_following()
            self._stop_following = None
        if self._recheck is not None:
            self._recheck()
            self._recheck = None
        await super().async_shutdown()

    def _gather(self) -> WallboxData:
        """Put together what is known of the wallbox."""
        info, client = self.info, self.miniserver.client
        state = client.wallbox(self.wallbox_id)
        online = self.diagnostic(INPUT_ONLINE)
        reachable = self.miniserver.available and self.known and online != 0
        fault = find_fault(
            error_code=self.diagnostic(INPUT_ERROR_CODE),
            fault_current=self.diagnostic(INPUT_FAULT_CURRENT),
            charging_error=self.diagnostic(INPUT_CHARGING_ERROR),
        )
        charging = is_charging(state, measured=info.measures_power)
        now = dt_util.utcnow().timestamp()
        if reachable:
            self._visit = self._visit.step(state, charging=charging, now=now)
            if self.energy is not None and state.energy_kwh is not None:
                self.energy.take(state.energy_kwh, now)
        self._recheck_finished(now)
        return WallboxData(
            info=info,
            state=state,
            status=self._status(state, reachable, fault, charging, now),
            charging=charging,
            fault=fault,
            diagnosed=any(
                self.diagnostic(name) is not None
                for name in (
                    INPUT_ERROR_CODE,
                    INPUT_FAULT_CURRENT,
                    INPUT_CHARGING_ERROR,
                )
            ),
            reachable=reachable,
            linked=self.miniserver.connected,
            firmware=self.miniserver.firmware,
            power_limit_kw=_power_limit(state),
            energy_kwh=None if self.energy is None else self.energy.total_kwh,
            target_power_kw=self._target_power(state),
        )

    def _status(
        self,
        state: WallboxState,
        reachable: bool,
        fault: Fault | None,
        charging: bool,
        now: float,
    ) -> Status:
        """Return what the wallbox is doing."""
        return derive_status(
            StatusInputs(
                reachable=reachable,
                fault=fault is not None,
                locked=state.lock is not None,
                connected=state.connected,
                load_shedding=bool(state.load_shedding),
                phase_switching=bool(state.phase_switching),
                charging=charging,
                allowed=state.allowed,
                visit_wh=self._visit.energy_wh,
                idle_s=self._visit.idle_s(now),
            )
        )

    def _target_power(self, state: WallboxState) -> float:
        """Return the owner's wish; a limit set in Loxone's app is one too."""
        info = self.info
        if state.mode == MANUAL_MODE and state.limit_kw is not None:
            self._target_power_kw = state.limit_kw
        wish = info.max_kw if self._target_power_kw is None else self._target_power_kw
        return min(max(wish, info.min_kw), info.max_kw)

    def _recheck_finished(self, now: float) -> None:
        """Look again when a car that has stopped counts as full."""
        if self._recheck is not None:
            self._recheck()
            self._recheck = None
        left = FINISHED_AFTER_S - self._visit.idle_s(now)
        if self._visit.has_stopped and left > 0:

            @callback
            def look(_now: datetime) -> None:
                """Look now."""
                self._recheck = None
                self.async_refresh_state()

            self._recheck = async_call_later(
                self.hass, left, HassJob(look, cancel_on_shutdown=True)
            )


def _power_limit(state: WallboxState) -> float | None:
    """Return the limit in force in kW: zero when charging is not allowed."""
    if state.allowed is None:
        return None
    return state.limit_kw if state.allowed else 0.0


@dataclass(kw_only=True)
class LoxoneWallboxRuntimeData:
    """What an entry holds while it is loaded; wallboxes by subentry id."""

    miniserver: MiniserverCoordinator
    wallboxes: dict[str, WallboxCoordinator] = field(default_factory=dict)
    platforms: list[Callable[[WallboxCoordinator], None]] = field(default_factory=list)
