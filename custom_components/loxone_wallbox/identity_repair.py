"""Ask the owner about a change of a Miniserver or wallbox that nobody announced.

Takes what the security watch found to be another thing than before; gives a repair that
outlives a restart and goes when the owner says that the change was meant. A firmware that
its maker has released since, and that the owner agreed to be told of, needs no question.
"""

from collections.abc import Mapping

import probatio

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_SERIAL, DOMAIN
from .control_hold import CHANGES, FIRMWARE, WALLBOX, change_issue
from .flow_hours import signature
from .miniserver.http import parse_version
from .rights import SecurityEvent
from .security import security_of


def is_expected(before: str, now: str, newest: str | None) -> bool:
    """Tell whether a firmware is the newest one, which came after the one before.

    An older one than before was put there by somebody, whoever it was.
    """
    return now == newest and parse_version(now) > parse_version(before)


@callback
def ask_about(
    hass: HomeAssistant,
    entry: ConfigEntry,
    kind: str,
    serial: str,
    told: Mapping[str, str],
    *,
    subentry_id: str | None = None,
) -> None:
    """Raise the repair of a change; one that is not answered is told anew."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        change_issue(kind, subentry_id or entry.entry_id),
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=kind,
        translation_placeholders={"miniserver": entry.title, **told},
        data={"change": kind, "serial": serial},
    )


@callback
def settle_firmware(
    hass: HomeAssistant, entry: ConfigEntry, now: str, newest: str | None
) -> None:
    """Take the question back once the firmware turns out to be the newest one."""
    issue_id = change_issue(FIRMWARE, entry.entry_id)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    told = {} if issue is None else issue.translation_placeholders or {}
    if is_expected(told.get("from", ""), now, newest):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def forget_changes(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Clear the repairs of an entry that was removed."""
    for subentry_id in (entry.entry_id, *entry.subentries):
        for kind in CHANGES:
            ir.async_delete_issue(hass, DOMAIN, change_issue(kind, subentry_id))


@callback
def forget_strangers(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Clear the repairs of wallboxes that were removed while an entry was not there."""
    serial = entry.data[CONF_SERIAL]
    known = {change_issue(WALLBOX, one) for one in entry.subentries}
    asked = change_issue(WALLBOX, "")
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain != DOMAIN or not issue_id.startswith(asked) or issue_id in known:
            continue
        issue = ir.async_get(hass).async_get_issue(domain, issue_id)
        if issue is not None and (issue.data or {}).get("serial") == serial:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


class ChangeFlow(RepairsFlow):
    """Has the owner say that a change was meant."""

    def __init__(self, issue_id: str, kind: str, serial: str) -> None:
        """Take what changed, and the Miniserver whose log is told."""
        self._issue_id = issue_id
        self._kind = kind
        self._serial = serial

    async def async_step_init(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only step."""
        return self._asked(None)

    async def async_step_firmware_unexpected(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask about another firmware."""
        return self._asked(user_input)

    async def async_step_model_unexpected(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask about another Miniserver."""
        return self._asked(user_input)

    async def async_step_wallbox_unexpected(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask about another wallbox."""
        return self._asked(user_input)

    @callback
    def _asked(self, user_input: dict[str, str] | None) -> RepairsFlowResult:
        """Say what changed and what to look at; the answer is recorded."""
        if user_input is not None:
            if (security := security_of(self.hass, self._serial)) is not None:
                security.record(
                    SecurityEvent(
                        kind="config_security_changed",
                        outcome="info",
                        user_id=signature()["by"],
                        detail={"what": self._kind, "change": "confirmed"},
                    )
                )
            return self.async_create_entry(data={})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id)
        return self.async_show_form(
            step_id=self._kind,
            data_schema=probatio.Schema({}),
            description_placeholders=None
            if issue is None
            else issue.translation_placeholders,
        )
