"""P8: how much a browser loads of the card, and from where."""

import gzip
from pathlib import Path
import re

from .report import Figure

MODULE = (
    Path(__file__).parents[1]
    / "custom_components/loxone_wallbox/frontend/loxone-wallbox-card.js"
)
TARGET_KB = 60.0
# A file on a web server is compressed once and well.
LEVEL = 9
ADDRESS = re.compile(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s"'`)]*""")
# Names of languages that nobody asks for, and a link that somebody may follow.
NOT_LOADED = (
    "http://www.w3.org/",
    "https://github.com/loxone-wallbox/loxone-wallbox",
)


def card() -> tuple[Figure, ...]:
    """Measure the committed module, and count what it could load from elsewhere."""
    text = MODULE.read_bytes()
    found = foreign_addresses(text.decode())
    return (
        Figure(
            id="P8",
            name="card_kb_gzipped",
            value=len(gzip.compress(text, LEVEL)) / 1000,
            target=TARGET_KB,
            notes=(f"{len(text) / 1000:.1f} kB before, one module",),
        ),
        Figure(
            id="P8",
            name="card_foreign_addresses",
            value=float(len(found)),
            target=0.0,
            notes=found,
        ),
    )


def foreign_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses outside of Home Assistant that a module has in it."""
    return tuple(one for one in ADDRESS.findall(text) if not one.startswith(NOT_LOADED))
