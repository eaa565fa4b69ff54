"""Ask whose rules a wallbox follows: the law's, its owner's, the grid's."""

from collections.abc import Mapping
from typing import Any

import probatio

from homeassistant.const import Platform, UnitOfPower, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .charging.regulation import PROFILES
from .charging.variants import FACTS
from .const import (
    CONF_AGREEMENT,
    CONF_AUTOMATIONS_MAY_OVERRIDE,
    CONF_DAYS_OFF_ENTITIES,
    CONF_DSR_END_AFTER_MIN,
    CONF_DSR_ENTITIES,
    CONF_DSR_LIMIT_KW,
    CONF_DSR_RESPONSE,
    CONF_EXEMPTION,
    CONF_FIRST_USE,
    CONF_OVERRIDE_USERS,
    CONF_PLUG_IN_DELAY,
    CONF_PRIORITY,
    CONF_PROFILE,
    CONF_STRICT,
    CONF_TIMEZONE_KEPT,
    CONF_WHO_DELAYS,
    DELAY_AGGREGATOR,
    DELAY_HOME_ASSISTANT,
    DELAY_MINISERVER,
    DELAY_NOBODY,
    DOMAIN,
    WALLBOX_DEFAULTS,
)
from .flow_agreement import CONF_UNDER_AGREEMENT, has_agreement
from .flow_clock import SECTION_CLOCK
from .flow_hours import signature
from .rules import zone_deviates

CONF_WHO = "who"
SECTION_RULES = "rules"
SECTION_GRID = "grid"
WHO_DELAYS = [DELAY_HOME_ASSISTANT, DELAY_MINISERVER, DELAY_AGGREGATOR, DELAY_NOBODY]
PROFILE_OF_COUNTRY = {"GB": "gb_2021", "DE": "de_14a"}
MINUTES_A_DAY = 1440
MOST_PRIORITY = 100


async def users_to_choose(hass: HomeAssistant) -> dict[str, str]:
    """Return the people who have no right by themselves: names by id."""
    users = {
        user.id: user.name or user.id
        for user in await hass.auth.async_get_users()
        if user.is_active and not user.system_generated and not user.is_admin
    }
    return dict(sorted(users.items(), key=lambda one: one[1].casefold()))


def first_rules(hass: HomeAssistant) -> dict[str, Any]:
    """Return the rules to suggest; nobody gets a delay his country does not ask for."""
    profile = PROFILE_OF_COUNTRY.get(
        hass.config.country or "", WALLBOX_DEFAULTS[CONF_PROFILE]
    )
    return {**WALLBOX_DEFAULTS, CONF_PROFILE: profile}


def rules_fields(
    hass: HomeAssistant, users: Mapping[str, str], defaults: Mapping[str, Any]
) -> dict[Any, Any]:
    """Return the fields of the rules: two in sight, the rest in closed sections."""
    values = {**WALLBOX_DEFAULTS, **defaults}
    return {
        probatio.Required(CONF_PROFILE, default=values[CONF_PROFILE]): _choice(
            CONF_PROFILE, list(PROFILES)
        ),
        probatio.Required(CONF_WHO_DELAYS, default=values[CONF_WHO_DELAYS]): _choice(
            CONF_WHO_DELAYS, WHO_DELAYS
        ),
        probatio.Optional(SECTION_RULES): section(
            probatio.Schema({**_users_field(users, values), **_owner_fields(values)}),
            {"collapsed": True},
        ),
        probatio.Optional(SECTION_GRID): section(
            probatio.Schema(_grid_fields(hass, values)), {"collapsed": True}
        ),
    }


def _choice(key: str, options: list[str]) -> SelectSelector:
    """Return the choice of one among translated options."""
    return SelectSelector(SelectSelectorConfig(options=options, translation_key=key))


