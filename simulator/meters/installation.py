"""All meters of a simulated house, and the lines they hang on."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..world import World
from .config import MeterConfig
from .meter import SimulatedMeter

if TYPE_CHECKING:
    from .line import Line

type _Key = tuple[str, str]


class Meters:
    """The meters by position; they measure from the start, lines open later."""

    def __init__(
        self,
        configs: Sequence[MeterConfig],
        world: World,
        host: str,
        log: Callable[[str], None],
    ) -> None:
        """Install the meters; what cannot be raises a ValueError."""
        names = [config.title for config in configs]
        if len(set(names)) != len(names):
            raise ValueError("two meters have the same name")
        self._meters = [SimulatedMeter(config, world, log) for config in configs]
        self._host = host
        self._log = log
        self._lines: list[Line] = []

    def __iter__(self) -> Iterator[SimulatedMeter]:
        """Return the meters one after the other."""
        return iter(self._meters)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._meters)

    def __getitem__(self, position: int) -> SimulatedMeter:
        """Return a meter by position."""
        return self._meters[position]

    def find(self, which: int | str) -> SimulatedMeter:
        """Return a meter by position or name; an unknown one raises a ValueError."""
        for position, meter in enumerate(self._meters):
            if which in (position, meter.name) and which is not True:
                return meter
        names = ", ".join(meter.name for meter in self._meters) or "none at all"
        raise ValueError(f"there is no meter {which!r}, only {names}")

    async def start(self) -> None:
        """Open all lines."""
        if not self._meters:
            return
        # pymodbus takes half a second to load, which only meters need.
        from .line import Line  # noqa: PLC0415

        grouped: dict[_Key, list[SimulatedMeter]] = {}
        for position, meter in enumerate(self._meters):
            grouped.setdefault(_key(meter.config, position), []).append(meter)
        for meters in grouped.values():
            first = meters[0].config
            line = Line(
                meters,
                link=first.link,
                host=self._host,
                log=self._log,
                # The port inside a serial device is nobody's concern.
                port=0 if first.link == "pty" else first.port,
                path=first.path,
            )
            self._lines.append(line)
            await line.start()

    async def stop(self) -> None:
        """Close all lines."""
        for line in self._lines:
            await line.stop()
        self._lines.clear()

    def tick(self) -> None:
        """Let every meter count and renew its registers."""
        for meter in self._meters:
            meter.update()

    def clear(self) -> None:
        """End all faults."""
        for meter in self._meters:
            meter.clear()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return the truth of every meter."""
        return [meter.truth() for meter in self._meters]


def _key(config: MeterConfig, position: int) -> _Key:
    """Return what meters on the same wires have in common."""
    if config.line:
        return (config.link, config.line)
    if config.link == "pty" and config.path:
        return (config.link, config.path)
    if config.link != "pty" and config.port:
        return (config.link, f":{config.port}")
    return (config.link, f"#{position}")
