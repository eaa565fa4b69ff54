"""The compliance report as people and programs read it, in their language.

Takes a report, the texts of a language and the zone of a home, gives Markdown and plain
data. The texts stand in `report/`, since Home Assistant has no place for texts of files.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
import json
from pathlib import Path
from typing import Any

from .charging.session import to_plain
from .records.compliance import Line, Report, Row, State

FOLDER = Path(__file__).parent / "report"
ENGLISH = "en"

type Texts = Mapping[str, Any]


def load_texts(language: str) -> tuple[str, Texts]:
    """Return the language that there is for one, and its texts. Blocking."""
    known = {path.stem: path for path in FOLDER.glob("*.json")}
    found = language.partition("-")[0].lower()
    found = found if found in known else ENGLISH
    texts: Texts = json.loads(known[found].read_text(encoding="utf-8"))
    return found, texts


def said(one: Line, texts: Texts, zone: tzinfo = UTC) -> str:
    """Return a sentence, its numbers as the language writes them.

    Instants are told by the clock of a zone, and which that is: a bare 17:25 is another
    one for the owner than for whoever checks.
    """
    values = {name: _written(value, texts, zone) for name, value in one.values.items()}
    text: str = texts["lines"][one.key].format(**values)
    return text


def _written(value: str | float | datetime, texts: Texts, zone: tzinfo) -> str:
    """Return what is filled into a sentence; texts, as versions, stay as they are."""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    sign: str = texts["decimal_sign"]
    return str(value).replace(".", sign) if isinstance(value, float) else str(value)


def plain(report: Report, texts: Texts, zone: tzinfo = UTC) -> dict[str, Any]:
    """Return a report as plain data, its sentences in words."""
    return {
        "state": report.state.value,
        "failing": list(report.failing),
        "disclaimer": texts["disclaimer"],
        "requirements": [
            {
                "id": one.id,
                "title": texts["requirements"][one.id]["title"],
                "required": texts["requirements"][one.id]["needs"],
                "state": one.state.value,
                "seen": [said(line, texts, zone) for line in one.proof],
                "missing": [said(line, texts, zone) for line in one.gaps],
                "unseen": [said(line, texts, zone) for line in one.limits],
            }
            for one in report.rows
        ],
        "facts": to_plain(report.facts),
    }


def markdown(
    report: Report, texts: Texts, about: Mapping[str, str], zone: tzinfo = UTC
) -> str:
    """Return a report as Markdown; `about` is what is filled into its head."""
    safe = {name: _escaped(value) for name, value in about.items()}
    return "\n".join(
        (
            f"# {texts['title'].format(**safe)}",
            "",
            texts["about"].format(**safe),
            "",
            f"**{texts['disclaimer']}**",
            "",
            *_result(report, texts),
            f"## {texts['summary']}",
            "",
            f"| | {texts['requirement']} | {texts['state']} |",
            "| --- | --- | --- |",
            *(
                f"| {one.id} | {texts['requirements'][one.id]['title']} "
                f"| {texts['states'][one.state]} |"
                for one in report.rows
            ),
            "",
            f"## {texts['details']}",
            "",
            *(text for one in report.rows for text in _details(one, texts, zone)),
            f"## {texts['security_contact']}",
            "",
            *(f"- {text}" for text in _contact(report, texts, zone)),
            "",
        )
    )


def _result(report: Report, texts: Texts) -> Iterator[str]:
    """Yield how the wallbox stands as a whole."""
    yield texts["result"].format(state=texts["states"][report.state])
    yield ""
    if report.state is State.NOT_APPLICABLE:
        yield texts["no_profile"]
    elif report.failing:
        yield texts["failing"].format(requirements=", ".join(report.failing))
    else:
        yield texts["nothing_failing"]
    yield ""


def _details(one: Row, texts: Texts, zone: tzinfo) -> Iterator[str]:
    """Yield what is said of one requirement."""
    words = texts["requirements"][one.id]
    yield f"### {one.id} {words['title']}: {texts['states'][one.state]}"
    yield ""
    yield f"{texts['needs']}: {words['needs']}"
    yield ""
    for name, lines in (
        ("proof", one.proof),
        ("gaps", one.gaps),
        ("limits", one.limits),
    ):
        for number, line in enumerate(lines):
            if not number:
                yield f"{texts[name]}:"
                yield ""
            yield f"- {_escaped(said(line, texts, zone))}"
        if lines:
            yield ""


def _contact(report: Report, texts: Texts, zone: tzinfo) -> Iterator[str]:
    """Yield for how long there is support, and where weaknesses are reported."""
    for row in report.rows:
        if row.id == "S11":
            yield from (said(line, texts, zone) for line in row.proof)


def _escaped(text: str) -> str:
    """Return a text in which a name can be no mark-up, nor begin a line of its own."""
    marks = "\\`*_[]<>|#"
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in marks else sign for sign in flat)
