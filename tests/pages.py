"""The documentation as the tests read it: headings, tables, links and examples."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


def read(name: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / name).read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Return a page without its examples, in which nothing is a heading or a link."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[str]:
    """Return the titles of a page."""
    return [title for _, title in _HEADING.findall(plain(text))]


def anchors(text: str) -> set[str]:
    """Return where a link into a page can lead, named as GitHub does it."""
    found: set[str] = set()
    for title in headings(text):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        signs = re.sub(r"[^\w\- ]", "", bare.lower())
        name = first = signs.replace(" ", "-")
        count = 0
        while name in found:
            count += 1
            name = f"{first}-{count}"
        found.add(name)
    return found


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield the links of a page that stay in the repository: file and anchor."""
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", plain(text)):
        path, _, anchor = target.partition("#")
        yield path, anchor


def section(text: str, title: str) -> str:
    """Return what stands under a title, up to the next one of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert found is not None, title
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest if end is None else rest[: end.start()]


def rows(text: str) -> list[list[str]]:
    """Return the rows of the tables in a text, without their heads."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif set(line) <= set("|- "):
            inside = True
        elif inside:
            found.append([one.strip() for one in line.strip("|").split("|")])
    return found


def examples(text: str) -> list[Any]:
    """Return the YAML examples of a page."""
    return [
        yaml.safe_load(content)
        for language, content in _FENCE.findall(text)
        if language == "yaml"
    ]


def code(cell: str) -> str:
    """Return what is written as code in a cell of a table."""
    found = re.fullmatch(r"`([^`]+)`", cell)
    assert found is not None, cell
    return found[1]
