"""An energy total that never falls and never jumps, from the counter of a meter.

Takes readings in the order they were made, gives the total in Wh and, rarely, a
finding. A reading that cannot follow the last one is held in quarantine until more of
its kind have come: a single zero, the answer of another meter and a counter that was
exchanged all look alike at first.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from .findings import Finding, FindingKind
from .plain import UNREADABLE, finite, finite_or_none, text_or_none
from .quarantine import (
    POLLS,
    CounterRules,
    Doubt,
    Reading,
    Segment,
    known_serial,
    same_meter,
)

__all__ = [
    "Answer",
    "Counter",
    "CounterRules",
    "Question",
    "Reading",
    "known_serial",
]

# Without any memory two polls that agree are enough to begin, unless they are zero.
FIRST_POLLS = 2
# The total is written to the disk no more often than this.
SAVE_S = 60.0


class Answer(StrEnum):
    """What an owner can say to a question."""

    REPLACED = "replaced"
    RESET = "reset"
    GLITCH = "glitch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A break that nobody has answered: what was seen and what was before.

    `first_wh` is what the other counter began with.
    """

    kind: FindingKind
    before: Segment
    first_wh: float
    serial: str | None
    at: float

    @classmethod
    def about(cls, before: Segment, doubt: Doubt) -> Self:
        """Return the question whether a counter was replaced, reset or misread."""
        kind = FindingKind.METER_JUMPED
        if not same_meter(before.serial, doubt.serial):
            kind = FindingKind.METER_REPLACED
        elif doubt.first_wh < before.wh:
            kind = FindingKind.METER_RESET
        return cls(
            kind=kind,
            before=before,
            first_wh=doubt.first_wh,
            serial=doubt.serial,
            at=doubt.at,
        )

    @property
    def finding(self) -> Finding:
        """Return what to ask the owner; serial numbers are empty where unknown."""
        return Finding(
            kind=self.kind,
            data={
                "last_kwh": round(self.before.wh / 1000, 3),
                "first_kwh": round(self.first_wh / 1000, 3),
                "serial_before": self.before.serial or "",
                "serial_after": self.serial or "",
            },
        )

    def repeats(self, denied: Self | None) -> bool:
        """Tell whether it asks what was answered with a glitch just before."""
        if denied is None:
            return False
        same = same_meter(self.serial, denied.serial)
        return self.kind is denied.kind and same

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read plain data. Raises one of `plain.UNREADABLE` where it makes no sense."""
        return cls(
            kind=FindingKind(data["kind"]),
            before=Segment.from_dict(data["before"]),
            first_wh=finite(data["first_wh"]),
            serial=text_or_none(data["serial"]),
            at=finite(data["at"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """What must outlive a restart; `total_wh` is None before the first reading.

    Until a question is answered the total goes on from what the other counter adds. A
    question that another break overtakes counts as answered so. `denied` is a question
    that was answered with a glitch, until a reading is believed.
    """

    total_wh: float | None = None
    segment: Segment | None = None
    doubt: Doubt | None = None
    question: Question | None = None
    denied: Question | None = None

    @property
    def reading_wh(self) -> float | None:
        """Return the last reading that was believed."""
        return None if self.segment is None else self.segment.wh

    @property
    def in_doubt(self) -> bool:
        """Tell whether readings are held back: a good time to read the serial again."""
        return self.doubt is not None

    def doubts(self, reading: Reading, rules: CounterRules) -> bool:
        """Tell whether a reading just taken is held back and follows from nothing.

        What an outage or a counter that rolled over explains is held back only until
        there are more of its kind.
        """
        segment = self.segment
        if self.doubt is None or segment is None or segment.explains(reading, rules):
            return False
        return segment.rolled_over(reading, rules) is None

    def take(
        self, reading: Reading, rules: CounterRules
    ) -> tuple[Self, Finding | None]:
        """Take a reading; return the counter after it and what is to be told."""
        if not reading.sane:
            return self, None
        segment = self.segment
        if segment is not None and segment.continued_by(reading, rules):
            return self._counted(segment.moved_to(reading), self.question), None
        if self.doubt is None:
            doubt = Doubt.begun(reading)
        else:
            doubt = self.doubt.joined(reading, rules)
        if segment is None:
            return self._begun(doubt, rules), None
        return self._judged(segment, doubt, reading, rules)

    def answer(self, answer: Answer) -> Self:
        """Take the owner's word for what the last break was.

        A replaced or reset counter goes on as it does. After a glitch the counter is
        the one from before: what it counted meanwhile is booked as soon as it is read,
        less what was booked in the glitch. The total stays where it is. Where the
        readings go on as they are, the same is not asked again, see `_settled`.
        """
        question = self.question
        if question is None:
            return self
        if answer is Answer.GLITCH:
            return replace(self._counted(question.before, None), denied=question)
        return replace(self, question=None)

    def reconsidered(self, at: float, rules: CounterRules) -> Self:
        """Judge a jump anew, when the clock turns out to have been behind until now.

        `at` is the right instant. Where the time explains the jump the counter is the
        one from before, and the next readings book what it counted and withdraw the
        question. A machine that slept, or started without the right time, learns late
        how long that was.
        """
        question, segment = self.question, self.segment
        if question is None or segment is None:
            return self
        last = Reading(wh=segment.wh, at=at, step_wh=0.0, serial=segment.serial)
        jumped = question.kind is FindingKind.METER_JUMPED
        if not (jumped and question.before.explains(last, rules)):
            return self
        return replace(self, segment=question.before, doubt=None)

    def worth_saving(self, saved: Self | None, seconds: float) -> bool:
        """Tell whether to write it, so many seconds after `saved` was written.

        A break is written at once. What readings add waits for a minute: until then
        the meter itself remembers it.
        """
        if saved is None or _breaks(self) != _breaks(saved):
            return True
        return self.total_wh != saved.total_wh and seconds >= SAVE_S

    def _begun(self, doubt: Doubt, rules: CounterRules) -> Self:
        """Begin at the first readings that agree; a zero has to prove itself longer."""
        likely = doubt.polls >= FIRST_POLLS and doubt.first_wh > 0
        if not (likely or doubt.confirmed(rules)):
            return replace(self, doubt=doubt)
        return self._counted(doubt.segment(doubt.first_wh, None), None)

    def _judged(
        self, segment: Segment, doubt: Doubt, reading: Reading, rules: CounterRules
    ) -> tuple[Self, Finding | None]:
        """Decide what readings are that agree with each other only."""
        held = replace(self, doubt=doubt)
        if doubt.polls < POLLS:
            return held, None
        # One of them may have come without the serial number that the others had.
        reading = replace(reading, serial=doubt.serial)
        if (followed := self._followed(segment, reading, rules)) is not None:
            return followed
        if not doubt.confirmed(rules):
            return held, None
        if segment.explains_untimed(reading, rules):
            return self._counted(segment.moved_to(reading), self.question), None
        return self._broken(segment, doubt, reading, rules)

    def _followed(
        self, segment: Segment, reading: Reading, rules: CounterRules
    ) -> tuple[Self, Finding | None] | None:
        """Return it where the time since the last reading explains another one."""
        question = self.question
        if question is not None:
            before = question.before
            before = before.rolled_over(reading, rules) or before
            if before.explains(reading, rules):
                told = replace(question.finding, kind=FindingKind.METER_RECOVERED)
                return self._counted(before.moved_to(reading), None), told
        if segment.explains(reading, rules):
            return self._counted(segment.moved_to(reading), question), None
        return None

    def _broken(
        self, segment: Segment, doubt: Doubt, reading: Reading, rules: CounterRules
    ) -> tuple[Self, Finding | None]:
        """Go on with what is no glitch and follows from nothing that is known."""
        asked = Question.about(segment, doubt)
        if (rolled := segment.rolled_over(reading, rules)) is not None:
            told = replace(asked.finding, kind=FindingKind.METER_ROLLED_OVER)
            return self._counted(rolled.moved_to(reading), self.question), told
        if asked.repeats(self.denied):
            return self._settled(segment, doubt, reading, rules), None
        opened = doubt.segment(self.total_wh or 0.0, segment.serial)
        return self._counted(opened, asked), asked.finding

    def _settled(
        self, segment: Segment, doubt: Doubt, reading: Reading, rules: CounterRules
    ) -> Self:
        """Go on with readings that the owner called wrong, and that stay as they are.

        They are not wrong, then. Where the same counter has risen by what a wallbox can
        draw in a day, that is booked: the owner has said that it goes on. Anything else
        adds nothing, as the total could never be taken back.
        """
        if segment.in_reach(reading, rules):
            return self._counted(segment.moved_to(reading), None)
        return self._counted(doubt.segment(self.total_wh or 0.0, segment.serial), None)

    def _counted(self, segment: Segment, question: Question | None) -> Self:
        """Count up to a segment's last reading, never down."""
        total = segment.total_wh
        if self.total_wh is not None:
            total = max(self.total_wh, total)
        return replace(
            self,
            total_wh=total,
            segment=segment,
            doubt=None,
            question=question,
            denied=None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self | None:
        """Read plain data, None where it makes no sense."""
        try:
            segment, doubt, question = (
                data[name] for name in ("segment", "doubt", "question")
            )
            denied = data.get("denied")
            return cls(
                total_wh=finite_or_none(data["total_wh"]),
                segment=None if segment is None else Segment.from_dict(segment),
                doubt=None if doubt is None else Doubt.from_dict(doubt),
                question=None if question is None else Question.from_dict(question),
                denied=None if denied is None else Question.from_dict(denied),
            )
        except UNREADABLE:
            return None


def _breaks(counter: Counter) -> tuple[Question | None, float | None, str | None]:
    """Return what changes only where a counter begins or ends."""
    segment = counter.segment
    if segment is None:
        return counter.question, None, None
    return counter.question, segment.offset_wh, segment.serial
