"""The blueprint that asks about a plug-in during the peak, run on a stage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
from typing import Any

import pytest

from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .blueprint_helpers import (
    AUTOMATION,
    Phone,
    running,
    triggered,
    use,
)
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .stage import Stage, stage
from custom_components.loxone_wallbox.charging.override import OverrideMode
from simulator import Car

DAY = "2027-01-13T"
NO_HOURS: dict[str, object] = {
    "choice": "remove",
    "windows": [],
    "clock": "local",
    "preset": None,
}


class Evening:
    """A stage on which a plug-in during the peak is asked about."""

    def __init__(self, play: Stage, phones: list[Phone]) -> None:
        """Take the stage and the phones."""
        self.play = play
        self.phones = phones

    def plug(self) -> None:
        """Plug a car in."""
        self.play.box.plug(Car(capacity_kwh=77, energy_kwh=10))

    async def asked(self) -> None:
        """Wait for the question on every phone, and for the wallbox to obey."""
        await eventually(lambda: all(phone.question for phone in self.phones))
        await eventually(lambda: self.play.see.commands[-1:] == ["allow/off"])

    async def over(self) -> None:
        """Wait until the automation has nothing more to do, and no phone shows any."""
        await eventually(lambda: running(self.play.hass) == 0)
        assert not any(phone.question for phone in self.phones)

    def go_on(self, text: str) -> None:
        """Go on to a local time while a question is open.

        The stage's own way waits for all that is under way, and so does a question.
        """
        clock = self.play.clock
        seconds = self.play.instant(text).timestamp() - clock.time()
        self.play.simulator.advance(seconds, step_s=seconds / 40)
        clock.step(self.play.instant(text).timestamp() - clock.time())
        self.play.wallbox.async_refresh_state()

    @property
    def override(self) -> Any:
        """Return the override that is kept."""
        return self.play.wallbox.controller.state.override


@asynccontextmanager
async def evening(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    inputs: dict[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[Evening]:
    """Set the stage at 17:25, a Wednesday's peak, with two phones."""
    await hass.config.async_set_time_zone("Europe/London")
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: dt_util.utcnow().astimezone(
            zone or dt_util.get_default_time_zone()
        ),
    )
    phones = [Phone(hass, "Ann's phone"), Phone(hass, "Tablet")]
    phones[0].reach_by("mobile_app_ann_s_phone")
    phones[1].reach_by("mobile_app_tablet")
    async with stage(hass, start, monkeypatch, **changes) as play:
        await use(
            hass,
            "peak_plug_in",
            vehicle=entity_id(hass, play.simulator, "vehicle_connected"),
            peak=entity_id(hass, play.simulator, "in_peak_hours"),
            next_change=entity_id(hass, play.simulator, "next_change"),
            phones=[phone.device_id for phone in phones],
            **(inputs or {}),
        )
        yield Evening(play, phones)


