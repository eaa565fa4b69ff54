"""What may be overridden when, and what a wallbox does that is tampered with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from homeassistant.core import Context, HomeAssistant

from .actions import Actions, map_inputs, refused, states_of, user_id
from .conftest import StartSimulator
from .helpers import eventually, find_entity
from .stage import Stage, stage
from custom_components.loxone_wallbox.acts import Acts
from custom_components.loxone_wallbox.rights import SecurityEvent
from simulator import Car, WallboxConfig

DAY = "2027-01-13T"
LIMITED_KW = "4.16"
POLICIES = ("stop", "limit", "keep")

# By the state that is shown: why an override is refused, and what brings it about.
type Harm = Callable[[Any], None]
DANGERS: dict[str, tuple[str, str, Harm]] = {
    "fault": ("unsafe_fault", "fault", lambda box: box.set_error(102)),
    "over_temperature": (
        "unsafe_over_temperature",
        "fault",
        lambda box: box.set_contact("Over-temperature", True),
    ),
    "tamper": ("unsafe_tamper", "tamper", lambda box: box.set_contact("Tamper", True)),
    "offline": (
        "wallbox_unreachable",
        "unreachable",
        lambda box: box.set_online(False),
    ),
    "locked": ("wallbox_locked", "locked", lambda box: box.lock("maintenance")),
    "load_shedding": (
        "unsafe_load_shedding",
        "load_shedding",
        lambda box: box.set_loadshed(True),
    ),
}


class Overrides:
    """The overrides as an owner has them: as buttons, and as actions where they are."""

    def __init__(self, play: Stage) -> None:
        """Take the stage."""
        self._play = play
        self._act = Actions(play.hass, play.simulator)

    @property
    def buttons(self) -> dict[str, str]:
        """Return the buttons by the name that the security log gives the act."""
        return {
            "override": "charge_now",
            "skip_delay": "skip_random_delay",
            "dsr_opt_out": "dsr_opt_out",
        }

    def ways(self, name: str) -> list[Callable[[], Awaitable[Any]]]:
        """Return every way to override so."""
        ways: list[Callable[[], Awaitable[Any]]] = [lambda: self.press(name)]
        if name == "override":
            ways.append(lambda: self._act(name, mode="charge"))
        elif name == "skip_delay":
            ways.append(lambda: self._act(name))
        return ways

    async def press(self, name: str) -> None:
        """Press a button, also one that Home Assistant does not pass on.

        The button of a wallbox that is offline is unavailable, so that its owner cannot
        press it. Whoever still reaches it must find it refused.
        """
        key = self.buttons[name]
        play = self._play
        if play.see(key) != "unavailable":
            await play.see.call("button.press", key)
            return
        button = next(
            entity
            for entity in play.wallbox.entities
            if entity.entity_id == find_entity(play.hass, play.simulator, key)
        )
        button.async_set_context(Context(user_id=await user_id(play.hass)))
        await button.async_press()  # type: ignore[attr-defined]


@asynccontextmanager
async def waiting(
    hass: HomeAssistant, start: StartSimulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Stage, list[SecurityEvent]]]:
    """Play until a start waits for its delay while a grid event holds.

    Gives what the security log is told from then on.
    """
    box = WallboxConfig(name="Garage", contacts=True)
    async with stage(hass, start, monkeypatch, begin=f"{DAY}22:00:00", box=box) as play:
        await map_inputs(hass, play.entry, play.simulator)
        play.deal(*[437] * 9)
        act = Actions(hass, play.simulator)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await act(
            "dsr_start",
            event_id="A",
            start=play.instant(f"{DAY}22:00:00").isoformat(),
            end=play.instant(f"{DAY}23:30:00").isoformat(),
            kind="limit",
            limit_kw=6.0,
        )
        await play.at(f"{DAY}22:01:00")
        assert play.see("status") == "random_delay"
        told: list[SecurityEvent] = []
        play.wallbox.acts = Acts(play.wallbox, security=told.append)
        yield play, told


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("override", ("override_charge", "11.0")),
        ("skip_delay", ("dsr", "6.0")),
        ("dsr_opt_out", ("random_delay", "0.0")),
    ],
)
async def test_an_override_passes_where_all_is_well(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shown: tuple[str, str],
) -> None:
    """Each does what it is there for."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        await Overrides(play).press(name)
        await play.settle()
        assert (play.see("reason"), play.see("power_limit")) == shown
        assert "override_refused" not in {event.kind for event in told}


