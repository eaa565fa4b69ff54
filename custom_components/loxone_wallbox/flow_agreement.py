"""Ask with whom the agreement to provide demand side response is."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from homeassistant.helpers.selector import TextSelector

from .agreement import CONF_AGGREGATOR, CONF_CONTACT, CONF_REFERENCE
from .const import CONF_AGREEMENT
from .flow_hours import signature

# Whether there is one, in the form of the rules.
CONF_UNDER_AGREEMENT = "under_agreement"
FIELDS = (CONF_AGGREGATOR, CONF_REFERENCE, CONF_CONTACT)


def has_agreement(answers: Mapping[str, Any]) -> bool:
    """Tell whether there is one by the answers, or was before they were given."""
    return bool(answers.get(CONF_UNDER_AGREEMENT, answers.get(CONF_AGREEMENT)))


class AgreementSteps[ResultT: (ConfigFlowResult, SubentryFlowResult)]:
    """The step of the agreement; goes in front of a flow."""

    # The flow's own.
    async_show_form: Callable[..., ResultT]
    _given: dict[str, Any]

    @property
    @abstractmethod
    def terms_placeholders(self) -> dict[str, str]:
        """Return which wallbox it is."""

    @abstractmethod
    async def async_agreement_given(self, answers: dict[str, Any]) -> ResultT:
        """Go on with the answers."""

    async def async_step_agreement(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask with whom; evidence is as old as the answer, which may have stayed."""
        errors = {}
        before = self._given.get(CONF_AGREEMENT) or {}
        shown = before
        if user_input is not None:
            shown = {name: user_input.get(name, "").strip() for name in FIELDS}
            if shown[CONF_AGGREGATOR]:
                same = all(before.get(name) == shown[name] for name in FIELDS)
                agreement = before if same else {**shown, **signature()}
                return await self.async_agreement_given(
                    {**self._given, CONF_AGREEMENT: dict(agreement)}
                )
            errors = {CONF_AGGREGATOR: "aggregator_missing"}
        return self.async_show_form(
            step_id="agreement",
            data_schema=probatio.Schema(
                {
                    probatio.Optional(
                        name, description={"suggested_value": shown.get(name)}
                    ): TextSelector()
                    for name in FIELDS
                }
            ),
            errors=errors,
            description_placeholders=self.terms_placeholders,
        )
