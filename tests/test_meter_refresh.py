"""How often a meter measures anew, found out in the first session where setup did not.

Also who the meter is, asked again where its counter gives rise to doubt.
"""

from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from custom_components.loxone_wallbox.const import DOMAIN
from custom_components.loxone_wallbox.coordinator import WallboxCoordinator
from custom_components.loxone_wallbox.meter.probe import identity_reads
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter_settings import CONF_METER
from simulator import MeterConfig

QUICK = MeterConfig(profile="sdm630", wobble=0.05, energy_kwh=500)
SLOW = MeterConfig(profile="ale3", wobble=0.05, energy_kwh=500)
# Until the car charges with more than 1 kW, and a minute of it.
STARTING_S, MINUTE_S = 20, 60
FOLDER = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"


def stored(home: MeteredHouse) -> dict[str, Any]:
    """Return the settings of the meter as Home Assistant keeps them."""
    [subentry] = home.entry.subentries.values()
    meter: dict[str, Any] = subentry.data[CONF_METER]
    return meter


def repair(home: MeteredHouse) -> ir.IssueEntry | None:
    """Return the repair of a meter that is too slow."""
    issue_id = f"measures_slowly_{home.wallbox().subentry_id}"
    return ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)


def requests(home: MeteredHouse) -> int:
    """Return how often the meter was asked."""
    return sum(home.meter().outcomes.values())


def identities(home: MeteredHouse) -> int:
    """Return how often the meter was asked who it is."""
    profile = PROFILES["eastron_sdm630"]
    who = {(read.start, read.count) for read in identity_reads(profile)}
    return sum((one.address, one.count) in who for one in home.meter().requests)


def keep(home: MeteredHouse, **changes: Any) -> None:
    """Let the owner change settings of the meter."""
    [subentry] = home.entry.subentries.values()
    home.hass.config_entries.async_update_subentry(
        home.entry,
        subentry,
        data={**subentry.data, CONF_METER: {**stored(home), **changes}},
    )


async def rebuilt(home: MeteredHouse, before: WallboxCoordinator) -> None:
    """Wait until a wallbox was built anew."""
    now = home.entry.runtime_data.wallboxes
    await eventually(lambda: bool(now) and before not in now.values())
    await home.hass.async_block_till_done()


async def charge(home: MeteredHouse) -> WallboxCoordinator:
    """Let a car charge for as long as a test takes; the wallbox stays the same one."""
    before = home.wallbox()
    await home.plug()
    await home.run(STARTING_S + MINUTE_S)
    await home.hass.async_block_till_done()
    assert home.wallbox() is before
    assert home.reading()._task is not None
    return before


