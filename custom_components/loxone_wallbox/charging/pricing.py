"""The prices of a wallbox's sessions: the book of tariffs, and what was replaced.

Takes records as the energy makes them, gives them with prices; takes another book, gives
whose cost it changes. Plain data that outlives a restart.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Self

from .costing import TariffBook, priced
from .following import OpenSession
from .money import TariffError
from .price_memory import PriceMemory, agreed, within
from .price_words import quarter_of
from .session import Repricing, SessionRecord, read_repricing, to_plain
from .session_book import SessionBook
from .slices import SessionRules
from .step import Step
from .transition import Transition, TransitionKind

# A time without us is cut so often at most; prices find their part of it nevertheless.
MOST_CUTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """The tariffs, and the prices that were replaced in sessions that still change."""

    tariffs: TariffBook = field(default_factory=TariffBook)
    replaced: Mapping[str, tuple[Repricing, ...]] = field(default_factory=dict)
    memory: PriceMemory = field(default_factory=PriceMemory, compare=False)

    def priced(self, record: SessionRecord, at: datetime) -> SessionRecord:
        """Return a record with what is known of its prices at an instant."""
        replaced = self.replaced.get(record.id, record.repricings)
        record = replace(record, repricings=replaced)
        return self.memory.priced(record, self.tariffs, at)

    def taken(
        self, tariffs: TariffBook, records: Iterable[SessionRecord], at: datetime
    ) -> tuple[Self, frozenset[str]]:
        """Take another book; `records` are those of the sessions that still change.

        Returns the prices, and the ids of the sessions of which a price was replaced or
        that have ended and have another one.
        """
        replaced, changed = {}, set()
        same = agreed(self.tariffs, tariffs)
        for record in records:
            ended = record.disconnected_utc is not None
            before = self.priced(record, at)
            since = None if ended else quarter_of(at)
            after = priced(
                before,
                tariffs,
                at,
                being_said=since,
                stays=lambda one: within(one, same),
            )
            if after.repricings:
                replaced[record.id] = after.repricings
            if after.repricings != before.repricings or (ended and after is not before):
                changed.add(record.id)
        prices = replace(self, tariffs=tariffs, replaced=replaced)
        return prices, frozenset(changed)

    def cuts(
        self, since: datetime, at: datetime, present: str | None
    ) -> Iterator[tuple[datetime, str | None]]:
        """Give where another price began after an instant and up to another."""
        edges = self.tariffs.edges(since, at)[-MOST_CUTS:]
        for edge in (*edges, at):
            price_id = self.tariffs.price_id(edge)
            if price_id != present:
                present = price_id
                yield edge, price_id

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "tariffs": self.tariffs.as_dict(),
            "replaced": {
                name: [to_plain(one) for one in replaced]
                for name, replaced in self.replaced.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], zone: tzinfo) -> Self:
        """Read plain data. Raises `TariffError` for what cannot be read."""
        try:
            return cls(
                tariffs=TariffBook.from_dict(data["tariffs"], zone),
                replaced={
                    name: tuple(read_repricing(one) for one in replaced)
                    for name, replaced in data["replaced"].items()
                },
            )
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
        ) as err:
            if isinstance(err, TariffError):
                raise
            raise TariffError("tariff_unreadable") from err


def told_again(
    book: SessionBook, ids: Container[str], at: datetime, rules: SessionRules
) -> Step:
    """Tell of sessions again whose cost is another one; their energy is the same."""

    def again(session: OpenSession | None) -> OpenSession | None:
        """Return a session with another revision, if it is one of them."""
        if session is None or session.id not in ids:
            return session
        return replace(session, revision=session.revision + 1)

    sessions = again(book.closing), again(book.open)
    kind = TransitionKind.SESSION_CORRECTED
    told = tuple(
        Transition(kind=kind, at=at, record=session.record(rules))
        for session in sessions
        if session is not None and session.id in ids
    )
    book = replace(book, closing=sessions[0], open=sessions[1])
    return Step(book=book, told=told, save=True)
