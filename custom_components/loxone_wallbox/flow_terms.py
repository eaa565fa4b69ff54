"""Settle what a wallbox's answers leave open: its clock, and its agreement."""

from abc import abstractmethod
from typing import Any, override

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult

from .flow_agreement import AgreementSteps, has_agreement
from .flow_clock import ZoneSteps


class TermsSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)](
    ZoneSteps[ResultT], AgreementSteps[ResultT]
):
    """The steps between the rules and the hours; goes in front of a flow."""

    @abstractmethod
    async def async_terms_settled(self, answers: dict[str, Any]) -> ResultT:
        """Go on with the answers."""

    async def async_terms(self, answers: dict[str, Any]) -> ResultT:
        """Start with the notice of the clock, where one is due."""
        self._given = answers
        if self.zone_to_mention(answers):
            return await self.async_step_zone()
        return await self.async_zone_chosen(answers)

    @override
    async def async_zone_chosen(self, answers: dict[str, Any]) -> ResultT:
        """Go on to the agreement, where there is one."""
        self._given = answers
        if has_agreement(answers):
            return await self.async_step_agreement()
        return await self.async_terms_settled(answers)

    @override
    async def async_agreement_given(self, answers: dict[str, Any]) -> ResultT:
        """Be done."""
        return await self.async_terms_settled(answers)
