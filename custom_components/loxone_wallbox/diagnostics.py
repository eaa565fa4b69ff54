"""What a person can send along with a bug report, without what concerns only them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant

from .const import (
    CONF_CLIENT_ID,
    CONF_DAYS_OFF_ENTITIES,
    CONF_DIAGNOSTIC_INPUTS,
    CONF_DSR_ENTITIES,
    CONF_SERIAL,
    CONF_TARIFF,
    CONF_VISUALISATION_PASSWORD,
    CONF_WALLBOX_ID,
)
from .coordinator import (
    LoxoneWallboxConfigEntry,
    LoxoneWallboxRuntimeData,
    WallboxCoordinator,
)
from .evidence import facts_of
from .firmware_news import CONF_FIRMWARE_SOURCE, DEFAULT_SOURCE
from .records.compliance_rows import report_of
from .tariff_settings import CONF_PRICE_ENTITY
from .watchdog import CONF_WATCHDOG_INPUT

# Whoever reads a report needs to know that there is a user or a room, not which.
TO_REDACT = {
    CONF_CLIENT_ID,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_SERIAL,
    CONF_TOKEN,
    CONF_USERNAME,
    CONF_VISUALISATION_PASSWORD,
    CONF_WALLBOX_ID,
    CONF_WATCHDOG_INPUT,
    "authority",
    "by",
    "cancelled_by",
    "changed_by",
    "contact",
    "device",
    "ended_by",
    "event_id",
    "opted_out_by",
    "override_users",
    "people",
    "program",
    "reference",
    "source",
    "manager_id",
    "name",
    "ocpp_name",
    "reason",
    "room",
    "title",
    "user",
}
# Entities whose names may have an account or a person in them.
_ENTITIES = {CONF_DAYS_OFF_ENTITIES, CONF_DSR_ENTITIES, CONF_PRICE_ENTITY}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant,  # noqa: ARG001
    entry: LoxoneWallboxConfigEntry,
) -> dict[str, Any]:
    """Return the diagnostics of an entry, also of one that could not be set up."""
    report: dict[str, Any] = {
        "entry": async_redact_data(dict(entry.data), TO_REDACT),
        "options": _options(entry.options),
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
    }
    if entry.state is ConfigEntryState.LOADED:
        report |= _loaded(entry.runtime_data)
    return report


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; whom to ask for firmware only where everybody asks there."""
    public = options.get(CONF_FIRMWARE_SOURCE) == DEFAULT_SOURCE
    hidden = TO_REDACT if public else {*TO_REDACT, CONF_FIRMWARE_SOURCE}
    return async_redact_data(dict(options), hidden)


def _settings(wallbox: WallboxCoordinator) -> dict[str, Any]:
    """Return the settings of a wallbox; of others' entities only of what kind they are."""
    settings = {
        **wallbox.settings,
        CONF_DIAGNOSTIC_INPUTS: sorted(_mapped(wallbox)),
    }
    if isinstance(tariff := settings.get(CONF_TARIFF), Mapping):
        settings[CONF_TARIFF] = _without_entities(tariff)
    return async_redact_data(_without_entities(settings), TO_REDACT)


