"""The energy total whatever comes: properties, and a meter's life in any order."""

from collections.abc import Callable
from dataclasses import replace
import json
import math

from hypothesis import assume, example, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from .counting import MOST_W, RULES, START, STEP_WH, TrueMeter, stored, unread
from custom_components.loxone_wallbox.meter.counter import Answer, Counter, Reading
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.quarantine import LUMP_S

# A reading this far off is not what may have flowed.
FAR_WH = 1000.0

readings = st.builds(
    Reading,
    wh=st.sampled_from([0.0, 10.0, 300.0, 5e6, 5.00001e6, 999_999_990.0])
    | st.floats(0, 1e7)
    | st.floats(),
    at=st.just(0.0),
    step_wh=st.sampled_from([1.0, 10.0, 100.0]) | st.floats(),
    serial=st.sampled_from(["A1", "B2", "0", None]),
)
steps = st.lists(
    st.tuples(
        readings,
        st.sampled_from([1.0, 1.0, 4.0, 10.0, 3600.0, 0.0, -5.0]) | st.floats(),
        st.none() | st.sampled_from(Answer),
    ),
    max_size=60,
)


@example(
    [
        (Reading(wh=wh, at=0, step_wh=10), wait, None)
        for wh, wait in [(5e6, 1), (5e6, 1), *[(0, 4)] * 5, *[(5e6, 1)] * 5]
    ]
)
@settings(deadline=None)
@given(steps)
def test_never_falls_and_never_jumps(
    life: list[tuple[Reading, float, Answer | None]],
) -> None:
    """Whatever is read and answered, the total stays within what can flow.

    A restart before each reading changes nothing.
    """
    counter = restarted = Counter()
    now = START
    for reading, wait, answer in life:
        now += wait if math.isfinite(wait) and abs(wait) < 1e9 else 0.0
        before = counter
        taken = replace(reading, at=now if math.isfinite(wait) else wait)
        counter, finding = counter.take(taken, RULES)
        restarted, again = stored(restarted).take(taken, RULES)
        assert (restarted, again) == (counter, finding)
        if answer is not None:
            counter, restarted = counter.answer(answer), restarted.answer(answer)
        json.dumps(counter.as_dict(), allow_nan=False)
        if before.total_wh is None or before.segment is None:
            continue
        assert counter.total_wh is not None
        rise = counter.total_wh - before.total_wh
        assert rise >= 0
        if rise:
            known = [
                before.segment.at,
                *([before.doubt.first_at] if before.doubt else []),
            ]
            if before.question is not None:
                known.append(before.question.before.at)
            most = RULES.most_wh(now - min(known) + LUMP_S, taken.step_wh)
            assert rise <= most + 1e-5


@settings(deadline=None)
@given(
    powers=st.lists(st.floats(0, MOST_W), min_size=4, max_size=60),
    waits=st.lists(st.sampled_from([1, 1, 1, 2, 7, 30, 3600]), min_size=60),
    start=st.floats(10, 9e8),
)
def test_total_is_the_truth(
    powers: list[float], waits: list[int], start: float
) -> None:
    """Where the counter could be read the total is right to one step."""
    meter = TrueMeter("A1", start)
    counter, now = Counter(), START
    for _ in range(2):
        now += 1
        counter, _ = counter.take(meter.reading(now), RULES)
    for power, wait in zip(powers, waits, strict=False):
        now += wait
        meter.wh += power * wait / 3600
        counter, finding = counter.take(meter.reading(now), RULES)
        assert finding is None
        assert counter.total_wh is not None
        assert counter.total_wh <= meter.wh
    for _ in range(2):
        now += 1
        counter, _ = counter.take(meter.reading(now), RULES)
    assert counter.total_wh is not None
    assert 0 <= meter.wh - counter.total_wh < STEP_WH + 1e-6


