"""What is a cut link, and what only a power cut, a restart or a lost network."""

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.boundary import (
    GRACE_S,
    SETTLE_S,
    Boundary,
    Breach,
    Outage,
    Sight,
)

WELL = Sight(miniserver=True, wallbox=True, meter=True)
type Change = tuple[float, dict[str, Any]]


def play(
    *changes: Change, until: float, begin: Boundary | None = None, every: float = 0.0
) -> Boundary:
    """Let things change, looking at each change and whenever that was asked for.

    With `every` it is looked at so often too.
    """
    sight, found = WELL, begin or Boundary()
    found = found.step(sight, 0.0)
    looks = [every * n for n in range(1, int(until / every) + 1)] if every else []
    script = sorted([*changes, *((at, {}) for at in looks)], key=lambda one: one[0])
    for at, change in [*script, (until, {})]:
        while (wake := found.wake_at) is not None and wake < at:
            assert wake > found.looked
            found = found.step(sight, wake)
        sight = replace(sight, **change)
        found = found.step(sight, at)
    return found


AWAY = {"wallbox": False}
SILENT = {"meter": False}
LOST = {"miniserver": False, "wallbox": None}
BACK = {"miniserver": True, "wallbox": True}
BACK_WITHOUT = {"miniserver": True, "wallbox": False}
STARTING = {**LOST, "restarting": True}

