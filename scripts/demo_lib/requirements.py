"""Print what the integrations of the demo require, one requirement a line.

Home Assistant would install them during its first start. Installed beforehand, the start
is fast, repeatable and needs no network.
"""

from collections.abc import Iterable, Iterator
import json
from pathlib import Path
from typing import Any

import homeassistant
from homeassistant.bootstrap import DEFAULT_INTEGRATIONS

from scripts.demo_lib.paths import INTEGRATION

COMPONENTS = Path(homeassistant.__path__[0]) / "components"
# What the configuration loads on top of the default integrations, then the assist
# packages, without which the frontend waits for ever, and the discovery ones, which Home
# Assistant wants for the matchers in our manifest.
WANTED = (
    "assist_pipeline",
    "assist_satellite",
    "config",
    "dhcp",
    "energy",
    "frontend",
    "history",
    "logbook",
    "modbus",
    "recorder",
    "ssdp",
    "system_health",
    "zeroconf",
)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an integration."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def walk(folders: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the manifests of the integrations and of everything they load after."""
    todo = list(folders)
    seen: set[str] = set()
    while todo:
        folder = todo.pop()
        if folder.name in seen:
            continue
        seen.add(folder.name)
        manifest = read_manifest(folder)
        yield manifest
        for key in ("dependencies", "after_dependencies"):
            todo += [COMPONENTS / name for name in manifest.get(key, ())]


def requirements() -> list[str]:
    """Return every requirement once, sorted."""
    names = {*WANTED, *DEFAULT_INTEGRATIONS}
    folders = [INTEGRATION, *(COMPONENTS / name for name in sorted(names))]
    return sorted(
        {
            requirement
            for manifest in walk(folders)
            for requirement in manifest.get("requirements", ())
        }
    )


if __name__ == "__main__":
    print("\n".join(requirements()))
