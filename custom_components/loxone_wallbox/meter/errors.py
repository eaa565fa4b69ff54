"""What can go wrong between us and a meter.

Every failure of a link is a `MeterError`. Its `key` is why there is no reading, the same
word in a sample and in a translation.
"""

from enum import IntEnum, StrEnum, auto
from typing import ClassVar

from .model import Read


class Missing(StrEnum):
    """Why a second has no reading."""

    CANNOT_CONNECT = auto()
    NO_ANSWER = auto()
    # A gateway answered that the meter behind it does not.
    TARGET_SILENT = auto()
    # The meter answered that it will not give this.
    REFUSED = auto()
    WRONG_ANSWER = auto()
    # What answers is no meter of the chosen model.
    OTHER_METER = auto()
    # The meter answered that there is no such value at the moment.
    NO_VALUE = auto()
    # The read of an earlier second was still under way.
    UNDER_WAY = auto()
    # This machine was too busy to keep the second.
    TICK_MISSED = auto()
    # Reading ended in an error of our own, and has not begun anew yet.
    NOT_READ = auto()


class Refusal(IntEnum):
    """The exception codes of Modbus that say what of a read a meter refuses."""

    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3


class MeterError(Exception):
    """Any failure of a link to a meter."""

    key: ClassVar[Missing]


class CannotConnectError(MeterError):
    """There is no connection: gateway, port or serial device cannot be reached."""

    key = Missing.CANNOT_CONNECT


class NoAnswerError(MeterError):
    """The meter did not answer in time."""

    key = Missing.NO_ANSWER


class LateAnswerError(NoAnswerError):
    """Nothing was asked, because a late answer could pass for the one to it."""


class TargetSilentError(MeterError):
    """The gateway says that the meter behind it does not answer (code 10 or 11)."""

    key = Missing.TARGET_SILENT


class RefusedError(MeterError):
    """The meter refused a read."""

    key = Missing.REFUSED

    def __init__(self, code: int | None, read: Read) -> None:
        """Keep the exception code and what was asked."""
        super().__init__(f"Exception {code} to {read.count} from {read.start:#06x}")
        self.code = code
        self.read = read


class WrongAnswerError(MeterError):
    """What came in is no answer to what was asked."""

    key = Missing.WRONG_ANSWER


class OtherMeterError(MeterError):
    """What answers is no meter of the chosen model."""

    key = Missing.OTHER_METER
