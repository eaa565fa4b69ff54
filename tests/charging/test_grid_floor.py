"""The floor of a reduction, its silence and its heartbeat."""

from dataclasses import replace
from datetime import timedelta

import pytest

from .nights import event, local
from custom_components.loxone_wallbox.charging.clock_step import after_clock_step
from custom_components.loxone_wallbox.charging.dsr import DsrError
from custom_components.loxone_wallbox.charging.override import (
    OverrideMode,
    Until,
    make_override,
)
from custom_components.loxone_wallbox.charging.owner import OwnerState, new_book
from custom_components.loxone_wallbox.charging.regulation import PROFILES

NOW = local("2027-01-13T12:00:00")
HOUR = timedelta(hours=1)


def test_share_is_not_under_the_floor() -> None:
    """What a site leaves one wallbox is at least the floor of the profile."""
    book = new_book(PROFILES["de_14a"]).add(event("site", NOW, NOW + HOUR), NOW)
    shared = replace(book, shares={("", "site"): 1.5})
    assert shared.reduction(NOW) == 4.2


def test_silence_does_not_release() -> None:
    """A limit whose source fell silent is held to its end under section 14a."""
    limit = event("quiet", NOW, NOW + HOUR, validity_s=60)
    book = new_book(PROFILES["de_14a"]).add(limit, NOW)
    assert book.reduction(NOW + HOUR / 2) == 6.0
    released = new_book(PROFILES["gb_2021"]).add(limit, NOW)
    assert released.reduction(NOW + HOUR / 2) is None


def test_same_version_again_is_a_heartbeat() -> None:
    """The same word again is valid for as long again; another one is refused."""
    limit = event("beat", NOW, NOW + HOUR, validity_s=60)
    book = new_book(PROFILES["gb_2021"]).add(limit, NOW)
    later = NOW + timedelta(seconds=50)
    book = book.add(replace(limit, heard_at=later), later)
    assert book.reduction(NOW + timedelta(seconds=100)) == 6.0
    assert book.reduction(NOW + timedelta(seconds=111)) is None
    with pytest.raises(DsrError, match="dsr_version_not_newer"):
        book.add(replace(limit, limit_kw=5.0), later)


def test_override_until_a_far_boundary() -> None:
    """It ends after a day, and a restart in between changes nothing."""
    far = NOW + timedelta(days=3)
    override = make_override(
        OverrideMode.CHARGE, Until.BOUNDARY, NOW, next_boundary=far
    )
    assert override.end == NOW + timedelta(days=1)
    state = OwnerState(override=override)
    assert after_clock_step(state, timedelta(0), NOW + HOUR).override == override
