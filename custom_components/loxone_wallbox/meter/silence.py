"""Whether a meter is silent, or silent only to reads that are too long for it.

Some units refuse a long read, some do not answer it. When the reads of the plan have not
been answered for some ticks, every other tick tries short ones; where those are answered
each time, and the others not once, the plan has to change. In a storm of all kinds of
faults neither is so.
"""

from dataclasses import dataclass

# So often short reads have to be answered where the plan's own were not.
ENOUGH = 3


@dataclass(slots=True)
class SilentBlocks:
    """Counts ticks: silent ones in a row, and the short reads that were answered.

    `after` is how many silent ones give reason to try something shorter.
    """

    after: int
    silent: int = 0
    answered: int = 0

    @property
    def tries(self) -> bool:
        """Tell whether this tick is for short reads."""
        return self.silent >= self.after

    def fails(self, *, silent: bool) -> None:
        """Note a tick without a reading, because of silence or something else."""
        if self.tries or not silent:
            # The length is not what is wrong; now it is the plan's turn again.
            self.answered = 0
            self.silent = self.after - 1 if self.tries else 0
        else:
            self.silent += 1

    def answers(self) -> bool:
        """Note a tick with a reading; tell whether short reads have proven themselves."""
        self.answered = self.answered + 1 if self.tries else 0
        self.silent = 0
        return self.answered >= ENOUGH
