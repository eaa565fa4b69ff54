"""Ask what a kilowatt-hour costs: one price, prices by the hour, or an entity's word."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TimeSelector,
)
from homeassistant.util import dt as dt_util

from .charging.money import CURRENCIES, TariffError, parse_price
from .charging.price_units import unit_in
from .charging.schedule import (
    DAY_NAMES,
    ClockKind,
    ScheduleError,
    Window,
    parse_minutes,
)
from .const import CONF_TARIFF, DOMAIN
from .flow_hours import CONF_CLOCK, CONF_DAYS, CONF_END, CONF_START
from .tariff_settings import (
    CONF_CURRENCY,
    CONF_FALLBACK,
    CONF_PRICE,
    CONF_PRICE_ENTITY,
    CONF_RATES,
    Kind,
    read_tariff,
)

CONF_TARIFF_KIND = "tariff_kind"
USUAL_CURRENCY = "EUR"
# The domains of Home Assistant that tell a number with a unit.
PRICE_DOMAINS = [Platform.SENSOR, Platform.NUMBER, "input_number"]


def tariff_field(defaults: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the question where the price comes from."""
    options, usual = [one.value for one in Kind], Kind.KEEP
    if not defaults.get(CONF_TARIFF):
        options.remove(Kind.KEEP)
        usual = Kind.NONE
    return {
        probatio.Optional(CONF_TARIFF_KIND, default=usual.value): SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_TARIFF_KIND,
            )
        )
    }


