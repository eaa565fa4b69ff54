"""A grid operator's limit, its heartbeat and its silence, as the owner sees them."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .actions import Actions, refused
from .conftest import StartSimulator
from .stage import Stage, stage
from simulator import Car

DAY = "2027-01-13T"


async def limit(play: Stage, act: Actions, **fields: Any) -> None:
    """Have the operator say his limit, valid for a quarter of an hour."""
    usual = {
        "event_id": "operator",
        "kind": "limit",
        "limit_kw": 4.2,
        "end": play.instant(f"{DAY}23:30:00").isoformat(),
        "validity_s": 900,
    }
    await act("dsr_start", by=None, **{**usual, **fields})


async def charging(play: Stage) -> Actions:
    """Have a car charge at noon."""
    play.deal()
    play.box.plug(Car(capacity_kwh=300, energy_kwh=10))
    await play.settle()
    await play.at(f"{DAY}12:00:00")
    assert play.see("status") == "charging"
    assert play.see("power_limit") == "11.0"
    play.simulator.commands.clear()
    return Actions(play.hass, play.simulator)


@pytest.mark.parametrize("asked", [4.2, 1.0])
async def test_a_limit_whose_operator_falls_silent(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    asked: float,
) -> None:
    """It is kept for two hours after the last word, never under 4.2 kW, then let go."""
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=f"{DAY}11:50:00",
        profile="de_14a",
        first_use=None,
    ) as play:
        act = await charging(play)
        await limit(play, act, limit_kw=asked)
        assert play.see("power_limit") == "4.2"
        assert play.see("dsr_active") == "on"
        await play.at(f"{DAY}12:10:00")
        await limit(play, act, limit_kw=asked)
        # The word of 12:10 runs out at 12:25; from then on nobody knows.
        await play.at(f"{DAY}14:24:59")
        assert play.see("power_limit") == "4.2"
        assert play.see("dsr_active") == "on"
        assert play.see.commands == ["manualLimit/4.2"]
        await play.at(f"{DAY}14:25:00")
        assert play.see("power_limit") == "11.0"
        assert play.see("dsr_active") == "off"
        await play.at(f"{DAY}15:00:00")
        await limit(play, act, limit_kw=asked)
        assert play.see("power_limit") == "4.2"
        assert play.see.commands == ["manualLimit/4.2", "setmode/3", "manualLimit/4.2"]


async def test_a_source_that_speaks_again_is_delayed(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under the British rules silence lets go, and each turn has its own draw."""
    async with stage(
        hass, start_simulator, monkeypatch, begin=f"{DAY}22:00:00"
    ) as play:
        play.deal(0, 30, 60, 90)
        play.box.plug(Car(capacity_kwh=300, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:30:00")
        act = Actions(hass, play.simulator)
        await limit(play, act)
        await play.at(f"{DAY}22:30:30")
        assert play.see("power_limit") == "4.2"
        await play.at(f"{DAY}22:45:00")
        assert play.see("dsr_active") == "off"
        assert play.see("random_delay_ends") == "2027-01-13T22:46:00+00:00"
        await play.at(f"{DAY}22:46:00")
        assert play.see("power_limit") == "11.0"
        await play.at(f"{DAY}23:00:00")
        await limit(play, act)
        assert play.see("dsr_active") == "on"
        assert play.see("random_delay_ends") == "2027-01-13T23:01:30+00:00"
        await play.at(f"{DAY}23:01:30")
        assert play.see("power_limit") == "4.2"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"version": 1}, "dsr_version_not_newer"),
        ({"version": 2, "limit_kw": 6.0}, "dsr_version_not_newer"),
        ({"version": 3, "limit_kw": -1.0}, "dsr_limit_invalid"),
    ],
)
async def test_what_makes_no_sense_is_logged(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    key: str,
) -> None:
    """An older version is refused and told to the security log; a heartbeat is not."""
    async with stage(
        hass,
        start_simulator,
        monkeypatch,
        begin=f"{DAY}11:50:00",
        profile="de_14a",
        first_use=None,
    ) as play:
        act = await charging(play)
        await limit(play, act, version=2)
        await play.at(f"{DAY}12:05:00")
        await limit(play, act, version=2)
        assert "invalid_input" not in caplog.text
        async with refused(play.entry, key):
            await limit(play, act, **fields)
        [told] = [one for one in caplog.messages if "invalid_input" in one]
        assert told.startswith("invalid_input: attempt_failed")
        assert key in told
        assert play.see("power_limit") == "4.2"
