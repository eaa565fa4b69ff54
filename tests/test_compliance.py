"""The compliance report and its sensor, as the owner has them."""

from collections.abc import AsyncIterator
from errno import EIO
import json
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
    translation,
)

from .actions import device_of, refused, user_id
from .compliance_home import GB_NIGHT, Office, offices
from .conftest import StartSimulator, make_entry, set_up
from .helpers import Surface, eventually
from .security_home import log_files, log_of, logged
from .test_alerts import Heard
from custom_components.loxone_wallbox import event, evidence
from custom_components.loxone_wallbox.const import (
    DOMAIN,
    SECURITY_URL,
    SUPPORT_UNTIL,
)
from custom_components.loxone_wallbox.records.journal import JournalError
from custom_components.loxone_wallbox.records.security_log import SecurityLog
from custom_components.loxone_wallbox.rights import SecurityEvent

ROOT = Path(__file__).parents[1]
# What a wallbox in Great Britain without a meter, TLS, a watchdog and a user of its own
# on the Miniserver lacks.
LACKS = ["R7", "R9c", "R9d", "R12", "S5", "S7b", "S8b", "S9"]


@pytest.fixture
async def office(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """Return an office in Great Britain."""
    async with offices(hass, start_simulator, monkeypatch) as home:
        yield home


def lacks(office: Office) -> list[str]:
    """Return what is not met, without what other tests may have brought."""
    deletes = office.hass.services.has_service("loxone_wallbox", "delete_personal_data")
    return [one for one in LACKS if not (one == "S7b" and deletes)]


async def test_the_sensor_and_the_report(office: Office) -> None:
    """They agree, and say what is missing."""
    assert office.see("compliance_status") == "attention"
    assert office.failing == lacks(office)
    answer = await office.report()
    assert answer["format"] == "markdown"
    assert answer["language"] == "en"
    [result] = answer["reports"]
    assert result == {
        "device_id": office.act.devices[0],
        "wallbox": "Garage",
        "state": "attention",
        "failing": office.failing,
    }
    text = answer["content"]
    assert text.startswith("# Compliance report: Garage\n")
    assert "This report is no certificate" in text
    assert "profile Great Britain: Smart Charge Points Regulations 2021, ver" in text
    for said in (
        "22:00-08:00.",
        "Peak: ",
        "Fallback test: not run.",
        "Watchdog: none.",
        "Sessions are kept for 25 months",
        "The longest delay is 600 s.",
        "How delays are spread: none was drawn yet.",
        "All 0 records are as they were written.",
        f"Security fixes until at least {SUPPORT_UNTIL}.",
        SECURITY_URL,
    ):
        assert said in text, said


async def test_json_in_german(office: Office) -> None:
    """As data, in the language of the home, of several wallboxes at once."""
    office.hass.config.language = "de"
    office.act.devices = [
        device_of(office.hass, office.simulator, box) for box in (0, 1)
    ]
    answer = await office.report(format="json")
    assert answer["language"] == "de"
    assert [one["wallbox"] for one in answer["reports"]] == ["Garage", "Carport"]
    first = answer["reports"][0]
    assert first["disclaimer"].startswith("Dieser Bericht ist kein Zertifikat")
    rows = {one["id"]: one for one in first["requirements"]}
    assert rows["R7"]["state"] == "attention"
    assert "Ausfalltest: nicht gemacht." in rows["R7"]["seen"]
    assert rows["R13"]["state"] == "not_applicable"
    assert first["facts"]["rules"]["max_delay_s"] == 600
    assert first["facts"]["security"]["log_records"] == 0
    assert any("Montag-Freitag 08:00-11:00" in one for one in rows["R10a"]["seen"])
    assert first["profile"] == "gb_2021"
    json.dumps(answer)


async def test_another_language_at_run_time(office: Office) -> None:
    """The days are called as in the language that was chosen last, also in repairs."""
    hass = office.hass
    window = {"days": ["tue"], "start": "21:00", "end": "23:00"}
    await office.act("set_default_hours", windows=[window])
    wallbox = office.wallbox
    issue = (DOMAIN, f"hours_in_peak_{wallbox.subentry_id}")
    await hass.config.async_update(language="de")
    # As Home Assistant does by a listener that the one of the tests has not.
    await translation.async_load_integrations(hass, {DOMAIN})
    wallbox.async_refresh_state()
    placeholders = ir.async_get(hass).issues[issue].translation_placeholders
    assert (placeholders or {})["hours"] == "Dienstag 21:00-22:00"
    content = (await office.report())["content"]
    assert "Dienstag 21:00-23:00" in content


async def test_a_file(office: Office, tmp_path: Path) -> None:
    """Written where Home Assistant allows it, and nowhere else."""
    async with refused(office.entry, "path_not_allowed"):
        await office.report(path=str(tmp_path / "report.md"))
    [tried] = await logged(office.hass, office.simulator, "action_denied")
    assert tried["detail"]["action"] == "generate_compliance_report"
    office.hass.config.allowlist_external_dirs = {str(tmp_path)}
    file = tmp_path / "report.md"
    answer = await office.report(path=str(file))
    assert answer["path"] == str(file)
    assert "content" not in answer
    assert file.read_text().startswith("# Compliance report: Garage\n")


async def test_only_for_administrators(office: Office) -> None:
    """It tells of the security of the home; who asks nevertheless is recorded."""
    bob = await user_id(office.hass, "Bob", "user")
    async with refused(office.entry, "history_administrator_needed"):
        await office.report(by=bob)
    [record] = await log_of(office.hass, office.simulator).async_records()
    assert record["detail"]["action"] == "generate_compliance_report"


async def test_what_changes_is_told(office: Office) -> None:
    """A shorter delay shows at once, and the owner is told of it once."""
    heard = Heard(office.hass, office.simulator)
    await office.see.call("number.set_value", "max_random_delay", value=60)
    await eventually(lambda: "R11a" in office.failing)
    await eventually(lambda: heard.kinds == ["compliance_changed"])
    assert heard.all[0]["status"] == "attention"
    assert "R11a" in heard.all[0]["failing"]
    await office.see.call("number.set_value", "max_random_delay", value=600)
    await eventually(lambda: office.failing == lacks(office))
    assert heard.kinds == ["compliance_changed"]


async def test_where_alerts_are_shown_last(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first status is known all the same, so what changes it then is told."""
    monkeypatch.setattr(evidence, "is_demonstration", lambda _host: False)
    simulator, set_up_events = await start_simulator(), event.async_setup_entry
    added: list[str] = []

    async def late(*given: Any) -> None:
        """Wait until the status is shown."""
        await eventually(lambda: any(map(hass.states.get, _status(hass))))
        added.extend(hass.states.async_entity_ids("event"))
        await set_up_events(*given)

    monkeypatch.setattr(event, "async_setup_entry", late)
    entry = await set_up(hass, make_entry(simulator, **GB_NIGHT))
    assert added == []
    office = Office(hass, simulator, entry)
    heard = Heard(hass, simulator)
    await office.see.call("number.set_value", "max_random_delay", value=60)
    await eventually(lambda: heard.kinds == ["compliance_changed"])
    await hass.config_entries.async_unload(entry.entry_id)


def _status(hass: HomeAssistant) -> list[str]:
    """Return the sensors with the status that there are."""
    return [
        one.entity_id
        for one in er.async_get(hass).entities.values()
        if one.unique_id.endswith("_compliance_status")
    ]


@pytest.mark.parametrize(
    ("told", "sentences"),
    [
        (
            {"outcome": "failed", "measured": True},
            ("not passed on {at}.", "did not charge without the connection"),
        ),
        # As it was kept before it was known whether anybody measured.
        ({"outcome": "inconclusive"}, ("on {at} nothing could be told.",)),
        (
            {"outcome": "inconclusive", "measured": False},
            ("on {at} nothing could be told, because the energy was not measured",),
        ),
    ],
)
async def test_a_fallback_test(
    office: Office, told: dict[str, Any], sentences: tuple[str, ...]
) -> None:
    """The report knows what the last one came to, as it is kept."""
    wallbox = office.wallbox
    wallbox.links.keep_fallback({**told, "at": "2027-01-13T17:25:00+00:00"})
    answer = await office.report()
    for sentence in sentences:
        assert sentence.format(at="2027-01-13 09:25 PST") in answer["content"]


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/London", "2026-07-13 18:25 BST"),
        ("Europe/Vienna", "2026-07-13 19:25 CEST"),
        ("UTC", "2026-07-13 17:25 UTC"),
    ],
)
async def test_the_clock_of_the_home(office: Office, zone: str, told: str) -> None:
    """Instants are told by the clock that the report's head is told by, and by name."""
    await office.hass.config.async_set_time_zone(zone)
    wallbox = office.wallbox
    wallbox.links.keep_fallback(
        {"outcome": "failed", "at": "2026-07-13T17:25:00+00:00"}
    )
    said = f"Fallback test: not passed on {told}."
    assert said in (await office.report())["content"]
    [report] = (await office.report(format="json"))["reports"]
    assert any(said in one["seen"] for one in report["requirements"])


async def test_a_log_that_was_changed(office: Office) -> None:
    """The report looks at every byte, and the sensor knows from then on."""
    log = log_of(office.hass, office.simulator)
    log.record(SecurityEvent(kind="tamper_on", outcome="info"))
    await log.async_verify()
    file = log_files(office.hass, office.simulator)[0]
    file.write_bytes(file.read_bytes().replace(b"tamper_on", b"tamper_of"))
    answer = await office.report()
    assert "S10" in answer["reports"][0]["failing"]
    assert "Record 1 is not as it was written." in answer["content"]
    assert "S10" in office.failing


async def test_a_log_that_cannot_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody could look at is not as it should be, until somebody could."""
    log, read = log_of(office.hass, office.simulator), Path.read_bytes
    log.record(SecurityEvent(kind="tamper_on", outcome="info"))
    await log.async_verify()
    file = log_files(office.hass, office.simulator)[0]

    def broken(path: Path) -> bytes:
        """Read any other file."""
        if path == file:
            raise OSError(EIO, "Input/output error")
        return read(path)

    with monkeypatch.context() as disk:
        disk.setattr(Path, "read_bytes", broken)
        answer = await office.report()
    assert "S10" in answer["reports"][0]["failing"]
    assert "The security log could not be read or written." in answer["content"]
    assert "records are as they were written" not in answer["content"]
    assert "Records of tampering" not in answer["content"]
    assert "S10" in office.failing
    answer = await office.report()
    assert "S10" not in answer["reports"][0]["failing"]
    assert "S10" not in office.failing


async def test_a_log_that_cannot_be_written(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor knows without a report."""
    log, wallbox = log_of(office.hass, office.simulator), office.wallbox
    with monkeypatch.context() as disk:
        disk.setattr(SecurityLog, "append", _full)
        log.record(SecurityEvent(kind="tamper_on", outcome="info"))
        await eventually(lambda: log.failing)
        wallbox.async_update_listeners()
        assert "S10" in office.failing
    await log.async_verify()
    wallbox.async_update_listeners()
    assert "S10" not in office.failing


def _full(*_given: Any) -> None:
    """Take nothing, as a disk that is full."""
    raise JournalError("No space left on device")


async def test_elsewhere(hass: HomeAssistant, start_simulator: StartSimulator) -> None:
    """Without the British profile nothing applies; a simulation never passes."""
    simulator = await start_simulator()
    entry = await set_up(hass, make_entry(simulator))
    see = Surface(hass, simulator)
    assert see("compliance_status") == "not_applicable"
    assert see.attribute("compliance_status", "failing") == []
    await hass.config_entries.async_remove(entry.entry_id)
    again = await set_up(hass, make_entry(simulator, **GB_NIGHT))
    assert see.attribute("compliance_status", "failing")[0] == "DEMO"
    await hass.config_entries.async_unload(again.entry_id)


@pytest.mark.parametrize(
    ("host", "demonstration"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("0.0.0.0", True),
        ("::", True),
        ("localhost.", True),
        ("ip6-localhost", True),
        ("home.localhost", True),
        ("192.168.1.77", False),
        ("miniserver.example", False),
    ],
)
def test_this_machine(host: str, *, demonstration: bool) -> None:
    """No real Miniserver runs on this machine."""
    assert evidence.is_here(host) is demonstration


async def test_where_to_report(office: Office) -> None:
    """The device, the report and SECURITY.md say the same."""
    device = dr.async_get(office.hass).async_get(office.act.devices[0])
    assert isinstance(device, dr.DeviceEntry)
    assert device.configuration_url == SECURITY_URL
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    day = SUPPORT_UNTIL.split("-")
    assert f"until at least **{day[2]} December {day[0]}**" in policy


async def test_a_simulator_on_another_machine(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says of itself what it is, so that no report takes it for a real one."""
    monkeypatch.undo()
    monkeypatch.setattr(evidence, "is_here", lambda _host: False)
    assert evidence.is_demonstration(office.wallbox)
    answer = await office.report(format="json")
    assert answer["reports"][0]["failing"][0] == "DEMO"
