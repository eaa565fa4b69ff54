"""Ask for the clock that the rules follow, and whether bank holidays are days off."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
import zoneinfo

import probatio

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import (
    CONF_DAYS_OFF_ENTITIES,
    CONF_PROFILE,
    CONF_TIMEZONE,
    CONF_TIMEZONE_KEPT,
    DOMAIN,
    TIMEZONE_OF_PROFILE,
    WALLBOX_DEFAULTS,
)
from .flow_hours import signature
from .rules import zone_deviates, zone_name

SECTION_CLOCK = "clock"
CONF_ZONE_CHOICE = "zone_choice"
KEEP_ZONE = "keep"
WORKDAY = "workday"


async def clock_fields(
    hass: HomeAssistant, defaults: Mapping[str, Any]
) -> dict[Any, Any]:
    """Return the section of the clock and the bank holidays, closed."""
    values = {**WALLBOX_DEFAULTS, **defaults}
    zones = await hass.async_add_executor_job(zoneinfo.available_timezones)
    picked = values[CONF_TIMEZONE]
    # Names without a place are old ones for the same zones. A zone that the database
    # has no more can stay until another is picked.
    places = {name for name in zones if "/" in name} | {picked} - {TIMEZONE_OF_PROFILE}
    options = [SelectOptionDict(value=one, label=_place(one)) for one in places]
    options.sort(key=lambda one: one["label"])
    fields = {
        probatio.Optional(CONF_TIMEZONE, default=picked): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=TIMEZONE_OF_PROFILE, label=TIMEZONE_OF_PROFILE
                    ),
                    *options,
                ],
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_TIMEZONE,
            )
        ),
        probatio.Optional(
            CONF_DAYS_OFF_ENTITIES, default=list(values[CONF_DAYS_OFF_ENTITIES])
        ): _days_off_selector(hass),
    }
    return {
        probatio.Optional(SECTION_CLOCK): section(
            probatio.Schema(fields), {"collapsed": True}
        )
    }


def _place(zone: str) -> str:
    """Return a zone's name with the place first, as it is looked for."""
    *regions, place = zone.replace("_", " ").split("/")
    return f"{place} ({', '.join(regions)})"


def _days_off_selector(hass: HomeAssistant) -> EntitySelector:
    """Return the choice of what knows the bank holidays; a plan of ours does not."""
    ours = [
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
    ]
    return EntitySelector(
        EntitySelectorConfig(
            filter=[
                {"domain": Platform.CALENDAR},
                {"domain": Platform.BINARY_SENSOR, "integration": WORKDAY},
            ],
            exclude_entities=ours,
            multiple=True,
        )
    )


class ZoneSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)]:
    """The notice of a clock that is not the regulation's; goes in front of a flow."""

    # The flow's own.
    hass: HomeAssistant
    async_show_form: Callable[..., ResultT]
    _given: dict[str, Any]

    @property
    @abstractmethod
    def terms_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""

    @abstractmethod
    async def async_zone_chosen(self, answers: dict[str, Any]) -> ResultT:
        """Go on with the answers."""

    def zone_to_mention(self, answers: Mapping[str, Any]) -> bool:
        """Tell whether the zone deviates and nobody has said yet that it is meant."""
        kept = answers.get(CONF_TIMEZONE_KEPT) or {}
        return zone_deviates(self.hass, answers) and any(
            kept.get(name) != answers[name] for name in (CONF_TIMEZONE, CONF_PROFILE)
        )

    async def async_step_zone(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Have the owner confirm the zone; nothing is chosen beforehand."""
        errors = {}
        if user_input is not None:
            match user_input.get(CONF_ZONE_CHOICE):
                case value if value == KEEP_ZONE:
                    kept = {
                        name: self._given[name]
                        for name in (CONF_TIMEZONE, CONF_PROFILE)
                    }
                    return await self.async_zone_chosen(
                        {**self._given, CONF_TIMEZONE_KEPT: {**kept, **signature()}}
                    )
                case value if value == TIMEZONE_OF_PROFILE:
                    return await self.async_zone_chosen(
                        {**self._given, CONF_TIMEZONE: TIMEZONE_OF_PROFILE}
                    )
            errors = {CONF_ZONE_CHOICE: "zone_choice_missing"}
        usual = {**self._given, CONF_TIMEZONE: TIMEZONE_OF_PROFILE}
        return self.async_show_form(
            step_id="zone",
            # Not a required field: the frontend would tick its first option.
            data_schema=probatio.Schema(
                {
                    probatio.Optional(CONF_ZONE_CHOICE): SelectSelector(
                        SelectSelectorConfig(
                            options=[TIMEZONE_OF_PROFILE, KEEP_ZONE],
                            mode=SelectSelectorMode.LIST,
                            translation_key=CONF_ZONE_CHOICE,
                        )
                    )
                }
            ),
            errors=errors,
            description_placeholders={
                **self.terms_placeholders,
                "zone": zone_name(self.hass, self._given),
                "usual": zone_name(self.hass, usual),
            },
        )
