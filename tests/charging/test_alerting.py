"""What is told, what is not told again, and what is told late."""

from datetime import UTC, datetime, timedelta

from custom_components.loxone_wallbox.charging.alerting import (
    KEPT,
    MOST_KEPT,
    AlertKind,
    AlertMemory,
    Condition,
    News,
)

START = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)
FAILED = News(kind=AlertKind.COMMAND_FAILED, about="allow")


def at(minutes: float) -> datetime:
    """Return an instant of the story."""
    return START + timedelta(minutes=minutes)


class Teller:
    """Takes news and conditions as they come, and knows what was told."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self.memory = AlertMemory()

    def news(self, news: News, minutes: float) -> bool:
        """Return whether news are told."""
        memory = self.memory.take(news, at(minutes))
        self.restart(memory or self.memory)
        return memory is not None

    def link(self, minutes: float, *, there: bool) -> bool:
        """Return whether the state of a link is told."""
        self.restart(self.memory)
        self.memory, told = self.memory.settle(link(there=there), at(minutes))
        return told

    def restart(self, memory: AlertMemory) -> None:
        """Keep only what goes to the disk."""
        self.memory = AlertMemory.from_dict(memory.as_dict())
        assert self.memory == memory


def link(*, there: bool) -> Condition:
    """Return how a link stands."""
    return Condition(
        name="link",
        value="ok" if there else "lost",
        usual="ok",
        kind=AlertKind.LINK_RESTORED if there else AlertKind.LINK_LOST,
    )


def test_news_repeat_after_half_an_hour() -> None:
    """Not a second earlier; another command is other news."""
    teller = Teller()
    assert teller.news(FAILED, 0)
    assert not teller.news(FAILED, 10)
    assert not teller.news(FAILED, 29.99)
    other = News(kind=AlertKind.COMMAND_FAILED, about="set_manual_limit")
    assert teller.news(other, 29.99)
    assert teller.news(FAILED, 30)


def test_what_is_told_once() -> None:
    """A session ends once, however often it is looked at; the next one is another."""
    teller = Teller()
    first, second = (
        News(kind=AlertKind.CHARGE_FINISHED, about=one, once=True) for one in "ab"
    )
    assert teller.news(first, 0)
    assert not teller.news(first, 600)
    assert teller.news(second, 1)


def test_a_condition_that_comes_and_goes() -> None:
    """It is told both ways once, and then as it stands when the half hour is over."""
    teller = Teller()
    assert not teller.link(0, there=True)
    assert teller.link(1, there=False)
    assert not teller.link(2, there=False)
    assert teller.link(3, there=True)
    assert not teller.link(4, there=False)
    assert teller.memory.due(link(there=False), at(4)) == at(31)
    assert not teller.link(30.9, there=False)
    assert teller.link(31, there=False)
    assert not teller.link(32, there=True)
    assert not teller.link(32.5, there=False)
    assert teller.memory.due(link(there=False), at(32.5)) is None


def test_the_first_look() -> None:
    """What has no usual value is taken note of; so is what is not worth an alert."""
    value = Condition(name="c", value="ok", kind=AlertKind.COMPLIANCE_CHANGED)
    memory, told = AlertMemory().settle(value, START)
    assert not told
    other = Condition(name="c", value="bad", kind=AlertKind.COMPLIANCE_CHANGED)
    memory, told = memory.settle(other, START)
    assert told
    silent = Condition(name="c", value="ok", kind=None)
    memory, told = memory.settle(silent, START)
    assert not told
    assert memory.settle(silent, START) == (memory, False)


def test_a_clock_that_is_set_back() -> None:
    """It keeps nothing from being told for hours."""
    teller = Teller()
    assert teller.news(FAILED, 0)
    assert teller.news(FAILED, -300)


def test_what_is_remembered() -> None:
    """Neither too old nor too much."""
    memory = AlertMemory()
    for number in range(MOST_KEPT + 5):
        news = News(kind=AlertKind.DSR_SOON, about=str(number), once=True)
        memory = memory.take(news, at(number)) or memory
    assert len(memory.told) == MOST_KEPT
    assert "dsr_soon|0" not in memory.told
    memory = memory.take(FAILED, START + KEPT + timedelta(days=1)) or memory
    assert list(memory.told) == ["command_failed|allow"]
