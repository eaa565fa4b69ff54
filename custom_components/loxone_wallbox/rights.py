"""Who may override, and what an act of whom means for the random delay.

A person's act waits for nothing; a call without a user is an automation, whose change
is delayed like any automatic one. A refusal is told to whoever keeps the security log.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
import logging
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .charging.regulation import Cause
from .const import (
    CONF_AUTOMATIONS_MAY_OVERRIDE,
    CONF_OVERRIDE_USERS,
    DOMAIN,
    LOGGER,
    WALLBOX_DEFAULTS,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts; without a user it is an automation."""

    user_id: str | None
    by_hand: bool

    @property
    def cause(self) -> Cause:
        """Return what the act means for the random delay."""
        return Cause.USER if self.by_hand else Cause.AUTOMATION


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityEvent:
    """Something the security log keeps; `detail` holds no secret.

    `source` is where it came from while it was no user of Home Assistant.
    """

    kind: str
    outcome: str
    source: str = "integration"
    user_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


type SecuritySink = Callable[[SecurityEvent], None]


def denied(user_id: str | None, act: str, **why: str) -> SecurityEvent:
    """Return what the security log keeps of somebody who may not do something."""
    return SecurityEvent(
        kind="action_denied",
        outcome="attempt_failed",
        user_id=user_id,
        detail={"action": act, **why},
    )


def log_security(event: SecurityEvent) -> None:
    """Say a security event; what the owner did is news, an attempt is a warning."""
    level = logging.INFO if event.outcome == "info" else logging.WARNING
    LOGGER.log(level, "%s: %s %s", event.kind, event.outcome, dict(event.detail))


@contextmanager
def told_of_paths(
    act: str, user_id: str | None, *sinks: SecuritySink
) -> Iterator[None]:
    """Have the security log told of a file where no action may read or write."""
    try:
        yield
    except ServiceValidationError as err:
        if err.translation_key == "path_not_allowed":
            for security in sinks:
                security(denied(user_id, act, reason="path_not_allowed"))
        raise


async def async_actor(
    hass: HomeAssistant,
    settings: Mapping[str, Any],
    context: Context | None,
    *,
    act: str,
    wallbox: str,
    on_behalf_of_user: bool = False,
    administrator: bool = False,
    overrides: bool = True,
    security: SecuritySink = log_security,
) -> Actor:
    """Return who acts, or refuse an act that is not theirs.

    What only an `administrator` may do no other user may, whatever they may override.
    What `overrides` nothing, as an event of the grid, every automation may.
    Raises a translated error; nothing has changed then.
    """
    user_id = None if context is None else context.user_id
    if (user_id is None and not overrides) or await _may(
        hass, settings, user_id, administrator=administrator
    ):
        return Actor(user_id=user_id, by_hand=user_id is not None or on_behalf_of_user)
    security(denied(user_id, act))
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="not_permitted",
        translation_placeholders={"wallbox": wallbox},
    )


async def _may(
    hass: HomeAssistant,
    settings: Mapping[str, Any],
    user_id: str | None,
    *,
    administrator: bool,
) -> bool:
    """Tell whether a user, or an automation, may override."""
    if user_id is None:
        chosen = {**WALLBOX_DEFAULTS, **settings}
        return bool(chosen[CONF_AUTOMATIONS_MAY_OVERRIDE])
    user = await hass.auth.async_get_user(user_id)
    if user is None or not user.is_active:
        return False
    if administrator:
        return user.is_admin
    users = settings.get(CONF_OVERRIDE_USERS)
    if users is None:
        # Not even everybody includes who may only look at things.
        return user.permissions.access_all_entities(POLICY_CONTROL)
    return user_id in users or user.is_admin
