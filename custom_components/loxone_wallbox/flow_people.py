"""Have the owner name those who charge, by the user or tag that the Miniserver tells.

Takes what Miniservers told lately, gives a list to fill in; names stand in the options
of the entry and nowhere else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import probatio

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    TextSelector,
)
from homeassistant.util import dt as dt_util

from .coordinator import LoxoneWallboxConfigEntry
from .naming import CONF_PEOPLE, LONGEST_ID, LONGEST_NAME, named_people

CONF_USER = "user"
CONF_NAME = "name"
# More is no list that anybody fills in.
MOST_SUGGESTED = 50
LONG_AGO = datetime.fromtimestamp(0, UTC)


class PeopleError(Exception):
    """A list that cannot be; `key` names the reason for a translation."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Somebody whom a Miniserver told: by what, where, and when last."""

    user: str
    wallbox: str
    at: datetime


class PeopleSteps(OptionsFlow):
    """The step of the options in which people get their names."""

    async def async_step_people(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the names; whom the Miniserver told lately is in the list."""
        options = self.config_entry.options
        errors: dict[str, str] = {}
        rows = _rows(named_people(options), seen_lately(self.config_entry))
        if user_input is not None:
            given = user_input.get(CONF_PEOPLE, [])
            try:
                people = people_of(given)
            except PeopleError as err:
                errors[CONF_PEOPLE] = err.key
                rows = given if isinstance(given, list) else rows
            else:
                return self.async_create_entry(data={**options, CONF_PEOPLE: people})
        return self.async_show_form(
            step_id="people",
            data_schema=probatio.Schema(
                {probatio.Optional(CONF_PEOPLE, default=rows): _selector()}
            ),
            description_placeholders={"seen": "\n".join(_lines(self.config_entry))},
            errors=errors,
        )


def _selector() -> ObjectSelector:
    """Return the list of who is called what."""
    return ObjectSelector(
        ObjectSelectorConfig(
            multiple=True,
            label_field=CONF_NAME,
            description_field=CONF_USER,
            translation_key=CONF_PEOPLE,
            fields={
                CONF_USER: {"selector": TextSelector(), "required": True},
                CONF_NAME: {"selector": TextSelector()},
            },
        )
    )


def people_of(given: Any) -> dict[str, str]:
    """Return names by user or tag; a row without a name names nobody.

    Raises `PeopleError`.
    """
    people: dict[str, str] = {}
    for row in given if isinstance(given, list) else [given]:
        user, name = (str(row.get(key) or "").strip() for key in (CONF_USER, CONF_NAME))
        if not name:
            continue
        if not 0 < len(user) <= LONGEST_ID:
            raise PeopleError("person_unknown")
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise PeopleError("person_name_invalid")
        if people.setdefault(user, name) != name:
            raise PeopleError("person_twice")
    return people


def seen_lately(entry: LoxoneWallboxConfigEntry) -> list[Seen]:
    """Return whom the wallboxes of an entry tell, the last one first."""
    if entry.state is not ConfigEntryState.LOADED:
        return []
    found: dict[str, Seen] = {}
    for wallbox in entry.runtime_data.wallboxes.values():
        state = wallbox.state
        sessions = [*state.history, *([state.session] if state.session else [])]
        for one in sessions:
            at = one.connected_at or LONG_AGO
            before = None if one.user is None else found.get(one.user)
            if one.user is not None and (before is None or before.at < at):
                found[one.user] = Seen(user=one.user, wallbox=wallbox.title, at=at)
    return sorted(found.values(), key=lambda one: one.at, reverse=True)


def _rows(named: Mapping[str, str], seen: list[Seen]) -> list[dict[str, str]]:
    """Return the list as it is shown first: who has a name, then who has none."""
    rows = [{CONF_USER: user, CONF_NAME: named[user]} for user in sorted(named)]
    new = [one.user for one in seen if one.user not in named]
    return rows + [{CONF_USER: user, CONF_NAME: ""} for user in new[:MOST_SUGGESTED]]


def _lines(entry: LoxoneWallboxConfigEntry) -> Iterator[str]:
    """Return whom the Miniserver told who has no name, line by line."""
    named = named_people(entry.options)
    new = [one for one in seen_lately(entry) if one.user not in named]
    for one in new[:MOST_SUGGESTED]:
        day = dt_util.as_local(one.at).date().isoformat()
        yield f"- `{one.user.replace('`', ' ')}` ({one.wallbox}, {day})"
    if not new:
        yield "–"  # noqa: RUF001 - a dash is a bullet there
