"""The numbers of each rule book, and which changes it delays."""

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest

from .nights import book, event, local, powers
from .test_decision import plugged
from custom_components.loxone_wallbox.charging.delay import (
    OFF,
    Change,
    DelayMemory,
    DelayRules,
    Target,
)
from custom_components.loxone_wallbox.charging.regulation import (
    MAX_DELAY_S,
    PRESETS,
    PROFILES,
    Cause,
    Preset,
)
from custom_components.loxone_wallbox.charging.variants import FACTS

NOW = datetime(2027, 1, 13, 23, tzinfo=UTC)
FULL = Target(allowed=True, limit_kw=11.0)
HALF = Target(allowed=True, limit_kw=6.0)
STEPS = {
    "start": (OFF, FULL),
    "stop": (FULL, OFF),
    "increase": (HALF, FULL),
    "decrease": (FULL, HALF),
}
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
EVERY_DAY = [*WEEKDAYS, "sat", "sun"]
# As the rules are written: time zone, choice at first use, longest delay at first,
# floor of a reduction, failsafe, and whether the legal text is shown.
NUMBERS: dict[str, tuple[Any, ...]] = {
    "gb_2021": ("Europe/London", True, 600, 0.0, 0, True),
    "de_14a": ("Europe/Berlin", False, 600, 4.2, 7200, True),
    "none": (None, False, 0, 0.0, 0, False),
}
AUTOMATIC = {
    "plug_in",
    "default_hours",
    "tariff",
    "dsr",
    "reconnect",
    "automation",
    "override_end",
    "cleared",
}
DELAYED: dict[str, set[str]] = {
    "gb_2021": AUTOMATIC,
    "de_14a": {"reconnect"},
    "none": set(),
}


def hours(preset: str) -> list[tuple[list[str], str, str]]:
    """Return the windows of a preset in words."""
    windows = [window.as_dict() for window in PRESETS[Preset(preset)]]
    return [(one["days"], one["start"], one["end"]) for one in windows]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    """Each is the one of the regulation, and no rule book lacks one."""
    profile = PROFILES[name]
    assert (
        profile.timezone,
        profile.first_use_choice,
        profile.default_delay_s,
        profile.dsr_floor_kw,
        profile.dsr_failsafe_s,
        profile.legal_text,
    ) == NUMBERS[name]
    assert profile.version >= 1
    assert asdict(profile)["id"] == name
    assert set(PROFILES) == set(NUMBERS)
    assert MAX_DELAY_S == 1800


def test_hours_and_peak() -> None:
    """Only the British rules know a peak, with two sets of hours outside of it."""
    peak = [window.as_dict() for window in PROFILES["gb_2021"].peak]
    assert peak == [
        {"days": WEEKDAYS, "start": "08:00", "end": "11:00"},
        {"days": WEEKDAYS, "start": "16:00", "end": "22:00"},
    ]
    assert PROFILES["gb_2021"].presets == ("gb_night", "gb_complement")
    assert hours("gb_night") == [(EVERY_DAY, "22:00", "08:00")]
    assert hours("gb_complement") == [
        (WEEKDAYS, "00:00", "08:00"),
        (WEEKDAYS, "11:00", "16:00"),
        (WEEKDAYS, "22:00", "24:00"),
        (["sat", "sun"], "00:00", "24:00"),
    ]
    for name in ("de_14a", "none"):
        assert PROFILES[name].peak == ()
        assert PROFILES[name].presets == ()


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_delayed(name: str) -> None:
    """Each cause, as a start, a stop and a step either way, exempt or not."""
    rules = DelayRules(wallbox="box", max_delay_s=600, delayed=PROFILES[name].delayed)
    for cause, step, exempt in product(Cause, STEPS, (False, True)):
        before, want = STEPS[step]
        draw = Mock(return_value=437)
        change = Change(at=NOW, cause=cause, exempt=exempt)
        after = DelayMemory(settled=before).advance(want, change, rules, NOW, draw)
        if cause.value in DELAYED[name] and not exempt:
            draw.assert_called_once_with(600)
            assert after.settled == before, (cause, step)
            assert after.pending is not None, (cause, step)
            assert (after.pending.due - NOW).total_seconds() == 437
        else:
            draw.assert_not_called()
            assert after.pending is None, (cause, step)
            assert after.settled == want, (cause, step)


@pytest.mark.parametrize("facts", FACTS.values(), ids=list(FACTS))
@pytest.mark.parametrize("under", [0.0, 0.01])
def test_the_least_power(facts: Any, under: float) -> None:
    """A grid event at the least power is followed, a hundredth under it pauses."""
    player = plugged(0, 45, min_kw=facts.min_kw)
    player.until(local("2027-01-13T22:59:00"))
    grid = event(
        "A",
        local("2027-01-13T23:00:00"),
        local("2027-01-13T23:30:00"),
        limit_kw=facts.min_kw - under,
    )
    player.change(dsr=book(player.now, grid))
    player.until(local("2027-01-13T23:10:00"))
    left = 0 if under else facts.min_kw
    assert powers(player.log)[-1] == ("13 23:00:45", left)
    assert facts.min_kw == (1.38 if facts.max_kw < 10 else 4.16)
