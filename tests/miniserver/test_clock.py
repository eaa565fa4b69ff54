"""A Miniserver's clock: read over a real connection, and compared."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from .harness import config, house
from custom_components.loxone_wallbox.miniserver import MiniserverClock, Verdict
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    ClockUnknownError,
    CommandError,
    MissingRightError,
    NotConnectedError,
)
from simulator import ManualClock, Simulator

pytestmark = pytest.mark.usefixtures("socket_enabled")

LONDON = ZoneInfo("Europe/London")
VIENNA = ZoneInfo("Europe/Vienna")


def utc(text: str) -> datetime:
    """Return an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of(clock: ManualClock) -> Callable[[], datetime]:
    """Return our own clock, which is the world's."""
    return lambda: datetime.fromtimestamp(clock.time(), UTC)


def shows(local: str, at: str) -> MiniserverClock:
    """Return what was read of a clock."""
    return MiniserverClock(local=datetime.fromisoformat(local), at=utc(at))


@pytest.mark.parametrize("generation", [1, 2])
async def test_read(generation: int) -> None:
    """The date and time of the wall, encrypted or on TLS, and when that was."""
    clock = ManualClock(utc("2027-07-01T11:59:30").timestamp())
    settings = config(generation=generation, timezone="Europe/Vienna")
    async with house(settings, clock=clock) as home:
        client = await home.connected()
        read = await client.clock(of(clock))
        assert read == shows("2027-07-01T13:59:30", "2027-07-01T11:59:30")
        assert read.verdict(VIENNA) is Verdict.RIGHT
        assert read.verdict(LONDON) is Verdict.OTHER_ZONE
        home.sim.fault("clock_off", seconds=-90)
        read = await client.clock(of(clock))
        assert read.ahead(VIENNA) == timedelta(seconds=-90)
        assert read.verdict(VIENNA) is Verdict.OFF
        home.sim.clear()
        home.sim.fault("clock_zone", zone="Asia/Kathmandu")
        read = await client.clock(of(clock))
        assert read.ahead(VIENNA) == timedelta(hours=3, minutes=45)


@pytest.mark.parametrize(
    ("code", "error"),
    [(404, CommandError), (403, MissingRightError), (401, AuthenticationError)],
)
async def test_refused(code: int, error: type[Exception]) -> None:
    """Who may not ask is told so, and the link stays."""
    async with house() as home:
        client = await home.connected()
        home.sim.fault("no_clock", code=code)
        with pytest.raises(error):
            await client.clock(lambda: datetime.now(UTC))
        assert client.connected
        await client.allow(home.box, False)
        assert client.connections == 1


async def test_without_a_link() -> None:
    """There is nobody to ask."""
    async with house() as home:
        with pytest.raises(NotConnectedError):
            await home.client().clock(lambda: datetime.now(UTC))


async def test_gibberish(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no time is no clock, and no reason to end the link."""
    async with house() as home:
        client = await home.connected()
        home.sim.fault("empty_answer", match="sys/time", times=1)
        with pytest.raises(CommandError):
            await client.clock(lambda: datetime.now(UTC))
        far = datetime(9999, 12, 31, tzinfo=UTC)
        monkeypatch.setattr(home.sim.unit, "wall_clock", Words)
        with pytest.raises(ClockUnknownError):
            await client.clock(lambda: far)
        assert client.connected


class Words:
    """A clock that does not tell the time."""

    def strftime(self, _form: str) -> str:
        """Return what is no time."""
        return "half past ten"


@pytest.mark.parametrize("after", ["date", "time"])
async def test_midnight(monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    """A day that ends between two questions is no day's difference."""
    clock = ManualClock(utc("2027-01-13T23:59:59").timestamp())
    async with house(clock=clock) as home:
        client = await home.connected()
        go_on_after(home.sim, clock, monkeypatch, after)
        read = await client.clock(of(clock))
        assert abs(read.ahead(LONDON)) <= timedelta(seconds=1)
        assert read.at >= utc("2027-01-13T23:59:59")
        assert of(clock)() == utc("2027-01-14T00:00:00")


def go_on_after(
    sim: Simulator, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Let a second pass after the Miniserver's first answer to a question."""
    form = {"date": "%Y-%m-%d", "time": "%H:%M:%S"}[what]
    passed: list[str] = []
    wall_clock = sim.unit.wall_clock

    class Passing:
        """A clock that goes on once it was read."""

        def strftime(self, asked: str) -> str:
            """Return what it shows."""
            shown = wall_clock().strftime(asked)
            if asked == form and not passed:
                passed.append(asked)
                clock.advance(1)
            return shown

    monkeypatch.setattr(sim.unit, "wall_clock", Passing)


@pytest.mark.parametrize(
    ("local", "at", "verdict"),
    [
        # Winter, summer; a minute is not yet too much.
        ("2027-01-13T12:00:00", "2027-01-13T12:00:00", Verdict.RIGHT),
        ("2027-07-13T13:01:00", "2027-07-13T12:00:00", Verdict.RIGHT),
        ("2027-07-13T13:01:01", "2027-07-13T12:00:00", Verdict.OFF),
        ("2027-07-13T12:58:59", "2027-07-13T12:00:00", Verdict.OFF),
        # Another zone, also with a clock that is a little off and beyond midnight.
        ("2027-07-13T14:00:00", "2027-07-13T12:00:00", Verdict.OTHER_ZONE),
        ("2027-07-13T12:00:45", "2027-07-13T12:00:00", Verdict.OTHER_ZONE),
        ("2027-07-14T08:30:00", "2027-07-13T23:00:00", Verdict.OTHER_ZONE),
        # Both at once, a quarter of an hour, and days: a clock that nobody set.
        ("2027-07-13T14:02:00", "2027-07-13T12:00:00", Verdict.OFF),
        ("2027-07-13T13:15:00", "2027-07-13T12:00:00", Verdict.OFF),
        ("2027-07-15T13:00:00", "2027-07-13T12:00:00", Verdict.OFF),
        ("2009-01-01T00:00:00", "2027-07-13T12:00:00", Verdict.OFF),
        # Autumn: 01:30 comes twice, and is right both times.
        ("2026-10-25T01:30:00", "2026-10-25T00:30:00", Verdict.RIGHT),
        ("2026-10-25T01:30:00", "2026-10-25T01:30:00", Verdict.RIGHT),
        # One clock has changed already and the other not yet.
        ("2026-10-25T01:59:40", "2026-10-25T01:00:10", Verdict.UNSURE),
        ("2026-10-25T02:00:10", "2026-10-25T01:00:10", Verdict.UNSURE),
        ("2026-10-25T01:00:30", "2026-10-25T00:59:50", Verdict.UNSURE),
        ("2027-03-28T00:59:50", "2027-03-28T01:00:10", Verdict.UNSURE),
        ("2027-03-28T01:30:00", "2027-03-28T01:30:00", Verdict.UNSURE),
        # Two hours later that is no excuse any more.
        ("2027-03-28T03:00:00", "2027-03-28T03:00:00", Verdict.OTHER_ZONE),
        ("2026-10-25T04:00:00", "2026-10-25T03:00:00", Verdict.OTHER_ZONE),
        # In the night of the change a clock may simply be wrong too.
        ("2027-03-28T01:35:00", "2027-03-28T00:30:00", Verdict.OFF),
    ],
)
def test_verdict(local: str, at: str, verdict: Verdict) -> None:
    """A wrong clock, another zone and the hour of a clock change are told apart."""
    assert shows(local, at).verdict(LONDON) is verdict
