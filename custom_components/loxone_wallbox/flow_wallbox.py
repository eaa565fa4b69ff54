"""Walk an owner through the settings of one wallbox after the other.

One mixin serves the first set-up of a Miniserver and wallboxes added later.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

import probatio

from homeassistant.config_entries import (
    ConfigFlowResult,
    ConfigSubentryData,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .charging.regulation import PROFILES, Profile
from .charging.variants import FACTS, Variant, VariantFacts, likely_variant
from .const import (
    CONF_DIAGNOSTIC_INPUTS,
    CONF_EXEMPTION,
    CONF_FIRST_USE,
    CONF_PROFILE,
    CONF_TARIFF,
    CONF_VARIANT,
    CONF_VISUALISATION_PASSWORD,
    CONF_WALLBOX_ID,
    DIAGNOSTIC_INPUTS,
    SUBENTRY_WALLBOX,
)
from .diagnostic_inputs import likely_inputs
from .flow_clock import clock_fields
from .flow_hours import HoursSteps, signature
from .flow_meter import MeterSteps
from .flow_meter_forms import CONF_METER_SOURCE, MOST_UNITS, Source, source_field
from .flow_meter_taken import Neighbour, neighbours_of
from .flow_rules import (
    first_rules,
    flat_rules,
    rules_data,
    rules_fields,
    users_to_choose,
)
from .flow_tariff import TariffSteps, tariff_field
from .flow_terms import TermsSteps
from .meter_settings import CONF_METER, meter_settings
from .miniserver import Structure, WallboxInfo
from .rules import zone_name

CONF_WALLBOXES = "wallboxes"
CONF_SAME_AS = "same_as"
OWN_ANSWERS = "own_answers"


def wallboxes_selector(
    wallboxes: list[WallboxInfo], *, multiple: bool = True
) -> SelectSelector:
    """Return the choice among wallboxes."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(
                    value=info.id,
                    label=f"{info.name} ({info.room})" if info.room else info.name,
                )
                for info in wallboxes
            ],
            multiple=multiple,
            mode=SelectSelectorMode.LIST,
        )
    )


async def wallbox_schema(
    hass: HomeAssistant,
    info: WallboxInfo,
    structure: Structure,
    defaults: Mapping[str, Any],
) -> probatio.Schema:
    """Return the form of one wallbox."""
    rules = rules_fields(hass, await users_to_choose(hass), defaults)
    fields: dict[Any, Any] = {
        probatio.Required(CONF_NAME, default=defaults[CONF_NAME]): TextSelector(),
        probatio.Required(CONF_VARIANT, default=defaults[CONF_VARIANT]): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=variant.value, label=f"{facts.model} ({facts.article})"
                    )
                    for variant, facts in FACTS.items()
                ]
            )
        ),
    }
    if info.secured:
        fields[probatio.Optional(probatio.Secret(CONF_VISUALISATION_PASSWORD))] = (
            TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
        )
    fields |= source_field(defaults) | tariff_field(defaults)
    fields |= rules
    fields |= await clock_fields(hass, defaults)
    if structure.diagnostics:
        mapped = {
            name: control_id
            for name, control_id in defaults.get(CONF_DIAGNOSTIC_INPUTS, {}).items()
            if control_id in structure.diagnostics
        }
        # What is filled in must be seen: a wrong control makes a wallbox unavailable.
        fields[probatio.Optional(CONF_DIAGNOSTIC_INPUTS)] = section(
            _inputs_schema(structure, mapped), {"collapsed": not mapped}
        )
    return probatio.Schema(fields)


def _inputs_schema(structure: Structure, mapped: Mapping[str, str]) -> probatio.Schema:
    """Return the choice of a control for each diagnostic input."""
    options = [
        SelectOptionDict(
            value=control.id,
            label=f"{control.name} ({control.room})" if control.room else control.name,
        )
        for control in sorted(structure.diagnostics.values(), key=lambda one: one.name)
    ]
    selector = SelectSelector(
        SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
    )
    return probatio.Schema(
        {
            probatio.Optional(
                name, description={"suggested_value": mapped.get(name)}
            ): selector
            for name in DIAGNOSTIC_INPUTS
        }
    )