async def test_charge_now(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tap is a person's act: it charges without a delay, until unplugging."""
    async with evening(hass, start_simulator, monkeypatch) as it:
        it.play.deal()
        it.plug()
        await it.asked()
        for phone in it.phones:
            assert phone.question is not None
            assert phone.question["title"] == "Plugged in during peak hours"
            assert phone.question["message"] == (
                "Garage waits until 22:00. Charge now instead?"
            )
            assert set(phone.answers) == {"Charge now", "Wait"}
            (tag,) = phone.shown
            assert len(tag.encode()) <= 64
        assert it.play.see.commands == ["allow/off"]
        it.phones[0].tap(it.phones[0].answers["Charge now"])
        await eventually(lambda: it.play.see.commands == ["allow/off", "allow/on"])
        await it.over()
        assert it.play.see("reason") == "override_charge"
        assert it.override.mode is OverrideMode.CHARGE
        assert it.override.end is None
        assert it.override.source == "user"
        await it.play.at(f"{DAY}17:30:00")
        assert it.play.see("status") == "charging"
        await it.play.at(f"{DAY}21:00:00")
        assert it.play.see.commands == ["allow/off", "allow/on"]


async def test_wait(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits, and the other phone is not asked any more; the texts are the owner's."""
    texts = {
        "title": "{{ name }}",
        "message": "Wartet bis {{ until }}.",
        "charge_text": "Jetzt laden",
        "wait_text": "Warten",
    }
    async with evening(hass, start_simulator, monkeypatch, inputs=texts) as it:
        it.plug()
        await it.asked()
        question = it.phones[1].question
        assert question is not None
        assert (question["title"], question["message"]) == (
            "Garage",
            "Wartet bis 22:00.",
        )
        assert set(it.phones[1].answers) == {"Jetzt laden", "Warten"}
        it.phones[1].tap(it.phones[1].answers["Warten"])
        await eventually(lambda: it.phones[0].question is None)
        await it.over()
        assert it.override is None
        assert it.play.see("status") == "waiting_for_default_hours"
        assert it.play.see.commands == ["allow/off"]


async def test_no_answer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The question goes and nothing changes; who taps on what was left is heard."""
    soon = {"withdraw_after": {"seconds": 0.3}}
    async with evening(hass, start_simulator, monkeypatch, inputs=soon) as it:
        it.play.deal()
        it.plug()
        await it.asked()
        charge = it.phones[0].answers["Charge now"]
        await eventually(lambda: it.phones[0].question is None)
        await it.over()
        assert [len(phone.sent) for phone in it.phones] == [2, 2]
        assert it.override is None
        assert it.play.see("status") == "waiting_for_default_hours"
        assert it.play.see.commands == ["allow/off"]
        it.phones[0].tap(charge)
        await eventually(lambda: it.play.see.commands == ["allow/off", "allow/on"])


async def test_unplugged_before_the_answer(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The question goes with the car; a tap that comes too late does nothing."""
    async with evening(hass, start_simulator, monkeypatch) as it:
        it.plug()
        await it.asked()
        charge = it.phones[0].answers["Charge now"]
        it.play.box.unplug()
        await eventually(lambda: it.phones[0].question is None)
        await it.over()
        sent = len(it.phones[0].sent)
        it.phones[0].tap(charge)
        await eventually(lambda: len(it.phones[0].sent) > sent)
        await it.over()
        assert it.override is None
        it.plug()
        await it.asked()


async def test_outside_the_peak(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is asked at noon, though the car waits; the peak asks."""
    async with evening(
        hass, start_simulator, monkeypatch, begin=f"{DAY}12:00:00"
    ) as it:
        it.plug()
        await it.play.settle()
        assert it.play.see("vehicle_connected") == "on"
        assert it.play.see("status") == "waiting_for_default_hours"
        assert not triggered(hass)
        it.play.box.unplug()
        await it.play.at(f"{DAY}16:00:00")
        assert not triggered(hass)
        it.plug()
        await it.asked()


async def test_nothing_to_wait_for(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is asked where the car charges by itself."""
    async with evening(
        hass, start_simulator, monkeypatch, first_use=NO_HOURS, who_delays="nobody"
    ) as it:
        it.plug()
        await eventually(lambda: running(hass) == 1)
        assert it.play.see("in_peak_hours") == "on"
        assert it.play.see("reason") == "no_default_hours"
        it.play.box.unplug()
        await it.over()
        assert [phone.sent for phone in it.phones] == [[], []]


async def test_the_random_delay(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A random delay is asked about too; with its end there is nothing to ask."""
    async with evening(hass, start_simulator, monkeypatch, first_use=NO_HOURS) as it:
        it.play.deal(210)
        await it.play.at(f"{DAY}17:30:00")
        it.plug()
        await it.asked()
        assert it.phones[0].question is not None
        assert "until 17:33." in it.phones[0].question["message"]
        it.go_on(f"{DAY}17:33:30")
        await eventually(lambda: it.phones[0].question is None)
        await it.over()
        await eventually(lambda: it.play.see.commands == ["allow/off", "allow/on"])


async def test_a_wallbox_that_comes_back(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To be away for a while neither takes the question away nor asks again."""
    async with evening(hass, start_simulator, monkeypatch) as it:
        it.plug()
        await it.asked()
        asked_at = triggered(hass)
        seen: list[str] = []
        vehicle = entity_id(hass, it.play.simulator, "vehicle_connected")

        @callback
        def note(event: Event[EventStateChangedData]) -> None:
            """Take note of a state."""
            state = event.data["new_state"]
            seen.append("" if state is None else state.state)

        async_track_state_change_event(hass, vehicle, note)
        await hass.config_entries.async_reload(it.play.entry.entry_id)
        await eventually(lambda: it.play.see("reason") == "outside_default_hours")
        assert seen[0] == "unavailable"
        assert seen[-1] == "on"
        assert triggered(hass) == asked_at
        assert running(hass) == 1
        assert [len(phone.sent) for phone in it.phones] == [1, 1]
        it.play.box.unplug()
        await it.over()


async def test_the_answer_after_a_restart(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tap counts though the run that asked is gone."""
    async with evening(hass, start_simulator, monkeypatch) as it:
        it.play.deal()
        it.plug()
        await it.asked()
        charge = it.phones[0].answers["Charge now"]
        for action in ("turn_off", "turn_on"):
            await hass.services.async_call(
                "automation", action, {"entity_id": AUTOMATION}, blocking=True
            )
        assert running(hass) == 0
        assert it.phones[1].question is not None
        it.phones[0].tap(charge)
        await eventually(lambda: it.play.see.commands == ["allow/off", "allow/on"])
        await it.over()


async def test_refused(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who asked for charging and does not get it is told."""
    async with evening(
        hass, start_simulator, monkeypatch, automations_may_override=False
    ) as it:
        it.plug()
        await it.asked()
        it.phones[0].tap(it.phones[0].answers["Charge now"])
        await eventually(
            lambda: all(
                phone.question is not None
                and phone.question["message"]
                == "Garage cannot charge now. Home Assistant shows why."
                for phone in it.phones
            )
        )
        await eventually(lambda: running(hass) == 0)
        assert re.search("You may not do this with Garage", caplog.text)
        assert it.override is None
        assert it.play.see.commands == ["allow/off"]
