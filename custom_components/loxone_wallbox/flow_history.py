"""Have the owner say for how long sessions are kept, and whether they may go."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .history_keeping import (
    CONF_ON_REMOVAL,
    CONF_RETENTION,
    MAX_MONTHS,
    OnRemoval,
    retention_of,
)
from .records.ledger import MIN_MONTHS


class HistorySteps(OptionsFlow):
    """The step of the options about what is kept."""

    async def async_step_history(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for how long, and what becomes of it with the wallbox."""
        options = self.config_entry.options
        if user_input is not None:
            return self.async_create_entry(
                data={
                    **options,
                    CONF_RETENTION: int(user_input[CONF_RETENTION]),
                    CONF_ON_REMOVAL: user_input[CONF_ON_REMOVAL],
                }
            )
        return self.async_show_form(
            step_id="history",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_RETENTION, default=retention_of(options)
                    ): NumberSelector(
                        NumberSelectorConfig(
                            min=MIN_MONTHS,
                            max=MAX_MONTHS,
                            step=1,
                            mode=NumberSelectorMode.BOX,
                        )
                    ),
                    probatio.Required(
                        CONF_ON_REMOVAL,
                        default=options.get(CONF_ON_REMOVAL, OnRemoval.STAYS.value),
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[one.value for one in OnRemoval],
                            mode=SelectSelectorMode.LIST,
                            translation_key=CONF_ON_REMOVAL,
                        )
                    ),
                }
            ),
        )
