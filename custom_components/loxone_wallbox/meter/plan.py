"""Which registers to ask for at a time.

Takes a profile, gives the fewest reads its limits allow. The planner in
`modbus_connection.model` serves only half of it: it knows neither that the reads of a
meter must differ in length, nor values that must not be cut at odd places, nor that
some values are wanted each second and others now and then, and it does not tell its
plan before it reads.

The length matters on serial lines, where an answer has no name: one that comes late is
taken for the answer to the next request if it is as long. So a fast read has a length
no other read of that meter has, and the others have if there is one to have. A cautious
plan promises less: its fast reads differ from each other.
"""

from collections.abc import Iterable, Iterator, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import product

from .model import Limits, Measured, MeterProfile, Pace, Read, Register, Run

# A request of its own takes as long as this many registers more in an answer at
# 9600 baud, its silence and the meter's own time counted.
NEAR = 30
# What is wanted each second; the second only where the meter does not stand the first.
FAST_CHOICES = ((Measured.POWER, Measured.IMPORT), (Measured.POWER,))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rules:
    """What a plan has to keep to; a cautious one reads hardly more than it wants."""

    limits: Limits
    cautious: bool

    @property
    def most(self) -> int:
        """Return how many registers a read may have."""
        most = self.limits.max_registers
        if not self.cautious:
            return most
        return min(most, self.limits.fallback_registers or most)

    def run(self, register: Register) -> Run:
        """Return the run a register lies in, its own if it is to be read alone."""
        if register.alone:
            space = register.space
            return Run(first=register.address, last=register.last, space=space)
        for run in self.limits.runs:
            if run.holds(register):
                return run
        raise ValueError(f"Register {register.address} lies in no run")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """A stretch of a run that is read at once, both ends included."""

    run: Run
    first: int
    last: int

    @property
    def count(self) -> int:
        """Return how many registers it has."""
        return self.last - self.first + 1

    def covers(self, register: Register) -> bool:
        """Tell whether a register lies in it."""
        inside = self.first <= register.address and register.last <= self.last
        return inside and self.run.space == register.space

    def widened(self, register: Register) -> _Window:
        """Return it with a register of its run, both ends on the run's steps."""
        begin = self.run.first
        first = min(self.first, register.address) - begin
        end = max(self.last, register.last) + 1 - begin
        step = self.run.step
        return replace(
            self,
            first=begin + first // step * step,
            last=begin + (end + step - 1) // step * step - 1,
        )

    def gap(self, register: Register) -> int:
        """Return how many registers lie between it and a register."""
        return max(register.address - self.last, self.first - register.last) - 1

    def sizes(self, rules: _Rules) -> list[int]:
        """Return the lengths it can be read with, its own first."""
        longest = min(rules.most, self.run.last - self.run.first + 1)
        return list(range(self.count, max(longest, self.count) + 1, self.run.step))

    def read(self, count: int) -> Read:
        """Return the read of so many registers that covers it."""
        start = min(self.first, self.run.last + 1 - count)
        return Read(space=self.run.space, start=start, count=count)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """The reads of all paces; `unasked` are the registers nobody wanted, if it counts."""

    reads: dict[Pace, tuple[Read, ...]]
    unasked: int = 0

    @property
    def twins(self) -> int:
        """Return how many fast reads are as long as another fast one."""
        fast = [read.count for read in self.reads[Pace.FAST]]
        return len(fast) - len(set(fast))

    @property
    def confusable(self) -> int:
        """Return how many reads are as long as a fast one."""
        fast = {read.count for read in self.reads[Pace.FAST]}
        lengths = [read.count for reads in self.reads.values() for read in reads]
        return sum(length in fast for length in lengths) - len(fast)

    @property
    def effort(self) -> tuple[int, ...]:
        """Return what makes a plan worse, the worst first."""
        reads = [read for reads in self.reads.values() for read in reads]
        registers = sum(read.count for read in reads)
        return self.twins, self.unasked, self.confusable, len(reads), registers


def plan_reads(
    profile: MeterProfile,
    pace: Pace,
    *,
    cautious: bool = False,
    without: AbstractSet[Measured] = frozenset(),
) -> tuple[Read, ...]:
    """Return the reads of a pace, the one with the power first.

    `cautious` is for a unit that refused these reads: it gets shorter ones, without
    gaps, of which slow ones may be as long as others. `without` leaves out what a unit
    does not have. Where all fast values do not fit into a second, for the silence a
    meter needs, or into reads that differ in length, only the power is fast. Raises
    ValueError where the limits allow no plan.
    """
    rules = _Rules(limits=profile.limits, cautious=cautious)
    wanted = {
        measured: quantity.registers
        for measured, quantity in profile.quantities.items()
        if measured not in without
    }
    for names in FAST_CHOICES:
        fast = [name for name in names if name in wanted]
        plan = _best(
            rules,
            [register for name in fast for register in wanted[name]],
            [r for name in wanted if name not in fast for r in wanted[name]],
            _identity(profile),
        )
        if plan.twins or (plan.confusable and not cautious):
            continue
        if len(plan.reads[Pace.FAST]) * profile.limits.spacing_s < 1:
            return plan.reads[pace]
    raise ValueError(f"No reads of {profile.id} keep to its limits")


