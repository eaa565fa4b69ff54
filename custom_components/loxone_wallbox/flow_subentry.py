"""Add a wallbox to a Miniserver that is set up, or change one."""

from typing import Any, override

import probatio

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryData,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME

from .const import (
    CONF_VISUALISATION_PASSWORD,
    CONF_WALLBOX_ID,
    SUBENTRY_WALLBOX,
)
from .coordinator import LoxoneWallboxConfigEntry, WallboxCoordinator
from .flow_rules import flat_rules, users_to_choose
from .flow_wallbox import (
    CONF_WALLBOXES,
    WallboxSteps,
    wallbox_schema,
    wallboxes_selector,
)


class WallboxSubentryFlow(WallboxSteps[SubentryFlowResult], ConfigSubentryFlow):
    """Add or change one wallbox; the others are not disturbed."""

    @property
    @override
    def measured_wallbox(self) -> WallboxCoordinator | None:
        """Return the wallbox that is changed, if its meter may be being read."""
        entry: LoxoneWallboxConfigEntry = self._get_entry()
        if self._changed_id is None or entry.state is not ConfigEntryState.LOADED:
            return None
        return entry.runtime_data.wallboxes.get(self._changed_id)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Pick a wallbox that is not set up yet."""
        entry: LoxoneWallboxConfigEntry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        self.structure = entry.runtime_data.miniserver.client.structure
        known = {
            subentry.data[CONF_WALLBOX_ID]
            for subentry in entry.get_subentries_of_type(SUBENTRY_WALLBOX)
        }
        free = [
            info for info in self.structure.wallboxes.values() if info.id not in known
        ]
        if not free:
            return self.async_abort(reason="no_more_wallboxes")
        if user_input is not None:
            picked = user_input[CONF_WALLBOXES]
            # It may have gone from the Miniserver since the form was shown.
            if chosen := [info for info in free if info.id == picked]:
                return await self.async_walk(chosen)
        return self.async_show_form(
            step_id="user",
            data_schema=probatio.Schema(
                {
                    probatio.Required(
                        CONF_WALLBOXES, default=free[0].id
                    ): wallboxes_selector(free, multiple=False)
                }
            ),
            last_step=False,
        )

    @override
    async def async_finish(
        self, wallboxes: list[ConfigSubentryData]
    ) -> SubentryFlowResult:
        """Create the wallbox, or change it."""
        wallbox = wallboxes[0]
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=wallbox["title"],
                data=wallbox["data"],
            )
        return self.async_create_entry(
            title=wallbox["title"],
            data=wallbox["data"],
            unique_id=wallbox["unique_id"],
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change what was answered before; a password left empty stays.

        So does the choice of default charging hours at first use, once it was made.
        """
        entry: LoxoneWallboxConfigEntry = self._get_entry()
        subentry = self._get_reconfigure_subentry()
        self._changed_id = subentry.subentry_id
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        structure = entry.runtime_data.miniserver.client.structure
        info = structure.wallboxes.get(subentry.data[CONF_WALLBOX_ID])
        if info is None:
            return self.async_abort(reason="wallbox_missing")
        if user_input is not None:
            users = await users_to_choose(self.hass)
            answers = {**subentry.data, **flat_rules(user_input, users)}
            if not answers.get(CONF_VISUALISATION_PASSWORD):
                answers[CONF_VISUALISATION_PASSWORD] = subentry.data.get(
                    CONF_VISUALISATION_PASSWORD
                )
            self._pending, self._finished = [info], []
            return await self.async_answered(answers)
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=await wallbox_schema(
                self.hass,
                info,
                structure,
                {CONF_NAME: subentry.title, **subentry.data},
            ),
            description_placeholders={"wallbox": subentry.title},
        )
