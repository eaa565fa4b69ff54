"""Have the owner forget people: whom, whether that is meant, and what came of it.

Takes names that are known or entered, gives them to the same work as the action does.
The work takes minutes where the database is large, and goes on when nobody looks.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
)

from .flow_hours import signature
from .flow_people import seen_lately
from .naming import LONGEST_ID, named_people
from .personal_action import MOST_USERS, async_delete, logs_of
from .personal_data import Forgotten

CONF_FORGET = "forget"
CONF_AGREE = "agree"
# What comes back as words of a form, by the key that the action would raise.
_NOBODY = "personal_data_nobody"


class ForgetSteps(OptionsFlow):
    """The steps of the options in which people are forgotten."""

    _whom: list[str]
    _forgetting: asyncio.Task[Forgotten | HomeAssistantError] | None = None
    _waiting: asyncio.Task[Any] | None = None
    _error: str | None = None
    _told: Mapping[str, str] = {}

    async def async_step_forget(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whom to forget."""
        errors: dict[str, str] = {}
        chosen: list[str] = getattr(self, "_whom", [])
        if self._error is not None:
            errors, self._error = {"base": self._error}, None
        if user_input is not None:
            given = [one.strip() for one in user_input.get(CONF_FORGET, [])]
            chosen = list(dict.fromkeys(one for one in given if one))
            if not 0 < len(chosen) <= MOST_USERS:
                errors[CONF_FORGET] = "forget_whom"
            elif max(map(len, chosen)) > LONGEST_ID:
                errors[CONF_FORGET] = "person_name_invalid"
            else:
                self._whom = chosen
                return await self.async_step_forget_confirm()
        return self.async_show_form(
            step_id="forget",
            data_schema=probatio.Schema(
                {
                    probatio.Optional(
                        CONF_FORGET, description={"suggested_value": chosen}
                    ): self._known()
                }
            ),
            errors=errors,
            description_placeholders={"error": "", **self._told},
        )

    def _known(self) -> SelectSelector:
        """Return who may be forgotten: who has a name, who was seen, and anybody."""
        named = named_people(self.config_entry.options)
        options = [
            SelectOptionDict(value=name, label=name)
            for name in sorted(set(named.values()))
        ]
        options += [
            SelectOptionDict(value=one.user, label=f"{one.user} ({one.wallbox})")
            for one in seen_lately(self.config_entry)
            if one.user not in named
        ]
        return SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, custom_value=True)
        )

    async def async_step_forget_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether that is meant; nothing brings anybody back."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_AGREE]:
                return await self._async_begin()
            errors[CONF_AGREE] = "forget_not_agreed"
        people = "\n".join(f"- `{one.replace('`', ' ')}`" for one in self._whom)
        return self.async_show_form(
            step_id="forget_confirm",
            data_schema=probatio.Schema(
                {probatio.Required(CONF_AGREE, default=False): BooleanSelector()}
            ),
            errors=errors,
            description_placeholders={"people": people},
        )

    async def _async_begin(self) -> ConfigFlowResult:
        """Begin to forget; whoever asked is known only now."""
        user_id = signature()["by"]
        user = None if user_id is None else await self.hass.auth.async_get_user(user_id)
        hass, whom = self.hass, self._whom

        async def forget() -> Forgotten | HomeAssistantError:
            """Forget them; a reason why not is for the dialogue."""
            try:
                return await async_delete(hass, whom, user, logs_of(hass))
            except HomeAssistantError as err:
                return err

        self._forgetting = hass.async_create_task(
            forget(), "personal data", eager_start=False
        )
        # The dialogue may be closed: that ends the waiting, and not the work.
        self._waiting = hass.async_create_background_task(
            asyncio.wait({self._forgetting}), "personal data dialogue"
        )
        return await self.async_step_forget_work()

    async def async_step_forget_work(
        self,
        user_input: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ConfigFlowResult:
        """Show that it is being done."""
        work = self._forgetting
        if work is None or not work.done():
            return self.async_show_progress(
                step_id="forget_work",
                progress_action="forget",
                progress_task=self._waiting,
            )
        return self.async_show_progress_done(next_step_id=self._take(work.result()))

    def _take(self, result: Forgotten | HomeAssistantError) -> str:
        """Take what came of it, and return the step that says it."""
        if isinstance(result, HomeAssistantError):
            nobody = result.translation_key == _NOBODY
            self._error = "forget_nobody" if nobody else "forget_failed"
            self._told = {**(result.translation_placeholders or {})}
            return "forget"
        self._told = {
            "names": str(result.names),
            "sessions": str(result.sessions),
            "records": str(result.records),
        }
        return "forget_traces" if result.leaves_traces else "forget_done"

    async def async_step_forget_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was deleted."""
        return self._said("forget_done", user_input)

    async def async_step_forget_traces(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was deleted, and that the database may have traces of it."""
        return self._said("forget_traces", user_input)

    def _said(self, step: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Say what came of it; the options stay as they are now."""
        if user_input is not None:
            return self.async_create_entry(data={**self.config_entry.options})
        return self.async_show_form(
            step_id=step,
            data_schema=probatio.Schema({}),
            description_placeholders=self._told,
        )
