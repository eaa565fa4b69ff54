"""Have the owner accept, change or remove the default charging hours at first use."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import current_request
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TimeSelector,
)
from homeassistant.util import dt as dt_util

from .charging.owner import DefaultHours, preset_hours
from .charging.regulation import PRESETS, Preset, Profile
from .charging.schedule import (
    DAY_NAMES,
    ClockKind,
    Schedule,
    ScheduleError,
    Window,
    format_minutes,
    parse_minutes,
)
from .flow_notices import hidden_on, in_peak, in_words, minutes_of_delay
from .peak_repair import async_day_names

CONF_CHOICE = "choice"
CONF_PRESET = "preset"
OWN_WINDOW = "own_window"
CONF_DAYS = "days"
CONF_START = "start"
CONF_END = "end"
CONF_CLOCK = "clock"
# The field of the form that an impossible window is complained about at.
FIELD_OF_ERROR = {"window_days_invalid": CONF_DAYS, "window_without_length": CONF_END}


class Choice(StrEnum):
    """What an owner may do with the hours that are suggested."""

    ACCEPT = "accept"
    CHANGE = "change"
    REMOVE = "remove"


class HoursError(Exception):
    """Answers that are no hours; `errors` has the reason at each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        """Keep the reasons."""
        super().__init__(errors)
        self.errors = errors


def evidence(choice: Choice, hours: DefaultHours) -> dict[str, Any]:
    """Return what is kept of the choice at first use."""
    data = hours.as_dict()
    return {
        CONF_CHOICE: choice.value,
        **{name: data[name] for name in ("windows", "clock", "preset")},
        **signature(),
    }


def signature() -> dict[str, str | None]:
    """Return when it is, and the user who is asking."""
    request = current_request.get()
    user = None if request is None else request.get("hass_user")
    return {
        "at": dt_util.utcnow().isoformat(),
        "by": None if user is None else user.id,
    }


def _choice_schema() -> probatio.Schema:
    """Return the form of the choice.

    The field is not a required one: the frontend would tick its first option.
    """
    return probatio.Schema(
        {
            probatio.Optional(CONF_CHOICE): SelectSelector(
                SelectSelectorConfig(
                    options=[choice.value for choice in Choice],
                    mode=SelectSelectorMode.LIST,
                    translation_key="hours_choice",
                )
            )
        }
    )


