"""The record of a grid event: its energy, its holes, its outcome."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.charging.delay import DelayMemory, Draw, Outcome
from custom_components.loxone_wallbox.charging.delivery import (
    BASELINE_S,
    ENOUGH,
    Delivery,
    Outcome as Result,
    Shown,
    seen_energy,
    summed,
)
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.meter.series import Point, VisitSeries

START = datetime(2027, 1, 13, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHOWS = Shown(linked=True, connected=True, power_kw=11.0, settled=True)
KEEPS = replace(SHOWS, power_kw=6.0)
EMPTY = replace(SHOWS, connected=False)
SILENT = Shown(linked=False, connected=None, power_kw=None, settled=False)


def event(kind: DsrKind = DsrKind.LIMIT, **changes: Any) -> DsrEvent:
    """Return an event of half an hour."""
    usual: dict[str, Any] = {
        "event_id": "A",
        "start": START,
        "end": START + 30 * MINUTE,
        "kind": kind,
        "heard_at": START,
        "limit_kw": 6.0 if kind is DsrKind.LIMIT else None,
    }
    return DsrEvent(**{**usual, **changes})


def constant(begin: datetime, seconds: int, power_w: float | None) -> list[Point]:
    """Return the points of a power that does not change."""
    first = begin.timestamp()
    if power_w is None:
        return [(first, None)]
    return [(first + number, power_w) for number in range(seconds)]


def before(power_w: float | None) -> list[Point]:
    """Return what flowed in the time before the event."""
    begin = START - timedelta(seconds=BASELINE_S)
    return constant(begin, int(BASELINE_S), power_w)


def record(
    *looks: tuple[float, Shown],
    kind: DsrKind = DsrKind.LIMIT,
    baseline_w: float | None = 11_000.0,
    power_w: float | None = 6000.0,
    opted_out: bool = False,
    due_s: int = 0,
) -> Delivery:
    """Return the record of an event that was looked at, by minutes from its start."""
    limit = 6.0 if kind is DsrKind.LIMIT else None
    made = Delivery.begin(event(kind), limit, before(baseline_w))
    made = replace(made, due=START + timedelta(seconds=due_s))
    for minute, shown in looks:
        made = made.look(shown, limit, START + minute * MINUTE)
    end = START + 30 * MINUTE
    made = made.measure(constant(START, 1800, power_w), end)
    return made.end(end, opted_out=opted_out)


@given(
    baseline=st.integers(0, 22_000),
    power=st.integers(0, 22_000),
    seconds=st.integers(1, 3600),
    parts=st.lists(st.integers(1, 600), max_size=5),
    kind=st.sampled_from(DsrKind),
)
def test_constant_power_is_exact(
    baseline: int, power: int, seconds: int, parts: list[int], kind: DsrKind
) -> None:
    """The energy is the power's, in however many parts it is added up."""
    made = Delivery.begin(event(kind), 6.0, before(float(baseline)))
    at = 0
    for part in [*parts, seconds]:
        points = constant(START + timedelta(seconds=at), part, float(power))
        at += part
        made = made.measure(points, START + timedelta(seconds=at))
    sign = -1 if kind is DsrKind.INCREASE else 1
    assert made.coverage == pytest.approx(1)
    assert made.baseline_w == pytest.approx(baseline)
    assert made.measured_wh == pytest.approx(power * at / 3600)
    saved = sign * (baseline - power) * at / 3600
    assert made.delivered_wh == pytest.approx(saved, abs=1e-6)


@given(
    power=st.integers(1, 22_000),
    holes=st.lists(st.tuples(st.integers(0, 1799), st.integers(4, 300)), max_size=6),
)
def test_holes_are_unknown(power: int, holes: list[tuple[int, int]]) -> None:
    """What is missing is neither zero nor made up, and its share is told."""
    missing = {second for at, length in holes for second in range(at, at + length)}
    series = VisitSeries()
    for second in range(1800):
        series.add(
            START.timestamp() + second, None if second in missing else float(power)
        )
    end = START + 30 * MINUTE
    points = series.between(START.timestamp(), end.timestamp())
    made = Delivery.begin(event(), 6.0, before(11_000.0)).measure(points, end)
    seen = 1800 - len(missing & set(range(1800)))
    assert made.seen_s == pytest.approx(seen, abs=3 * len(holes))
    assert made.seen_wh == pytest.approx(power * made.seen_s / 3600)
    assert made.coverage == pytest.approx(made.seen_s / 1800)
    if made.seen_s < ENOUGH * 1800:
        assert (made.measured_wh, made.delivered_wh) == (None, None)
    else:
        saved = (11_000 - power) * made.seen_s / 3600
        assert made.delivered_wh == pytest.approx(saved, abs=1e-6)