def _currency_field(hass: HomeAssistant, given: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the choice of the currency; suggested is that of the home."""
    known = hass.config.currency if hass.config.currency in CURRENCIES else None
    return {
        probatio.Required(
            CONF_CURRENCY, default=given.get(CONF_CURRENCY, known or USUAL_CURRENCY)
        ): SelectSelector(
            SelectSelectorConfig(
                options=sorted(CURRENCIES), mode=SelectSelectorMode.DROPDOWN
            )
        )
    }


def _price_selector() -> NumberSelector:
    """Return the field of a price; below zero the owner is paid."""
    return NumberSelector(NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX))


def _suggested(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a price that was given as a number, to be suggested again."""
    value = given.get(name)
    return {"suggested_value": None if value is None else float(value)}


def _price_field(given: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the field of the price that has to be there.

    A form shows a number that is required as 0 at first, and whoever only submits that
    would charge for nothing; so the field is left empty, and that is refused here.
    """
    price = probatio.Optional(CONF_PRICE, description=_suggested(given, CONF_PRICE))
    return {price: _price_selector()}


def _fixed_schema(hass: HomeAssistant, given: Mapping[str, Any]) -> probatio.Schema:
    """Return the form of one price."""
    return probatio.Schema({**_price_field(given), **_currency_field(hass, given)})


def _rates_selector() -> ObjectSelector:
    """Return the editor of the times with a price of their own."""
    days = SelectSelectorConfig(
        options=list(DAY_NAMES), multiple=True, translation_key=CONF_DAYS
    )
    return ObjectSelector(
        ObjectSelectorConfig(
            multiple=True,
            label_field=CONF_PRICE,
            description_field=CONF_START,
            translation_key=CONF_RATES,
            fields={
                CONF_PRICE: {"selector": _price_selector(), "required": True},
                CONF_START: {"selector": TimeSelector(), "required": True},
                CONF_END: {"selector": TimeSelector(), "required": True},
                CONF_DAYS: {"selector": SelectSelector(days)},
            },
        )
    )


def _time_of_use_schema(
    hass: HomeAssistant, given: Mapping[str, Any]
) -> probatio.Schema:
    """Return the form of prices by the time of the week."""
    rates = probatio.Optional(
        CONF_RATES, description={"suggested_value": given.get(CONF_RATES)}
    )
    return probatio.Schema(
        {
            **_price_field(given),
            **_currency_field(hass, given),
            rates: _rates_selector(),
            probatio.Required(
                CONF_CLOCK, default=given.get(CONF_CLOCK, ClockKind.LOCAL.value)
            ): SelectSelector(
                SelectSelectorConfig(
                    options=[one.value for one in ClockKind],
                    translation_key=CONF_CLOCK,
                )
            ),
        }
    )


def _dynamic_schema(hass: HomeAssistant, given: Mapping[str, Any]) -> probatio.Schema:
    """Return the form of a price entity."""
    # What we count ourselves is no price.
    ours = [
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
    ]
    return probatio.Schema(
        {
            probatio.Required(
                CONF_PRICE_ENTITY,
                default=given.get(CONF_PRICE_ENTITY, probatio.UNDEFINED),
            ): EntitySelector(
                EntitySelectorConfig(domain=PRICE_DOMAINS, exclude_entities=ours)
            ),
            **_currency_field(hass, given),
            probatio.Optional(
                CONF_FALLBACK, description=_suggested(given, CONF_FALLBACK)
            ): _price_selector(),
        }
    )


def unit_of(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the unit of an entity, also of one that is away just now."""
    state = hass.states.get(entity_id)
    unit = None if state is None else state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is None and (known := er.async_get(hass).async_get(entity_id)) is not None:
        unit = known.unit_of_measurement
    return None if unit is None else str(unit)


def _rate(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a time with a price of its own. Raises `ScheduleError`, `TariffError`."""
    try:
        days = frozenset(
            DAY_NAMES.index(day) for day in given.get(CONF_DAYS) or DAY_NAMES
        )
        start, end = parse_minutes(given[CONF_START]), parse_minutes(given[CONF_END])
    except (KeyError, ValueError) as err:
        raise ScheduleError("window_time_invalid") from err
    window = Window(days=days, start=start, end=end)
    return {
        CONF_PRICE: str(parse_price(given.get(CONF_PRICE))),
        "windows": [window.as_dict()],
    }


def _rows(kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the times that are kept, as the editor shows them."""
    return [
        {CONF_PRICE: float(rate[CONF_PRICE]), **window}
        for rate in kept.get(CONF_RATES, ())
        for window in rate["windows"]
    ]


class TariffSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)]:
    """The steps of a wallbox's tariff; goes in front of a flow."""

    # The flow's own.
    hass: HomeAssistant
    async_show_form: Callable[..., ResultT]

    # What the wallbox has so far.
    _kept_tariff: Mapping[str, Any] = {}

    @property
    @abstractmethod
    def hours_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""

    @abstractmethod
    async def async_tariff_chosen(self, tariff: dict[str, Any] | None) -> ResultT:
        """Go on with what was chosen."""

    async def async_tariff(self, answers: Mapping[str, Any]) -> ResultT:
        """Go on with the kind of tariff that was answered; without one all stays."""
        kept = answers.get(CONF_TARIFF)
        self._kept_tariff = kept or {}
        match answers.get(CONF_TARIFF_KIND, Kind.KEEP):
            case Kind.FIXED:
                return await self.async_step_tariff_fixed()
            case Kind.TIME_OF_USE:
                return await self.async_step_tariff_time_of_use()
            case Kind.DYNAMIC:
                return await self.async_step_tariff_dynamic()
            case Kind.KEEP:
                return await self.async_tariff_chosen(
                    None if kept is None else {**kept}
                )
        return await self.async_tariff_chosen(None)

    async def async_step_tariff_fixed(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for one price."""
        errors: dict[str, str] = {}
        if user_input is not None:
            tariff = {
                "kind": Kind.FIXED.value,
                CONF_CURRENCY: user_input[CONF_CURRENCY],
                CONF_PRICE: _as_text(user_input.get(CONF_PRICE)),
            }
            if not (errors := _errors(tariff)):
                return await self.async_tariff_chosen(tariff)
        return self.async_show_form(
            step_id="tariff_fixed",
            data_schema=_fixed_schema(self.hass, user_input or self._kept_tariff),
            errors=errors,
            description_placeholders=self.hours_placeholders,
        )

    async def async_step_tariff_time_of_use(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for prices by the time of the week."""
        errors: dict[str, str] = {}
        if user_input is not None:
            # One row alone may come without a list around it.
            rows = user_input.get(CONF_RATES) or []
            rows = [rows] if isinstance(rows, Mapping) else rows
            try:
                rates = [_rate(row) for row in rows]
            except (ScheduleError, TariffError) as err:
                errors = {CONF_RATES: err.key}
            else:
                tariff = {
                    "kind": Kind.TIME_OF_USE.value,
                    CONF_CURRENCY: user_input[CONF_CURRENCY],
                    CONF_PRICE: _as_text(user_input.get(CONF_PRICE)),
                    CONF_CLOCK: user_input[CONF_CLOCK],
                    CONF_RATES: rates,
                }
                if not (errors := _errors(tariff)):
                    return await self.async_tariff_chosen(tariff)
        kept = {**self._kept_tariff, CONF_RATES: _rows(self._kept_tariff)}
        return self.async_show_form(
            step_id="tariff_time_of_use",
            data_schema=_time_of_use_schema(self.hass, user_input or kept),
            errors=errors,
            description_placeholders=self.hours_placeholders,
        )

    async def async_step_tariff_dynamic(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the entity that tells the price, and check its unit."""
        errors: dict[str, str] = {}
        shown = {"unit": "", "currency": ""}
        if user_input is not None:
            tariff = {
                "kind": Kind.DYNAMIC.value,
                CONF_CURRENCY: user_input[CONF_CURRENCY],
                CONF_PRICE_ENTITY: user_input[CONF_PRICE_ENTITY],
                CONF_FALLBACK: _as_text(user_input.get(CONF_FALLBACK)),
            }
            unit = unit_of(self.hass, user_input[CONF_PRICE_ENTITY])
            shown = {"unit": unit or "-", "currency": user_input[CONF_CURRENCY]}
            try:
                unit_in(unit, user_input[CONF_CURRENCY])
            except TariffError as err:
                errors = {CONF_PRICE_ENTITY: err.key}
            if not (errors := errors or _errors(tariff)):
                return await self.async_tariff_chosen(tariff)
        return self.async_show_form(
            step_id="tariff_dynamic",
            data_schema=_dynamic_schema(self.hass, user_input or self._kept_tariff),
            errors=errors,
            description_placeholders={**self.hours_placeholders, **shown},
        )


def _as_text(price: float | None) -> str | None:
    """Return a price as it is kept, None where there is none."""
    return None if price is None else str(price)


def _errors(tariff: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with a tariff, at the field it is complained about at."""
    if tariff["kind"] != Kind.DYNAMIC and tariff[CONF_PRICE] is None:
        return {CONF_PRICE: "price_missing"}
    try:
        read_tariff(tariff, "asked", dt_util.get_default_time_zone())
    except TariffError as err:
        dynamic = tariff["kind"] == Kind.DYNAMIC
        fields = {
            "rates_invalid": CONF_RATES,
            "price_invalid": CONF_FALLBACK if dynamic else CONF_PRICE,
        }
        return {fields.get(err.key, CONF_CURRENCY): err.key}
    return {}
