"""The agreement to provide demand side response that a wallbox may be under."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .const import CONF_AGREEMENT

CONF_AGGREGATOR = "aggregator"
# Whose contract it is and whom to call is nobody else's business.
CONF_REFERENCE = "reference"
CONF_CONTACT = "contact"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """With whom; reference and contact may be empty.

    Under one the default charging hours may be empty: regulation 10 of SI 2021/1467
    asks for preset hours only of charge points that are sold without an agreement.
    """

    aggregator: str
    reference: str = ""
    contact: str = ""


def agreement_of(settings: Mapping[str, Any]) -> Agreement | None:
    """Return a wallbox's agreement, None where it is under none."""
    kept = settings.get(CONF_AGREEMENT)
    if not isinstance(kept, Mapping) or not kept.get(CONF_AGGREGATOR):
        return None
    return Agreement(
        aggregator=str(kept[CONF_AGGREGATOR]),
        reference=str(kept.get(CONF_REFERENCE, "")),
        contact=str(kept.get(CONF_CONTACT, "")),
    )
