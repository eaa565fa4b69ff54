"""Read the answer envelope of a Miniserver as leniently as the field needs.

Takes the text of an answer, gives an `Answer`, raises `ProtocolError` when there is no
code to be found in it. Code or code, string or number, unescaped quotes and control
characters in the value all occur on real units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import json
import re
from typing import Any

from .errors import (
    AuthenticationError,
    CommandError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    MissingRightError,
    NoSlotError,
    ProtocolError,
    UserDisabledError,
)

# For answers that are no valid JSON. Each of these is done in one pass over the text,
# whatever it holds.
_CODE = re.compile(r'"[Cc]ode"\s{0,9}:\s{0,9}"?(\d{3})(?!\d)')
_CONTROL = re.compile(r'"control"\s{0,9}:\s{0,9}"([^"]*)"')
_VALUE = re.compile(r'"value"\s{0,9}:\s{0,9}')
_NEXT = re.compile(r'\s{0,9},\s{0,9}"(?:[Cc]ode|control)"\s{0,9}:')


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer: what was asked (an echo, not to be trusted), value and code."""

    control: str
    value: Any
    code: int


def parse_answer(text: str) -> Answer:
    """Read an answer envelope; an empty answer has code 0."""
    if not text:
        return Answer(control="", value="", code=0)
    try:
        document = json.loads(text, strict=False)
    except ValueError, RecursionError:
        return _parse_broken(text)
    envelope = document.get("LL") if isinstance(document, dict) else None
    if not isinstance(envelope, dict):
        raise ProtocolError("An answer has no envelope")
    code: Any = envelope.get("Code", envelope.get("code"))
    try:
        number = int(code)
    except (TypeError, ValueError, OverflowError) as err:
        raise ProtocolError("An answer has no code") from err
    return Answer(
        control=str(envelope.get("control", "")),
        value=envelope.get("value"),
        code=number,
    )


def _parse_broken(text: str) -> Answer:
    """Pick control, value and code out of an answer that is no valid JSON.

    The last code counts: the value, which comes before it, may hold another.
    """
    codes = _CODE.findall(text)
    if not codes:
        raise ProtocolError("An answer cannot be read")
    control = _CONTROL.search(text)
    return Answer(
        control=control[1] if control else "",
        value=_broken_value(text),
        code=int(codes[-1]),
    )


def _broken_value(text: str) -> str:
    """Return what stands between the value's key and the next, or the end."""
    key = _VALUE.search(text)
    if key is None:
        return ""
    following = _NEXT.search(text, key.end())
    if following is not None:
        value = text[key.end() : following.start()]
    else:
        value = text[key.end() :].rstrip().removesuffix("}").rstrip().removesuffix("}")
    return value.strip().removeprefix('"').removesuffix('"')


def raise_for_code(answer: Answer, command: str) -> None:
    """Raise what a code other than 200 means; `command` names it without secrets."""
    match answer.code:
        case 200:
            return
        case 401:
            raise AuthenticationError(f"{command} was refused")
        case 420:
            # The login took too long; that says nothing about the password.
            raise MiniserverTimeoutError("The Miniserver did not wait for the login")
        case 403:
            raise MissingRightError(answer.code, command)
        case 423:
            raise UserDisabledError(f"{command}: the user is disabled")
        case 503:
            raise MiniserverStartingError("The Miniserver is not ready yet")
        case 901:
            raise NoSlotError("The Miniserver has too many connections")
        case _:
            raise CommandError(answer.code, command)


def value_object(answer: Answer) -> Mapping[str, Any]:
    """Return the value of an answer that must be an object.

    Some firmware quotes the object as a text, with single quotes.
    """
    value = answer.value
    if isinstance(value, str):
        value = parse_quoted_object(value)
    if not isinstance(value, Mapping):
        raise ProtocolError("An answer lacks its fields")
    return value


def parse_quoted_object(text: str) -> Mapping[str, Any]:
    """Read an object that came as a text, in single or double quotes."""
    for candidate in (text, text.replace("'", '"')):
        try:
            value = json.loads(candidate, strict=False)
        except ValueError, RecursionError:
            continue
        if isinstance(value, Mapping):
            return value
    raise ProtocolError("An answer's value is no object")


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be a text with something in it.

    JSON can hold half a character, which could neither be hashed nor sent.
    """
    value = fields.get(name)
    if not isinstance(value, str) or not value or not is_sendable(value):
        raise ProtocolError(f"An answer lacks its {name}")
    return value


def is_sendable(text: str) -> bool:
    """Tell whether a text can be written as UTF-8."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def number_field(fields: Mapping[str, Any], name: str, default: float) -> float:
    """Return a numeric field, also where it came as text."""
    value = fields.get(name, default)
    try:
        number = float(value)
    except TypeError, ValueError, OverflowError:
        return default
    return number if -1e15 < number < 1e15 else default  # noqa: PLR2004