async def check_refused(play: Stage, told: list[SecurityEvent], key: str) -> None:
    """Expect that every override is refused, says why, is told and changes nothing."""
    overrides, commands = Overrides(play), list(play.see.commands)
    for name in overrides.buttons:
        for way in overrides.ways(name):
            before = states_of(play.entry)
            told.clear()
            async with refused(play.entry, key):
                await way()
            (event,) = told
            assert event.kind == "override_refused"
            assert event.outcome == "attempt_failed"
            assert event.detail == {"action": name, "reason": key}
            assert event.user_id is not None
            assert states_of(play.entry) == before
    await play.settle()
    assert play.see.commands == commands


@pytest.mark.parametrize("state", DANGERS)
async def test_overrides_are_refused_where_they_may_harm(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    """All three, in every such state, however they are asked for."""
    key, status, harm = DANGERS[state]
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        await play.see.call("select.select_option", "tamper_policy", option="stop")
        harm(play.box)
        await play.settle()
        assert play.see("status") == status
        await check_refused(play, told, key)


@pytest.mark.parametrize("policy", POLICIES)
async def test_overrides_are_refused_in_every_tamper_state(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
) -> None:
    """Whatever the owner chose to be done then; pausing is always free."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        await play.see.call("select.select_option", "tamper_policy", option=policy)
        play.box.set_contact("Tamper", True)
        await play.settle()
        expected = "tamper" if policy == "stop" else "random_delay"
        assert play.see("status") == expected
        await check_refused(play, told, "unsafe_tamper")
        await play.see.call("button.press", "pause_now")
        assert play.wallbox.controller.state.override is not None


async def test_within_the_grace_of_a_lost_link(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A button that is still there does nothing without a link, and says so."""
    async with waiting(hass, start_simulator, monkeypatch) as (play, told):
        play.simulator.fault("booting")
        await play.simulator.drop(hard=False)
        await eventually(lambda: play.see("miniserver_connection") == "off")
        assert play.see("charge_now") != "unavailable"
        await check_refused(play, told, "wallbox_unreachable")


async def told(play: Stage, *commands: str) -> None:
    """Wait until the wallbox was told just this."""
    await eventually(lambda: play.see.commands == list(commands))


@asynccontextmanager
async def charging(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *draws: int,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """Play until a car charges, one minute before eleven."""
    box = WallboxConfig(name="Garage", contacts=True, **changes)
    async with stage(
        hass,
        start,
        monkeypatch,
        begin=f"{DAY}22:52:00",
        box=box,
        manager=changes.get("managed", False),
    ) as play:
        await map_inputs(hass, play.entry, play.simulator)
        play.deal(0, *draws)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.settle()
        await play.at(f"{DAY}22:59:00")
        assert play.see("status") == "charging"
        play.simulator.commands.clear()
        yield play


async def test_tampering_limits_by_default(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The least power at once, and the rest with a delay once nobody tampers."""
    async with charging(hass, start_simulator, monkeypatch, 90) as play:
        assert play.see("tamper") == "off"
        assert play.see("tamper_policy") == "limit"
        play.box.set_contact("Tamper", True)
        await play.settle()
        assert play.see("tamper") == "on"
        assert play.see("power_limit") == LIMITED_KW
        assert play.see("reason") == "tamper"
        assert play.see("status") == "charging"
        await play.at(f"{DAY}23:20:00")
        play.box.set_contact("Tamper", False)
        await play.settle()
        assert play.see("tamper") == "off"
        await play.at(f"{DAY}23:21:29")
        assert play.see("power_limit") == LIMITED_KW
        await play.at(f"{DAY}23:21:30")
        assert play.see("power_limit") == "11.0"
        assert play.see("reason") == "default_hours"


async def test_tampering_that_stops(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing flows, also after a restart, until a delay after it is over."""
    async with charging(hass, start_simulator, monkeypatch, 77) as play:
        await play.see.call("select.select_option", "tamper_policy", option="stop")
        play.box.set_contact("Tamper", True)
        await play.settle()
        assert play.see("status") == "tamper"
        assert play.see("reason") == "tamper"
        await told(play, "allow/off")
        await play.restart()
        assert play.see("tamper_policy") == "stop"
        assert play.see("status") == "tamper"
        await play.at(f"{DAY}23:15:00")
        play.box.set_contact("Tamper", False)
        await play.settle()
        assert play.see("status") == "random_delay"
        await play.at(f"{DAY}23:16:17")
        await told(play, "allow/off", "allow/on")


async def test_a_policy_is_not_eased_while_it_matters(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To ease it then would be to override it; stricter it may become."""
    async with charging(hass, start_simulator, monkeypatch, 77) as play:
        log: list[SecurityEvent] = []
        play.wallbox.acts = Acts(play.wallbox, security=log.append)
        play.box.set_contact("Tamper", True)
        await play.settle()
        async with refused(play.entry, "unsafe_tamper"):
            await play.see.call("select.select_option", "tamper_policy", option="keep")
        assert play.see("tamper_policy") == "limit"
        assert log[-1].detail == {"action": "tamper_policy", "reason": "unsafe_tamper"}
        await play.see.call("select.select_option", "tamper_policy", option="stop")
        await play.settle()
        assert play.see("status") == "tamper"
        assert log[-1].kind == "config_security_changed"
        assert log[-1].detail == {
            "what": "tamper_policy",
            "from": "limit",
            "to": "stop",
        }
        play.box.set_contact("Tamper", False)
        await play.settle()
        await play.see.call("select.select_option", "tamper_policy", option="keep")
        assert play.see("tamper_policy") == "keep"


async def test_a_managed_wallbox_is_stopped(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its limit is the manager's, so that the only way to less is none."""
    async with charging(hass, start_simulator, monkeypatch, managed=True) as play:
        assert play.see("tamper_policy") == "limit"
        play.box.set_contact("Tamper", True)
        await play.settle()
        assert play.see("status") == "tamper"
        await told(play, "allow/off")


async def test_over_temperature_is_a_fault(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stops at once and is named, and the start afterwards has its delay."""
    async with charging(hass, start_simulator, monkeypatch, 30) as play:
        assert play.see("problem") == "off"
        play.box.set_contact("Over-temperature", True)
        await play.settle()
        assert play.see("status") == "fault"
        assert play.see("problem") == "on"
        assert play.see.attribute("problem", "fault") == "over_temperature"
        await told(play, "allow/off")
        await play.at(f"{DAY}23:15:00")
        play.box.set_contact("Over-temperature", False)
        await play.settle()
        await play.at(f"{DAY}23:15:30")
        await told(play, "allow/off", "allow/on")


async def test_a_load_that_is_shed_is_not_raised(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More is refused, as any override then; a stop does not wait."""
    async with charging(hass, start_simulator, monkeypatch) as play:
        await play.see.call("number.set_value", "target_power", value=6)
        await play.settle()
        play.box.set_loadshed(True)
        await play.settle()
        play.simulator.commands.clear()
        async with refused(play.entry, "unsafe_load_shedding"):
            await play.see.call("number.set_value", "target_power", value=9)
        await play.settle()
        assert play.see("reason") == "load_shedding"
        decision = play.wallbox.controller.decision
        assert decision is not None
        assert decision.target.limit_kw == 6.0
        assert play.see.commands == []
        await play.see.call("button.press", "pause_now")
        await play.settle()
        await told(play, "allow/off")
        await play.see.call("button.press", "resume_schedule")
        await play.at(f"{DAY}23:10:00")
        await told(play, "allow/off")
        play.box.set_loadshed(False)
        await told(play, "allow/off", "allow/on")


async def test_where_nothing_tells_there_is_no_alarm(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing tells of tampering, so nothing says that there is none; a link does."""
    async with stage(hass, start_simulator, monkeypatch) as play:
        assert find_entity(hass, play.simulator, "tamper") is None
        assert play.wallbox.tampered is None
        await map_inputs(hass, play.entry, play.simulator)
        assert play.see("tamper") == "off"
