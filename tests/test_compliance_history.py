"""What the compliance report says where sessions that are kept cannot be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .compliance_home import Office, offices
from .conftest import StartSimulator
from .helpers import eventually
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.ledger_repair import (
    async_look_at_files,
    forget_damage,
)
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.ledger import Ledger


@pytest.fixture
async def office(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """Return an office in Great Britain."""
    async with offices(hass, start_simulator, monkeypatch) as home:
        yield home


def damage(office: Office, box: int = 0) -> Path:
    """Leave a file of a wallbox in which a line is not as it was written."""
    config = office.simulator.config
    folder = Path(office.hass.config.path(DOMAIN)) / config.serial
    folder.mkdir(parents=True, exist_ok=True)
    uuid = office.simulator.wallboxes[box].uuid
    found = folder / f"{uuid}.sessions.2026-10.jsonl"
    found.write_text('{"c":"00000000","r":{"broken":1}}\n', encoding="utf-8")
    return found


async def lacks(office: Office) -> list[str]:
    """Return what a report says is missing of the history."""
    [report] = (await office.report(format="json"))["reports"]
    [row] = [one for one in report["requirements"] if one["id"] == "R9b"]
    assert ("R9b" in office.failing) is (row["state"] == "attention")
    missing: list[str] = row["missing"]
    return missing


async def test_a_damaged_file(office: Office) -> None:
    """The report looks at the files itself, and the sensor knows from then on."""
    assert await lacks(office) == []
    found = damage(office)
    [gap] = await lacks(office)
    assert gap.startswith("Some of the sessions that are kept cannot be read.")
    assert any(one.startswith("sessions_damaged") for _, one in _issues(office))
    found.write_text("", encoding="utf-8")
    assert await lacks(office) == []
    assert not any(one.startswith("sessions_damaged") for _, one in _issues(office))


async def test_of_another_wallbox(office: Office) -> None:
    """What is damaged of one is none of another's, and stays told."""
    damage(office, 1)
    serial = office.simulator.config.serial
    boxes = [(serial, one.uuid) for one in office.simulator.wallboxes]
    await async_look_at_files(office.hass, boxes)
    assert await lacks(office) == []
    assert any(one.startswith("sessions_damaged") for _, one in _issues(office))


@pytest.mark.parametrize("what", ["months", "first_month"])
async def test_files_that_cannot_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Nobody knows then what is kept."""

    def broken(_ledger: Ledger) -> list[str]:
        """Give nothing."""
        raise JournalError("Input/output error")

    monkeypatch.setattr(Ledger, what, broken)
    [report] = (await office.report(format="json"))["reports"]
    [row] = [one for one in report["requirements"] if one["id"] == "R9b"]
    [gap] = row["missing"]
    assert gap.startswith("The files of the sessions could not be read.")
    assert not any("oldest month" in one for one in row["seen"])


async def test_the_daily_look(office: Office) -> None:
    """The sensor knows when a repair is raised, and when it is taken back."""
    where = (office.simulator.config.serial, office.simulator.wallboxes[0].uuid)
    damage(office)
    await async_look_at_files(office.hass, [where])
    await eventually(lambda: "R9b" in office.failing)
    forget_damage(office.hass, *where)
    await eventually(lambda: "R9b" not in office.failing)


def _issues(office: Office) -> list[tuple[str, str]]:
    """Return the repairs that there are."""
    return list(ir.async_get(office.hass).issues)
