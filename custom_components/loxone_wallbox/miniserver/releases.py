"""Which firmware is the newest that its maker has released.

Takes the list that the maker publishes for Miniservers and their tools, gives the version
of the release that is meant for everybody. It comes from the internet, so nothing in it
is believed that is not a version: no entities, no document type, no more than needed.
"""

import re
from xml.parsers import expat

from .errors import ProtocolError
from .http import parse_version

ROOT = "Miniserversoftware"
RELEASE = "Release"
# The list is some 100 kB long.
MOST_BYTES = 2_000_000
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){2,3}")
_TWO_LEVELS = 2


def is_newer(version: str, installed: str) -> bool:
    """Tell whether a version came after another; what cannot be read did not.

    Missing numbers are zero, and zeros before a number are none.
    """
    numbers, before = parse_version(version), parse_version(installed)
    length = max(len(numbers), len(before))
    return bool(before) and _padded(numbers, length) > _padded(before, length)


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    """Return a version's numbers with zeros behind them."""
    return numbers + (0,) * (length - len(numbers))


def newest_release(document: bytes) -> str:
    """Return the released version, as a Miniserver writes its own.

    `<Release Version="17.00.03.31">` directly under the root becomes `17.0.3.31`; there
    are others deeper, of apps and devices. Raises `ProtocolError` for anything else.
    """
    if len(document) > MOST_BYTES:
        raise ProtocolError("The list of releases is too long")
    found: list[str] = []
    path: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        """Take the version of the release."""
        path.append(name)
        if len(path) == _TWO_LEVELS and path == [ROOT, RELEASE]:
            found.append(attributes.get("Version", "").strip())

    def end(_name: str) -> None:
        """Leave an element."""
        path.pop()

    def refuse(*_given: object) -> None:
        """Refuse a document that wants more than to be read."""
        raise ProtocolError("The list of releases is not plain")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError as err:
        raise ProtocolError("The list of releases cannot be read") from err
    if len(found) != 1 or not _VERSION.fullmatch(found[0]):
        raise ProtocolError("The list of releases names no release")
    return ".".join(str(int(part)) for part in found[0].split("."))
