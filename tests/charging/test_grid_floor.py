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
    """A limit whose source fell silent is held for two hours under section 14a."""
    limit = event("quiet", NOW, NOW + 4 * HOUR, validity_s=60)
    book = new_book(PROFILES["de_14a"]).add(limit, NOW)
    over = NOW + 2 * HOUR + timedelta(seconds=60)
    assert book.reduction(over - timedelta(seconds=1)) == 6.0
    assert book.reduction(over) is None
    released = new_book(PROFILES["gb_2021"]).add(limit, NOW)
    assert released.reduction(NOW + timedelta(seconds=59)) == 6.0
    assert released.reduction(NOW + timedelta(seconds=60)) is None


def test_what_is_told_again_after_a_silence_begins_anew() -> None:
    """The time of silence stays without a limit, and what was left stays left."""
    limit = event("quiet", NOW, NOW + 4 * HOUR, validity_s=60)
    for profile, silence in (("gb_2021", 60), ("de_14a", 7260)):
        book = new_book(PROFILES[profile]).add(limit, NOW)
        later = NOW + timedelta(seconds=silence)
        again = book.add(replace(limit, heard_at=later), later)
        assert again.reduction(later - timedelta(seconds=1)) == 6.0
        assert again.reduction(later) == 6.0
        assert later in {at for at, _ in again.edges(NOW)}
        late = later + HOUR / 4
        again = book.add(replace(limit, heard_at=late), late)
        assert again.reduction(late - timedelta(seconds=1)) is None
        assert again.reduction(late) == 6.0
        left = book.opt_out(NOW, "owner", by_hand=True)
        assert left.add(replace(limit, heard_at=late), late).reduction(late) is None


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