def _change_schema(profile: Profile, given: Mapping[str, Any]) -> probatio.Schema:
    """Return the form of other hours, filled with what was given before."""
    return probatio.Schema(
        {
            probatio.Required(
                CONF_PRESET, default=given.get(CONF_PRESET, Preset.GB_COMPLEMENT.value)
            ): SelectSelector(
                SelectSelectorConfig(
                    options=[*(one.value for one in profile.presets), OWN_WINDOW],
                    mode=SelectSelectorMode.LIST,
                    translation_key="hours_preset",
                )
            ),
            probatio.Optional(
                CONF_DAYS, default=given.get(CONF_DAYS, list(DAY_NAMES))
            ): SelectSelector(
                SelectSelectorConfig(
                    options=list(DAY_NAMES),
                    multiple=True,
                    mode=SelectSelectorMode.LIST,
                    translation_key=CONF_DAYS,
                )
            ),
            **{
                probatio.Optional(
                    name, description={"suggested_value": given.get(name)}
                ): TimeSelector()
                for name in (CONF_START, CONF_END)
            },
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


def _changed_hours(given: Mapping[str, Any]) -> DefaultHours:
    """Return the hours of the form for other hours; raises `HoursError`."""
    if given[CONF_PRESET] == OWN_WINDOW:
        return DefaultHours(
            windows=(_own_window(given),), clock=ClockKind(given[CONF_CLOCK])
        )
    untouched = (
        CONF_START not in given
        and CONF_END not in given
        and set(given[CONF_DAYS]) == set(DAY_NAMES)
        and given[CONF_CLOCK] == ClockKind.LOCAL
    )
    # What was typed in below must not be lost without a word.
    if not untouched:
        raise HoursError({CONF_PRESET: "preset_or_window"})
    return preset_hours(Preset(given[CONF_PRESET]))


def _own_window(given: Mapping[str, Any]) -> Window:
    """Return the window of the form; raises `HoursError`."""
    errors = {}
    times = {}
    for name in (CONF_START, CONF_END):
        try:
            times[name] = parse_minutes(given[name])
        except KeyError:
            errors[name] = "time_missing"
        except ValueError:
            errors[name] = "window_time_invalid"
    if errors:
        raise HoursError(errors)
    days = frozenset(DAY_NAMES.index(day) for day in given[CONF_DAYS])
    try:
        return Window(days=days, start=times[CONF_START], end=times[CONF_END])
    except ScheduleError as err:
        raise HoursError({FIELD_OF_ERROR.get(err.key, CONF_START): err.key}) from err


class HoursSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)]:
    """The mandatory choice under a regulation profile; goes in front of a flow."""

    # The flow's own.
    hass: HomeAssistant
    async_show_form: Callable[..., ResultT]

    # Answers that notices were shown for; the same once more means yes.
    _noticed: Mapping[str, Any] | None = None

    @property
    @abstractmethod
    def hours_profile(self) -> Profile:
        """Return the regulation profile that demands the choice."""

    @property
    @abstractmethod
    def hours_zone(self) -> str:
        """Return the name of the time zone that the hours follow."""

    @property
    @abstractmethod
    def hours_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""

    @abstractmethod
    async def async_hours_chosen(self, first_use: dict[str, Any]) -> ResultT:
        """Go on with what was chosen."""

    async def async_step_hours(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the choice; nothing is chosen beforehand, none is no answer."""
        errors = {}
        if user_input is not None:
            match user_input.get(CONF_CHOICE):
                case Choice.ACCEPT:
                    night = preset_hours(Preset.GB_NIGHT)
                    first_use = evidence(Choice.ACCEPT, night)
                    return await self.async_hours_chosen(first_use)
                case Choice.CHANGE:
                    return await self.async_step_hours_change()
                case Choice.REMOVE:
                    first_use = evidence(Choice.REMOVE, DefaultHours())
                    return await self.async_hours_chosen(first_use)
            errors = {CONF_CHOICE: "choice_missing"}
        [suggested] = PRESETS[Preset.GB_NIGHT]
        return self.async_show_form(
            step_id="hours",
            data_schema=_choice_schema(),
            errors=errors,
            description_placeholders={
                **self.hours_placeholders,
                "start": format_minutes(suggested.start),
                "end": format_minutes(suggested.end),
            },
        )

    async def async_step_hours_change(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for other hours."""
        errors: dict[str, str] = {}
        shown: dict[str, str] = {}
        if user_input is None:
            self._noticed = None
        else:
            try:
                hours = _changed_hours(user_input)
            except HoursError as err:
                errors = err.errors
            else:
                errors, shown = await self._async_notices(user_input, hours)
                if not errors:
                    return await self.async_hours_chosen(evidence(Choice.CHANGE, hours))
        return self.async_show_form(
            step_id="hours_change",
            data_schema=_change_schema(self.hours_profile, user_input or {}),
            errors=errors,
            description_placeholders={**self.hours_placeholders, **shown},
        )

    async def _async_notices(
        self, given: Mapping[str, Any], hours: DefaultHours
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what to mention of hours, as errors and placeholders of a form.

        Nothing where it was mentioned before of the same answers.
        """
        if given == self._noticed:
            return {}, {}
        self._noticed = dict(given)
        profile = self.hours_profile
        found = await dt_util.async_get_time_zone(self.hours_zone)
        zone = found or dt_util.get_default_time_zone()
        now = dt_util.now(zone)
        errors, shown = {}, {}
        schedule = Schedule(windows=hours.windows, zone=zone, clock=hours.clock)
        if spans := in_peak(schedule, profile, now.year):
            errors["base"] = "hours_in_peak"
            names = await async_day_names(self.hass, self.hass.config.language)
            shown["hours"] = in_words(spans, zone, names)
        for window in hours.windows:
            if minutes := minutes_of_delay(window, profile):
                errors[CONF_END] = "window_short"
                shown["minutes"] = str(minutes)
            if day := hidden_on(window, hours.clock, zone, now.date()):
                errors[CONF_START] = "window_hidden"
                shown["date"] = day.isoformat()
        return errors, shown
