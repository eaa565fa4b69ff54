"""What the owner calls those who charge.

Takes the names from the options of the Miniservers' entries, by the user or tag that the
Miniserver tells; gives them where pseudonyms are shown, and the pseudonyms where a name
is asked for. Names stand nowhere else: not in ledgers, database, events or states.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .people import async_get_people

CONF_PEOPLE = "people"
# What an owner calls somebody, and what a Miniserver does.
LONGEST_NAME = 64
LONGEST_ID = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Names by pseudonym."""

    by_pseudonym: Mapping[str, str]

    def shown(self, pseudonym: str | None) -> str | None:
        """Return the name of somebody, the pseudonym where there is none."""
        if pseudonym is None:
            return None
        return self.by_pseudonym.get(pseudonym, pseudonym)

    def pseudonyms(self, text: str) -> tuple[str, ...]:
        """Return who is meant by a name; what is none is taken for a pseudonym.

        One name may stand for several users and tags.
        """
        asked = text.strip().casefold()
        named = (one for one, name in self.by_pseudonym.items() if _same(name, asked))
        return tuple(sorted(named)) or (text,)


def _same(name: str, asked: str) -> bool:
    """Tell whether a name is the one that is asked for."""
    return name.strip().casefold() == asked


def named_people(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the owner's names by user or tag, as the options of an entry have them."""
    people = options.get(CONF_PEOPLE)
    return dict(people) if isinstance(people, Mapping) else {}


async def async_names(hass: HomeAssistant, entries: Iterable[ConfigEntry]) -> Names:
    """Return the names of all who are named in some entries."""
    people = await async_get_people(hass)
    return Names(
        by_pseudonym={
            people.pseudonym(one): name
            for entry in entries
            for one, name in named_people(entry.options).items()
        }
    )
