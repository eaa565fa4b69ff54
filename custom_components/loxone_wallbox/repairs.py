"""Repairs that the owner settles by an answer."""

from typing import Any

import probatio

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig

from .const import DOMAIN
from .coordinator import LoxoneWallboxConfigEntry
from .flow_hours import signature
from .identity_repair import ChangeFlow
from .ledger_repair import RESTORED
from .meter.counter import Answer
from .records.journal import JournalError
from .security import security_of
from .security_repair import broken_issue

ATTR_ANSWER = "answer"


async def async_create_fix_flow(
    hass: HomeAssistant,  # noqa: ARG001
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that settles a repair."""
    if issue_id.startswith(RESTORED):
        return ConfirmRepairFlow()
    if "cause" in (data or {}):
        return TamperFlow(issue_id, str((data or {}).get("subentry_id")))
    serial = (data or {}).get("serial")
    if serial is not None and issue_id == broken_issue(str(serial)):
        return SecurityLogFlow(issue_id, str(serial))
    if (change := (data or {}).get("change")) is not None:
        return ChangeFlow(issue_id, str(change), str(serial))
    return MeterBreakFlow(issue_id, str((data or {}).get("subentry_id")))


class MeterBreakFlow(RepairsFlow):
    """Asks what happened to a meter: replaced, reset, or misread."""

    def __init__(self, issue_id: str, subentry_id: str) -> None:
        """Take the wallbox whose meter it is."""
        self._issue_id = issue_id
        self._subentry_id = subentry_id

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only question."""
        return await self.async_step_answer()

    async def async_step_answer(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and let the meter's account go on as the owner says."""
        if user_input is not None:
            entries: list[LoxoneWallboxConfigEntry] = (
                self.hass.config_entries.async_loaded_entries(DOMAIN)
            )
            for entry in entries:
                wallbox = entry.runtime_data.wallboxes.get(self._subentry_id)
                if wallbox is not None and wallbox.meter is not None:
                    answer = Answer(user_input[ATTR_ANSWER])
                    await wallbox.meter.async_answer(answer, signature()["by"])
                    return self.async_create_entry(data={})
            return self.async_abort(reason="not_loaded")
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id)
        return self.async_show_form(
            step_id="answer",
            data_schema=probatio.Schema(
                {
                    probatio.Required(ATTR_ANSWER): SelectSelector(
                        SelectSelectorConfig(
                            options=[answer.value for answer in Answer],
                            translation_key="meter_answer",
                        )
                    )
                }
            ),
            description_placeholders=None
            if issue is None
            else issue.translation_placeholders,
        )


class SecurityLogFlow(RepairsFlow):
    """Has the owner take note of a security log that was changed."""

    def __init__(self, issue_id: str, serial: str) -> None:
        """Take the Miniserver whose log it is."""
        self._issue_id = issue_id
        self._serial = serial

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only step."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what to do, and let the chain begin anew behind the break."""
        if user_input is not None:
            security = security_of(self.hass, self._serial)
            if security is None:
                return self.async_abort(reason="not_loaded")
            try:
                await security.async_settle(signature()["by"])
            except JournalError:
                return self.async_abort(reason="not_written")
            return self.async_create_entry(data={})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id)
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders=None
            if issue is None
            else issue.translation_placeholders,
        )


class TamperFlow(RepairsFlow):
    """Has the owner say that a cut link was looked into."""

    def __init__(self, issue_id: str, subentry_id: str) -> None:
        """Take the wallbox whose link it is."""
        self._issue_id = issue_id
        self._subentry_id = subentry_id

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only step."""
        return await self.async_step_looked_into()

    async def async_step_looked_into(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what was seen and what to do, and take the owner's word."""
        if user_input is not None:
            for entry in self.hass.config_entries.async_loaded_entries(DOMAIN):
                wallbox = entry.runtime_data.wallboxes.get(self._subentry_id)
                if wallbox is not None:
                    wallbox.links.acknowledge(signature()["by"])
                    return self.async_create_entry(data={})
            return self.async_abort(reason="not_loaded")
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id)
        return self.async_show_form(
            step_id="looked_into",
            data_schema=probatio.Schema({}),
            description_placeholders=None
            if issue is None
            else issue.translation_placeholders,
        )
