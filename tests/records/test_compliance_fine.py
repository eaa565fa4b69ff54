"""What is no gap in a report: what nobody could have done better, or nobody can see."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .test_compliance import ABOUT, TEXTS, changed
from custom_components.loxone_wallbox.compliance_report import markdown
from custom_components.loxone_wallbox.records.compliance import Row, State
from custom_components.loxone_wallbox.records.compliance_rows import report_of


def row_of(name: str, part: str, **changes: Any) -> Row:
    """Return a row of the perfect wallbox with something else about it."""
    rows = report_of(changed(part, **changes)).rows
    return next(one for one in rows if one.id == name)


@pytest.mark.parametrize(
    "outcomes",
    [
        {},
        {"missed": 9, "delivered": 1},
        {"missed": 9, "partial": 1},
        {"opted_out": 2},
        {"no_vehicle": 3},
    ],
)
def test_events(outcomes: dict[str, int]) -> None:
    """One that worked shows that it works; what the owner left is missed by nobody."""
    assert row_of("R5c", "rules", outcomes=outcomes).state is State.OK


@pytest.mark.parametrize("allowed", [True, None])
def test_handed_over(*, allowed: bool | None) -> None:
    """The wallbox was let go, or held nothing back."""
    assert row_of("R7", "link", handed_over_allowed=allowed).state is State.OK


@pytest.mark.parametrize(
    ("installed", "newest"),
    [
        ("16.0.0.0", "16.0.0.0"),
        ("16.00.0.00", "16.0.0.0"),
        ("16.0.0", "16.0.0.0"),
        ("16.10.0.0", "16.9.0.0"),
    ],
)
def test_firmware(installed: str, newest: str) -> None:
    """The newest one known is installed, or one that is not for everybody yet."""
    found = row_of("S3b", "link", firmware=installed, newest_firmware=newest)
    assert found.state is State.OK
    assert found.limits == ()


@pytest.mark.parametrize(
    ("asks", "limit"), [(True, "newest_unknown"), (False, "nobody_asked")]
)
def test_firmware_that_nobody_knows(*, asks: bool, limit: str) -> None:
    """What the owner does not want asked is no gap, and is said as it is."""
    found = row_of("S3b", "link", newest_firmware=None, asks_for_firmware=asks)
    assert found.state is State.OK
    assert [one.key for one in found.limits] == [limit]


def test_no_draw_yet() -> None:
    """That nothing was drawn is nobody's to mend: it cannot be seen yet, and is said."""
    found = row_of("R11a", "rules", draws=None)
    assert found.state is State.OK
    assert [one.key for one in found.limits] == ["draws_none"]
    other = {"delays_by": "miniserver", "exempt_since": "2027-01-01T12:00:00+00:00"}
    found = row_of("R11a", "rules", draws=None, **other)
    assert [one.key for one in found.limits] == ["other_delays_unseen"]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2027-03-28T00:59:00+00:00", "2027-03-28 00:59 GMT"),
        ("2027-03-28T01:00:00+00:00", "2027-03-28 02:00 BST"),
        ("2027-10-31T02:30:00+02:00", "2027-10-31 01:30 BST"),
        ("2027-10-31T01:30:00+00:00", "2027-10-31 01:30 GMT"),
        ("2027-07-01T12:00", "2027-07-01 13:00 BST"),
        ("lately", "lately"),
    ],
)
def test_instants(at: str, told: str) -> None:
    """In the zone that is asked for and with its name, UTC without one."""
    report, zone = report_of(changed("link", fallback_tested_at=at)), "Europe/London"
    text = markdown(report, TEXTS["en"], ABOUT, ZoneInfo(zone))
    assert f"Fallback test: passed on {told}." in text
    assert "stopped last, on 2027-01-13 17:25 GMT." in text
    assert "(2027-01-01 12:00 UTC)" in markdown(report, TEXTS["de"], ABOUT)
