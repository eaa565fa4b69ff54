"""Have the owner say who keeps the card among the resources of the dashboards."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import BooleanSelector

from .frontend_resource import CONF_RESOURCE_BY_HAND, MODULE_URL


class DashboardSteps(OptionsFlow):
    """The step of the options about the card."""

    async def async_step_dashboard(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the resource is to be left alone."""
        options = dict(self.config_entry.options)
        if user_input is not None:
            options.pop(CONF_RESOURCE_BY_HAND, None)
            if user_input[CONF_RESOURCE_BY_HAND]:
                options[CONF_RESOURCE_BY_HAND] = True
            return self.async_create_entry(data=options)
        return self.async_show_form(
            step_id="dashboard",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_RESOURCE_BY_HAND,
                        default=bool(options.get(CONF_RESOURCE_BY_HAND)),
                    ): BooleanSelector(),
                }
            ),
            description_placeholders={"resource": f"`{MODULE_URL}`"},
        )
