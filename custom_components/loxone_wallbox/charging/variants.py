"""The four wallboxes there are.

Source: Loxone's technical file for the smart charge point regulations, product table,
and the block's limits in Loxone's knowledge base.
"""

from dataclasses import dataclass
from enum import StrEnum


class Variant(StrEnum):
    """Loxone's wallboxes by power and link."""

    TREE_11KW = "11kw_tree"
    AIR_11KW = "11kw_air"
    TREE_7KW = "7kw_tree"
    AIR_7KW = "7kw_air"


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantFacts:
    """What distinguishes a variant; powers in kW."""

    article: str
    model: str
    phases: int
    # Below it a car cannot charge: 6 A on the phases it uses (IEC 61851-1).
    min_kw: float
    max_kw: float
    # Per phase.
    rated_a: float
    # Its link to the Miniserver is a radio, which is missed late.
    on_air: bool = False


FACTS = {
    Variant.TREE_11KW: VariantFacts(
        article="100526",
        model="Wallbox 11 kW 16 A Tree",
        phases=3,
        min_kw=4.16,
        max_kw=11.0,
        rated_a=16.0,
    ),
    Variant.AIR_11KW: VariantFacts(
        article="100527",
        model="Wallbox 11 kW 16 A Air",
        phases=3,
        min_kw=4.16,
        max_kw=11.0,
        rated_a=16.0,
        on_air=True,
    ),
    Variant.TREE_7KW: VariantFacts(
        article="100535",
        model="Wallbox 7.4 kW 32 A Tree",
        phases=1,
        min_kw=1.38,
        max_kw=7.4,
        rated_a=32.0,
    ),
    Variant.AIR_7KW: VariantFacts(
        article="100536",
        model="Wallbox 7.4 kW 32 A Air",
        phases=1,
        min_kw=1.38,
        max_kw=7.4,
        rated_a=32.0,
        on_air=True,
    ),
}


def likely_variant(max_kw: float) -> Variant:
    """Guess the variant from the block's maximum; the link cannot be seen from there."""
    single = FACTS[Variant.TREE_7KW].max_kw
    return Variant.TREE_7KW if max_kw <= single else Variant.TREE_11KW
