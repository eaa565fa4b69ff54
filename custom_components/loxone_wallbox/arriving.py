"""How a session begins when the Miniserver tells of a car.

Mostly the car came just now. But a wallbox whose own link was cut tells nothing of those
that come meanwhile, and the Miniserver's word is an old one although it is there itself:
then the counter has risen while no car was known. Takes the look at the wallbox and the
counter, gives the session with all that its car has taken. What may go wrong: since when
the car is there comes a moment after the car itself, so that is waited for.
"""

from datetime import datetime, timedelta

from .charging.following import LATE
from .charging.rest import FORGOTTEN_WH, WORD_LATE_WH, Rest
from .charging.session_book import SessionBook
from .charging.slices import SessionRules
from .charging.step import Step
from .charging.tally import Reading
from .session_facts import SessionFacts
from .session_source import EnergySource


class Arriving:
    """Begins the sessions of one wallbox."""

    def __init__(self, source: EnergySource, rules: SessionRules) -> None:
        """Take whose counter it is."""
        self._source = source
        self._rules = rules
        # When a car was told of that has been there for longer, until more is known.
        self._told_at: datetime | None = None

    def left(self) -> None:
        """Take note that no car is there."""
        self._told_at = None

    def step(self, book: SessionBook, facts: SessionFacts) -> Step | None:
        """Return how its session begins, None while more is to be told of it."""
        rest = self._rested(book, facts)
        if rest is None or not rest.moved or self._is_new(rest):
            self._told_at = None
            return self._seen(book, facts, rest)
        if self._named(book, facts) is None:
            if self._told_at is None:
                self._told_at = facts.at
            if timedelta() <= facts.at - self._told_at <= LATE:
                return None
        self._told_at = None
        reading = self._source.reading(facts)
        found = facts.found(None, reading, book.idle_since, book.last_visit)
        return found.noted(book).resumed(found, self._rules)

    def _seen(self, book: SessionBook, facts: SessionFacts, rest: Rest | None) -> Step:
        """Begin the session of a car that came just now."""
        visit = self._named(book, facts)
        stale = visit is None and facts.visit_id is not None
        wh = self._source.start_wh(facts.at, awaited=book.awaits)
        if rest is not None and wh is not None and rest.wh - wh <= FORGOTTEN_WH:
            # It may have charged a moment before the word of it arrived, and a restart
            # may have forgotten a step that the counter has not finished.
            wh = rest.wh if rest.moved else max(wh, rest.wh)
        at = facts.at if stale else facts.plugged_at
        return book.plugged(at, self._rules, wh, visit)

    def _rested(self, book: SessionBook, facts: SessionFacts) -> Rest | None:
        """Return where the counter rested before the car came, None if unknown."""
        if book.rest is None or book.awaits:
            return None
        return book.rest.follows(self._reading(facts), self._rules)

    def _is_new(self, rest: Rest) -> bool:
        """Tell whether so little has flowed that the car may have come just now."""
        total = self._source.last_wh
        return total is None or 0 <= total - rest.wh <= WORD_LATE_WH

    def _reading(self, facts: SessionFacts) -> Reading:
        """Return what the counter shows, without who uses it now."""
        return Reading(at=facts.at, wh=self._source.last_wh)

    def _named(self, book: SessionBook, facts: SessionFacts) -> str | None:
        """Return the Miniserver's name of the stay, None while it has the last one's."""
        last = None if book.closing is None else book.closing.visit_id
        known = {None, last, book.last_visit}
        return None if facts.visit_id in known else facts.visit_id
