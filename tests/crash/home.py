"""A home whose Home Assistant is a process of its own, on a simulated Miniserver."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from contextlib import asynccontextmanager
from itertools import pairwise
import json
from pathlib import Path
import random
import sys
from typing import Any

import pytest

from homeassistant.components.http.config import STORAGE_VERSION

from ..conftest import StartSimulator, entry_data, subentry
from .process import DOMAIN, ENTRY_FILE, RECORDER_FILE
from custom_components.loxone_wallbox.meter_settings import MeterSettings, Sharing
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.state import StateKeeper
from custom_components.loxone_wallbox.rules import running_file
from scripts.demo_lib.home import http_settings
from scripts.demo_lib.processes import free_port
from simulator import Car, MeterConfig, Simulator, WallboxConfig

ROOT = Path(__file__).parents[2]
# A start takes seconds, on a busy machine more of them.
PATIENCE_S = 90
LOOK_S = 0.05
# A meter that counts single watt-hours, so that a few seconds of charging show.
METER = "iem3155"
PROFILE = "schneider_iem3155"
# The meter shows whole watt-hours: so much may be off at the begin and at the end of all
# visits together, however many there were.
RESOLUTION_KWH = 0.002
# Nothing waits for a minute to be written: what is lost is then lost by us.
RECORDER: dict[str, Any] = {"commit_interval": 1}


class ProcessEndedError(Exception):
    """Home Assistant was gone before it answered."""


class CrashHome:
    """The home: its folder, its Miniserver with a car, and a Home Assistant to kill."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        """Take an empty folder and a running simulator with one wallbox."""
        self.folder = folder
        self.simulator = simulator
        self.database = folder / "home-assistant_v2.db"
        self.ledger = folder / DOMAIN / simulator.config.serial
        self._process: asyncio.subprocess.Process | None = None
        self._device = ""

    def prepare(self, recorder: dict[str, Any] | None = RECORDER) -> None:
        """Write what the owner has set up; `recorder` None is a home without one."""
        components = self.folder / "custom_components"
        components.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (components / DOMAIN).symlink_to(ROOT / "custom_components" / DOMAIN)
        self.record_to(recorder)
        storage = self.folder / ".storage"
        storage.mkdir(exist_ok=True)
        # Another Home Assistant on this machine has the usual port.
        http = {
            "version": STORAGE_VERSION,
            "minor_version": 1,
            "key": "http",
            "data": http_settings("127.0.0.1", free_port(0)),
        }
        (storage / "http").write_text(json.dumps(http))
        port = int(self.simulator.meters[0].address.rpartition(":")[2])
        meter = MeterSettings(
            profile_id=PROFILE,
            sharing=Sharing.DEDICATED,
            host="127.0.0.1",
            port=port,
            refresh_s=1.0,
        )
        entry = {
            "title": self.simulator.config.name,
            "unique_id": self.simulator.config.serial,
            "data": entry_data(self.simulator),
            "subentries_data": [
                subentry(self.simulator.wallboxes[0], meter=meter.as_dict())
            ],
        }
        (self.folder / ENTRY_FILE).write_text(json.dumps(entry))

    def record_to(self, recorder: dict[str, Any] | None) -> None:
        """Say which database the next start uses."""
        (self.folder / RECORDER_FILE).write_text(json.dumps(recorder))

    async def launch(self) -> None:
        """Start the process without waiting for anything."""
        assert self._process is None
        # Who is killed soon after a start has not kept its devices yet.
        self._device = ""
        with (self.folder / "output.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"{__package__}.process", str(self.folder)),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=2**26,
            )

    async def start(self) -> None:
        """Start Home Assistant and wait until it runs."""
        await self.launch()
        assert await self._answer() == {"ready": True}

    async def kill(self) -> None:
        """End the process as a power cut does: nothing of it runs any more."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def stop(self) -> None:
        """Let Home Assistant stop as its owner does it."""
        await self._write({"do": "stop"})
        assert await self._answer() == {"stopped": True}
        assert self._process is not None
        assert await self._process.wait() == 0
        self._process = None

    async def ask(self, do: str, **question: Any) -> Any:
        """Ask the process and return its answer."""
        await self._write({"do": do, **question})
        answer = await self._answer()
        assert "error" not in answer, answer
        return answer["result"]

    async def state(self, key: str) -> str:
        """Return the state of an entity of the wallbox."""
        found: str = await self.ask("state", unique_id=self._unique_id(key))
        return found

    async def reaches(self, key: str, *wanted: str) -> None:
        """Wait until an entity has one of these states."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.state(key) not in wanted:
                await asyncio.sleep(LOOK_S)

    async def act(self, service: str, **data: Any) -> Any:
        """Call an action of ours that answers, for the wallbox."""
        return await self.ask(
            "call",
            domain=DOMAIN,
            service=service,
            answer=True,
            data=await self._of(data),
        )

    async def purge(self) -> None:
        """Have the recorder forget everything and give the space back."""
        await self.ask(
            "call",
            domain="recorder",
            service="purge",
            answer=False,
            data={"keep_days": 0, "repack": True},
        )

    async def sessions(self) -> list[dict[str, Any]]:
        """Return all sessions and visits that are known, oldest first."""
        answer = await self.act("get_sessions", visits=True, limit=1000)
        found: list[dict[str, Any]] = answer["sessions"]
        return sorted(found, key=lambda one: str(one["connected_utc"]))

    async def adds_up(self, *, visits: int, first_kwh: float) -> None:
        """Look that each visit is there once, and that the energy is the meter's.

        What the meter counted while nobody read it is known a few readings after a
        start.
        """
        sessions: list[dict[str, Any]] = []
        known = counted = 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while (
                    len(sessions) != visits
                    or abs(known - counted) > RESOLUTION_KWH
                    # The wallbox says a moment before the disk that a car has left.
                    or not all(one["disconnected_utc"] for one in sessions)
                ):
                    await asyncio.sleep(LOOK_S)
                    counted = self.simulator.meters[0].import_kwh - first_kwh
                    sessions = await self.sessions()
                    known = sum(one["energy_kwh"] for one in sessions)
        assert len(sessions) == visits, sessions
        assert known == pytest.approx(counted, abs=RESOLUTION_KWH), sessions
        assert all(one["disconnected_utc"] for one in sessions), sessions
        assert len({one["id"] for one in sessions}) == visits, sessions
        assert no_overlap(sessions), sessions
        # The last one may have taken so little that it is a visit.
        answer = await self.act("get_summary", period="month", visits=True)
        energy_kwh = answer["total"]["energy_kwh"]
        assert energy_kwh == pytest.approx(counted, abs=RESOLUTION_KWH), answer

    async def rests(self) -> None:
        """Wait until it is kept where the counter stands without a car."""
        box, folder = self.simulator.wallboxes[0].uuid, self.folder / DOMAIN
        keeper = StateKeeper(running_file(folder, self.ledger.name, box))
        async with asyncio.timeout(PATIENCE_S):
            while ((keeper.load() or {}).get("book") or {}).get("rest") is None:
                await asyncio.sleep(LOOK_S)

    async def sessions_of(self, number: int) -> list[dict[str, Any]]:
        """Return all sessions once so many are known."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await self.sessions()) != number:
                await asyncio.sleep(LOOK_S)
        return found

    async def takes(self, kwh: float) -> None:
        """Wait until the car has taken so much more."""
        meter = self.simulator.meters[0]
        enough = meter.import_kwh + kwh
        async with asyncio.timeout(PATIENCE_S):
            while meter.import_kwh < enough:
                await asyncio.sleep(LOOK_S)

    async def finished(self, known: int) -> str:
        """Wait until the ledger's files have one more session; returns its id."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                ledger = Ledger(self.ledger, self.simulator.wallboxes[0].uuid)
                pages = [ledger.month(month) for month in ledger.months()]
                records = [record for page in pages for record in page.records]
                if len(records) > known and records[-1].disconnected_utc is not None:
                    return records[-1].id
                await asyncio.sleep(LOOK_S)

    def plug(self) -> None:
        """Plug a big empty car in."""
        self.simulator.wallboxes[0].plug(Car(capacity_kwh=100, energy_kwh=10))

    def unplug(self) -> None:
        """Pull the plug."""
        self.simulator.wallboxes[0].unplug()

    async def _of(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data of an action on the wallbox."""
        if not self._device:
            [self._device] = await self.ask("devices", of=[self._unique_id("status")])
        return {"device_id": [self._device], **data}

    def _unique_id(self, key: str) -> str:
        """Return the unique id of an entity of the wallbox."""
        return (
            f"{self.simulator.config.serial}_{self.simulator.wallboxes[0].uuid}_{key}"
        )

    async def _write(self, question: dict[str, Any]) -> None:
        """Send one line."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        await self._process.stdin.drain()

    async def _answer(self) -> dict[str, Any]:
        """Return the next line."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self._process.stdout.readline()
        if not line:
            log = (self.folder / "output.log").read_text("utf-8")
            raise ProcessEndedError(log[-4000:])
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def crash_home(
    folder: Path, start_simulator: StartSimulator
) -> AsyncIterator[CrashHome]:
    """Prepare a home with one wallbox and its meter; its process ends with the test."""
    simulator = await start_simulator(
        wallboxes=(WallboxConfig(name="Garage", self_test_s=0.0),),
        meters=(MeterConfig(profile=METER, wallbox=0, energy_kwh=814.3),),
    )
    home = CrashHome(folder, simulator)
    home.prepare()
    try:
        yield home
    finally:
        await home.kill()


def within(seed: int, *limits_s: float) -> list[float]:
    """Return a random instant within each limit, the same for the same seed."""
    chance = random.Random(seed)
    return [chance.uniform(0, limit) for limit in limits_s]


def no_overlap(sessions: list[dict[str, Any]]) -> bool:
    """Tell whether each begins after the one before has ended."""
    return all(
        one["disconnected_utc"] <= following["connected_utc"]
        for one, following in pairwise(sessions)
    )
