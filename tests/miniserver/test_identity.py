"""Who answers at an address: apiKey with its quirks, addresses, names."""

import asyncio
from contextlib import suppress
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.miniserver.answers import Answer, parse_answer
from custom_components.loxone_wallbox.miniserver.errors import (
    LockedOutError,
    MiniserverConnectionError,
    MiniserverStartingError,
    NotAMiniserverError,
)
from custom_components.loxone_wallbox.miniserver.http import (
    Address,
    Identity,
    certificate_names,
    parse_identity,
    parse_version,
    raise_for_status,
)

GEN_2 = (
    "{'snr': '50:4F:94:A0:2E:7E', 'version':'14.5.12.7', 'key':'41434633', "
    "'isInTrust':false, 'local':true, 'address':'1.2.3.4', 'certTLD':'com', "
    "'httpsStatus':1, 'hasEventSlots':true}"
)
GEN_1 = (
    "{'snr': '50:4F:94:10:00:01', 'version':'14.5.12.7', 'hasEventSlots':true, "
    "'isInTrust':false, 'local':true}"
)


def answer(value: Any) -> Answer:
    """Return an answer to apiKey."""
    return Answer(control="dev/cfg/apiKey", value=value, code=200)


def test_generations() -> None:
    """Both generations and old firmware say who they are."""
    assert parse_identity(answer(GEN_2)) == Identity(
        serial="504F94A02E7E",
        firmware="14.5.12.7",
        tls_usable=True,
        tls_expired=False,
        local=True,
        cloud_domain="com",
    )
    assert not parse_identity(answer(GEN_1)).tls_usable
    old = parse_identity(answer("{'snr': '50:4F:94:10:00:01', 'version':'9.1.10.30'}"))
    assert (old.version, old.local) == ((9, 1, 10, 30), True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"httpsStatus": "1"}, {"tls_usable": True}),
        ({"httpsStatus": 2}, {"tls_usable": False, "tls_expired": True}),
        ({"httpsStatus": None}, {"tls_usable": False, "tls_expired": False}),
        ({"certTLD": "cn"}, {"cloud_domain": "cn"}),
        ({"certTLD": "evil.example"}, {"cloud_domain": "com"}),
        ({"local": False}, {"local": False}),
        ({"snr": "504f94a02e7e"}, {"serial": "504F94A02E7E"}),
        ({"version": "16.1.11.6 beta"}, {"firmware": "16.1.11.6 beta"}),
    ],
)
def test_quirks(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fields of other types or missing ones are read, as text and as object."""
    fields = {"snr": "50:4F:94:A0:2E:7E", "version": "14.5.12.7", **changes}
    for value in (fields, json.dumps(fields), json.dumps(fields).replace('"', "'")):
        identity = parse_identity(answer(value))
        for name, wanted in expected.items():
            assert getattr(identity, name) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        1,
        [],
        "{}",
        "{'snr': '50:4F:94:A0:2E:7E'}",
        "{'version': '14.5'}",
        "{'snr': '50:4F:94:A0:2E', 'version': '14.5'}",
        "{'snr': 'xx:4F:94:A0:2E:7E', 'version': '14.5'}",
        "{'snr': '50:4F:94:A0:2E:7E', 'version': 'new'}",
        "{'snr': ['50:4F:94:A0:2E:7E'], 'version': '14.5'}",
    ],
)
def test_not_a_miniserver(value: object) -> None:
    """Without serial number and version it is none."""
    with pytest.raises(NotAMiniserverError):
        parse_identity(answer(value))


@given(
    st.text(max_size=60)
    | st.dictionaries(st.sampled_from(["snr", "version"]), st.text())
)
def test_arbitrary(value: object) -> None:
    """Any value is a Miniserver's or not."""
    with suppress(NotAMiniserverError):
        parse_identity(answer(value))


def test_real_envelope() -> None:
    """The quoted object is read out of a whole answer."""
    text = json.dumps({"LL": {"control": "x", "value": GEN_2, "Code": "200"}})
    assert parse_identity(parse_answer(text)).serial == "504F94A02E7E"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("16.1.11.6", (16, 1, 11, 6)),
        ("11.02.10.22", (11, 2, 10, 22)),
        ("", ()),
        ("x", ()),
        ("1.2.3.4.5.6", (1, 2, 3, 4, 5)),
        ("9" * 5000, (999999999,) * 5),
    ],
)
def test_version(text: str, version: tuple[int, ...]) -> None:
    """A version is numbers that compare."""
    assert parse_version(text) == version
    assert parse_version("16.10") > parse_version("16.9")


def test_status() -> None:
    """An HTTP status has its meaning."""
    raise_for_status(200)
    with pytest.raises(LockedOutError) as locked:
        raise_for_status(
            403, "<errortext>Forbidden</errortext><remaining>38</remaining>"
        )
    assert locked.value.remaining == 38
    with pytest.raises(LockedOutError) as locked:
        raise_for_status(403, "<html>Forbidden</html>")
    assert locked.value.remaining is None
    with pytest.raises(MiniserverStartingError):
        raise_for_status(503)
    for status in (101, 301, 401, 404, 500):
        with pytest.raises(NotAMiniserverError):
            raise_for_status(status)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address(host="10.0.0.5"), "http://10.0.0.5/x"),
        (Address(host="10.0.0.5", port=8080), "http://10.0.0.5:8080/x"),
        (Address(host="10.0.0.5", tls=True), "https://10.0.0.5/x"),
        (Address(host="ms.lan", tls=True, tls_port=4433), "https://ms.lan:4433/x"),
        (Address(host="fd00::5"), "http://[fd00::5]/x"),
    ],
)
def test_address(address: Address, url: str) -> None:
    """An address gives its URLs."""
    assert str(address.url("/x")) == url
    assert str(address.url("/x", websocket=True)) == url.replace("http", "ws")


IDENTITY = parse_identity(answer(GEN_2))


@pytest.mark.parametrize(
    ("host", "names"),
    [
        (
            "192.168.1.47",
            (
                (
                    "192.168.1.47",
                    "192-168-1-47.504F94A02E7E.dyndns.loxonecloud.com",
                ),
            ),
        ),
        (
            "fd00::5",
            (("fd00::5", "fd00--5.504F94A02E7E.dyndns.loxonecloud.com"),),
        ),
        (
            "fe80::5%eth0",
            (("fe80::5%eth0", "fe80--5.504F94A02E7E.dyndns.loxonecloud.com"),),
        ),
        (
            "192-168-1-47.504F94A02E7E.dyndns.loxonecloud.com",
            (("192-168-1-47.504F94A02E7E.dyndns.loxonecloud.com", None),),
        ),
        (
            "localhost",
            (
                ("127.0.0.1", "127-0-0-1.504F94A02E7E.dyndns.loxonecloud.com"),
                ("localhost", None),
            ),
        ),
    ],
)
async def test_certificate_names(
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    names: tuple[tuple[str, str | None], ...],
) -> None:
    """The certificate may have Loxone's name or the owner's."""
    assert await certificate_names(Address(host=host, tls=True), IDENTITY) == names


@pytest.mark.parametrize("error", [OSError("unknown"), UnicodeError("too long")])
async def test_certificate_names_unknown_host(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A host without an address is our own error."""

    async def fail(*_args: object, **_options: object) -> None:
        """Find nothing."""
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    with pytest.raises(MiniserverConnectionError, match=r"nowhere\.lan"):
        await certificate_names(Address(host="nowhere.lan", tls=True), IDENTITY)