def _best(
    rules: _Rules,
    fast: Sequence[Register],
    slow: Sequence[Register],
    identity: Sequence[Register],
) -> _Plan:
    """Return the plan with the least effort.

    Slow values that lie near a fast one may come along with it.
    """
    id_windows = _cover(rules, identity)
    plans = []
    cores = _cover(rules, fast)
    for windows in product(*(_extents(rules, core, slow) for core in cores)):
        rest = [r for r in slow if not any(w.covers(r) for w in windows)]
        slow_windows = _cover(rules, rest)
        others = slow_windows + id_windows
        counts = _lengths(rules, windows, others)
        reads = [
            window.read(count)
            for window, count in zip((*windows, *others), counts, strict=True)
        ]
        least = sum(window.count for window in (*windows, *others))
        slow_end = len(windows) + len(slow_windows)
        plans.append(
            _Plan(
                reads={
                    Pace.FAST: tuple(reads[: len(windows)]),
                    Pace.SLOW: tuple(reads[len(windows) : slow_end]),
                    Pace.IDENTITY: tuple(reads[slow_end:]),
                },
                unasked=sum(counts) - least if rules.cautious else 0,
            )
        )
    return min(plans, key=lambda plan: plan.effort)


def _cover(rules: _Rules, registers: Iterable[Register]) -> list[_Window]:
    """Return the fewest windows over registers, in the order the registers come in."""
    order = list(registers)
    windows: list[_Window] = []
    for register in sorted(order, key=lambda r: (r.space, r.address)):
        run = rules.run(register)
        if windows and windows[-1].run == run:
            wider = windows[-1].widened(register)
            bridges = windows[-1].gap(register) > 0
            if wider.count <= rules.most and not (bridges and rules.cautious):
                windows[-1] = wider
                continue
        single = _Window(run=run, first=register.address, last=register.last)
        windows.append(single.widened(register))
    return sorted(
        windows,
        key=lambda w: next(i for i, r in enumerate(order) if w.covers(r)),
    )


def _extents(rules: _Rules, core: _Window, slow: Iterable[Register]) -> list[_Window]:
    """Return a fast window as it is and with the slow registers on either side."""
    near = 0 if rules.cautious else NEAR
    mates = [r for r in slow if rules.run(r) == core.run]
    before = [r for r in mates if r.address < core.first]
    after = [r for r in mates if r.last > core.last]
    down = list(_grown(near, core, sorted(before, key=lambda r: -r.address)))
    up = list(_grown(near, core, sorted(after, key=lambda r: r.address)))
    joined = (replace(low, last=high.last) for low in down for high in up)
    return [core, *(w for w in joined if w.count <= rules.most and w != core)]


def _grown(
    near: int, window: _Window, registers: Iterable[Register]
) -> Iterator[_Window]:
    """Yield a window and what it becomes with each register until one is far."""
    yield window
    for register in registers:
        if window.gap(register) > near:
            return
        window = window.widened(register)
        yield window


def _lengths(
    rules: _Rules, fast: Sequence[_Window], others: Sequence[_Window]
) -> list[int]:
    """Return how long each read is to be, all different where that can be.

    First come the fast reads, which leave alone what another read cannot do without.
    """
    if rules.cautious:
        slow = [window.count for window in others]
        return [*_short_lengths(rules, fast, slow), *slow]
    sizes = [window.sizes(rules) for window in (*fast, *others)]
    chosen = [own[0] for own in sizes]
    taken = {own[0] for own in sizes[len(fast) :] if len(own) == 1}
    for indices in (range(len(fast)), range(len(fast), len(sizes))):
        for index in sorted(indices, key=lambda i: len(sizes[i])):
            own = sizes[index]
            chosen[index] = next((size for size in own if size not in taken), own[0])
            taken.add(chosen[index])
    return chosen


def _short_lengths(
    rules: _Rules, fast: Sequence[_Window], others: Sequence[int]
) -> list[int]:
    """Return how long each fast read is to be: as it is, or longer than an earlier one.

    A length that none of the `others` has is better, but not needed.
    """
    own = [window.count for window in fast]
    chosen: list[int] = []
    for window in fast:
        sizes = [window.count]
        # Units that refuse gaps may refuse what lies beside a value.
        longer = window.run.filled or not rules.limits.fallback_registers
        if window.count in chosen and longer:
            free = [size for size in window.sizes(rules) if size not in {*own, *chosen}]
            sizes = [size for size in free if size not in others] or free or sizes
        chosen.append(sizes[0])
    return chosen


def _identity(profile: MeterProfile) -> list[Register]:
    """Return the registers a meter is known by."""
    model = profile.identity.model
    return [*([] if model is None else [model]), *profile.identity.serial]
