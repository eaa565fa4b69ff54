"""Read a wallbox's settings into the rules that hold for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .agreement import Agreement, agreement_of
from .charging.owner import DefaultHours, OwnerState, first_state, new_book
from .charging.regulation import PROFILES, Cause, Profile
from .charging.schedule import Schedule
from .charging.slices import SessionRules
from .const import (
    CONF_DAYS_OFF_ENTITIES,
    CONF_FIRST_USE,
    CONF_PLUG_IN_DELAY,
    CONF_PRIORITY,
    CONF_PROFILE,
    CONF_STRICT,
    CONF_TIMEZONE,
    CONF_WALLBOX_ID,
    CONF_WHO_DELAYS,
    DELAY_HOME_ASSISTANT,
    DOMAIN,
    LOGGER,
    TIMEZONE_OF_PROFILE,
    WALLBOX_DEFAULTS,
)
from .meter.quarantine import same_meter
from .meter_settings import CONF_METER, MeterSettings, meter_settings
from .records.journal import JournalError
from .records.state import StateKeeper


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a wallbox's settings say of its rules."""

    profile: Profile
    zone: tzinfo
    strict: bool
    delays: bool
    priority: int
    # What departs from the letter of the profile, or exempts from some of it.
    zone_deviates: bool = False
    days_off_deviate: bool = False
    agreement: Agreement | None = None


def zone_name(hass: HomeAssistant, settings: Mapping[str, Any]) -> str:
    """Return the time zone that the rules follow, by its name.

    That is the one the owner picked, else the profile's, else Home Assistant's.
    """
    chosen = settings.get(CONF_TIMEZONE, TIMEZONE_OF_PROFILE)
    if chosen != TIMEZONE_OF_PROFILE:
        return str(chosen)
    profile = PROFILES.get(settings.get(CONF_PROFILE, ""))
    usual = None if profile is None else profile.timezone
    return usual or hass.config.time_zone


def zone_deviates(hass: HomeAssistant, settings: Mapping[str, Any]) -> bool:
    """Tell whether the owner picked another zone than that of the regulation."""
    profile = PROFILES.get(settings.get(CONF_PROFILE, ""))
    return (
        profile is not None
        and profile.timezone is not None
        and zone_name(hass, settings) != profile.timezone
    )


def rules_of(hass: HomeAssistant, settings: Mapping[str, Any]) -> Rules:
    """Return the rules; settings of an unknown profile are as good as none."""
    chosen = {**WALLBOX_DEFAULTS, **settings}
    none = PROFILES[WALLBOX_DEFAULTS[CONF_PROFILE]]
    profile = PROFILES.get(chosen[CONF_PROFILE], none)
    if not chosen[CONF_PLUG_IN_DELAY]:
        profile = replace(profile, delayed=profile.delayed - {Cause.PLUG_IN})
    delays = chosen[CONF_WHO_DELAYS] == DELAY_HOME_ASSISTANT
    if not delays:
        # Then nothing ends early either, to leave room for a delay of ours.
        profile = replace(profile, delayed=frozenset())
    # A zone that is not known any more is as good as none picked.
    usual = profile.timezone or hass.config.time_zone
    picked = dt_util.get_time_zone(zone_name(hass, chosen))
    return Rules(
        profile=profile,
        zone=picked or dt_util.get_time_zone(usual) or dt_util.get_default_time_zone(),
        strict=bool(chosen[CONF_STRICT]),
        delays=delays,
        priority=int(chosen[CONF_PRIORITY]),
        zone_deviates=picked is not None and zone_deviates(hass, chosen),
        days_off_deviate=bool(chosen[CONF_DAYS_OFF_ENTITIES] and profile.peak),
        agreement=agreement_of(chosen),
    )


def session_rules(hass: HomeAssistant, settings: Mapping[str, Any]) -> SessionRules:
    """Return what the sessions are measured by; their days are those of the home."""
    rules = rules_of(hass, settings)
    peak = Schedule(windows=rules.profile.peak, zone=rules.zone)
    return SessionRules(
        zone=dt_util.get_default_time_zone(), peak=peak if peak.windows else None
    )


def first_hours(settings: Mapping[str, Any]) -> DefaultHours:
    """Return the default charging hours the owner chose at first use."""
    chosen = settings.get(CONF_FIRST_USE)
    if not isinstance(chosen, Mapping):
        return DefaultHours()
    return DefaultHours.from_dict(chosen)


