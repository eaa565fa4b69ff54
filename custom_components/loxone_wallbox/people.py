"""Names of people become pseudonyms before anything is kept of who charged.

Takes the name that the Miniserver gives a user, gives what stands for it in ledgers,
database and exports: always the same within this Home Assistant, whatever the wallbox.
The key is our own and secret; without it nobody tells which name it was.
"""

import hashlib
import hmac
import secrets

from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store

from .charging.session import PSEUDONYM
from .const import DOMAIN

VERSION = 1
KEY_BYTES = 32
# Enough that two people of a company never share one.
DIGITS = 16

_PEOPLE = f"{DOMAIN}_people"


class People:
    """Who charges, as pseudonyms."""

    def __init__(self, key: bytes) -> None:
        """Take the key."""
        self._key = key

    def kept(self, name: str | None) -> str | None:
        """Return what is kept of somebody who is told of elsewhere.

        What is a pseudonym already stays one.
        """
        name = (name or "").strip()
        if PSEUDONYM.fullmatch(name):
            return name
        return self.pseudonym(name) if name else None

    def pseudonym(self, name: str) -> str:
        """Return what stands for a name."""
        digest = hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()
        return f"p{digest[:DIGITS]}"


@singleton(_PEOPLE)
async def async_get_people(hass: HomeAssistant) -> People:
    """Return the people of this Home Assistant, with a key that is made once."""
    store: Store[dict[str, str]] = Store(
        hass, VERSION, f"{DOMAIN}.people", private=True
    )
    kept = await store.async_load()
    try:
        key = bytes.fromhex((kept or {})["key"])
    except KeyError, TypeError, ValueError:
        key = secrets.token_bytes(KEY_BYTES)
        await store.async_save({"key": key.hex()})
    return People(key)
