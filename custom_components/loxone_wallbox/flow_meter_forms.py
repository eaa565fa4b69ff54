"""The forms of a meter's setup: what is asked, and which settings the answers are.

Answers are kept flat, as they were typed, so that a form can be shown again with them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

import probatio

from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
    TextSelectorConfig,
)

from .flow_connection import FlowError, split_host
from .flow_meter_words import name_of
from .meter.model import MeterProfile
from .meter.profiles import PROFILES
from .meter_settings import CONF_METER, MeterSettings, Sharing, Transport

CONF_METER_SOURCE = "meter_source"
CONF_METER_PROFILE = "meter_profile"
CONF_TRANSPORT = "transport"
CONF_UNIT_ID = "unit_id"
CONF_SHARING = "sharing"
CONF_BAUDRATE = "baudrate"
CONF_PARITY = "parity"
CONF_STOPBITS = "stopbits"
CONF_INVERTED = "inverted"
CONF_CONNECTION_NEXT = "connection_next"
CONF_METER_NEXT = "meter_next"
CONF_AFTER_TEST = "after_test"
SECTION_WIRING = "wiring"
NO_METER = "no_meter"
DEFAULT_PORT = 502
DEFAULT_BAUDRATE = 9600
BAUDRATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
MOST_UNITS = 247
# The gateway has line settings of its own. These are those with which Home Assistant
# opens such a connection for others, who could not share it otherwise.
SOCKET_BAUDRATE = 115200
# A register map that no second source confirms.
UNCONFIRMED = " *"

PARITIES: Mapping[str, Literal["N", "E", "O"]] = {"none": "N", "even": "E", "odd": "O"}
PARITY_NAMES = {letter: name for name, letter in PARITIES.items()}


class Source(StrEnum):
    """Where power and energy of a wallbox come from."""

    MINISERVER = "miniserver"
    # The meter that is set up already.
    KEEP = "keep"
    METER = "meter"


class WithConnection(StrEnum):
    """What to do with the answers on a connection; a flow has no way back."""

    TRY = "try"
    SEARCH = "search"
    MODEL = "model"
    NO_METER = "no_meter"


class AfterReading(StrEnum):
    """What to do with what a meter shows."""

    TEST = "test"
    SKIP = "skip"
    AGAIN = "again"
    BACK = "back"


class AfterTest(StrEnum):
    """What to do with the result of a test."""

    FINISH = "finish"
    AGAIN = "again"
    BACK = "back"


def source_field(defaults: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the question where power and energy come from."""
    options = [one.value for one in Source]
    usual = Source.KEEP
    if not defaults.get(CONF_METER):
        options.remove(Source.KEEP)
        usual = Source.MINISERVER
    return {
        probatio.Optional(CONF_METER_SOURCE, default=usual.value): _choice(
            CONF_METER_SOURCE, options
        )
    }


def _choice(key: str, options: list[str]) -> SelectSelector:
    """Return the choice of one among translated options."""
    return SelectSelector(
        SelectSelectorConfig(
            options=options, mode=SelectSelectorMode.LIST, translation_key=key
        )
    )


def model_schema(draft: Mapping[str, Any]) -> probatio.Schema:
    """Return the form for the model and what is between it and us.

    The model is not a required field: the frontend would choose the first option, and
    whoever wants a meter would be without one after a click too many.
    """
    models = [
        SelectOptionDict(
            value=profile.id,
            label=name_of(profile) + ("" if profile.proven else UNCONFIRMED),
        )
        for profile in PROFILES.values()
    ]
    models.sort(key=lambda one: one["label"].casefold())
    return probatio.Schema(
        {
            probatio.Optional(
                CONF_METER_PROFILE,
                description={"suggested_value": draft.get(CONF_METER_PROFILE)},
            ): SelectSelector(
                SelectSelectorConfig(
                    options=[SelectOptionDict(value=NO_METER, label=NO_METER), *models],
                    mode=SelectSelectorMode.DROPDOWN,
                    translation_key=CONF_METER_PROFILE,
                )
            ),
            probatio.Required(
                CONF_TRANSPORT, default=draft.get(CONF_TRANSPORT, Transport.TCP.value)
            ): _choice(CONF_TRANSPORT, [one.value for one in Transport]),
        }
    )


def connection_schema(draft: Mapping[str, Any]) -> probatio.Schema:
    """Return the form for the connection to a meter of the chosen model."""
    profile = PROFILES[draft[CONF_METER_PROFILE]]
    transport = Transport(draft[CONF_TRANSPORT])
    if transport is Transport.SERIAL:
        fields = _serial_fields(profile, draft)
    else:
        fields = _network_fields(profile, draft)
    unit_id = draft.get(CONF_UNIT_ID, profile.line.unit_id or probatio.UNDEFINED)
    fields[probatio.Required(CONF_UNIT_ID, default=unit_id)] = NumberSelector(
        NumberSelectorConfig(min=1, max=MOST_UNITS, step=1, mode=NumberSelectorMode.BOX)
    )
    sharing = draft.get(CONF_SHARING, Sharing.SHARED.value)
    fields[probatio.Required(CONF_SHARING, default=sharing)] = _choice(
        CONF_SHARING, [one.value for one in Sharing]
    )
    inverted = draft.get(CONF_INVERTED, False)
    fields[probatio.Optional(SECTION_WIRING)] = section(
        probatio.Schema(
            {probatio.Optional(CONF_INVERTED, default=inverted): BooleanSelector()}
        ),
        {"collapsed": not inverted},
    )
    wishes = [one.value for one in WithConnection]
    if transport is Transport.TCP:
        wishes.remove(WithConnection.SEARCH)
    fields[
        probatio.Optional(CONF_CONNECTION_NEXT, default=WithConnection.TRY.value)
    ] = _choice(CONF_CONNECTION_NEXT, wishes)
    return probatio.Schema(fields)


