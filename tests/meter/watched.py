"""A meter each of whose answers is like no other, and a link whose answers are checked.

A late answer is well-formed and plausible; that it belongs to another request shows only
where the values themselves tell. Here they do: every word an answer carries comes from
the number of the request and from its own address.
"""

from collections import Counter, deque
from typing import override

from custom_components.loxone_wallbox.meter.errors import MeterError
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.link import GuardedLink, MeterLink
from custom_components.loxone_wallbox.meter.model import MeterProfile, Pace, Read
from simulator.meters.meter import SimulatedMeter

# Below every marker of a value that is missing; words repeat after so many requests.
MODULUS = 0x3FFD
# Only the answers that a read can bring are kept.
KEPT = 64
FUNCTIONS = {3: "holding", 4: "input"}


class Stamp:
    """The values of a meter, replaced by such that tell their request.

    Who the meter is stays the truth, or it would not be read.
    """

    def __init__(
        self, meter: SimulatedMeter, profile: MeterProfile, first: int = 0
    ) -> None:
        """Take a meter over; `first` tells several of them apart."""
        self.number = first
        self.answers: deque[tuple[int, Read, list[int]]] = deque(maxlen=KEPT)
        self._true = meter.words
        self._plain = {
            (read.space, read.start, read.count)
            for fit in (Fit(), Fit(cautious=True))
            for read in fit.reads(profile, Pace.IDENTITY)
        }
        meter.words = self._words  # type: ignore[method-assign]

    def _words(self, function: int, address: int, count: int) -> list[int]:
        """Return the words of an answer, and remember them."""
        space = FUNCTIONS[function]
        words = self._true(function, address, count)
        self.number += 1
        if (space, address, count) not in self._plain:
            words = [
                (self.number + 31 * place) % MODULUS
                for place in range(address, address + count)
            ]
        read = Read(space=space, start=address, count=count)  # type: ignore[arg-type]
        self.answers.append((self.number, read, words))
        return words


class WatchedLink(MeterLink):
    """A link that counts which of its answers are those to their requests."""

    def __init__(self, link: GuardedLink, stamp: Stamp) -> None:
        """Take a link to a meter that is stamped."""
        self.link = link
        self.stamp = stamp
        self.came: Counter[str] = Counter()
        self.wrong: list[tuple[Read, list[int]]] = []
        self.budget_s = link.budget_s
        self.requests = 0

    @property
    @override
    def generation(self) -> int:
        """Return the number of the connection that the next read will be on."""
        return self.link.generation

    @override
    async def read(self, read: Read) -> list[int]:
        """Return the words of a read, which the meter must have said since."""
        since = self.stamp.number
        self.came["asked"] += 1
        try:
            words = await self.link.read(read)
        except MeterError as err:
            self.came[type(err).__name__] += 1
            raise
        said = ((one, answer) for at, one, answer in self.stamp.answers if at > since)
        right = (read, words) in said
        self.came["right" if right else "wrong"] += 1
        if not right:
            self.wrong.append((read, words))
        return words

    @override
    async def drop(self) -> None:
        """End the connection; the next read makes a new one."""
        await self.link.drop()

    @override
    async def close(self) -> None:
        """Leave nothing behind."""
        await self.link.close()
