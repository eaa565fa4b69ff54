"""Which answers may still be on their way, and what may be asked meanwhile.

On RTU, on a serial line or through TCP, an answer names the meter, the function and its
own length, but not the request it belongs to. One that comes after its request was given
up is taken for the answer to the next request, the real one for the answer to the one
after that, and so on: well-formed, plausible and wrong for good. Modbus TCP numbers its
requests, but a gateway may have the same trouble on the serial line behind it.

Takes in the lengths of reads that got no sure answer; tells whether anything may be
asked (`quiet`) and of which lengths an answer could be an old one (`could_be`). Knows
no clock and no link. Two facts, of which one at a time may be untrue, keep a late answer
from passing for another:

* Order: a line answers one request after the other. So the right answer to a read whose
  length no awaited answer has proves that all of them are through (`clear`). Until then
  no read of an awaited length is believed.
* Time: what has not come within `late_s` of being given up does not come any more.
  Until then nothing is asked where numbers are missing and the link stayed open.

Time is not waited for where the link was dropped and took with it what was under way. A
serial port does not: what comes in after it was opened again is read all the same.
A meter that answers one request twice, the second time more than a second later, is
beyond this, as it is beyond anybody who does not see the line.
"""

# Six times the longest answer that a maker of meters documents.
LATE_S = 3.0


class LateAnswers:
    """The answers that may still come."""

    def __init__(
        self, *, numbered: bool, outlives_drop: bool, late_s: float = LATE_S
    ) -> None:
        """Start with none.

        `numbered` says that answers carry the number of their request, `outlives_drop`
        that dropping the link does not take away what is under way.
        """
        self._numbered = numbered
        self._outlives_drop = outlives_drop
        self._late_s = late_s
        # Length of the answer, and since when it is awaited.
        self._awaited: dict[int, float] = {}
        self._given_up_at = float("-inf")
        self._dropped = False

    def __bool__(self) -> bool:
        """Tell whether any answer may still come."""
        return bool(self._awaited)

    def give_up(self, count: int, now: float) -> None:
        """Await an answer of so many registers, whose request was given up now."""
        self._awaited[count] = self._given_up_at = now
        self._dropped = False

    def doubt(self, count: int, now: float) -> None:
        """Await an answer in whose place another one may have come."""
        self._awaited[count] = now

    def drop(self) -> None:
        """Note that the connection has ended."""
        self._dropped = True

    def clear(self) -> None:
        """Await nothing: an answer proved that all of them are through."""
        self._awaited.clear()

    def quiet(self, now: float) -> bool:
        """Tell whether anything may be asked."""
        if self._numbered or (self._dropped and not self._outlives_drop):
            return True
        return now - self._given_up_at >= self._late_s

    def could_be(self, count: int) -> bool:
        """Tell whether an answer of so many registers could be an old one."""
        return count in self._awaited

    def forget_old(self, now: float) -> None:
        """Stop awaiting what is overdue and what nothing holds back any more.

        For when every read that could prove the order is itself awaited. A link that
        stayed open may hold answers back for as long as it likes.
        """
        if not (self._numbered or self._dropped):
            return
        self._awaited = {
            count: since
            for count, since in self._awaited.items()
            if now - since < self._late_s
        }
