"""The repair of a security log that was changed from outside.

Takes what came of looking at the log; gives the repair, and the dialogue in which the
owner takes note of it.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


def broken_issue(serial: str) -> str:
    """Return the id of the repair of a Miniserver's log."""
    return f"security_log_broken_{serial}"


@callback
def report_verdict(
    hass: HomeAssistant, serial: str, title: str, broken_seq: int | None
) -> None:
    """Raise the repair of a log that is broken, or clear that of one that is whole."""
    if broken_seq is None:
        ir.async_delete_issue(hass, DOMAIN, broken_issue(serial))
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        broken_issue(serial),
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key="security_log_broken",
        translation_placeholders={"miniserver": title, "record": str(broken_seq)},
        data={"serial": serial},
    )
