"""Read a wallbox's settings into the rules that hold for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .charging.owner import DefaultHours, OwnerState, first_state, new_book
from .charging.regulation import PROFILES, Cause, Profile
from .const import (
    CONF_FIRST_USE,
    CONF_PLUG_IN_DELAY,
    CONF_PRIORITY,
    CONF_PROFILE,
    CONF_STRICT,
    CONF_WALLBOX_ID,
    CONF_WHO_DELAYS,
    DELAY_HOME_ASSISTANT,
    DOMAIN,
    LOGGER,
    WALLBOX_DEFAULTS,
)
from .meter_settings import MeterSettings, meter_settings
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


def rules_of(hass: HomeAssistant, settings: Mapping[str, Any]) -> Rules:
    """Return the rules; settings of an unknown profile are as good as none."""
    chosen = {**WALLBOX_DEFAULTS, **settings}
    none = PROFILES[WALLBOX_DEFAULTS[CONF_PROFILE]]
    profile = PROFILES.get(chosen[CONF_PROFILE], none)
    if not chosen[CONF_PLUG_IN_DELAY]:
        profile = replace(profile, delayed=profile.delayed - {Cause.PLUG_IN})
    name = profile.timezone or hass.config.time_zone
    return Rules(
        profile=profile,
        zone=dt_util.get_time_zone(name) or dt_util.get_default_time_zone(),
        strict=bool(chosen[CONF_STRICT]),
        delays=chosen[CONF_WHO_DELAYS] == DELAY_HOME_ASSISTANT,
        priority=int(chosen[CONF_PRIORITY]),
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
    answer where there are none yet; after that the owner's own changes stand.
    """
    if state.profile_id == profile.id:
        return state
    hours = state.hours if state.hours.windows else first_hours(settings)
    return replace(
        state,
        profile_id=profile.id,
        max_delay_s=profile.default_delay_s,
        hours=hours,
        dsr=replace(new_book(profile), events=state.dsr.events),
    )


def state_file(folder: Path, serial: str, wallbox_id: str) -> Path:
    """Return where a wallbox's state is kept."""
    name = "".join(
        sign if sign.isalnum() or sign == "-" else "_" for sign in wallbox_id
    )
    return folder / serial / f"{name}.state.jsonl"


type KeptMeter = tuple[MeterSettings, StateKeeper, dict[str, Any] | None]


async def async_load_meter(
    hass: HomeAssistant, serial: str, settings: Mapping[str, Any]
) -> KeptMeter | None:
    """Return a wallbox's meter, where its account is kept and what was kept.

    None where there is no meter. An account that cannot be read begins anew.
    """
    meter = meter_settings(settings)
    if meter is None:
        return None
    folder = Path(hass.config.path(DOMAIN))
    path = state_file(folder, serial, settings[CONF_WALLBOX_ID])
    keeper = StateKeeper(path.with_name(path.name.replace(".state.", ".meter.")))
    try:
        return meter, keeper, await hass.async_add_executor_job(keeper.load)
    except JournalError as err:
        LOGGER.error(
            "The account of a meter could not be read, it begins anew: %s", err
        )
        return meter, keeper, None


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
