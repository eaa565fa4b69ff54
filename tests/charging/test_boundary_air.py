"""A wallbox on Air is missed minutes after it lost its power: that is no breach."""

import pytest

from .test_boundary import AWAY, SILENT, Change, play
from custom_components.loxone_wallbox.charging.boundary import (
    GRACE_S,
    LATE_S,
    Breach,
    Outage,
)
from custom_components.loxone_wallbox.charging.variants import FACTS

AIR: Change = (0, {"late": True})
CIRCUIT: list[Change] = [AIR, (100, SILENT), (100 + LATE_S - 10, AWAY)]
METER_BACK: list[Change] = [*CIRCUIT, (900, {"meter": True})]


@pytest.mark.parametrize(
    ("changes", "until", "breaches", "outage"),
    [
        (CIRCUIT, 5000, set(), Outage.POWER_CUT),
        (CIRCUIT[1:], 5000, {Breach.METER, Breach.WALLBOX}, None),
        ([AIR, (100, SILENT)], 100 + LATE_S - 1, set(), None),
        ([AIR, (100, SILENT)], 100 + LATE_S, {Breach.METER}, None),
        ([AIR, (100, AWAY)], 100 + GRACE_S, {Breach.WALLBOX}, None),
        ([AIR, (0, {"wallbox": None}), (100, SILENT)], 160, {Breach.METER}, None),
        (METER_BACK, 900 + LATE_S - 1, set(), None),
        (METER_BACK, 900 + LATE_S, {Breach.WALLBOX}, None),
    ],
)
def test_missed_late(
    changes: list[Change], until: float, breaches: set[Breach], outage: Outage | None
) -> None:
    """A circuit without power is no cut; a cut is found all the same, if later."""
    found = play(*changes, until=until)
    assert (set(found.breaches), found.outage) == (breaches, outage)


def test_which_are_on_air() -> None:
    """Those whose name says so."""
    for facts in FACTS.values():
        assert facts.on_air is facts.model.endswith("Air")