@pytest.mark.parametrize(
    ("points", "wh", "seen_s"),
    [
        ([], 0, 0),
        ([(0, None)], 0, 0),
        ([(0.4, 3600.0)], 10, 10),
        ([(0, 3600.0), (4, None)], 4, 4),
        ([(0, None), (4, 3600.0)], 6, 6),
        ([(0, 3600.0), (4, None), (6, 7200.0)], 12, 8),
    ],
)
def test_each_power_holds_until_the_next(
    points: Sequence[Point], wh: float, seen_s: float
) -> None:
    """The first from the start on, the last until the end, none over a hole."""
    energy = seen_energy(points, 0, 10)
    assert energy.wh == pytest.approx(wh)
    assert energy.seen_s == pytest.approx(seen_s)


def test_a_baseline_that_was_not_seen() -> None:
    """It is the mean of what was, and too little of it gives no figure."""
    half = before(10_000.0)[450:]
    points: list[Point] = [(START.timestamp() - BASELINE_S, None), *half]
    made = Delivery.begin(event(), 6.0, points).measure(
        constant(START, 60, 6000.0), START + MINUTE
    )
    assert made.baseline_w == pytest.approx(10_000)
    assert made.baseline_coverage == pytest.approx(0.5)
    assert made.measured_wh == pytest.approx(100)
    assert made.delivered_wh is None
    unseen = Delivery.begin(event(), 6.0, before(None))
    assert (unseen.baseline_w, unseen.baseline_coverage) == (None, 0)
    assert (unseen.coverage, unseen.delivered_wh) == (None, None)


def test_the_usual_power_of_the_hour_is_passed_on() -> None:
    """Whoever has it gives it; it changes no other figure."""
    made = Delivery.begin(event(), 6.0, before(11_000.0), 7200.0)
    assert made.described()["baseline_10_w"] == 7200.0
    assert replace(made, baseline_10_w=None) == Delivery.begin(
        event(), 6.0, before(11_000.0)
    )


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (record((0, KEEPS)), Result.DELIVERED),
        (record((0, SHOWS), (0.75, KEEPS), due_s=45), Result.DELIVERED),
        (record((0, SHOWS), (2, KEEPS)), Result.DELIVERED),
        (record((0, SHOWS), (4, KEEPS)), Result.PARTIAL),
        (record((0, SHOWS), (10, KEEPS), due_s=600), Result.DELIVERED),
        (record((0, KEEPS), (20, SILENT)), Result.PARTIAL),
        (record((0, KEEPS), (20, EMPTY)), Result.PARTIAL),
        (record((0, EMPTY), (20, KEEPS)), Result.PARTIAL),
        (record((0, KEEPS), (10, SILENT), (11, KEEPS)), Result.DELIVERED),
        (record((0, SHOWS)), Result.MISSED),
        (record((0, SILENT)), Result.MISSED),
        (record(), Result.MISSED),
        (record((0, EMPTY)), Result.NO_VEHICLE),
        (record((0, SILENT), (9, EMPTY)), Result.NO_VEHICLE),
        (record((0, KEEPS), opted_out=True), Result.OPTED_OUT),
        (record((0, SILENT), opted_out=True), Result.OPTED_OUT),
        (record((0, EMPTY), opted_out=True), Result.OPTED_OUT),
        (record((0, KEEPS), power_w=None), Result.DELIVERED),
    ],
)
def test_outcomes(made: Delivery, outcome: Result) -> None:
    """What counts is how long the limit was seen in force, with a car."""
    assert made.outcome is outcome
    assert made.described()["outcome"] == outcome.value
    assert replace(made, ended_at=None).outcome is None