def _network_fields(profile: MeterProfile, draft: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields for the address of a gateway or a meter."""
    return {
        probatio.Required(
            CONF_HOST, default=draft.get(CONF_HOST, probatio.UNDEFINED)
        ): TextSelector(TextSelectorConfig(autocomplete="off")),
        probatio.Required(
            CONF_PORT,
            default=draft.get(CONF_PORT, profile.line.tcp_port or DEFAULT_PORT),
        ): cv.port,
    }


def _serial_fields(profile: MeterProfile, draft: Mapping[str, Any]) -> dict[Any, Any]:
    """Return the fields for a serial device, as the meter leaves its maker."""
    line = profile.line
    usual = {
        CONF_BAUDRATE: str(line.baudrate or DEFAULT_BAUDRATE),
        CONF_PARITY: PARITY_NAMES[line.parity],
        CONF_STOPBITS: str(line.stopbits),
    }
    values = {**usual, **draft}
    rates = {*BAUDRATES, int(values[CONF_BAUDRATE])}
    return {
        probatio.Required(
            CONF_DEVICE, default=draft.get(CONF_DEVICE, probatio.UNDEFINED)
        ): SerialPortSelector(),
        probatio.Required(CONF_BAUDRATE, default=values[CONF_BAUDRATE]): SelectSelector(
            SelectSelectorConfig(
                options=[str(rate) for rate in sorted(rates)],
                mode=SelectSelectorMode.DROPDOWN,
            )
        ),
        probatio.Required(CONF_PARITY, default=values[CONF_PARITY]): SelectSelector(
            SelectSelectorConfig(
                options=list(PARITIES),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=CONF_PARITY,
            )
        ),
        probatio.Required(CONF_STOPBITS, default=values[CONF_STOPBITS]): SelectSelector(
            SelectSelectorConfig(options=["1", "2"], mode=SelectSelectorMode.DROPDOWN)
        ),
    }


def reading_schema() -> probatio.Schema:
    """Return the question whether a meter shows what its display shows.

    The field is not a required one: the frontend would tick its first option, and the
    comparison is the owner's.
    """
    return probatio.Schema(
        {
            probatio.Optional(CONF_METER_NEXT): _choice(
                CONF_METER_NEXT, [one.value for one in AfterReading]
            )
        }
    )


def result_schema() -> probatio.Schema:
    """Return the question what to do with the result of a test."""
    return probatio.Schema(
        {
            probatio.Required(CONF_AFTER_TEST, default=AfterTest.FINISH.value): _choice(
                CONF_AFTER_TEST, [one.value for one in AfterTest]
            )
        }
    )


def draft_of(settings: MeterSettings) -> dict[str, Any]:
    """Return the answers that lead to settings."""
    draft: dict[str, Any] = {
        CONF_METER_PROFILE: settings.profile_id,
        CONF_TRANSPORT: settings.transport.value,
        CONF_UNIT_ID: settings.unit_id,
        CONF_SHARING: settings.sharing.value,
        CONF_INVERTED: settings.inverted,
    }
    if settings.transport is Transport.SERIAL:
        return {**draft, CONF_DEVICE: settings.device, **line_of(settings)}
    return {**draft, CONF_HOST: settings.host, CONF_PORT: settings.port}


def line_of(settings: MeterSettings) -> dict[str, Any]:
    """Return the answers that lead to the line settings of a serial device."""
    return {
        CONF_BAUDRATE: str(settings.baudrate),
        CONF_PARITY: PARITY_NAMES[settings.parity],
        CONF_STOPBITS: str(settings.stopbits),
    }


def answered(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a connection's form without its section."""
    answers = dict(user_input)
    answers.update(answers.pop(SECTION_WIRING, {}))
    answers[CONF_UNIT_ID] = int(answers[CONF_UNIT_ID])
    return answers


def settings_of(draft: Mapping[str, Any]) -> MeterSettings:
    """Return the settings that answers lead to; raises `FlowError`."""
    transport = Transport(draft[CONF_TRANSPORT])
    place: dict[str, Any]
    if transport is Transport.SERIAL:
        place = {
            "device": draft[CONF_DEVICE].strip(),
            "baudrate": int(draft[CONF_BAUDRATE]),
            "parity": PARITIES[draft[CONF_PARITY]],
            "stopbits": int(draft[CONF_STOPBITS]),
        }
    else:
        try:
            host, port = split_host(draft[CONF_HOST], draft[CONF_PORT])
            # No resolver takes a name that this cannot write.
            host.encode("idna")
        except ValueError as err:
            raise FlowError("invalid_host", CONF_HOST) from err
        place = {"host": host, "port": port}
        if transport is Transport.RTU_OVER_TCP:
            place["baudrate"] = SOCKET_BAUDRATE
    return MeterSettings(
        profile_id=draft[CONF_METER_PROFILE],
        sharing=Sharing(draft[CONF_SHARING]),
        transport=transport,
        unit_id=draft[CONF_UNIT_ID],
        inverted=draft[CONF_INVERTED],
        **place,
    )
