"""A real Home Assistant with its own configuration directory."""

from collections.abc import Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
import shutil
import sys
from typing import Any

from homeassistant.components.http.config import HTTP_STORAGE_SCHEMA, STORAGE_VERSION

from scripts.demo_lib.api import HomeAssistant, wait_for
from scripts.demo_lib.paths import DOMAIN, INTEGRATION
from scripts.demo_lib.processes import Child
from scripts.demo_lib.progress import DemoError

NAME = "Demo"
USERNAME = "demo"
PASSWORD = "wallbox-demo"  # noqa: S105 - printed for everybody to sign in with
START_TIMEOUT = 120
STOP_GRACE = 30
RESTART_EXIT_CODE = 100
# The name of the loopback adapter on Linux and on macOS.
LOOPBACK = ["lo", "lo0"]

CONFIGURATION = """\
# Written by scripts/demo at every start.
homeassistant:
  name: Demo home
  latitude: 51.4779
  longitude: -0.0015
  elevation: 47
  unit_system: metric
  currency: GBP
  country: GB
  time_zone: Europe/London
  language: en
config:
energy:
frontend:
history:
logbook:
recorder:
system_health:
logger:
  default: warning
  logs:
    custom_components.loxone_wallbox: info
    # Complain where ffmpeg and libturbojpeg are missing; nothing here hears or sees.
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""
# What the recorder says when it has to wait for its turn to write, and tries again.
IN_TURN = "during commit: Error executing query: (sqlite3.OperationalError) database is"
# On a clock that hurries every moment is long, and it says so of each update.
HURRIED = """\
    homeassistant.helpers.entity: error
"""


def http_settings(host: str, port: int) -> dict[str, Any]:
    """Return what Home Assistant stores of an address its owner has confirmed."""
    return {
        "stable": {
            **HTTP_STORAGE_SCHEMA({"server_host": [host], "server_port": port}),
            "created_at": datetime.now(UTC).isoformat(),
            "error": None,
            "error_message": None,
        },
        "pending": None,
        "yaml_migration_done": True,
    }


class Home:
    """A Home Assistant process and the client that steers it."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        """Describe it; prepare() and start() bring it to life."""
        self.folder = folder
        self.log = folder / "home-assistant.log"
        self._hurried = False
        self._host = host
        self._port = port
        # The client is on this machine, whatever address the server listens on.
        self.api = HomeAssistant(f"http://127.0.0.1:{port}")
        self.child = Child(
            "Home Assistant",
            [
                *(sys.executable, "-m", "homeassistant"),
                *("--config", str(folder)),
                *("--log-file", str(self.log), "--log-no-color"),
                *("--skip-pip", "--ignore-os-check"),
            ],
            folder / "output.log",
        )

    def prepare(self, *, hurried: bool) -> None:
        """Write an empty configuration directory with our integration in it.

        It is for a clock that may be `hurried`, or for the real one.
        """
        self._hurried = hurried
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "custom_components").mkdir(parents=True)
        (self.folder / "custom_components" / DOMAIN).symlink_to(INTEGRATION)
        (self.folder / "configuration.yaml").write_text(
            CONFIGURATION + HURRIED * hurried
        )
        # Onboarding's later steps would add integrations that look for the network.
        self._store(
            "onboarding",
            {"done": ["core_config", "analytics", "integration"]},
            version=4,
        )
        # Whatever searches the network stays on this machine.
        self._store("core.network", {"configured_adapters": LOOPBACK}, version=1)
        # A port that is asked for in YAML is on trial for five minutes, then reverted.
        self._store(
            "http", http_settings(self._host, self._port), version=STORAGE_VERSION
        )

    def _store(self, key: str, data: Mapping[str, Any], version: int) -> None:
        """Write a file of Home Assistant's storage."""
        storage = self.folder / ".storage"
        storage.mkdir(exist_ok=True)
        content = {"version": version, "minor_version": 1, "key": key, "data": data}
        (storage / key).write_text(json.dumps(content))

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start the process and wait until its API answers."""
        await self.child.start(environment)
        await wait_for("Home Assistant's API", self._answers, START_TIMEOUT)

    async def _answers(self) -> bool | None:
        """Return True once the API is up."""
        self.child.ensure_running()
        # There is no onboarding any more once there is a user.
        path = "/api/" if self.api.token else "/api/onboarding"
        try:
            await self.api.get(path)
        except DemoError:
            return None
        return True

    async def wait_running(self) -> None:
        """Wait until every integration has started."""

        async def running() -> bool | None:
            self.child.ensure_running()
            config = await self.api.get("/api/config")
            return True if config["state"] == "RUNNING" else None

        await wait_for("Home Assistant to be running", running, START_TIMEOUT)

    async def stop(self) -> None:
        """End the process."""
        await self.child.stop(STOP_GRACE)

    async def kill(self) -> None:
        """End the process as a power cut does."""
        await self.child.kill()

    def complaints(self) -> list[str]:
        """Return what the logs say that a healthy run does not."""
        # Home Assistant puts the log of the run before aside.
        logs = [
            log for log in (self.log.with_suffix(".log.1"), self.log) if log.is_file()
        ]
        if not logs:
            return ["Home Assistant wrote no log."]
        found = []
        for line in "\n".join(log.read_text("utf-8") for log in logs).splitlines():
            ours = DOMAIN in line
            notice = "We found a custom integration" in line
            # The seconds that SQLite waits are a moment on a fast clock. Who has tried
            # often enough and gives up says so in another line.
            if self._hurried and IN_TURN in line:
                continue
            if (
                " ERROR " in line
                or " CRITICAL " in line
                or line.startswith("Traceback")
                or (ours and " WARNING " in line and not notice)
            ):
                found.append(line)
        return found
