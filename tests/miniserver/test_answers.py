"""The envelope of answers, as broken as it comes."""

from contextlib import suppress
import json
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.answers import (
    Answer,
    number_field,
    parse_answer,
    parse_quoted_object,
    raise_for_code,
    text_field,
    value_object,
)
from custom_components.loxone_wallbox.miniserver.errors import (
    AuthenticationError,
    CommandError,
    MiniserverError,
    MiniserverStartingError,
    MiniserverTimeoutError,
    MissingRightError,
    NoSlotError,
    ProtocolError,
    UserDisabledError,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("key", ["Code", "code"])
@pytest.mark.parametrize("code", ["200", 200])
def test_code_forms(key: str, code: object) -> None:
    """The code is read as string and number, with and without a capital."""
    text = json.dumps({"LL": {"control": "dev/x", "value": "1", key: code}})
    assert parse_answer(text) == Answer(control="dev/x", value="1", code=200)


@pytest.mark.parametrize("value", ["", 0, 1.5, None, {"a": 1}, [1]])
def test_values(value: object) -> None:
    """The value stays what it is."""
    text = json.dumps({"LL": {"control": "x", "value": value, "Code": "200"}})
    assert parse_answer(text).value == value


def test_empty_answer() -> None:
    """An answer without a payload has no code."""
    assert parse_answer("").code == 0


@pytest.mark.parametrize(
    ("text", "control", "value", "code"),
    [
        (
            '{"LL": { "control": "dev/x", "value": "say "hello" twice", "Code": "200"}}',
            "dev/x",
            'say "hello" twice',
            200,
        ),
        ('{"LL": {"value": "a"b", "code": 404, "control": "c"}}', "c", 'a"b', 404),
        ('{"LL": {"control": "c", "Code": "200", "value": "a"b"}}', "c", 'a"b', 200),
        # A code inside the value is none.
        (
            '{"LL": {"control": "c", "value": "x"y "code": 500 z", "Code": "200"}}',
            "c",
            'x"y "code": 500 z',
            200,
        ),
        ('{"LL": {"Code": "200", "value": "", "x": "a"b"}}', "", "", 200),
        ('{"LL": {"Code": "423", "x": "a"b"}}', "", "", 423),
    ],
)
def test_unescaped_quotes(text: str, control: str, value: str, code: int) -> None:
    """An answer with unescaped quotes still tells code and value."""
    answer = parse_answer(text)
    assert answer.code == code
    assert answer.control == control
    if value:
        assert answer.value == value


def test_control_characters() -> None:
    """Raw control characters inside a value are taken as they are."""
    text = '{"LL": {"control": "x", "value": "line\x14break\n", "Code": "200"}}'
    assert parse_answer(text).value == "line\x14break\n"


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "1",
        '"LL"',
        "{}",
        '{"LL": 1}',
        '{"LL": {}}',
        '{"LL": {"Code": null}}',
        '{"LL": {"Code": "ok"}}',
        '{"LL": {"Code": Infinity}}',
        '{"LL": {"Code": NaN}}',
        '{"LL": {"Code": [200]}}',
        '{"LL": {"Code": "' + "9" * 5000 + '"}}',
        '{"LL": {"Code": ' + "9" * 5000 + "}}",
        "<html>404</html>",
        "[" * 100_000,
        '{"LL":' * 50_000,
    ],
    ids=lambda text: text[:24],
)
def test_unreadable(text: str) -> None:
    """What has no code is refused with our own error, however deep it nests."""
    with pytest.raises(ProtocolError):
        parse_answer(text)


@given(st.text(max_size=200))
def test_arbitrary_text(text: str) -> None:
    """Any text is an answer or refused."""
    with suppress(ProtocolError):
        parse_answer(text)


@given(
    st.text(
        alphabet=st.sampled_from(list('{}":,LC codevalutr\\20 ')), max_size=120
    ).map(lambda text: '{"LL": {"value": "' + text + '", "Code": "200"}}')
)
def test_nearly_json(text: str) -> None:
    """What is nearly JSON is an answer or refused."""
    with suppress(ProtocolError):
        parse_answer(text)


@given(json_values)
def test_arbitrary_json(value: Any) -> None:
    """Any JSON is an answer or refused; so are its parts."""
    for document in (value, {"LL": value}, {"LL": {"Code": value, "value": value}}):
        with suppress(ProtocolError):
            value_object(parse_answer(json.dumps(document)))


@pytest.mark.parametrize(
    "text",
    [
        '{"LL": {"value": "' + " " * 200_000,
        '{"LL": "value": ' * 30_000,
        '"value":"' * 30_000,
        '"code"' + " " * 200_000,
        ('"value": "' + " " * 100) * 2_000 + '"code": 200',
        '"control": ' * 30_000 + '"code": 200',
    ],
    ids=str.__len__,
)
def test_no_hang(text: str) -> None:
    """A broken answer made to keep a pattern busy is done with at once."""
    started = time.process_time()
    with suppress(ProtocolError):
        parse_answer(text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, CommandError),
        (401, AuthenticationError),
        (403, MissingRightError),
        (404, CommandError),
        (420, MiniserverTimeoutError),
        (423, UserDisabledError),
        (500, CommandError),
        (503, MiniserverStartingError),
        (901, NoSlotError),
        (900, CommandError),
    ],
)
def test_codes(code: int, error: type[MiniserverError]) -> None:
    """Every code has its meaning."""
    with pytest.raises(error) as raised:
        raise_for_code(Answer(control="", value="", code=code), "getjwt")
    assert type(raised.value) is error
    raise_for_code(Answer(control="", value="", code=200), "getjwt")


def test_command_error_tells_code_and_name() -> None:
    """A refusal names the command and the code."""
    with pytest.raises(CommandError, match="allow was answered with code 404") as error:
        raise_for_code(Answer(control="secret", value="", code=404), "allow")
    assert (error.value.code, error.value.command) == (404, "allow")


def test_value_object() -> None:
    """An object is read as such and as a text in either kind of quotes."""
    for value in ({"a": "b"}, '{"a": "b"}', "{'a': 'b'}"):
        answer = Answer(control="", value=value, code=200)
        assert value_object(answer) == {"a": "b"}


@pytest.mark.parametrize(
    "value",
    ["", "x", "[1]", 1, None, ["a"], "{" * 9_999],
    ids=lambda value: repr(value)[:12],
)
def test_value_object_refused(value: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ProtocolError):
        value_object(Answer(control="", value=value, code=200))


@given(st.text(max_size=100))
def test_quoted_object_arbitrary(text: str) -> None:
    """Any text is an object or refused."""
    with suppress(ProtocolError):
        parse_quoted_object(text)


@pytest.mark.parametrize("value", [None, "", 1, ["x"], "\ud800"])
def test_text_field_refused(value: object) -> None:
    """A field must be a text that can be sent again."""
    with pytest.raises(ProtocolError):
        text_field({"salt": value}, "salt")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        ("2.5", 2.5),
        (None, -1.0),
        ("x", -1.0),
        (float("nan"), -1.0),
        (float("inf"), -1.0),
        (10**400, -1.0),
        ({}, -1.0),
    ],
)
def test_number_field(value: object, number: float) -> None:
    """A number is read as such and as text; anything else is the default."""
    assert number_field({"n": value}, "n", -1.0) == number