@given(st.recursive(st.none() | st.floats() | st.text(), st.lists), st.data())
def test_damaged_memory_is_no_memory(junk: object, data: st.DataObject) -> None:
    """A damaged store starts anew instead of failing or counting nonsense."""
    good = {
        "total_wh": 1.0,
        "segment": {"wh": 1, "offset_wh": 0, "at": 0, "rose_at": 0, "serial": None},
        "doubt": {
            "first_wh": 1,
            "first_at": 1,
            "wh": 1,
            "at": 1,
            "serial": None,
            "polls": 1,
        },
        "question": None,
    }
    assert Counter.from_dict(good) is not None
    name = data.draw(st.sampled_from(sorted(good)))
    read = Counter.from_dict({**good, name: junk})
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    inner = data.draw(st.sampled_from(["segment", "doubt"]))
    part: dict[str, object] = good[inner]  # type: ignore[assignment]
    key = data.draw(st.sampled_from(sorted(part)))
    read = Counter.from_dict({**good, inner: {**part, key: junk}})
    if read is not None:
        json.dumps(read.as_dict(), allow_nan=False)
    del part[key]
    assert Counter.from_dict(good) is None


def test_worth_saving() -> None:
    """A break is written at once, energy each minute, silence never."""
    counter = Counter()
    assert counter.worth_saving(None, 0)
    assert not counter.worth_saving(counter, 1e6)
    for second in range(2):
        reading = Reading(wh=5e6, at=START + second, step_wh=10, serial="A1")
        counter, _ = counter.take(reading, RULES)
    assert counter.worth_saving(Counter(), 0)
    risen, _ = counter.take(replace(reading, wh=5e6 + 10, at=START + 2), RULES)
    assert not risen.worth_saving(counter, 59)
    assert risen.worth_saving(counter, 60)
    idle, _ = counter.take(replace(reading, at=START + 900), RULES)
    assert idle != counter
    assert not idle.worth_saving(counter, 900)
    broken = counter
    for second in range(12):
        other = replace(reading, wh=300, at=START + 3 + second, serial="B2")
        broken, _ = broken.take(other, RULES)
    assert broken.worth_saving(counter, 0)
    assert broken.answer(Answer.REPLACED).worth_saving(broken, 0)


