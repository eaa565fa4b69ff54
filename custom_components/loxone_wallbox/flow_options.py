"""The options of a Miniserver's entry."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)

from .const import CONF_GRACE_S, DEFAULT_GRACE_S

MIN_GRACE_S = 5
MAX_GRACE_S = 600


class LoxoneWallboxOptionsFlow(OptionsFlow):
    """Change what does not concern the connection; takes effect without a reload."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        if user_input is not None:
            return self.async_create_entry(
                data={CONF_GRACE_S: int(user_input[CONF_GRACE_S])}
            )
        return self.async_show_form(
            step_id="init",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_GRACE_S,
                        default=self.config_entry.options.get(
                            CONF_GRACE_S, DEFAULT_GRACE_S
                        ),
                    ): NumberSelector(
                        NumberSelectorConfig(
                            min=MIN_GRACE_S,
                            max=MAX_GRACE_S,
                            step=1,
                            mode=NumberSelectorMode.BOX,
                            unit_of_measurement=UnitOfTime.SECONDS,
                        )
                    )
                }
            ),
        )
