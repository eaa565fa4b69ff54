"""Overrides: their ends, and that none is for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.override import (
    MAX_LENGTH,
    Override,
    OverrideError,
    OverrideMode,
    Until,
    make_override,
)

NOW = datetime(2027, 1, 13, 22, tzinfo=UTC)
instants = st.datetimes(
    NOW.replace(day=1, tzinfo=None),
    NOW.replace(day=31, tzinfo=None),
    timezones=st.just(UTC),
)


@given(
    mode=st.sampled_from(OverrideMode),
    until=st.sampled_from(Until),
    boundary=st.none() | instants.filter(lambda at: at > NOW),
    end=st.none() | instants,
    duration=st.none() | st.timedeltas(),
)
def test_any_override(
    mode: OverrideMode,
    until: Until,
    boundary: datetime | None,
    end: datetime | None,
    duration: timedelta | None,
) -> None:
    """An override starts now and ends ahead, or there is none."""
    try:
        override = make_override(
            mode, until, NOW, next_boundary=boundary, end=end, duration=duration
        )
    except OverrideError:
        assert until in {Until.TIME, Until.DURATION}
        return
    assert override.is_active(NOW)
    assert (override.end is None) is (until is Until.UNPLUG)
    if override.end is not None:
        assert override.end > NOW
        assert not override.is_active(override.end)
        assert override.end - NOW <= MAX_LENGTH
    assert Override.from_dict(override.as_dict()) == override


@pytest.mark.parametrize(
    ("until", "given_end", "key"),
    [
        (Until.TIME, {}, "override_end_missing"),
        (Until.TIME, {"end": NOW.replace(tzinfo=None)}, "override_end_naive"),
        (Until.TIME, {"end": NOW}, "override_is_over"),
        (Until.TIME, {"end": NOW + timedelta(hours=25)}, "override_too_long"),
        (Until.DURATION, {}, "override_duration_missing"),
        (Until.DURATION, {"duration": timedelta(0)}, "override_is_over"),
        (Until.DURATION, {"duration": timedelta.max}, "override_too_long"),
    ],
)
def test_ends_that_cannot_be(
    until: Until, given_end: dict[str, object], key: str
) -> None:
    """Each wrong end has its own word."""
    with pytest.raises(OverrideError) as caught:
        make_override(OverrideMode.CHARGE, until, NOW, **given_end)  # type: ignore[arg-type]
    assert caught.value.key == key


def test_ending() -> None:
    """Ending shortens, and what is over stays over."""
    override = Override(mode=OverrideMode.PAUSE, start=NOW)
    later = NOW + timedelta(hours=1)
    ended = override.ended(later)
    assert ended.end == later
    assert ended.ended(later + timedelta(hours=1)) == ended
    assert ended.ended(NOW + timedelta(minutes=5)).end == NOW + timedelta(minutes=5)
    assert not override.is_active(NOW - timedelta(seconds=1))