def under_profile(
    state: OwnerState, profile: Profile, settings: Mapping[str, Any]
) -> OwnerState:
    """Return a state that was kept, under the profile that holds now.

    A profile chosen since brings its longest delay, and the hours of the first-use
    answer where there are none yet. What the owner did with the hours after that answer
    stands, also that there are none.
    """
    if state.profile_id == profile.id:
        return state
    keeps = state.hours.windows or _decided_since(state.hours, settings)
    hours = state.hours if keeps else first_hours(settings)
    return replace(
        state,
        profile_id=profile.id,
        max_delay_s=profile.default_delay_s,
        hours=hours,
        dsr=replace(
            new_book(profile), events=state.dsr.events, former=state.dsr.former
        ),
    )


def _decided_since(hours: DefaultHours, settings: Mapping[str, Any]) -> bool:
    """Tell whether the owner has changed the hours after the first-use answer."""
    if hours.changed_at is None:
        return False
    chosen = settings.get(CONF_FIRST_USE)
    text = chosen.get("at") if isinstance(chosen, Mapping) else None
    answered_at = None if text is None else dt_util.parse_datetime(text)
    return answered_at is None or answered_at <= hours.changed_at


def state_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where a wallbox's state is kept."""
    name = "".join(
        sign if sign.isalnum() or sign == "-" else "_" for sign in wallbox_id
    )
    return folder / serial / f"{name}.state.jsonl"


def meter_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where the account of a wallbox's meter is kept."""
    path = state_file(folder, serial, wallbox_id)
    return path.with_name(path.name.replace(".state.", ".meter."))


def running_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where a wallbox's running session is kept."""
    path = state_file(folder, serial, wallbox_id)
    return path.with_name(path.name.replace(".state.", ".running."))


type KeptMeter = tuple[MeterSettings, StateKeeper, dict[str, Any] | None]


async def async_load_meter(
    hass: HomeAssistant, serial: str, settings: Mapping[str, Any]
) -> KeptMeter | None:
    """Return a wallbox's meter, where its account is kept and what was kept.

    None where there is no meter. The account of a meter that was taken out of the
    settings is forgotten; that of another one, or one that cannot be read, begins anew.
    """
    folder = Path(hass.config.path(DOMAIN))
    keeper = StateKeeper(meter_file(folder, serial, settings[CONF_WALLBOX_ID]))
    meter = meter_settings(settings)
    try:
        if meter is not None:
            kept = await hass.async_add_executor_job(keeper.load)
            return meter, keeper, kept if _is_of(kept, meter) else None
        if settings.get(CONF_METER) is None:
            await hass.async_add_executor_job(keeper.delete)
    except JournalError as err:
        LOGGER.error(
            "The account of a meter could not be read, it begins anew: %s", err
        )
    return None if meter is None else (meter, keeper, None)


def identity_of(settings: MeterSettings) -> dict[str, Any]:
    """Return what tells one meter from another; its address may change."""
    return {
        "profile": settings.profile_id,
        "inverted": settings.inverted,
        "serial": settings.serial,
    }


def _is_of(kept: dict[str, Any] | None, meter: MeterSettings) -> bool:
    """Tell whether what was kept is of the meter that is in the settings now.

    Its address may have changed, and its serial number may be unknown.
    """
    if kept is None:
        return False
    was, now = kept.get("of"), identity_of(meter)
    if not isinstance(was, Mapping):
        return False
    serials = (was.get("serial"), now["serial"])
    return same_meter(*serials) and all(
        was.get(name) == now[name] for name in ("profile", "inverted")
    )


async def async_load_state(
    hass: HomeAssistant,
    serial: str,
    wallbox_id: str,
    settings: Mapping[str, Any],
) -> tuple[StateKeeper, OwnerState]:
    """Return where a wallbox's state is kept and what was kept.

    A state that cannot be read starts anew from the first-use answer: a damaged file
    must not keep the car from being charged.
    """
    keeper = StateKeeper(state_file(Path(hass.config.path(DOMAIN)), serial, wallbox_id))
    # From now on the zone is known without a look at the disk.
    await dt_util.async_get_time_zone(zone_name(hass, settings))
    profile = rules_of(hass, settings).profile
    try:
        kept = await hass.async_add_executor_job(keeper.load)
        if kept is not None:
            state = OwnerState.from_dict(kept, profile)
            return keeper, under_profile(state, profile, settings)
    except (JournalError, ValueError, KeyError, TypeError) as err:
        LOGGER.error(
            "The state of a wallbox could not be read and starts anew: %s", err
        )
    return keeper, first_state(profile, first_hours(settings))
