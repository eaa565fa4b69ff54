"""Answers in Loxone's envelope, as JSON and as XML, and the pages of HTTP errors.

Source: Communicating with the Miniserver, "Response".
"""

from dataclasses import dataclass
from http import HTTPStatus
import json
from typing import Any
from xml.sax.saxutils import quoteattr

from .faults import Faults


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a command."""

    control: str
    value: Any = ""
    code: int = 200
    # `sps` and `cfg` commands answer with a capital letter, most `sys` ones without.
    code_key: str = "Code"
    # Children of the XML form, where it has any.
    children: tuple[tuple[str, dict[str, str]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that is sent as it is."""

    text: str
    content_type: str = "application/json"
    slow_s: float = 0.0


type Reply = Answer | Document


def to_json(answer: Answer, faults: Faults, command: str) -> str:
    """Return an answer as JSON, with what is wrong with answers at the moment."""
    value = json.dumps(answer.value, ensure_ascii=False)
    for name in ("unescaped_quote", "control_characters"):
        fault = faults.peek(name)
        if fault and fault["where"] == "answer" and isinstance(answer.value, str):
            options = faults.take(name, command)
            value = f'"{options["value"]}"' if options else value
    outputs = "".join(
        f', "{name}{index}": {json.dumps(attributes, ensure_ascii=False)}'
        for index, (name, attributes) in enumerate(answer.children)
    )
    numeric = faults.take("numeric_codes", command) is not None
    code = str(answer.code) if numeric else f'"{answer.code}"'
    control = json.dumps(answer.control, ensure_ascii=False)
    return (
        f'{{"LL": {{ "control": {control}, "value": {value}{outputs}, '
        f'"{answer.code_key}": {code}}}}}'
    )


def to_xml(answer: Answer) -> str:
    """Return an answer as XML."""
    value = answer.value if isinstance(answer.value, str) else json.dumps(answer.value)
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"<LL control={quoteattr(answer.control)} value={quoteattr(value)} "
        f'Code="{answer.code}"'
    )
    if not answer.children:
        return f"{head}/>"
    lines = [
        f"<{name} {' '.join(f'{k}={quoteattr(v)}' for k, v in attributes.items())}/>"
        for name, attributes in answer.children
    ]
    return "\n".join([f"{head}>", *lines, "</LL>"])


def error_page(code: int, detail: str, *, remaining: int | None = None) -> str:
    """Return the small page that comes with an HTTP error."""
    try:
        text = HTTPStatus(code).phrase
    except ValueError:
        text = "Error"
    rest = "" if remaining is None else f"<remaining>{remaining}</remaining>"
    return (
        f"<html><head><title>error</title></head><body>"
        f"<errorcode>{code}</errorcode><errortext>{text}</errortext>"
        f"<errordetail>{detail}</errordetail>{rest}</body></html>\n"
    )
