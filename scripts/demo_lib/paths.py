"""Where the demo finds and keeps its things."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "loxone_wallbox"
INTEGRATION = ROOT / "custom_components" / DOMAIN
# What a run leaves behind: configurations, logs, the clock.
RUNS = ROOT / ".demo"
