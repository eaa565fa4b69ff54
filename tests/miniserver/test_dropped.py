"""What a Miniserver tells and nobody can believe is counted, and told of now and then."""

from collections.abc import Callable
import math

import pytest

from . import tables
from .harness import Listener
from .structures import ONLINE, WALLBOX, document, parse, uuid
from custom_components.loxone_wallbox.miniserver.dropped import TOLD_EVERY_S, Dropped
from custom_components.loxone_wallbox.miniserver.frames import Kind
from custom_components.loxone_wallbox.miniserver.listener import ClientListener
from custom_components.loxone_wallbox.miniserver.states import StateStore
from custom_components.loxone_wallbox.miniserver.wallbox import Lock

POWER, LOCK = (tables.wire_uuid(uuid(number)) for number in (1, 6))
DIAGNOSTIC = tables.wire_uuid(uuid(100))


class Case:
    """A store whose clock is moved by hand, and who hears of what it drops."""

    def __init__(self) -> None:
        """Begin at an instant."""
        self.now = 1000.0
        self.listener = Listener()
        self.dropped = Dropped(lambda: self.now, self._tell)
        self.store = StateStore(parse(document()), self.dropped)

    def _tell(self, report: Callable[[ClientListener], None]) -> None:
        """Tell the listener at once."""
        report(self.listener)

    def power(self, value: float) -> float | None:
        """Take a power, and return it as it is shown."""
        self.store.take(Kind.VALUES, tables.values([(POWER, value)]))
        return self.store.wallbox(WALLBOX).power_kw

    def lock(self, text: str) -> Lock | None:
        """Take the text of a lock, and return it as it is shown."""
        self.store.take(Kind.TEXTS, tables.texts([(LOCK, text)]))
        return self.store.wallbox(WALLBOX).lock


@pytest.fixture
def case() -> Case:
    """Return a case."""
    return Case()


def test_what_is_believed_is_not_counted(case: Case) -> None:
    """Also noise below zero, which is zero."""
    assert (case.power(1.0), case.power(-0.01)) == (1.0, 0.0)
    assert case.dropped.counts(WALLBOX) == {}
    assert case.listener.dropped == []


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e9])
def test_a_value_is_counted_once(case: Case, value: float) -> None:
    """However often it is looked at while it stays."""
    assert case.power(value) is None
    case.lock("")
    assert case.store.wallbox(WALLBOX).power_kw is None
    assert case.dropped.counts(WALLBOX) == {"actual": 1}
    assert case.listener.dropped == [(WALLBOX, "actual", 1)]


def test_a_storm(case: Case) -> None:
    """All are counted; the first is told of at once, the others once an hour."""
    for number in range(10):
        case.power(1e9 + number)
    assert case.dropped.counts(WALLBOX) == {"actual": 10}
    assert case.listener.dropped == [(WALLBOX, "actual", 1)]
    case.now += TOLD_EVERY_S
    case.power(1e9)
    assert case.listener.dropped[1:] == [(WALLBOX, "actual", 10)]


def test_a_clock_that_was_set_back(case: Case) -> None:
    """Nothing waits for the old time to come again."""
    case.power(1e9)
    case.now -= 5000
    case.power(2e9)
    assert len(case.listener.dropped) == 2


def test_a_diagnostic_control(case: Case) -> None:
    """It is counted under its own id."""
    for _ in range(2):
        case.store.take(Kind.VALUES, tables.values([(DIAGNOSTIC, math.nan)]))
        assert case.store.diagnostic(ONLINE) is None
        assert case.store.diagnostic(ONLINE) is None
    assert sum(case.dropped.counts(ONLINE).values()) == 2


@pytest.mark.parametrize(
    "text", ["x", "[]", '{"locked":{}}', '{"reason":"x"}', '{"locked": ']
)
def test_a_lock_that_cannot_be_read(case: Case, text: str) -> None:
    """It does not set a wallbox free: what was known last stands."""
    assert case.lock(text) is None
    locked = case.lock('{"locked":1,"reason":"holiday"}')
    assert locked is not None
    assert case.lock(text) == locked
    assert case.dropped.counts(WALLBOX) == {"jLocked": 2}
    assert case.lock("") is None
    assert case.dropped.counts(WALLBOX) == {"jLocked": 2}
