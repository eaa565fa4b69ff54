"""The randomised delay: its draws, its bounds and its record."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import Mock
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from .nights import FULL, Player, local
from custom_components.loxone_wallbox.charging.delay import (
    KEEP_DRAWS,
    OFF,
    Change,
    DelayMemory,
    DelayRules,
    Draw,
    Outcome,
    Pending,
    Target,
    relevant_time_id,
)
from custom_components.loxone_wallbox.charging.owner import OwnerState
from custom_components.loxone_wallbox.charging.regulation import PROFILES, Cause
from custom_components.loxone_wallbox.controller import Controller

NOW = datetime(2027, 1, 13, 22, tzinfo=UTC)
RULES = DelayRules(wallbox="box", max_delay_s=600, delayed=PROFILES["gb_2021"].delayed)
HALF = Target(allowed=True, limit_kw=6.0)

instants = st.datetimes(
    NOW.replace(year=2020, tzinfo=None),
    NOW.replace(year=2040, tzinfo=None),
    timezones=st.just(UTC),
)
targets = st.builds(
    Target, allowed=st.booleans(), limit_kw=st.floats(0, 22, allow_nan=False)
)
pendings = st.builds(
    Pending,
    relevant_time_id=st.text(max_size=16),
    cause=st.sampled_from(Cause),
    relevant_at=instants,
    from_target=targets,
    to_target=targets,
    drawn_s=st.integers(0, 1800),
    due=instants,
)
draws = st.builds(
    Draw,
    relevant_time_id=st.text(max_size=16),
    cause=st.sampled_from(Cause),
    relevant_at=instants,
    drawn_s=st.integers(0, 1800),
    due=instants,
    outcome=st.sampled_from(Outcome),
    at=instants,
    by=st.none() | st.text(max_size=9),
)
memories = st.builds(
    DelayMemory,
    settled=targets,
    changed_at=st.none() | instants,
    pending=st.none() | pendings,
    unplugged=st.none() | pendings,
    unplugged_at=st.none() | instants,
    draws=st.lists(draws, max_size=3).map(tuple),
)


def controller() -> Controller:
    """Return a controller as the integration makes it, with its own draw."""
    return Controller(
        Mock(),
        Mock(),
        Mock(),
        OwnerState(),
        profile=PROFILES["gb_2021"],
        zone=ZoneInfo("Europe/London"),
    )


@pytest.mark.parametrize("longest", [600, 1800])
def test_draws(longest: int) -> None:
    """A hundred thousand draws are whole, reach both ends and are uniform."""
    count = 100_000
    draw = controller().draw
    seen = Counter(draw(longest) for _ in range(count))
    assert all(type(number) is int for number in seen)
    assert (min(seen), max(seen)) == (0, longest)
    assert len(seen) == longest + 1
    expected = count / (longest + 1)
    chi2 = sum((seen[number] - expected) ** 2 for number in range(longest + 1))
    # The distribution's mean is `longest`, its variance twice that; beyond five
    # standard deviations is one run in a million.
    deviation = (2 * longest) ** 0.5
    assert abs(chi2 / expected - longest) < 5 * deviation


def test_draws_of_two_wallboxes() -> None:
    """The draws of one wallbox tell nothing of those of another."""
    one, other = controller().draw, controller().draw
    pairs = [(one(600), other(600)) for _ in range(2000)]
    assert sum(left == right for left, right in pairs) < 30
    mean = 300.0
    covariance = sum((left - mean) * (right - mean) for left, right in pairs)
    variance = 601 * 601 / 12
    assert abs(covariance / len(pairs)) < 6 * variance / len(pairs) ** 0.5
    assert one(0) == 0


def pending(seconds: int, to_target: Target = FULL) -> DelayMemory:
    """Return a memory with a start or step that waits for some seconds."""
    return DelayMemory().advance(
        to_target,
        Change(at=NOW, cause=Cause.DEFAULT_HOURS),
        RULES,
        NOW,
        lambda _longest: seconds,
    )


@given(
    drawn=st.integers(0, 600), passed=st.integers(0, 599), maximum=st.integers(0, 1800)
)
def test_clamp(drawn: int, passed: int, maximum: int) -> None:
    """A new maximum never lengthens, and leaves no more than itself."""
    memory, now = pending(drawn), NOW + timedelta(seconds=passed)
    before = memory.pending
    after = memory.clamp(maximum, now).pending
    if before is None:
        assert after is None
        return
    assert after is not None
    assert after.due == min(before.due, now + timedelta(seconds=maximum))
    assert after.drawn_s == before.drawn_s
    again = memory.clamp(maximum, now).clamp(maximum, now)
    assert again == memory.clamp(maximum, now)


@given(
    drawn=st.integers(1, 600),
    passed=st.floats(0, 0.999),
    step=st.integers(-90_000, 90_000),
    maximum=st.integers(0, 1800),
)
def test_a_step_of_the_clock(
    drawn: int, passed: float, step: int, maximum: int
) -> None:
    """What is left of a delay is left after a step, and at most the maximum."""
    memory = pending(drawn)
    assert memory.pending is not None
    now = NOW + timedelta(seconds=int(drawn * passed))
    left = memory.pending.due - now
    moved = timedelta(seconds=step)
    after = memory.shift(moved, maximum, now + moved).pending
    assert after is not None
    assert after.due - (now + moved) == min(left, timedelta(seconds=maximum))


def test_nothing_pending_is_left_alone() -> None:
    """Without a delay there is nothing to skip, shorten or move."""
    memory = DelayMemory(settled=FULL)
    assert memory.clamp(5, NOW) is memory
    assert memory.shift(timedelta(hours=1), 600, NOW) is memory
    assert memory.skip(NOW, "owner") is memory


def test_triggers_that_overlap() -> None:
    """One transition at a time: the earlier deadline, one draw for the other way."""
    later = NOW + timedelta(seconds=100)
    more = Change(at=later, cause=Cause.TARIFF)
    less = Change(at=later, cause=Cause.DSR)
    draw = Mock(side_effect=[437, 60])
    waiting = DelayMemory(settled=HALF).advance(
        FULL, Change(at=NOW, cause=Cause.DEFAULT_HOURS), RULES, NOW, draw
    )
    due = NOW + timedelta(seconds=437)
    # The same way again, or as far as before: nothing is drawn, nothing is put off.
    again = waiting.advance(FULL, more, RULES, later, draw)
    assert again.pending is not None
    assert again.pending.due == due
    assert draw.call_count == 1
    # The other way: one draw for what is left to change.
    other = waiting.advance(OFF, less, RULES, later, draw)
    assert other.pending is not None
    assert other.settled == HALF
    assert other.pending.due == later + timedelta(seconds=60)
    assert [one.outcome for one in other.draws] == [Outcome.SUPERSEDED]
    assert draw.call_count == 2
    # Back to what holds: nothing waits and nothing was drawn for it.
    back = waiting.advance(HALF, less, RULES, later, draw)
    assert back.pending is None
    assert back.settled == HALF
    assert back.changed_at == waiting.changed_at
    assert [one.outcome for one in back.draws] == [Outcome.CANCELLED]
    assert draw.call_count == 2


@pytest.mark.parametrize(
    ("cause", "before", "want", "since", "wait"),
    [
        # Automatic changes leave the contactor five minutes and steps one.
        (Cause.DEFAULT_HOURS, FULL, OFF, 60, 240),
        (Cause.DSR, OFF, FULL, 10, 290),
        (Cause.TARIFF, OFF, FULL, 301, 0),
        (Cause.DSR, FULL, HALF, 10, 50),
        (Cause.AUTOMATION, HALF, FULL, 61, 0),
        # Neither a person, nor safety, nor a plug-in waits for that.
        (Cause.USER, FULL, OFF, 1, 0),
        (Cause.SAFETY, FULL, OFF, 1, 0),
        (Cause.PLUG_IN, OFF, FULL, 1, 0),
    ],
)
def test_dwell(
    cause: Cause, before: Target, want: Target, since: int, wait: int
) -> None:
    """The due instant is the later one of draw and dwell."""
    memory = DelayMemory(settled=before, changed_at=NOW - timedelta(seconds=since))
    change = Change(at=NOW, cause=cause)
    for drawn in (0, 55, 400):
        after = memory.advance(want, change, RULES, NOW, Mock(return_value=drawn))
        expected = 0 if cause in {Cause.USER, Cause.SAFETY} else max(drawn, wait)
        if expected == 0:
            assert after.pending is None
            assert after.settled == want
            continue
        assert after.pending is not None
        assert after.settled == before
        assert after.pending.due == NOW + timedelta(seconds=expected)
        assert after.pending.drawn_s == drawn


@given(memory=memories)
def test_round_trip(memory: DelayMemory) -> None:
    """What is kept comes back as it was."""
    assert DelayMemory.from_dict(memory.as_dict()) == memory


def test_only_the_last_draws_are_kept() -> None:
    """The evidence does not grow without end."""
    memory = DelayMemory()
    for day in range(KEEP_DRAWS + 20):
        now = NOW + timedelta(days=day)
        for want in (FULL, OFF):
            change = Change(at=now, cause=Cause.DEFAULT_HOURS)
            memory = memory.advance(want, change, RULES, now, lambda _longest: 9)
            memory = memory.skip(now, None)
            now += timedelta(hours=1)
    assert len(memory.draws) == KEEP_DRAWS


def test_one_draw_a_relevant_time() -> None:
    """The same instant, cause and direction is the same relevant time."""
    change = Change(at=NOW, cause=Cause.DEFAULT_HOURS)
    identity = relevant_time_id("box", change, "up")
    assert identity == relevant_time_id("box", change, "up")
    others = {
        relevant_time_id("box", change, "down"),
        relevant_time_id("other", change, "up"),
        relevant_time_id("box", Change(at=NOW, cause=Cause.DSR), "up"),
        relevant_time_id(
            "box", Change(at=NOW + timedelta(seconds=1), cause=change.cause), "up"
        ),
    }
    assert identity not in others
    assert len(others) == 4
    player = Player(now=local("2027-01-13T17:30:00"), draws=[437])
    player.plug()
    player.until(local("2027-01-13T22:01:00"))
    for _ in range(5):
        player.restart()
        player.decide()
    assert player.drawn == 1


def test_without_a_maximum_nothing_is_drawn() -> None:
    """A maximum of nought means no delay and no draw."""
    rules = DelayRules(wallbox="box", max_delay_s=0, delayed=RULES.delayed)
    draw = cast("Any", Mock(side_effect=AssertionError))
    change = Change(at=NOW, cause=Cause.DEFAULT_HOURS)
    memory = DelayMemory().advance(FULL, change, rules, NOW, draw)
    assert memory.settled == FULL
    assert [(one.drawn_s, one.drawn) for one in memory.draws] == [(0, False)]


def test_nought_may_be_drawn() -> None:
    """What was drawn is told from what was not; older files cannot tell that."""
    change = Change(at=NOW, cause=Cause.DEFAULT_HOURS)
    memory = DelayMemory().advance(FULL, change, RULES, NOW, lambda _longest: 0)
    assert [(one.drawn_s, one.drawn) for one in memory.draws] == [(0, True)]
    kept = memory.as_dict()
    del kept["draws"][0]["drawn"]
    assert not DelayMemory.from_dict(kept).draws[0].drawn
