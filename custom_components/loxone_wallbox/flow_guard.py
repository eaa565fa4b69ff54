"""Have the owner say whether a change that nobody announced holds the wallboxes."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import BooleanSelector

from .control_hold import CONF_HOLD, holds


class GuardSteps(OptionsFlow):
    """The step of the options about changes that nobody announced."""

    async def async_step_guard(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether overrides are refused until the owner has answered."""
        options = self.config_entry.options
        if user_input is not None:
            return self.async_create_entry(
                data={**options, CONF_HOLD: user_input[CONF_HOLD]}
            )
        return self.async_show_form(
            step_id="guard",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_HOLD, default=holds(options)
                    ): BooleanSelector()
                }
            ),
        )