class MeterLife(RuleBasedStateMachine):
    """A true meter, what is read of it, and what must hold whatever happens."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.now = START
        self.counter = self.saved = Counter()
        self.saved_at = self.now
        self.meter = TrueMeter("A0", 0.0)
        self.meters = 1
        # Energy that nobody could read: a meter was exchanged meanwhile.
        self.lost_wh = 0.0
        self.flowed_wh = 0.0
        self.kinds: list[FindingKind] = []

    @initialize(left=st.floats(20, 5e7), rolls=st.booleans())
    def start(self, left: float, rolls: bool) -> None:
        """Begin with a meter somewhere in its range."""
        modulus = float(RULES.rollover_wh or 0)
        start = modulus - left if rolls else left
        self.meter = TrueMeter("A0", start, modulus if rolls else None)
        self.first_wh = self.meter.register_wh
        self.poll()
        self.poll()
        self.settle()

    def flow(self, watts: float, seconds: float) -> None:
        """Let energy flow."""
        self.now += seconds
        self.meter.wh += watts * seconds / 3600
        self.flowed_wh += watts * seconds / 3600

    def poll(
        self, twist: Callable[[Reading], Reading] = lambda reading: reading
    ) -> None:
        """Read the meter, rightly or not."""
        self.now += 1
        before = self.counter.total_wh
        reading = twist(self.meter.reading(self.now))
        self.counter, finding = self.counter.take(reading, RULES)
        if finding is not None:
            self.kinds.append(finding.kind)
        total = self.counter.total_wh
        if before is not None:
            assert total is not None
            assert total >= before
            assert total <= self.first_wh + self.flowed_wh + STEP_WH * self.meters
        if self.counter.worth_saving(self.saved, self.now - self.saved_at):
            self.saved, self.saved_at = self.counter, self.now

    def settle(self) -> None:
        """Let the counter be read long enough to be believed; then it is right."""
        for _ in range(12):
            self.poll()
        assert not self.counter.in_doubt
        if self.kinds == [FindingKind.METER_ROLLED_OVER]:
            self.kinds.clear()
        assert self.counter.total_wh is not None
        counted = self.counter.total_wh - self.first_wh
        countable = self.flowed_wh - self.lost_wh
        assert abs(counted - countable) <= STEP_WH * self.meters + 1e-3

    @rule(watts=st.floats(0, MOST_W), seconds=st.integers(1, 30))
    def charge(self, watts: float, seconds: int) -> None:
        """Charge and read each second, the serial number not always."""
        for second in range(seconds):
            self.flow(watts, 0)
            self.now -= 1
            self.flow(watts, 1)
            self.poll(unread if second % 3 else lambda reading: reading)
        self.settle()

    @rule(
        watts=st.floats(0, MOST_W),
        seconds=st.floats(1, 200_000),
        crash=st.booleans(),
    )
    def outage(self, watts: float, seconds: float, crash: bool) -> None:
        """Charge on while nothing is read, or while Home Assistant is gone."""
        self.flow(watts, seconds)
        if crash:
            self.counter = stored(self.saved)
        self.settle()

    @rule(
        wrong=st.sampled_from([0.0, 10.0, 4e5, 3e9, math.nan, -5.0]),
        times=st.integers(1, 2),
        other=st.booleans(),
    )
    def glitch(self, wrong: float, times: int, other: bool) -> None:
        """Read nonsense once or twice."""
        assume(not abs(wrong - self.meter.register_wh) < FAR_WH)
        before = self.counter
        for _ in range(times):
            self.poll(
                lambda reading: replace(
                    reading, wh=wrong, serial="X9" if other else reading.serial
                )
            )
            assert self.counter.total_wh == before.total_wh
            assert self.counter.segment == before.segment
        self.settle()

    @rule(
        seconds=st.integers(13, 90),
        watts=st.floats(0, MOST_W),
        answered=st.booleans(),
    )
    def long_glitch(self, seconds: int, watts: float, answered: bool) -> None:
        """Read too little for a while; the question ends by itself or is answered."""
        # Zero near the end of the range is taken for what it looks like.
        wrong = 0.0 if self.meter.modulus_wh is None else 2e8
        assume(self.meter.register_wh > wrong + FAR_WH)
        for _ in range(seconds):
            self.poll(lambda reading: replace(reading, wh=wrong))
        assert self.kinds.pop() is FindingKind.METER_RESET
        if answered:
            self.counter = self.counter.answer(Answer.GLITCH)
        self.flow(watts, 60)
        self.settle()
        assert self.kinds == ([] if answered else [FindingKind.METER_RECOVERED])
        self.kinds.clear()
        assert self.counter.question is None

    @rule(
        base=st.sampled_from([0.0, 300.0, 77_000.0, 4e6, 6e9]),
        seconds=st.floats(0, 9000),
        answer=st.none() | st.sampled_from([Answer.REPLACED, Answer.RESET]),
        watts=st.floats(0, MOST_W),
    )
    def exchange(
        self, base: float, seconds: float, answer: Answer | None, watts: float
    ) -> None:
        """Exchange the meter; what flows until it is read first is nobody's."""
        self.flow(watts, seconds / 2)
        self.lost_wh += watts * seconds / 2 / 3600
        self.meter = TrueMeter(f"A{self.meters}", base)
        self.meters += 1
        self.now += seconds / 2
        self.settle()
        assert self.kinds == [FindingKind.METER_REPLACED]
        self.kinds.clear()
        if answer is not None:
            self.counter = self.counter.answer(answer)

    @rule()
    def restart(self) -> None:
        """Start Home Assistant anew, everything written."""
        self.counter = stored(self.counter)


TestMeterLife = MeterLife.TestCase
TestMeterLife.settings = settings(
    max_examples=50, stateful_step_count=15, deadline=None
)
