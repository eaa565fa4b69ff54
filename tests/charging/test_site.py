"""Splitting a limit of the site among its wallboxes."""

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.site import Claim, split

MIN, MAX = 4.16, 11.0


def claim(
    wallbox: str, priority: int = 50, wish_kw: float = MAX, *, bound: bool = True
) -> Claim:
    """Return the claim of an 11 kW wallbox."""
    return Claim(
        wallbox=wallbox, priority=priority, min_kw=MIN, wish_kw=wish_kw, bound=bound
    )


@pytest.mark.parametrize(
    ("limit_kw", "shares"),
    [
        (10, {"1": 5.84, "2": 4.16}),
        (8.32, {"1": 4.16, "2": 4.16}),
        (8, {"1": 8.0, "2": 0.0}),
        (4.16, {"1": 4.16, "2": 0.0}),
        (4, {"1": 0.0, "2": 0.0}),
        (22, {"1": 11.0, "2": 11.0}),
        (30, {"1": 11.0, "2": 11.0}),
        (0, {"1": 0.0, "2": 0.0}),
    ],
)
def test_two_wallboxes(limit_kw: float, shares: dict[str, float]) -> None:
    """The higher priority gets the rest, the lower one its minimum where it can."""
    two = [claim("1", 80), claim("2", 20)]
    assert split(limit_kw, two) == pytest.approx(shares)
    assert split(limit_kw, reversed(two)) == pytest.approx(shares)


def test_equal_priorities_are_told_apart() -> None:
    """The split does not depend on the order in which the wallboxes are asked."""
    two = [claim("b"), claim("a")]
    assert split(10, two) == pytest.approx({"a": 5.84, "b": 4.16})


def test_who_wishes_nothing_gets_nothing() -> None:
    """A wallbox that waits leaves its share to the others."""
    assert split(10, [claim("1", 80, 0), claim("2")]) == pytest.approx({"2": 10})


def test_what_is_not_bound_is_taken_off() -> None:
    """The owner's override uses the limit up before anybody else."""
    assert split(16, [claim("1", bound=False), claim("2")]) == pytest.approx({"2": 5})
    assert split(12, [claim("1", bound=False), claim("2")]) == {"2": 0}


claims = st.lists(
    st.builds(
        Claim,
        wallbox=st.uuids().map(str),
        priority=st.integers(0, 100),
        min_kw=st.sampled_from([1.38, MIN]),
        wish_kw=st.sampled_from([0.0, 3.0, MIN, 7.4, MAX]),
        bound=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.wallbox,
)


@given(claims, st.floats(0, 100))
def test_what_always_holds(asked: list[Claim], limit_kw: float) -> None:
    """The limit is kept, nobody gets useless power, and none is left unused."""
    shares = split(limit_kw, asked)
    free = sum(one.wish_kw for one in asked if not one.bound)
    wishing = {one.wallbox: one for one in asked if one.bound and one.wish_kw > 0}
    assert set(shares) == set(wishing)
    total = sum(shares.values())
    assert total <= max(limit_kw - free, 0) + 0.01 * (len(asked) + 1)
    for wallbox, share in shares.items():
        one = wishing[wallbox]
        assert share == 0 or share >= min(one.min_kw, one.wish_kw) - 1e-9
        assert share <= one.wish_kw + 1e-9
    unmet = [
        one for one in wishing.values() if shares[one.wallbox] < one.wish_kw - 0.01
    ]
    left = limit_kw - free - total
    served = [one for one in unmet if shares[one.wallbox] > 0]
    if served:
        assert left < 0.01 * (len(asked) + 1)
    for one in unmet:
        if shares[one.wallbox] == 0:
            higher = [
                other
                for other in wishing.values()
                if (-other.priority, other.wallbox) < (-one.priority, one.wallbox)
            ]
            least = sum(min(other.min_kw, other.wish_kw) for other in higher)
            assert least + min(one.min_kw, one.wish_kw) > limit_kw - free - 0.01
