"""A simulated house with a meter, in a process of its own as it is in life.

    python -m bench.meter_server

writes one line of JSON with its ports when it is ready, serves until its input ends and
then writes every request that reached the meter, with the second it came in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
import json
import sys

from .house import PASSWORD, REPOSITORY, SERIAL, USERNAME
from simulator import (
    Car,
    MeterConfig,
    Simulator,
    SimulatorConfig,
    User,
    WallboxConfig,
)

MAP = "sdm630"
# Does not fill up while it is watched.
CAR = Car(capacity_kwh=5000, energy_kwh=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request at the meter; `at` in seconds UTC."""

    at: float
    function: int
    address: int
    count: int
    outcome: str


@dataclass(kw_only=True)
class Served:
    """Where a server can be reached; `asked` is there when it has ended."""

    port: int
    meter_port: int
    wallbox_id: str
    asked: tuple[Asked, ...] = ()


@asynccontextmanager
async def meter_server() -> AsyncIterator[Served]:
    """Run a server; afterwards it tells what it was asked."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.meter_server"),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    assert process.stdin
    assert process.stdout
    try:
        served = Served(**json.loads(await process.stdout.readline()))
        yield served
        process.stdin.close()
        lines = json.loads(await process.stdout.readline())
        served.asked = tuple(Asked(*line) for line in lines)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _serve() -> None:
    """Charge a car until the input ends."""
    config = SimulatorConfig(
        serial=SERIAL,
        generation=1,
        tls_port=None,
        users=(User(name=USERNAME, password=PASSWORD),),
        wallboxes=(WallboxConfig(name="Garage"),),
        meters=(MeterConfig(profile=MAP),),
    )
    async with Simulator(config) as simulator:
        meter, box = simulator.meters[0], simulator.wallboxes[0]
        asked: list[Asked] = []
        note = meter.note

        def noted(function: int, address: int, count: int, outcome: str) -> None:
            """Keep every request; the meter itself forgets the old ones."""
            note(function, address, count, outcome)
            time = meter.requests[-1].time
            asked.append(Asked(time, function, address, count, outcome))

        meter.note = noted  # type: ignore[method-assign]
        box.plug(CAR)
        _say(
            {
                "port": simulator.port,
                "meter_port": int(meter.address.partition(":")[2]),
                "wallbox_id": box.uuid,
            }
        )
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.read)
        _say([astuple(one) for one in asked])


def _say(data: object) -> None:
    """Write a line of JSON."""
    print(json.dumps(data), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
