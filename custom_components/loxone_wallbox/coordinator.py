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
from homeassistant.util import dt as dt_util

from .acts import Acts
from .alert_desk import AlertDesk
from .charging.faults import Fault
from .charging.observe import Observation, stops_for_tamper
from .charging.owner import OwnerState
from .charging.status import (
    FINISHED_AFTER_S,
    Status,
    StatusInputs,
    derive_status,
)
from .charging.variants import FACTS, Variant, VariantFacts, likely_variant
from .charging.visit import Visit, is_charging
from .charging.wish import Reason
from .commander import Commander
from .const import (
    CONF_DIAGNOSTIC_INPUTS,
    CONF_VARIANT,
    CONF_WALLBOX_ID,
    DIAGNOSTIC_INPUTS,
    DOMAIN,
    INPUT_ONLINE,
    LOGGER,
    MANUFACTURER,
    SECURITY_URL,
)
from .control_hold import is_held
from .controller import Controller
from .delivering import Delivering
from .links import KeptLinks, Links
from .measuring import Measuring
from .meter.quality import EnergyMemory, MonotonicEnergy
from .meter_coordinator import MeterCoordinator
from .miniserver import MiniserverClient, WallboxInfo, WallboxState
from .miniserver_coordinator import MiniserverCoordinator
from .observing import fault_of, observation_of
from .peak_repair import PeakRepair
from .pushed import PushCoordinator
from .recording import Recording
from .records.state import StateKeeper
from .rules import rules_of
from .session_facts import SessionFacts
from .session_files import KeptSessions
from .session_shown import SessionShown
from .site import Site
from .two_masters import TwoMastersRepair
from .wallbox_data import (
    NO_SESSION,
    WallboxData,
    dsr_events,
    hold_of,
    power_limit,
    target_power,
)
from .window_repair import WindowRepair

type LoxoneWallboxConfigEntry = ConfigEntry[LoxoneWallboxRuntimeData]