def _without_entities(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which only the domains of entities are left."""

    def domains(value: Any) -> Any:
        """Return of what kind one entity is, or each of some."""
        if isinstance(value, list | tuple):
            return [domains(one) for one in value]
        # Of what is no entity's name nothing is said.
        return value.rpartition(".")[0] if isinstance(value, str) else value

    return {
        name: domains(value) if name in _ENTITIES else value
        for name, value in settings.items()
    }


def _loaded(runtime: LoxoneWallboxRuntimeData) -> dict[str, Any]:
    """Return what is known of the Miniserver and its wallboxes."""
    client = runtime.miniserver.client
    structure, token = client.structure, client.token
    return {
        "miniserver": {
            "firmware": runtime.miniserver.firmware,
            "type": structure.miniserver_type,
            "connected": client.connected,
            "connections": client.connections,
            "encrypted": "tls" if client.address.tls else "commands",
            "verified": client.address.tls and client.address.verify,
            "token_valid_until": token and token.valid_until,
            "token_rights": token and token.rights,
            "unsecure_password": token and token.unsecure_password,
            "user_is_admin": structure.user_is_admin,
            "structure_last_modified": structure.last_modified,
            "controls": structure.control_count,
            "unreadable_controls": structure.unreadable_controls,
            "clock": runtime.miniserver.clock,
        },
        "wallboxes": [_wallbox(wallbox) for wallbox in runtime.wallboxes.values()],
    }


def _wallbox(wallbox: WallboxCoordinator) -> dict[str, Any]:
    """Return what is known of one wallbox."""
    data = asdict(wallbox.data)
    del data["info"]["id"]
    data["info"]["states"] = sorted(data["info"]["states"])
    # Lists are searched for what is to be left out, tuples are not.
    data["info"]["modes"] = list(data["info"]["modes"])
    # As it is kept: the rules' own types have keys that no JSON has.
    data["owner"] = wallbox.data.owner.as_dict()
    data["dsr_events"] = len(wallbox.data.dsr_events)
    data["history_length"] = len(data["state"].pop("history"))
    log = wallbox.client.tracker(wallbox.wallbox_id)
    data["history_unreadable"] = None if log is None else log.unreadable
    data["dropped_values"] = _dropped(wallbox)
    redacted: dict[str, Any] = async_redact_data(data, TO_REDACT)
    redacted["settings"] = _settings(wallbox)
    redacted["rules"] = {
        "zone": str(wallbox.rules.zone),
        "zone_deviates": wallbox.rules.zone_deviates,
        "days_off": sorted(map(str, wallbox.controller.days_off)),
        "days_off_deviate": wallbox.rules.days_off_deviate,
        "under_agreement": wallbox.rules.agreement is not None,
    }
    redacted["measuring"] = _meter(wallbox)
    report = report_of(facts_of(wallbox.hass, wallbox))
    redacted["compliance"] = {
        "state": report.state.value,
        "failing": list(report.failing),
    }
    return redacted


def _meter(wallbox: WallboxCoordinator) -> dict[str, Any]:
    """Return how the wallbox is measured; no serial numbers, no places."""
    series = wallbox.measuring.feed.series
    measuring: dict[str, Any] = {
        "points": len(series.running.times),
        "visit": series.current is not None,
    }
    meter = wallbox.meter
    if meter is None:
        return {"source": "miniserver", **measuring}
    settings, counter = meter.settings, meter.account.counter
    session = meter.session
    return {
        "source": "meter",
        **measuring,
        "profile": settings.profile_id,
        "link": f"{settings.sharing.value} {settings.transport.value}",
        "inverted": settings.inverted,
        "refresh_s": settings.refresh_s,
        "figures": None if meter.figures is None else asdict(meter.figures),
        "in_doubt": counter.in_doubt,
        "question": None if counter.question is None else counter.question.kind.value,
        "findings": [{"kind": one.kind.value, **one.data} for one in meter.findings],
        "session": None if session is None else session.as_dict(),
        "errors_pct": list(meter.visits.bias.errors_pct),
    }


def _dropped(wallbox: WallboxCoordinator) -> dict[str, int]:
    """Return how many values could not be believed, by state or mapped input."""
    dropped = wallbox.client.dropped
    inputs = wallbox.settings.get(CONF_DIAGNOSTIC_INPUTS, {})
    of_inputs = {
        name: sum(dropped.counts(control_id).values())
        for name, control_id in inputs.items()
    }
    told = {name: count for name, count in of_inputs.items() if count}
    return {**dropped.counts(wallbox.wallbox_id), **told}


def _mapped(wallbox: WallboxCoordinator) -> set[str]:
    """Return which diagnostic inputs are mapped."""
    return set(wallbox.settings.get(CONF_DIAGNOSTIC_INPUTS, {}))
