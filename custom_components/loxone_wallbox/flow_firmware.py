"""Have the owner say whether the newest firmware may be asked for, and where."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .firmware_news import (
    CONF_FIRMWARE_SOURCE,
    DEFAULT_SOURCE,
    checked_source,
    source_of,
)

CONF_ASK = "ask_for_firmware"


class FirmwareSteps(OptionsFlow):
    """The step of the options about new firmware."""

    async def async_step_firmware(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the owner's agreement; nothing is asked for before."""
        options = dict(self.config_entry.options)
        source = source_of(options)
        shown = {CONF_ASK: source is not None, CONF_FIRMWARE_SOURCE: source}
        errors: dict[str, str] = {}
        if user_input is not None:
            shown = user_input
            options.pop(CONF_FIRMWARE_SOURCE, None)
            if not user_input[CONF_ASK]:
                return self.async_create_entry(data=options)
            try:
                chosen = checked_source(user_input[CONF_FIRMWARE_SOURCE])
            except ValueError:
                errors[CONF_FIRMWARE_SOURCE] = "firmware_source_invalid"
            else:
                return self.async_create_entry(
                    data={**options, CONF_FIRMWARE_SOURCE: chosen}
                )
        address = shown.get(CONF_FIRMWARE_SOURCE) or DEFAULT_SOURCE
        return self.async_show_form(
            step_id="firmware",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_ASK, default=shown[CONF_ASK]
                    ): BooleanSelector(),
                    probatio.Required(
                        CONF_FIRMWARE_SOURCE, default=address
                    ): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
                }
            ),
            errors=errors,
        )
