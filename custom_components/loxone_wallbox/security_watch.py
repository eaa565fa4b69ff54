"""Notice what changes about a Miniserver and its wallboxes that nobody may change unseen.

Takes what the Miniserver tells of itself and what the wallboxes show, compares it with
what was known last, also before a restart, and tells the security log. What was known is
kept in a file of its own: the log's head is written with each record and proves the
chain alone, and an entry that is changed has its wallboxes looked at anew. What may go
wrong: the disk; then a change while Home Assistant is away may go unnoticed.
"""

import asyncio
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .control_hold import FIRMWARE, MODEL, WALLBOX
from .coordinator import LoxoneWallboxRuntimeData, WallboxCoordinator
from .identity_repair import ask_about, is_expected, settle_firmware
from .miniserver import Identity, Structure, WallboxInfo
from .miniserver_coordinator import MINISERVER_MODELS
from .records.journal import JournalError
from .rights import SecurityEvent
from .security import Security, known_keeper
from .tamper_log import known_causes, tamper_events

# A power cut takes meter and Miniserver together, but the Miniserver is missed only
# after two keepalives; a meter that is away longer is away alone.
METER_LOST_AFTER_S = 60.0


class SecurityWatch:
    """What is known of one Miniserver and its wallboxes."""

    def __init__(self, hass: HomeAssistant, security: Security) -> None:
        """Take the log; what was known last is read at the start."""
        self._hass = hass
        self._security = security
        folder = Path(hass.config.path(DOMAIN)) / security.serial
        self._keeper = known_keeper(folder)
        self._turn = asyncio.Lock()
        self._runtime: LoxoneWallboxRuntimeData | None = None
        # None until it was read.
        self._known: dict[str, Any] | None = None
        self._following: dict[str, CALLBACK_TYPE] = {}
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._news: CALLBACK_TYPE | None = None

    @callback
    def start(self, runtime: LoxoneWallboxRuntimeData) -> None:
        """Look from now on; nothing waits for what was known."""
        self._runtime = runtime
        self._news = runtime.miniserver.news.async_add_listener(self._settle)
        self._hass.async_create_task(
            self._async_load(), f"what is known of {runtime.miniserver.name}"
        )

    @callback
    def stop(self) -> None:
        """Look no longer."""
        for wallbox_id in tuple(self._following):
            self._leave(wallbox_id)
        if self._news is not None:
            self._news()
            self._news = None
        self._runtime = None

    @callback
    def follow(self, wallbox: WallboxCoordinator) -> None:
        """Look at a wallbox whenever it shows something else."""
        self._leave(wallbox.wallbox_id)
        self._following[wallbox.wallbox_id] = wallbox.async_add_listener(
            partial(self._look_at, wallbox)
        )
        self._look_at(wallbox)

    @callback
    def leave(self, wallbox: WallboxCoordinator) -> None:
        """Look at a wallbox no longer."""
        self._leave(wallbox.wallbox_id)

    @callback
    def look(self) -> None:
        """Look at the Miniserver, as after a new connection."""
        if self._runtime is None or self._known is None:
            return
        client = self._runtime.miniserver.client
        self._compare_miniserver(client.identity, client.structure)

    def _leave(self, wallbox_id: str) -> None:
        """Look at a wallbox no longer."""
        for ends in (self._following, self._timers):
            if (end := ends.pop(wallbox_id, None)) is not None:
                end()

    def _compare_miniserver(self, identity: Identity, structure: Structure) -> None:
        """Tell what is another firmware, model, certificate or number of odd controls."""
        told = structure.miniserver_type
        model = None if told is None else MINISERVER_MODELS.get(told, str(told))
        for name, kind, now in (
            ("firmware", "firmware_changed", identity.firmware),
            ("model", "identity_changed", model),
            ("certificate", "tls_changed", identity.certificate),
            ("unreadable", "invalid_input", structure.unreadable_controls),
        ):
            before = (self._known or {}).get(name, 0 if name == "unreadable" else None)
            if now is None or now == before:
                continue
            if before is not None:
                detail = {"what": name, "from": before, "to": now}
                self._record(kind, detail, source="miniserver")
                self._ask(name, str(before), str(now))
            self._keep(name, now)

    def _ask(self, name: str, before: str, now: str) -> None:
        """Ask the owner whether a change of the Miniserver was meant."""
        kind = {"firmware": FIRMWARE, "model": MODEL}.get(name)
        runtime = self._runtime
        if kind is None or runtime is None:
            return
        if kind == FIRMWARE and is_expected(
            before, now, runtime.miniserver.news.newest
        ):
            return
        entry, serial = runtime.miniserver.config_entry, self._security.serial
        told = {"from": before, "to": now}
        ask_about(self._hass, entry, kind, serial, told)

    @callback
    def _settle(self) -> None:
        """Take a question back that the newest firmware answers."""
        if self._runtime is not None:
            of = self._runtime.miniserver
            settle_firmware(self._hass, of.config_entry, of.firmware, of.news.newest)

    @callback
    def _look_at(self, wallbox: WallboxCoordinator) -> None:
        """Look at one wallbox."""
        if self._known is None:
            return
        known = self._known.get("wallboxes", {}).get(wallbox.wallbox_id, {})
        self._compare_facts(wallbox, known)
        self._compare_tamper(wallbox, known)
        self._compare_meter(wallbox, known)

    def _compare_facts(
        self, wallbox: WallboxCoordinator, known: dict[str, Any]
    ) -> None:
        """Tell what Loxone Config changed about a wallbox, or that it is gone."""
        before = known.get("facts")
        if not wallbox.known and before is None:
            return
        facts = (
            _facts(wallbox) if wallbox.known else {**(before or {}), "present": False}
        )
        if facts == before:
            return
        if before is not None:
            names = sorted(one for one in facts if facts[one] != before.get(one))
            detail = {
                "changed": ", ".join(names),
                "from": ", ".join(str(before.get(one)) for one in names),
                "to": ", ".join(str(facts[one]) for one in names),
            }
            self._tell(wallbox, "identity_changed", detail)
            if facts["present"] and before.get("present"):
                ask_about(
                    self._hass,
                    wallbox.config_entry,
                    WALLBOX,
                    self._security.serial,
                    {"wallbox": wallbox.title, **detail},
                    subentry_id=wallbox.subentry_id,
                )
        self._keep_of(wallbox, "facts", facts)

    def _compare_tamper(
        self, wallbox: WallboxCoordinator, known: dict[str, Any]
    ) -> None:
        """Tell when somebody tampers with a wallbox, and when that is over."""
        now, was = wallbox.data.links.causes, known_causes(known.get("tampered"))
        unknown = wallbox.data.tampered is None and wallbox.links.guarded
        if unknown or now == was:
            return
        policy = wallbox.controller.state.tamper_policy
        for event in tamper_events(was, wallbox.links, policy):
            wallbox.security(event)
        self._keep_of(wallbox, "tampered", list(now))

    def _compare_meter(
        self, wallbox: WallboxCoordinator, known: dict[str, Any]
    ) -> None:
        """Tell when a meter is away while its wallbox is not, and when it is back."""
        meter, lost = wallbox.data.meter, known.get("meter_lost", False)
        away = meter is not None and not meter.connected
        if away and wallbox.linked and not lost:
            if wallbox.wallbox_id not in self._timers:
                since = dt_util.utcnow()
                self._timers[wallbox.wallbox_id] = async_call_later(
                    self._hass,
                    METER_LOST_AFTER_S,
                    HassJob(
                        partial(self._lose_meter, wallbox, since),
                        cancel_on_shutdown=True,
                    ),
                )
            return
        if (timer := self._timers.pop(wallbox.wallbox_id, None)) is not None:
            timer()
        if lost and not away:
            detail = {} if meter is not None else {"reason": "no_meter_any_more"}
            self._tell(wallbox, "meter_link_restored", detail)
            self._keep_of(wallbox, "meter_lost", False)

    @callback
    def _lose_meter(
        self, wallbox: WallboxCoordinator, since: datetime, _now: datetime
    ) -> None:
        """Tell that a meter has been away for long, though its wallbox is there."""
        self._timers.pop(wallbox.wallbox_id, None)
        self._tell(wallbox, "meter_link_lost", {"since": since.isoformat()})
        self._keep_of(wallbox, "meter_lost", True)

    def _tell(
        self,
        wallbox: WallboxCoordinator,
        kind: str,
        detail: dict[str, Any],
        *,
        outcome: str = "info",
    ) -> None:
        """Tell the log of a wallbox."""
        source = "integration" if kind.startswith("meter") else "miniserver"
        wallbox.security(
            SecurityEvent(kind=kind, outcome=outcome, source=source, detail=detail)
        )

    def _record(self, kind: str, detail: dict[str, Any], *, source: str) -> None:
        """Tell the log of the Miniserver."""
        self._security.record(
            SecurityEvent(kind=kind, outcome="info", source=source, detail=detail)
        )

    def _keep_of(self, wallbox: WallboxCoordinator, name: str, value: Any) -> None:
        """Keep something of a wallbox."""
        wallboxes = dict((self._known or {}).get("wallboxes", {}))
        of = wallboxes.get(wallbox.wallbox_id, {})
        self._keep("wallboxes", {**wallboxes, wallbox.wallbox_id: {**of, name: value}})

    def _keep(self, name: str, value: Any) -> None:
        """Know something from now on, also after a restart."""
        self._known = {**(self._known or {}), name: value}
        self._hass.async_create_task(self._async_save(), "what is known for security")

    async def _async_load(self) -> None:
        """Read what was known last, then look at everything."""
        try:
            kept = await self._hass.async_add_executor_job(self._keeper.load)
        except JournalError as err:
            LOGGER.error(
                "What was known of the Miniserver could not be read: %s. A change "
                "while Home Assistant was away may go unnoticed",
                err,
            )
            kept = None
        self._known = kept or {}
        self.look()
        if self._runtime is not None:
            for wallbox in self._runtime.wallboxes.values():
                self._look_at(wallbox)

    async def _async_save(self) -> None:
        """Keep what is known; the next change tries again."""
        async with self._turn:
            try:
                await self._hass.async_add_executor_job(
                    self._keeper.save, self._known or {}
                )
            except JournalError as err:
                LOGGER.error("What is known of the Miniserver is not kept: %s", err)


def _facts(wallbox: WallboxCoordinator) -> dict[str, Any]:
    """Return what of a wallbox is changed by its installer alone."""
    info: WallboxInfo = wallbox.info
    return {
        "present": True,
        "min_kw": info.min_kw,
        "max_kw": info.max_kw,
        "manager": info.manager_id,
        "ocpp": info.ocpp_name,
        "read_only": info.read_only,
        "secured": info.secured,
        "measures_power": info.measures_power,
        "has_meter": info.has_meter,
    }
