"""A world on a clock that stands still, for tests without any socket."""

from datetime import datetime
import json
from typing import Any
from zoneinfo import ZoneInfo

from simulator import ManualClock, Simulator, SimulatorConfig, WallboxConfig
from simulator.wallbox import Wallbox

LONDON = ZoneInfo("Europe/London")


def world(*wallboxes: WallboxConfig, at: str = "", **changes: Any) -> Simulator:
    """Return a world on a clock that stands still."""
    clock = ManualClock()
    if at:
        clock = ManualClock(
            datetime.fromisoformat(at).replace(tzinfo=LONDON).timestamp()
        )
    boxes = wallboxes or (WallboxConfig(name="Garage"),)
    return Simulator(SimulatorConfig(wallboxes=boxes, **changes), clock=clock)


def state(sim: Simulator, name: str, box: Wallbox | None = None) -> Any:
    """Return the published value of a state."""
    box = box or sim.wallboxes[0]
    return sim.unit.states.get(box.state_uuids[name])


def session(sim: Simulator) -> Any:
    """Return the published session."""
    return json.loads(state(sim, "session"))
