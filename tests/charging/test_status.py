"""The status is the first of the list that applies."""

from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.faults import (
    CODES,
    Fault,
    find_fault,
)
from custom_components.loxone_wallbox.charging.status import (
    Status,
    StatusInputs,
    derive_status,
)
from custom_components.loxone_wallbox.charging.variants import (
    FACTS,
    Variant,
    likely_variant,
)

CHARGING = StatusInputs(
    reachable=True,
    fault=False,
    locked=False,
    connected=True,
    load_shedding=False,
    phase_switching=False,
    charging=True,
    allowed=True,
    visit_wh=0.0,
    idle_s=0.0,
)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reachable": False, "fault": True}, Status.UNREACHABLE),
        ({"fault": True, "locked": True}, Status.FAULT),
        ({"fault": True, "tamper": True}, Status.FAULT),
        ({"tamper": True, "locked": True}, Status.TAMPER),
        ({"locked": True, "connected": False}, Status.LOCKED),
        ({"connected": False, "load_shedding": True}, Status.DISCONNECTED),
        ({"connected": None}, Status.DISCONNECTED),
        ({"load_shedding": True, "phase_switching": True}, Status.LOAD_SHEDDING),
        ({"phase_switching": True}, Status.PHASE_SWITCHING),
        ({"allowed": False}, Status.CHARGING),
        ({"charging": False, "allowed": False}, Status.PAUSED),
        ({"charging": False, "allowed": None}, Status.PAUSED),
        (
            {"charging": False, "visit_wh": 10.0, "idle_s": 180.0},
            Status.FINISHED,
        ),
        (
            {"charging": False, "visit_wh": 9.9, "idle_s": 999.0},
            Status.WAITING_FOR_VEHICLE,
        ),
        (
            {"charging": False, "visit_wh": 999.0, "idle_s": 179.9},
            Status.WAITING_FOR_VEHICLE,
        ),
    ],
)
def test_first_match_wins(changes: dict[str, object], status: Status) -> None:
    """Each row, together with a row below it that would apply as well."""
    assert derive_status(replace(CHARGING, **changes)) is status  # type: ignore[arg-type]


@given(
    st.builds(
        StatusInputs,
        visit_wh=st.floats(0, 1e6),
        idle_s=st.floats(0, 1e6),
    )
)
def test_never_charging_where_it_cannot_be(inputs: StatusInputs) -> None:
    """Nobody reads charging while the wallbox is out of reach or faulty."""
    status = derive_status(inputs)
    if status in {Status.CHARGING, Status.FINISHED, Status.WAITING_FOR_VEHICLE}:
        assert inputs.reachable
        assert not inputs.fault
        assert not inputs.locked
        assert inputs.connected


def test_faults() -> None:
    """Codes come in words, unknown ones are faults too, zero is none."""
    nothing = {"fault_current": None, "charging_error": None}
    for code, fault in CODES.items():
        assert find_fault(error_code=code, **nothing) is fault
    assert find_fault(error_code=999, **nothing) is Fault.UNKNOWN_CODE
    assert find_fault(error_code=0, **nothing) is None
    assert find_fault(error_code=None, **nothing) is None
    assert (
        find_fault(error_code=0, fault_current=1, charging_error=1)
        is Fault.FAULT_CURRENT
    )
    assert (
        find_fault(error_code=None, fault_current=0, charging_error=1)
        is Fault.CHARGING_ERROR
    )
    hot = {"over_temperature": 1.0}
    assert find_fault(error_code=None, **nothing, **hot) is Fault.OVER_TEMPERATURE
    assert find_fault(error_code=101, **nothing, **hot) is Fault.FAULT_CURRENT
    assert (
        find_fault(error_code=0, fault_current=0, charging_error=1, over_temperature=1)
        is Fault.OVER_TEMPERATURE
    )


def test_variants() -> None:
    """The maximum tells single-phase and three-phase apart."""
    assert likely_variant(7.4) is Variant.TREE_7KW
    assert likely_variant(11.0) is Variant.TREE_11KW
    assert likely_variant(3.7) is Variant.TREE_7KW
    assert {facts.article for facts in FACTS.values()} == {
        "100526",
        "100527",
        "100535",
        "100536",
    }