def _users_field(users: Mapping[str, str], values: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the choice of users; there is none where everybody is administrator."""
    if not users:
        return {}
    chosen = values.get(CONF_OVERRIDE_USERS)
    return {
        probatio.Optional(
            CONF_OVERRIDE_USERS,
            default=[one for one in users if chosen is None or one in chosen],
        ): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=user_id, label=name)
                    for user_id, name in users.items()
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
    }


def _owner_fields(values: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields of the owner's own rules."""
    return {
        **{
            probatio.Optional(name, default=values[name]): BooleanSelector()
            for name in (
                CONF_AUTOMATIONS_MAY_OVERRIDE,
                CONF_PLUG_IN_DELAY,
                CONF_STRICT,
            )
        },
        probatio.Optional(CONF_PRIORITY, default=values[CONF_PRIORITY]): (
            NumberSelector(
                NumberSelectorConfig(
                    min=0, max=MOST_PRIORITY, step=1, mode=NumberSelectorMode.SLIDER
                )
            )
        ),
    }


def _grid_fields(hass: HomeAssistant, values: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields of the events that the grid asks for."""
    # An entity of ours that follows the events would keep them alive for ever.
    ours = [
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
    ]
    return {
        probatio.Optional(
            CONF_DSR_ENTITIES, default=list(values[CONF_DSR_ENTITIES])
        ): EntitySelector(
            EntitySelectorConfig(
                domain=[Platform.CALENDAR, Platform.BINARY_SENSOR],
                exclude_entities=ours,
                multiple=True,
            )
        ),
        probatio.Optional(CONF_DSR_LIMIT_KW, default=values[CONF_DSR_LIMIT_KW]): (
            NumberSelector(
                NumberSelectorConfig(
                    min=0,
                    max=max(facts.max_kw for facts in FACTS.values()),
                    step=0.1,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfPower.KILO_WATT,
                )
            )
        ),
        probatio.Optional(
            CONF_DSR_END_AFTER_MIN, default=values[CONF_DSR_END_AFTER_MIN]
        ): NumberSelector(
            NumberSelectorConfig(
                min=1,
                max=MINUTES_A_DAY,
                step=1,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=UnitOfTime.MINUTES,
            )
        ),
        **{
            probatio.Optional(name, default=default): BooleanSelector()
            for name, default in (
                (CONF_DSR_RESPONSE, values[CONF_DSR_RESPONSE]),
                (CONF_UNDER_AGREEMENT, has_agreement(values)),
            )
        },
    }


def flat_rules(
    user_input: Mapping[str, Any], users: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answers of a form without the sections of the rules.

    Everybody is kept as such, so that who joins the household later is one of them.
    """
    answers = dict(user_input)
    for name in (SECTION_RULES, SECTION_GRID, SECTION_CLOCK):
        answers.update(answers.pop(name, {}))
    chosen = answers.get(CONF_OVERRIDE_USERS)
    if chosen is not None and set(users) <= set(chosen):
        answers[CONF_OVERRIDE_USERS] = None
    return answers


def _exemption(who: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence of an answer that leaves the delay to somebody else.

    It is as old as the answer, which may have been given before and stayed.
    """
    before: dict[str, Any] = answers.get(CONF_EXEMPTION) or {}
    return before if before.get(CONF_WHO) == who else {CONF_WHO: who, **signature()}


def rules_data(hass: HomeAssistant, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a wallbox's subentry holds of the rules."""
    data = {
        name: type(usual)(answers.get(name, usual))
        for name, usual in WALLBOX_DEFAULTS.items()
    }
    for name in (CONF_DSR_ENTITIES, CONF_DAYS_OFF_ENTITIES):
        data[name] = list(data[name])
    if data[CONF_WHO_DELAYS] != DELAY_HOME_ASSISTANT:
        data[CONF_EXEMPTION] = _exemption(data[CONF_WHO_DELAYS], answers)
    kept = [CONF_OVERRIDE_USERS, CONF_FIRST_USE]
    if has_agreement(answers):
        kept.append(CONF_AGREEMENT)
    if zone_deviates(hass, data):
        kept.append(CONF_TIMEZONE_KEPT)
    for name in kept:
        if answers.get(name) is not None:
            data[name] = answers[name]
    return data