def first_answers(info: WallboxInfo, structure: Structure) -> dict[str, Any]:
    """Return the answers that are most likely right."""
    return {
        CONF_NAME: info.name,
        CONF_VARIANT: likely_variant(info.max_kw).value,
        CONF_DIAGNOSTIC_INPUTS: likely_inputs(info, structure),
    }


def subentry_data(
    hass: HomeAssistant, info: WallboxInfo, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a wallbox's subentry holds."""
    data: dict[str, Any] = {
        CONF_WALLBOX_ID: info.id,
        CONF_VARIANT: Variant(answers[CONF_VARIANT]).value,
        CONF_DIAGNOSTIC_INPUTS: dict(answers.get(CONF_DIAGNOSTIC_INPUTS, {})),
        **rules_data(hass, answers),
    }
    if password := answers.get(CONF_VISUALISATION_PASSWORD):
        data[CONF_VISUALISATION_PASSWORD] = password
    if meter := answers.get(CONF_METER):
        data[CONF_METER] = dict(meter)
    if tariff := answers.get(CONF_TARIFF):
        data[CONF_TARIFF] = dict(tariff)
    return data


class WallboxSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)](
    TermsSteps[ResultT],
    HoursSteps[ResultT],
    MeterSteps[ResultT],
    TariffSteps[ResultT],
):
    """The steps of each wallbox that was picked; goes in front of a flow."""

    structure: Structure
    _pending: list[WallboxInfo]
    _finished: list[ConfigSubentryData]
    # What was answered for the first of those that are pending.
    _given: dict[str, Any]
    # The wallbox that is changed, if it is not a new one.
    _changed_id: str | None = None

    async def async_walk(self, picked: list[WallboxInfo]) -> ResultT:
        """Start with the first wallbox."""
        self._pending = picked
        self._finished = []
        return await self.async_step_wallbox()

    @abstractmethod
    async def async_finish(self, wallboxes: list[ConfigSubentryData]) -> ResultT:
        """Create what was walked through."""

    async def async_step_same_as(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Offer the answers given for a wallbox before."""
        info = self._pending[0]
        if user_input is not None:
            chosen = user_input[CONF_SAME_AS]
            for before in self._finished:
                if before["unique_id"] == chosen:
                    answers = self._copied(info, before)
                    if info.secured and CONF_VISUALISATION_PASSWORD not in answers:
                        break
                    return await self._async_ruled(answers)
            return await self.async_step_wallbox()
        options: list[SelectOptionDict] = [
            SelectOptionDict(value=str(before["unique_id"]), label=before["title"])
            for before in self._finished
        ]
        return self.async_show_form(
            step_id="same_as",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_SAME_AS, default=options[0]["value"]
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                *options,
                                SelectOptionDict(value=OWN_ANSWERS, label=OWN_ANSWERS),
                            ],
                            translation_key=CONF_SAME_AS,
                        )
                    )
                }
            ),
            description_placeholders=self._progress(info),
            last_step=False,
        )

    async def async_step_wallbox(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask what we need to know of one wallbox."""
        info = self._pending[0]
        if user_input is not None:
            users = await users_to_choose(self.hass)
            return await self.async_answered(flat_rules(user_input, users))
        suggested = {**first_rules(self.hass), **first_answers(info, self.structure)}
        return self.async_show_form(
            step_id="wallbox",
            data_schema=await wallbox_schema(
                self.hass, info, self.structure, suggested
            ),
            description_placeholders=self._progress(info),
            last_step=len(self._pending) == 1,
        )

    async def async_answered(self, answers: dict[str, Any]) -> ResultT:
        """Go on with a wallbox's answers: to what they leave open."""
        return await self.async_terms(answers)

    @override
    async def async_terms_settled(self, answers: dict[str, Any]) -> ResultT:
        """Go on to the choice of hours where it is due."""
        self._given = answers
        if self.hours_profile.first_use_choice and CONF_FIRST_USE not in answers:
            return await self.async_step_hours()
        return await self._async_ruled(answers)

    @override
    async def async_hours_chosen(self, first_use: dict[str, Any]) -> ResultT:
        """Keep the choice with the other answers."""
        return await self._async_ruled({**self._given, CONF_FIRST_USE: first_use})

    @property
    @override
    def hours_profile(self) -> Profile:
        """Return the regulation profile that was answered."""
        return PROFILES[self._given[CONF_PROFILE]]

    @property
    @override
    def hours_zone(self) -> str:
        """Return the time zone that was answered."""
        return zone_name(self.hass, self._given)

    @property
    @override
    def hours_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""
        return self._progress(self._pending[0])

    @property
    @override
    def terms_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""
        return self._progress(self._pending[0])

    async def _async_ruled(self, answers: dict[str, Any]) -> ResultT:
        """Go on when the rules are answered: to the meter where one is to be set up."""
        self._given = answers
        match answers.get(CONF_METER_SOURCE):
            case Source.METER:
                return await self.async_meter(meter_settings(answers))
            case Source.KEEP:
                return await self.async_meter_chosen(answers.get(CONF_METER))
        return await self.async_meter_chosen(None)

    @override
    async def async_meter_chosen(self, meter: dict[str, Any] | None) -> ResultT:
        """Keep the meter with the other answers, and go on to the tariff."""
        self._given = {**self._given, CONF_METER: meter}
        return await self.async_tariff(self._given)

    @override
    async def async_tariff_chosen(self, tariff: dict[str, Any] | None) -> ResultT:
        """Keep the tariff with the other answers."""
        return await self._async_take(
            self._pending[0], {**self._given, CONF_TARIFF: tariff}
        )

    @property
    @override
    def meter_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""
        return self._progress(self._pending[0])

    @property
    @override
    def meter_variant(self) -> VariantFacts:
        """Return what the wallbox is."""
        return FACTS[Variant(self._given[CONF_VARIANT])]

    @property
    @override
    def meter_neighbours(self) -> list[Neighbour]:
        """Return the meters of other wallboxes, also of those just walked through."""
        before = [(one["title"], meter_settings(one["data"])) for one in self._finished]
        found = list(neighbours_of(self.hass, self._changed_id))
        return found + [(title, one) for title, one in before if one is not None]

    async def _async_take(
        self, info: WallboxInfo, answers: Mapping[str, Any]
    ) -> ResultT:
        """Take a wallbox's answers and go on with the next."""
        self._finished.append(
            ConfigSubentryData(
                data=subentry_data(self.hass, info, answers),
                subentry_type=SUBENTRY_WALLBOX,
                title=answers[CONF_NAME].strip() or info.name,
                unique_id=info.id,
            )
        )
        self._pending = self._pending[1:]
        if self._pending:
            return await self.async_step_same_as()
        return await self.async_finish(self._finished)

    def _copied(self, info: WallboxInfo, before: ConfigSubentryData) -> dict[str, Any]:
        """Return another wallbox's answers, except for what cannot be the same.

        That is the name, the diagnostic inputs, a variant of another power, the
        visualisation password of a wallbox that asks for none, and the meter, of which
        the next one on the line is suggested. The choices of default charging hours
        and of who delays are the same, made now.
        """
        answers = {**before["data"], **first_answers(info, self.structure)}
        theirs = self.structure.wallboxes[before["data"][CONF_WALLBOX_ID]]
        if likely_variant(theirs.max_kw) is likely_variant(info.max_kw):
            answers[CONF_VARIANT] = before["data"][CONF_VARIANT]
        if not info.secured:
            answers.pop(CONF_VISUALISATION_PASSWORD, None)
        answers.pop(CONF_EXEMPTION, None)
        if (meter := meter_settings(before["data"])) is not None:
            next_one = replace(meter, unit_id=min(meter.unit_id + 1, MOST_UNITS))
            answers[CONF_METER] = next_one.as_dict()
            answers[CONF_METER_SOURCE] = Source.METER
        if first_use := answers.get(CONF_FIRST_USE):
            answers[CONF_FIRST_USE] = {**first_use, **signature()}
        return answers

    def _progress(self, info: WallboxInfo) -> dict[str, str]:
        """Return which wallbox of how many it is."""
        done = len(self._finished)
        return {
            "wallbox": info.name,
            "number": str(done + 1),
            "count": str(done + len(self._pending)),
        }