@pytest.mark.parametrize(
    ("baseline_w", "power_w", "power_kw", "outcome"),
    [
        (0.0, 11_000.0, 11.0, Result.DELIVERED),
        (0.0, 0.0, 11.0, Result.MISSED),
        (11_000.0, 11_000.0, 11.0, Result.MISSED),
        (0.0, None, 11.0, Result.DELIVERED),
        (0.0, 0.0, 0.0, Result.MISSED),
    ],
)
def test_outcomes_of_an_increase(
    baseline_w: float, power_w: float | None, power_kw: float, outcome: Result
) -> None:
    """More has to flow, where that is known."""
    shown = replace(SHOWS, power_kw=power_kw)
    increase: Any = {"kind": DsrKind.INCREASE, "baseline_w": baseline_w}
    assert record((0, shown), power_w=power_w, **increase).outcome is outcome


@pytest.mark.parametrize(
    ("shown", "released"),
    [
        (replace(KEEPS, settled=False), False),
        (SILENT, False),
        (KEEPS, True),
        (replace(SHOWS, settled=False), True),
        (EMPTY, True),
    ],
)
def test_when_it_is_let_go(shown: Shown, released: bool) -> None:
    """When more flows or nothing waits any more, as far as that is seen."""
    made = record((0, KEEPS))
    assert not made.complete
    at = START + 35 * MINUTE
    made = made.release(shown, at)
    assert made.complete is released
    assert made.released_at == (at if released else None)
    assert made.release(SHOWS, at + MINUTE).released_at is not None
    missed = record((0, SHOWS))
    assert missed.complete
    assert missed.release(SHOWS, at).released_at is None


def test_the_draws_of_both_ends() -> None:
    """They are found by their instants; another's are none of its."""

    def draw(minutes: float, seconds: int) -> Draw:
        """Return a draw of an instant."""
        at = START + minutes * MINUTE
        due = at + timedelta(seconds=seconds)
        return Draw(
            relevant_time_id="x",
            cause=Cause.DSR,
            relevant_at=at,
            drawn_s=seconds,
            due=due,
            outcome=Outcome.APPLIED,
            at=due,
        )

    memory = DelayMemory(draws=(draw(-9, 7), draw(0, 45), draw(30, 300)))
    made = Delivery.begin(event(), 6.0, []).take_draws(memory)
    assert (made.drawn_start_s, made.drawn_end_s) == (45, None)
    assert made.due == START + timedelta(seconds=45)
    made = made.look(KEEPS, 6.0, START + MINUTE).end(
        START + 30 * MINUTE, opted_out=False
    )
    made = made.take_draws(memory)
    assert (made.drawn_start_s, made.drawn_end_s) == (45, 300)


def test_after_a_restart() -> None:
    """It is read as it was written, and what nobody saw was not kept."""
    made = Delivery.begin(event(), 6.0, before(11_000.0))
    made = made.look(KEEPS, 6.0, START + MINUTE)
    made = made.measure(constant(START, 600, 6000.0), START + 10 * MINUTE)
    again = Delivery.from_dict(json.loads(json.dumps(made.as_dict())))
    assert again == made
    assert (again.resumed().held_s, again.resumed().held_since) == (540, None)
    ended = made.end(START + 30 * MINUTE, opted_out=True)
    assert Delivery.from_dict(json.loads(json.dumps(ended.as_dict()))) == ended
    assert json.loads(json.dumps(ended.described())) == ended.described()


@pytest.mark.parametrize(
    ("outcomes", "joint"),
    [
        ([(0, KEEPS)], "delivered"),
        ([(0, KEEPS), (0, EMPTY)], "delivered"),
        ([(0, EMPTY), (0, EMPTY)], "no_vehicle"),
        ([(0, KEEPS), (0, SHOWS)], "partial"),
        ([(0, SHOWS), (0, SHOWS)], "missed"),
    ],
)
def test_the_sum_of_a_site(outcomes: list[tuple[float, Shown]], joint: str) -> None:
    """Figures add up; the wallboxes without a car do not count against it."""
    records = {str(number): record(one) for number, one in enumerate(outcomes)}
    total = summed(records)
    assert total is not None
    assert total["outcome"] == joint
    assert total["delivered_wh"] == 2500.0 * len(outcomes)
    assert set(total["wallboxes"]) == set(records)


def test_the_sum_with_an_unknown_part() -> None:
    """It is unknown, and open as long as one of them runs."""
    known, unknown = record((0, KEEPS)), record((0, KEEPS), power_w=None)
    total = summed({"a": known, "b": unknown})
    assert total is not None
    assert (total["delivered_wh"], total["baseline_w"]) == (None, 22_000.0)
    running = summed({"a": known, "b": replace(known, ended_at=None)})
    assert running is not None
    assert running["outcome"] is None
    assert summed({}) is None
