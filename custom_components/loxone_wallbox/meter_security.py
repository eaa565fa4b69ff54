"""What the security log is told of a wallbox's meter.

Takes each sample that was judged and what the owner answers, gives events. A meter that
is wrong for good is told of once and then once an hour, never each second.
"""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import callback

from .meter.checks import Fault
from .meter.counter import Question
from .meter.rejections import Rejection, Rejections
from .meter.sample import MeterSample
from .records.security_record import utc_text
from .rights import SecurityEvent, SecuritySink


class MeterSecurity:
    """What is told of one meter."""

    def __init__(self, title: str, sink: SecuritySink) -> None:
        """Take the name of the wallbox, and who is told."""
        self._title = title
        self._sink = sink
        self._rejections = Rejections()

    @callback
    def take(self, sample: MeterSample, rejected: Fault | None) -> None:
        """Take a sample and what of it was not believed."""
        self._tell(self._rejections.take(sample, rejected))

    @callback
    def stop(self) -> None:
        """Tell what has not been told yet: nothing comes any more."""
        self._tell(self._rejections.flush())

    @callback
    def replaced(self, question: Question, user_id: str | None) -> None:
        """Tell that the owner says the meter was replaced."""
        self._sink(
            SecurityEvent(
                kind="meter_replaced",
                outcome="info",
                user_id=user_id,
                detail={"wallbox": self._title, **question.finding.data},
            )
        )

    def _tell(self, rejections: list[Rejection]) -> None:
        """Tell what was rejected: it came from outside and went no further."""
        for one in rejections:
            self._sink(
                SecurityEvent(
                    kind="invalid_input",
                    outcome="attempt_failed",
                    source="network",
                    detail=_detail(one),
                )
            )


def _detail(one: Rejection) -> dict[str, Any]:
    """Return what is told of a rejection."""
    detail: dict[str, Any] = {"what": "meter", "reason": one.reason}
    if one.measured:
        detail |= {"measured": one.measured, "value": one.value}
    if one.repeated:
        span = {name: _text(getattr(one, name)) for name in ("first", "last")}
        detail |= {"repeated": one.repeated, **span}
    return detail


def _text(at: float) -> str:
    """Return an instant as the log has it."""
    return utc_text(datetime.fromtimestamp(at, UTC))
