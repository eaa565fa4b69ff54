"""The maker's list of releases: one version out of it, and nothing else."""

import pytest

from custom_components.loxone_wallbox.miniserver.errors import ProtocolError
from custom_components.loxone_wallbox.miniserver.releases import (
    MOST_BYTES,
    is_newer,
    newest_release,
)

LIST = """<?xml version="1.0" encoding="utf-8"?>
<Miniserversoftware Version="10" certificate="MIIB">
  <Test Version="17.01.02.03" Path="http://example.com/test.zip" signature="x"/>
  <Beta Version="17.00.09.01" Path="http://example.com/beta.zip" signature="x"/>
  <Release Version="{version}" Path="http://example.com/release.zip"/>
  <update Name="LoxLIVE" type="ms">
    <Test Version="17010203"/>
    <Release Version="16030504"/>
  </update>
  <update Name="App" type="ios"><Release Version="15.2.4 (2026.03.29)"/></update>
</Miniserversoftware>"""


@pytest.mark.parametrize(
    ("told", "version"),
    [("17.00.03.31", "17.0.3.31"), (" 16.1.11.6 ", "16.1.11.6"), ("18.0.1", "18.0.1")],
)
def test_newest(told: str, version: str) -> None:
    """The release for everybody, as a Miniserver writes its own version."""
    assert newest_release(LIST.format(version=told).encode()) == version


LAUGHS = """<!DOCTYPE Miniserversoftware [<!ENTITY a "17.0.3.31">]>
<Miniserversoftware><Release Version="&a;"/></Miniserversoftware>"""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html><body>404</body></html>",
        b"\xff\xfe<Miniserversoftware",
        LIST.partition("<update")[0].format(version="17.0.3.31").encode(),
        LIST.format(version="").encode(),
        LIST.format(version="17").encode(),
        LIST.format(version="17.0.3.31-<b>").encode(),
        LIST.format(version="17.0.3.31.4.5").encode(),
        LIST.format(version="99999.0.0.1").encode(),
        LIST.replace("Miniserversoftware", "Other").format(version="17.0.1").encode(),
        LIST.format(version="17.0.3.31").replace("Beta", "Release").encode(),
        LAUGHS.encode(),
        LIST.format(version="17.0.3.31").replace("<Release", "<Other", 1).encode(),
        LIST.format(version="17.0.3.31").encode() + b" " * MOST_BYTES,
        b"<a>" * 100_000,
    ],
)
def test_anything_else(document: bytes) -> None:
    """What is no list, or wants more than to be read, tells nothing."""
    with pytest.raises(ProtocolError):
        newest_release(document)


@pytest.mark.parametrize(
    ("version", "installed", "newer"),
    [
        ("17.0.3.31", "16.10.0.0", True),
        ("16.10.0.0", "16.9.0.0", True),
        ("16.0.0.1", "16.0", True),
        ("16.0.0.0", "16.00.0.0", False),
        ("16.0.0", "16.0.0.0", False),
        ("16.0.0.0", "17.0.0.0", False),
        ("16.0.0.0", "", False),
    ],
)
def test_newer(version: str, installed: str, *, newer: bool) -> None:
    """Number by number; what is not known is no reason to install anything."""
    assert is_newer(version, installed) is newer