# By a name: what happens, when it is looked, what it is then.
STORIES: dict[str, tuple[list[Change], float, frozenset[Breach], Outage | None]] = {
    "nothing": ([], 1000, frozenset(), None),
    "hiccup of the meter": (
        [(100, SILENT), (150, {"meter": True})],
        400,
        frozenset(),
        None,
    ),
    "within the grace": ([(100, SILENT)], 159, frozenset(), None),
    "meter cut": ([(100, SILENT)], 160, frozenset({Breach.METER}), None),
    "wallbox cut": ([(100, AWAY)], 160, frozenset({Breach.WALLBOX}), None),
    "wallbox cut, its meter is elsewhere": (
        [(0, {"meter": None}), (100, AWAY)],
        160,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "nothing tells of the wallbox": (
        [(0, {"wallbox": None}), (100, SILENT)],
        160,
        frozenset({Breach.METER}),
        None,
    ),
    "circuit without power": (
        [(100, SILENT), (140, AWAY)],
        5000,
        frozenset(),
        Outage.POWER_CUT,
    ),
    "circuit back, the meter is gone": (
        [(100, SILENT), (101, AWAY), (900, {"wallbox": True})],
        960,
        frozenset({Breach.METER}),
        None,
    ),
    "circuit back, the meter needs a minute": (
        [(100, SILENT), (101, AWAY), (900, {"wallbox": True}), (950, {"meter": True})],
        960,
        frozenset(),
        None,
    ),
    "circuit back, the meter is still starting": (
        [(100, SILENT), (101, AWAY), (900, {"wallbox": True})],
        959,
        frozenset(),
        None,
    ),
    "circuit back, the wallbox is still starting": (
        [(100, SILENT), (101, AWAY), (900, {"meter": True})],
        959,
        frozenset(),
        None,
    ),
    "the gateway is back, our meter still starts": (
        [(100, SILENT), (102, {"gateway_away": 99.0}), (900, {"gateway_away": None})],
        959,
        frozenset(),
        None,
    ),
    "circuit back, the wallbox is gone": (
        [(100, SILENT), (101, AWAY), (900, {"meter": True})],
        960,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "one after the other": ([(100, SILENT), (500, AWAY)], 560, frozenset(Breach), None),
    "meter gone while the wallbox is away": (
        [(100, AWAY), (500, SILENT)],
        5000,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "all wallboxes of a branch": (
        [(100, AWAY), (110, {"branch_away": 105.0})],
        5000,
        frozenset(),
        Outage.POWER_CUT,
    ),
    "the others of the branch are back": (
        [(100, AWAY), (110, {"branch_away": 105.0}), (900, {"branch_away": None})],
        1020,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "the others were away before": (
        [(0, {"branch_away": 5.0}), (100, AWAY)],
        160,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "gateway of several meters": (
        [(100, SILENT), (102, {"gateway_away": 99.0})],
        5000,
        frozenset(),
        Outage.GATEWAY_LOST,
    ),
    "only ours is still silent": (
        [(100, SILENT), (102, {"gateway_away": 99.0}), (900, {"gateway_away": None})],
        1020,
        frozenset({Breach.METER}),
        None,
    ),
    "Miniserver restarts": (
        [(100, STARTING)],
        200,
        frozenset(),
        Outage.MINISERVER_RESTART,
    ),
    "Miniserver back, wallboxes follow": (
        [(100, STARTING), (200, BACK_WITHOUT), (499, {"wallbox": True})],
        1000,
        frozenset(),
        None,
    ),
    "while they are awaited": (
        [(100, STARTING), (200, BACK_WITHOUT)],
        400,
        frozenset(),
        Outage.MINISERVER_RESTART,
    ),
    "Miniserver back, the wallbox is not": (
        [(100, STARTING), (200, BACK_WITHOUT)],
        500,
        frozenset({Breach.WALLBOX}),
        None,
    ),
    "the wallbox goes again right after a restart": (
        [(100, STARTING), (200, BACK), (230, AWAY), (450, {"wallbox": True})],
        460,
        frozenset(),
        None,
    ),
    "Miniserver away": ([(100, LOST)], 2000, frozenset(), Outage.MINISERVER_LOST),
    "no internet either": (
        [(100, {**LOST, "internet": False})],
        2000,
        frozenset(),
        Outage.NETWORK_LOST,
    ),
    "all silent": (
        [(100, SILENT), (140, LOST)],
        2000,
        frozenset(),
        Outage.NETWORK_LOST,
    ),
    "all silent but the internet": (
        [(100, SILENT), (140, {**LOST, "internet": True})],
        2000,
        frozenset(),
        Outage.POWER_CUT,
    ),
    "all back": (
        [(100, SILENT), (140, LOST), (900, BACK), (1100, {"meter": True})],
        2000,
        frozenset(),
        None,
    ),
    "all back but the meter": (
        [(100, SILENT), (140, LOST), (900, BACK)],
        1200,
        frozenset({Breach.METER}),
        None,
    ),
    "cut, then the Miniserver is lost too": (
        [(100, SILENT), (500, LOST)],
        600,
        frozenset({Breach.METER}),
        Outage.NETWORK_LOST,
    ),
    "mended": ([(100, SILENT), (500, {"meter": True})], 501, frozenset(), None),
    "wallbox mended": ([(100, AWAY), (500, {"wallbox": True})], 501, frozenset(), None),
    "no meter any more": (
        [(100, SILENT), (500, {"meter": None})],
        501,
        frozenset(),
        None,
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    """Each is told as what it is, at the very second."""
    changes, until, breaches, outage = STORIES[name]
    found = play(*changes, until=until)
    assert (found.breaches, found.outage) == (breaches, outage)


@pytest.mark.parametrize("name", STORIES)
def test_looking_more_often_tells_the_same(name: str) -> None:
    """Nothing depends on how often it was looked."""
    changes, until, breaches, outage = STORIES[name]
    found = play(*changes, until=until, every=7.0)
    assert (found.breaches, found.outage) == (breaches, outage)


def test_never_seen_is_nothing_vanished() -> None:
    """A meter that never answered is badly set up, and no breach."""
    begin = Boundary().step(replace(WELL, meter=False, wallbox=False), 0.0)
    assert begin.wake_at is None
    assert begin.step(replace(WELL, meter=False, wallbox=False), 9e9).breaches == set()


def test_looked_into() -> None:
    """The owner's word holds until the link is back; the next cut is another one."""
    cut = play((100, SILENT), until=200)
    seen = cut.acknowledged()
    assert seen.breaches == frozenset()
    still = seen.step(replace(WELL, meter=False), 9000.0)
    assert still.breaches == frozenset()
    back = still.step(WELL, 9001.0)
    again = play((100, SILENT), until=200, begin=back)
    assert again.breaches == {Breach.METER}


def test_nothing_there_is_looked_into_beforehand() -> None:
    """A word given too early counts for nothing."""
    early = play((100, SILENT), until=120).acknowledged()
    found = early.step(replace(WELL, meter=False), 160.0)
    assert found.breaches == {Breach.METER}


def test_restart() -> None:
    """A breach outlasts a restart, and what vanished meanwhile is found."""
    cut = play((100, SILENT), until=200)
    kept = Boundary.from_dict(cut.as_dict(), 0.0)
    assert kept.breaches == {Breach.METER}
    assert kept.step(replace(WELL, meter=False), 1.0).breaches == {Breach.METER}
    assert kept.step(WELL, 1.0).breaches == frozenset()
    well = Boundary.from_dict(play(until=10).as_dict(), 1000.0)
    away = well.step(replace(WELL, meter=False), 1000.0)
    assert away.wake_at == 1000 + SETTLE_S
    assert away.step(replace(WELL, meter=False), 1299.0).breaches == frozenset()
    assert away.step(replace(WELL, meter=False), 1300.0).breaches == {Breach.METER}


@pytest.mark.parametrize(
    "kept", [{}, {"wallbox": 3}, {"wallbox": {"seen": "yes", "breached": True}}]
)
def test_restart_from_nonsense(kept: dict[str, Any]) -> None:
    """What cannot be read is as good as nothing."""
    found = Boundary.from_dict(kept, 5.0)
    assert (found.wallbox, found.meter) == (Boundary().wallbox, Boundary().meter)


def test_acknowledged_outlasts_a_restart() -> None:
    """The owner is not asked again for the same."""
    cut = play((100, SILENT), until=200).acknowledged()
    assert Boundary.from_dict(cut.as_dict(), 0.0).breaches == frozenset()


SIGHTS = st.builds(
    Sight,
    miniserver=st.booleans(),
    restarting=st.booleans(),
    wallbox=st.sampled_from([True, False, None]),
    meter=st.sampled_from([True, False, None]),
    internet=st.sampled_from([True, False, None]),
)
TIMELINES = st.lists(
    st.tuples(st.floats(0.5, 500.0, allow_nan=False), SIGHTS), min_size=1, max_size=12
)


@given(TIMELINES)
def test_whatever_happens(timeline: list[tuple[float, Sight]]) -> None:
    """A breach has a link that was seen and is silent, and a Miniserver to ask.

    It never comes before the grace is over, and ends with the silence.
    """
    found, now = Boundary().step(WELL, 0.0), 0.0
    for seconds, raw in timeline:
        sight = raw if raw.miniserver else replace(raw, wallbox=None)
        before, now = found, now + seconds
        found = found.step(sight, now)
        new = found.breaches - before.breaches
        assert not (new and not sight.miniserver)
        links = {
            Breach.WALLBOX: (sight.wallbox, before.wallbox),
            Breach.METER: (sight.meter, before.meter),
        }
        for breach, (present, link) in links.items():
            if breach in new:
                assert link.seen
                assert present is False
                assert link.away is not None
                assert now - link.away >= GRACE_S
            if present is True and (sight.miniserver or breach is Breach.METER):
                assert breach not in found.breaches
        if sight.wallbox is False:
            assert Breach.METER not in new
        assert Boundary.from_dict(found.as_dict(), now).breaches == found.breaches


@given(
    st.permutations(["miniserver", "wallbox", "meter"]),
    st.lists(st.floats(0.0, 25.0), min_size=3, max_size=3),
    st.permutations(["miniserver", "wallbox", "meter"]),
    st.lists(st.floats(0.0, 25.0), min_size=3, max_size=3),
    st.floats(1.0, 10_000.0),
)
def test_a_power_cut_is_never_a_breach(
    goes: list[str],
    pauses: list[float],
    comes: list[str],
    returns: list[float],
    dark: float,
) -> None:
    """Whatever goes and comes first, of all that a power cut takes."""
    up: dict[str, Any] = {"miniserver": True, "wallbox": True, "meter": True}
    found, now = Boundary().step(WELL, 0.0), 1000.0

    def look() -> None:
        """Look at what is there."""
        nonlocal found
        told = {**up, "wallbox": up["wallbox"] if up["miniserver"] else None}
        sight = Sight(**told)
        while (wake := found.wake_at) is not None and wake < now:
            found = found.step(seen[-1], wake)
            assert found.breaches == frozenset()
        seen.append(sight)
        found = found.step(sight, now)
        assert found.breaches == frozenset()

    seen = [WELL]
    for order, waits, state in ((goes, pauses, False), (comes, returns, True)):
        for name, pause in zip(order, waits, strict=True):
            now += pause
            up[name] = state
            look()
        now += dark
    look()
    assert found.outage is None


@given(TIMELINES)
def test_every_cut_is_found(timeline: list[tuple[float, Sight]]) -> None:
    """Whatever was before: all is well for a while, then one link alone is cut."""
    found, now = Boundary().step(WELL, 0.0), 0.0
    for seconds, sight in timeline:
        now += seconds
        found = found.step(
            sight if sight.miniserver else replace(sight, wallbox=None), now
        )
    for link, breach in (("wallbox", Breach.WALLBOX), ("meter", Breach.METER)):
        calm = found.step(WELL, now + 1).step(WELL, now + 1 + SETTLE_S)
        begin = now + 1 + SETTLE_S
        alone = replace(WELL, **{link: False})
        cut = calm.step(alone, begin + 1)
        assert cut.wake_at == begin + 1 + GRACE_S
        assert cut.step(alone, begin + 1 + GRACE_S).breaches == {breach}