async def test_quick_in_the_first_session(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is proven while the car charges, which goes on in the same wallbox."""
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        assert home.reading().figures is not None
        wallbox = await charge(home)
        session = home.reading().session
        assert session is not None
        assert session.stop_wh is None
        figures = home.reading().figures
        assert figures is not None
        assert figures.ticks == figures.valid > STARTING_S + MINUTE_S
        assert stored(home)["refresh_s"] == pytest.approx(1.0, abs=0.1)
        assert stored(home)["slow_accepted"] is False
        assert home.reading().settings.as_dict() == stored(home)
        assert wallbox.settings[CONF_METER] == stored(home)
        assert repair(home) is None
        await home.restart()
        assert home.wallbox() is not wallbox
        assert home.reading().settings.refresh_s == stored(home)["refresh_s"]
        assert home.reading().findings == ()


async def test_nothing_more_is_asked(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test is made of readings there are anyway."""
    asked = []
    for refresh_s in (None, 1.0):
        async with metered(
            hass, start_simulator, monkeypatch, QUICK, refresh_s=refresh_s
        ) as home:
            begun = requests(home)
            await charge(home)
            asked.append(requests(home) - begun)
            assert stored(home)["refresh_s"] == pytest.approx(1.0, abs=0.1)
    assert asked[0] == asked[1] > MINUTE_S


async def test_no_session(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nothing charges nothing is proven, and that outlives a restart."""
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        await home.run(10 * MINUTE_S)
        assert stored(home)["refresh_s"] is None
        await home.restart()
        await home.run(2 * MINUTE_S)
        assert stored(home)["refresh_s"] is None
        assert repair(home) is None
        await charge(home)
        assert stored(home)["refresh_s"] == pytest.approx(1.0, abs=0.1)


async def test_a_meter_that_stands_still(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values that stop for minutes prove nothing; the test goes on when they move."""
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        await home.plug()
        await home.run(STARTING_S)
        home.meter().fault("frozen")
        await home.run(4 * MINUTE_S)
        assert stored(home)["refresh_s"] is None
        assert repair(home) is None
        home.meter().clear()
        await home.run(2 * MINUTE_S)
        assert stored(home)["refresh_s"] == pytest.approx(1.0, abs=0.5)
        assert repair(home) is None


async def test_too_little_power(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A car that only keeps warm proves nothing."""
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        home.meter().fault("bias", percent=-92.0, of="power")
        await charge(home)
        await home.run(3 * MINUTE_S)
        power_w = home.reading().shown.power_w
        assert power_w is not None
        assert 500 < power_w < 1000
        assert stored(home)["refresh_s"] is None


async def test_slow_in_the_first_session(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repair says so until the meter is set up again, also after a restart."""
    async with metered(
        hass, start_simulator, monkeypatch, SLOW, refresh_s=None
    ) as home:
        wallbox = await charge(home)
        assert repair(home) is None
        await home.run(2 * MINUTE_S)
        assert home.wallbox() is wallbox
        assert stored(home)["refresh_s"] == pytest.approx(10, abs=2)
        await home.restart()
        found = repair(home)
        assert found is not None
        assert found.translation_key is not None
        for language in ("en", "de"):
            texts = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
            for text in texts["issues"][found.translation_key].values():
                assert text.format(**found.translation_placeholders or {})
        assert found.translation_placeholders is not None
        assert found.translation_placeholders["refresh_s"] == "10.0"
        assert [one.kind for one in home.reading().findings] == ["measures_slowly"]
        before = home.wallbox()
        keep(home, refresh_s=None)
        await rebuilt(home, before)
        assert repair(home) is None


@pytest.mark.parametrize("refresh_s", [None, 10.0])
async def test_slow_and_accepted(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    refresh_s: float | None,
) -> None:
    """Of a slow meter that the owner accepted at setup nothing more is said."""
    async with metered(
        hass,
        start_simulator,
        monkeypatch,
        SLOW,
        refresh_s=refresh_s,
        slow_accepted=True,
    ) as home:
        await charge(home)
        await home.run(2 * MINUTE_S)
        assert stored(home)["refresh_s"] == pytest.approx(10, abs=2)
        assert stored(home)["slow_accepted"] is True
        assert home.reading().findings == ()
        await home.restart()
        assert repair(home) is None


async def test_changed_meanwhile(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is found out about a meter is not written over the owner's new settings."""
    async with metered(
        hass, start_simulator, monkeypatch, QUICK, refresh_s=None
    ) as home:
        before, old = home.wallbox(), home.reading()
        keep(home, serial="99999999")
        old._listener.learned(replace(old.settings, refresh_s=1.0))
        assert stored(home)["serial"] == "99999999"
        assert stored(home)["refresh_s"] is None
        await rebuilt(home, before)
        assert home.reading().settings.serial == "99999999"


async def test_another_meter_without_a_gap(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is known by its serial number, which is asked for once more, not for ever."""
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        await home.run(10)
        asked = identities(home)
        assert asked > 0
        home.meter().replace("77777777", 0.3)
        await home.run(15)
        figures = home.reading().figures
        assert figures is not None
        assert figures.ticks == figures.valid
        question = home.reading().account.counter.question
        assert question is not None
        assert question.kind == "meter_replaced"
        assert question.serial == "77777777"
        assert identities(home) == 2 * asked


async def test_a_reset_without_a_gap(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same serial number says that it is the same meter."""
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        await home.run(10)
        home.meter().reset()
        await home.run(30)
        question = home.reading().account.counter.question
        assert question is not None
        assert question.kind == "meter_reset"


async def test_no_answer_to_who_it_is(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A meter that does not say who it is at once is asked again."""
    async with metered(hass, start_simulator, monkeypatch, QUICK) as home:
        await home.run(10)
        home.meter().replace("77777777", 0.3)
        home.meter().fault("no_serial", times=1)
        await home.run(20)
        question = home.reading().account.counter.question
        assert question is not None
        assert question.kind == "meter_replaced"
