"""The options of a Miniserver's entry."""

from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import UnitOfTime
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)

from .const import CONF_GRACE_S, DEFAULT_GRACE_S
from .flow_dashboard import DashboardSteps
from .flow_firmware import FirmwareSteps
from .flow_forget import ForgetSteps
from .flow_guard import GuardSteps
from .flow_history import HistorySteps
from .flow_people import PeopleSteps
from .watchdog import CONF_WATCHDOG_INPUT, watchdog_input

MIN_GRACE_S = 5
MAX_GRACE_S = 600


class LoxoneWallboxOptionsFlow(
    PeopleSteps, ForgetSteps, HistorySteps, FirmwareSteps, GuardSteps, DashboardSteps
):
    """Change what does not concern the connection; takes effect without a reload."""

    async def async_step_init(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ConfigFlowResult:
        """Ask what is to be changed."""
        return self.async_show_menu(
            step_id="init",
            menu_options=[
                "people",
                "forget",
                "history",
                "firmware",
                "guard",
                "dashboard",
                "link",
            ],
        )

    async def async_step_link(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask when a lost link is worth a word, and who is told that we are there."""
        options = self.config_entry.options
        if user_input is not None:
            grace = int(user_input[CONF_GRACE_S])
            kept = {
                name: value
                for name, value in options.items()
                if name != CONF_WATCHDOG_INPUT
            }
            if (named := watchdog_input(user_input)) is not None:
                kept[CONF_WATCHDOG_INPUT] = named
            return self.async_create_entry(data={**kept, CONF_GRACE_S: grace})
        return self.async_show_form(
            step_id="link",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_GRACE_S,
                        default=options.get(CONF_GRACE_S, DEFAULT_GRACE_S),
                    ): NumberSelector(
                        NumberSelectorConfig(
                            min=MIN_GRACE_S,
                            max=MAX_GRACE_S,
                            step=1,
                            mode=NumberSelectorMode.BOX,
                            unit_of_measurement=UnitOfTime.SECONDS,
                        )
                    ),
                    probatio.Optional(
                        CONF_WATCHDOG_INPUT,
                        description={
                            "suggested_value": options.get(CONF_WATCHDOG_INPUT)
                        },
                    ): TextSelector(),
                }
            ),
        )
