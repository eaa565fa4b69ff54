"""Single lives of a wallbox, told step by step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from .machine_wish import NIGHT
from .machine_world import World
from custom_components.loxone_wallbox.charging.dsr import DsrEvent, DsrKind
from custom_components.loxone_wallbox.charging.wish import Reason
from custom_components.loxone_wallbox.rights import Actor

OWNER = Actor(user_id="owner", by_hand=True)
BEHALF = Actor(user_id=None, by_hand=True)
AUTOMATION = Actor(user_id=None, by_hand=False)

type Make = Callable[..., Life]


class Life(World):
    """A world without a judge of its own; only what is asserted counts."""

    def go(self, text: str) -> None:
        """Go on to a time of day in UTC, today or tomorrow."""
        until = datetime.fromisoformat(f"{self.now:%Y-%m-%d}T{text}").replace(
            tzinfo=UTC
        )
        self.wait(until if until > self.now else until + timedelta(days=1))

    def do(self, act: Any) -> Any:
        """Have somebody act; returns the task, which may not be done yet."""
        task = self.loop.create_task(act)
        self.run()
        return task

    @property
    def commands(self) -> list[str]:
        """Return what the wallbox was told, with the instants."""
        return [f"{one.at:%H:%M:%S} {one.command.text}" for one in self.judge.given_log]

    @property
    def acts(self) -> Any:
        """Return what can be done to the wallbox."""
        return self.face.acts

    @property
    def target_kw(self) -> float:
        """Return the decided power."""
        decision = self.controller.decision
        assert decision is not None
        return decision.target.power_kw

    @property
    def reason(self) -> Reason:
        """Return why."""
        decision = self.controller.decision
        assert decision is not None
        return decision.reason


@contextmanager
def single_lives() -> Iterator[Make]:
    """Build worlds of an 11 kW wallbox in Britain, and clear them away."""
    worlds: list[Life] = []

    def make(start: str, **changes: Any) -> Life:
        """Start a world on a Wednesday in winter."""
        usual: dict[str, Any] = {
            "profile": "gb_2021",
            "hours": NIGHT,
            "utc": False,
            "strict": False,
            "delays": True,
            "large": True,
            "managed": False,
            "draws": [100],
        }
        at = datetime.fromisoformat(f"2027-01-13T{start}").replace(tzinfo=UTC)
        world = Life(start=at, **{**usual, **changes})
        worlds.append(world)
        world.start()
        return world

    yield make
    # The last first: each gives the clock back to the one that was before it.
    for world in reversed(worlds):
        world.close()


def event(world: Life, start: int, length: int, **changes: Any) -> DsrEvent:
    """Return a limit of 6 kW that starts in some seconds."""
    begin = world.now + timedelta(seconds=start)
    usual: dict[str, Any] = {
        "event_id": "A",
        "kind": DsrKind.LIMIT,
        "limit_kw": 6.0,
        "heard_at": world.now,
        "start": begin,
        "end": begin + timedelta(seconds=length),
    }
    return DsrEvent(**{**usual, **changes})