class WallboxCoordinator(PushCoordinator[WallboxData]):
    """One wallbox: gathers its inputs and makes of them what is shown."""

    config_entry: LoxoneWallboxConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: LoxoneWallboxConfigEntry,
        subentry: ConfigSubentry,
        miniserver: MiniserverCoordinator,
        info: WallboxInfo,
        *,
        keeper: StateKeeper,
        owner: OwnerState,
        site: Site,
        links: KeptLinks,
    ) -> None:
        """Take the wallbox of a subentry as the structure file describes it.

        `owner` is the state that was kept for it, `keeper` where it is kept, `site`
        with whom it shares a limit, `links` how its links were.
        """
        super().__init__(hass, LOGGER, config_entry=entry, name=subentry.title)
        self.miniserver = miniserver
        self.subentry_id = subentry.subentry_id
        self.settings: Mapping[str, Any] = dict(subentry.data)
        self.title = subentry.title
        self.info = info
        self.security = miniserver.security.sink(self.wallbox_id, self.title)
        self.measuring = Measuring(hass, self.subentry_id, self.title, self.variant)
        self.measuring.security = self.security
        self.links = Links(hass, self, links)
        self.recording: Recording | None = None
        self._repair = TwoMastersRepair(hass, self.subentry_id, self.title)
        self._visit = Visit()
        self._recheck: CALLBACK_TYPE | None = None
        self.alert_desk = AlertDesk()
        self.entities: set[Entity] = set()
        self.commander = Commander(self)
        self.rules = rules = rules_of(hass, self.settings)
        of = (hass, self.subentry_id, self.title, rules.profile, rules.zone)
        self._peak_repair, self._window_repair = PeakRepair(*of), WindowRepair(*of)
        self.controller = Controller(
            hass,
            self,
            keeper,
            owner,
            profile=rules.profile,
            zone=rules.zone,
            strict=rules.strict,
            delays=rules.delays,
            priority=rules.priority,
            site=site,
            security=self.security,
        )
        self.acts = Acts(self, security=self.security)
        self.delivering = Delivering(hass, self, miniserver.serial)
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
            configuration_url=SECURITY_URL,
        )

    @property
    def linked(self) -> bool:
        """Tell whether the wallbox's states are up to date and commands reach it."""
        return (
            self.miniserver.connected
            and self.known
            and self.diagnostic(INPUT_ONLINE) != 0
        )

    @property
    def back_at(self) -> datetime | None:
        """Return when the Miniserver was last back from a restart that was seen."""
        return self.miniserver.back_at

    @property
    def writable(self) -> bool:
        """Tell whether the wallbox takes commands from this user at all."""
        return not self.info.read_only

    @property
    def known(self) -> bool:
        """Tell whether the structure file still has the wallbox."""
        return self.wallbox_id in self.miniserver.client.structure.wallboxes

    @property
    def available(self) -> bool:
        """Tell whether the wallbox can be reached, or was just now."""
        return (
            self.miniserver.available
            and self.known
            and self.diagnostic(INPUT_ONLINE) != 0
        )

    @property
    def client(self) -> MiniserverClient:
        """Return the Miniserver's client."""
        return self.miniserver.client

    @property
    def state(self) -> WallboxState:
        """Return the present state of the wallbox."""
        return self.client.wallbox(self.wallbox_id)

    def diagnostic(self, name: str) -> float | None:
        """Return the value of a mapped diagnostic input, None where there is none."""
        control_id = self.settings.get(CONF_DIAGNOSTIC_INPUTS, {}).get(name)
        return control_id and self.miniserver.client.diagnostic(control_id)

    def maps(self, name: str) -> bool:
        """Tell whether a diagnostic input is mapped."""
        return name in self.settings.get(CONF_DIAGNOSTIC_INPUTS, {})

    @property
    def control_ids(self) -> frozenset[str]:
        """Return the ids of all controls that this wallbox follows."""
        mapped = self.settings.get(CONF_DIAGNOSTIC_INPUTS, {}).values()
        return frozenset({self.wallbox_id, *mapped})

    @property
    def meter(self) -> MeterCoordinator | None:
        """Return the wallbox's own meter, None where the Miniserver measures."""
        return self.measuring.meter

    @property
    def energy(self) -> MonotonicEnergy | None:
        """Return the energy total, None until it is known where to go on."""
        return self.measuring.energy

    @callback
    def restore(self, memory: EnergyMemory | None) -> None:
        """Start counting energy, from what is remembered."""
        self.measuring.restore(memory)
        self.async_refresh_state()

    @callback
    def record_with(self, kept: KeptSessions) -> None:
        """Record sessions, going on with what was kept."""
        self.recording = Recording(
            self.hass,
            self.title,
            kept,
            max_kw=self.variant.max_kw,
            meter=self.meter,
            subentry_id=self.subentry_id,
            show=self.async_decided,
        )
        self.measuring.follower = self.recording.measured

    @callback
    def async_refresh_state(self) -> None:
        """Look at the wallbox anew, decide, and tell the entities what changed."""
        self.links.look()
        self.controller.evaluate()
        self.async_decided()

    @callback
    def async_decided(self) -> None:
        """Tell the entities what changed, and the owner of a second master."""
        self._repair.report(two_masters=self.controller.adoption.two_masters)
        self._peak_repair.report(self.controller.state.hours)
        self._window_repair.report(self.controller.state)
        self.measuring.report()
        if self.recording is not None:
            self.recording.take(self._facts())
        data = self._gather()
        if data != self.data:
            self.async_set_updated_data(data)
        self.delivering.follow()

    @callback
    def async_alert(self, kind: str, details: dict[str, Any]) -> None:
        """Tell of something the owner should know."""
        self.alert_desk.give(kind, details)

    @override
    async def async_shutdown(self) -> None:
        """Stop following the link, deciding and the timer; may come twice."""
        self.alert_desk.close()
        await self.delivering.async_stop()
        await self.controller.async_stop()
        await self.measuring.async_shutdown()
        await self.links.async_stop()
        if self.recording is not None:
            await self.recording.async_stop()
        if self._stop_following is not None:
            self._stop_following()
            self._stop_following = None
        self._repair.report(two_masters=False)
        self._peak_repair.clear()
        self._window_repair.clear()
        if self._recheck is not None:
            self._recheck()
            self._recheck = None
        await super().async_shutdown()

    def observe(self) -> Observation:
        """Return what the rules look at."""
        return observation_of(
            self.client.wallbox(self.wallbox_id),
            self.info,
            fault_of(self.diagnostic),
            tampered=bool(self.tampered),
            full=self._stay.is_full(dt_util.utcnow().timestamp()),
            held=is_held(self.hass, self.config_entry, self.subentry_id),
        )

    @property
    def _stay(self) -> Visit:
        """Return the car's stay, also of before a restart."""
        stay, session = self._visit, self.recording and self.recording.book.open
        return stay.recalled(session.paused_at, session.booked_wh) if session else stay

    @property
    def completed(self) -> WallboxState:
        """Return the present state, estimated where nobody measures."""
        return self.measuring.completed(self.state, self.info, linked=self.linked)

    @property
    def tampered(self) -> bool | None:
        """Tell whether somebody tampers with the wallbox, None where nothing tells."""
        return self.links.tampered

    def _facts(self) -> SessionFacts:
        """Return what the sessions are told."""
        state = self.completed
        return SessionFacts.seen(
            self.measuring.instant,
            state,
            self.info,
            self.controller.state,
            self.controller.decision,
            reason=self._reason(self.available),
            watched=self.linked,
        )

    def _gather(self) -> WallboxData:
        """Put together what is known of the wallbox."""
        info, state = self.info, self.completed
        reachable = self.available
        fault = fault_of(self.diagnostic)
        charging = is_charging(state, measured=info.measures_power)
        now = dt_util.utcnow().timestamp()
        if reachable:
            self._visit = self._visit.step(state, charging=charging, now=now)
        self.measuring.take(state, linked=self.linked, reachable=reachable)
        self._recheck_finished(now)
        return WallboxData(
            info=info,
            state=state,
            status=self._status(state, reachable, fault, charging, now),
            charging=charging,
            fault=fault,
            tampered=self.tampered,
            diagnostics={one: self.diagnostic(one) for one in DIAGNOSTIC_INPUTS},
            reachable=reachable,
            linked=self.miniserver.connected,
            firmware=self.miniserver.firmware,
            power_limit_kw=power_limit(state),
            energy_kwh=self.measuring.energy_kwh(),
            meter=self.measuring.shown,
            target_power_kw=target_power(info, self.controller.state),
            owner=self.controller.state,
            decision=self.controller.decision,
            reason=self._reason(reachable),
            in_default_hours=self.controller.in_default_hours(dt_util.utcnow()),
            in_peak_hours=self.controller.in_peak_hours(dt_util.utcnow()),
            dsr_events=dsr_events(self.controller.state),
            links=self.links.shown,
            session=self._session(),
        )

    def _reason(self, reachable: bool) -> Reason:
        """Return why permission and limit are what they are."""
        decision = self.controller.decision
        known = reachable and decision is not None
        return decision.reason if known and decision else Reason.UNREACHABLE

    def _session(self) -> SessionShown:
        """Return what is shown of the running or last session."""
        if self.recording is None:
            return NO_SESSION
        return self.recording.shown(self.measuring.instant)

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
                tamper=stops_for_tamper(self.controller.state, self.observe()),
                connected=state.connected,
                load_shedding=bool(state.load_shedding),
                phase_switching=bool(state.phase_switching),
                charging=charging,
                allowed=state.allowed,
                visit_wh=self._stay.energy_wh,
                idle_s=self._stay.idle_s(now),
                held_by=hold_of(self.controller.decision),
            )
        )

    def _recheck_finished(self, now: float) -> None:
        """Look again when a car that has stopped counts as full."""
        if self._recheck is not None:
            self._recheck()
            self._recheck = None
        left = FINISHED_AFTER_S - self._stay.idle_s(now)
        if self._stay.has_stopped and left > 0:

            @callback
            def look(_now: datetime) -> None:
                """Look now."""
                self._recheck = None
                self.async_refresh_state()

            self._recheck = async_call_later(
                self.hass, left, HassJob(look, cancel_on_shutdown=True)
            )


@dataclass(kw_only=True)
class LoxoneWallboxRuntimeData:
    """What an entry holds while it is loaded; wallboxes by subentry id."""

    miniserver: MiniserverCoordinator
    wallboxes: dict[str, WallboxCoordinator] = field(default_factory=dict)
    platforms: list[Callable[[WallboxCoordinator], None]] = field(default_factory=list)
