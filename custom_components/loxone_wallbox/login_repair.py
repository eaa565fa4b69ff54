"""Tell the owner of a login that is less safe than it could be.

Takes what the Miniserver says of password, user and link at each login; raises a repair
for each weakness that the owner can do something about, and clears it when it is gone.
Nothing is refused for it: a wallbox that charges is not less safe for being watched.
"""

from collections.abc import Mapping

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .miniserver import MiniserverClient
from .miniserver.http import TLS_LOGIN_FIRMWARE

WEAK_PASSWORD = "weak_password"  # noqa: S105 - a repair's name
LINK_PLAIN = "link_plain"
LINK_ALWAYS_PLAIN = "link_always_plain"
USER_IS_ADMIN = "user_is_admin"
REPAIRS = (WEAK_PASSWORD, LINK_PLAIN, LINK_ALWAYS_PLAIN, USER_IS_ADMIN)


class LoginRepair:
    """The repairs of one Miniserver's login."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Take the Miniserver's entry."""
        self._hass = hass
        self._entry = entry

    @callback
    def look(self, client: MiniserverClient) -> None:
        """Look at a client that is logged in, as after each login."""
        for key, holds in weaknesses(client).items():
            if not holds:
                ir.async_delete_issue(self._hass, DOMAIN, login_issue(self._entry, key))
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                login_issue(self._entry, key),
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=key,
                translation_placeholders={"miniserver": self._entry.title},
            )

    @callback
    def stop(self) -> None:
        """Tell nothing any more; what the owner ignores stays ignored."""
        registry = ir.async_get(self._hass)
        for key in REPAIRS:
            issue = registry.async_get_issue(DOMAIN, login_issue(self._entry, key))
            if issue is not None and issue.dismissed_version is None:
                ir.async_delete_issue(self._hass, DOMAIN, issue.issue_id)


def weaknesses(client: MiniserverClient) -> Mapping[str, bool]:
    """Return which weaknesses a login has.

    A Miniserver of the first generation has no TLS at all: its readings pass the network
    in plain text, login and commands do not.
    """
    token, identity = client.token, client.identity
    tls_possible = identity.tls_usable and identity.version >= TLS_LOGIN_FIRMWARE
    plain = not client.address.tls
    return {
        WEAK_PASSWORD: token is not None and token.unsecure_password,
        LINK_PLAIN: plain and tls_possible,
        LINK_ALWAYS_PLAIN: plain and not tls_possible,
        USER_IS_ADMIN: client.structure.user_is_admin,
    }


@callback
def forget_login_repairs(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Clear the repairs of an entry that was removed, ignored ones too."""
    for key in REPAIRS:
        ir.async_delete_issue(hass, DOMAIN, login_issue(entry, key))


def login_issue(entry: ConfigEntry, key: str) -> str:
    """Return the id of a repair; it travels in diagnostics."""
    return f"{key}_{entry.entry_id}"
