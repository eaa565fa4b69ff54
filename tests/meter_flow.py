"""Walks through a meter's setup as an owner does, progress included."""

import asyncio
from collections.abc import Awaitable
import time
from typing import Any, Protocol, override

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType

from .conftest import StartSimulator, make_entry, set_up
from .flow_helpers import Result, change, say, suggestions
from custom_components.loxone_wallbox.meter_settings import MeterSettings
from simulator import Car, Clock, MeterConfig, Simulator, WallboxConfig
from simulator.meters.meter import SimulatedMeter

WAIT_S = 30.0
THREE_PHASES = WallboxConfig(name="Garage")
ONE_PHASE = WallboxConfig(name="Garage", variant="7.4kw_air")


class FastClock(Clock):
    """Several seconds in one, for the simulator and for who watches its meters."""

    def __init__(self, rate: float) -> None:
        """Begin now."""
        self._rate = rate
        self._begin, self._since = time.time(), time.monotonic()

    @override
    def time(self) -> float:
        """Return UTC seconds since 1970."""
        return self._begin + self.monotonic() - self._since

    @override
    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._since + (time.monotonic() - self._since) * self._rate

    async def sleep(self, seconds: float) -> None:
        """Wait for a while."""
        await asyncio.sleep(seconds / self._rate)


class Answer(Protocol):
    """Answers a form of one of the flows."""

    def __call__(
        self, hass: HomeAssistant, result: Result, data: Any
    ) -> Awaitable[Result]:
        """Return what is shown next."""
        ...


class Wizard:
    """The setup of a meter in progress; `shown` is what it said while it worked."""

    def __init__(
        self,
        hass: HomeAssistant,
        result: Result,
        manager: FlowManager[Any, Any, Any] | None = None,
        answer: Answer = say,
    ) -> None:
        """Take the flow that shows a form."""
        self._hass = hass
        self._manager = manager or hass.config_entries.subentries
        self._answer = answer
        self.result = result
        self.shown: list[tuple[str, dict[str, str]]] = []

    @property
    def step(self) -> str:
        """Return the step that is shown."""
        step: str = self.result["step_id"]
        return step

    @property
    def errors(self) -> dict[str, str]:
        """Return what the form complains about."""
        return dict(self.result["errors"] or {})

    @property
    def texts(self) -> dict[str, str]:
        """Return what the form's text mentions."""
        return dict(self.result["description_placeholders"])

    @property
    def suggested(self) -> Result:
        """Return the answers the form suggests."""
        return suggestions(self.result)

    async def say(self, **changes: Any) -> str:
        """Answer a form with its suggestions and these changes; return the next step.

        Progress is waited for.
        """
        await self.begin(**changes)
        return await self.follow()

    async def begin(self, **changes: Any) -> None:
        """Answer a form without waiting for progress."""
        data = {**self.suggested, **changes}
        self.result = await self._answer(self._hass, self.result, data)

    async def follow(self) -> str:
        """Wait until a form is shown; return its step, or the kind of the end."""
        async with asyncio.timeout(WAIT_S):
            while self.result["type"] is FlowResultType.SHOW_PROGRESS:
                await self.news()
        kind = self.result["type"]
        return self.step if kind is FlowResultType.FORM else str(kind)

    async def news(self) -> None:
        """Wait until progress shows something else."""
        shown = self.result["progress_action"], self.result["description_placeholders"]
        self.shown.append(shown)
        flow = self._manager._progress[self.result["flow_id"]]
        task = flow.async_get_progress_task()
        assert task is not None
        await asyncio.wait([task])
        await self._hass.async_block_till_done()
        assert flow.cur_step is not None
        self.result = dict(flow.cur_step)
        if self.result["type"] is FlowResultType.SHOW_PROGRESS_DONE:
            done = await self._manager.async_configure(flow.flow_id)
            self.result = dict(done)
        await self._hass.async_block_till_done()

    async def model(self, model: str, transport: str = "tcp") -> str:
        """Choose a model and the way to it."""
        assert self.step == "meter"
        return await self.say(meter_profile=model, transport=transport)

    def leave(self) -> None:
        """Close the dialogue."""
        self._manager.async_abort(self.result["flow_id"])


class Home:
    """A house with wallboxes and meters that is set up in Home Assistant."""

    def __init__(
        self, hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry
    ) -> None:
        """Take what runs."""
        self.hass = hass
        self.simulator = simulator
        self.entry = entry

    @property
    def meter(self) -> SimulatedMeter:
        """Return the first meter."""
        return self.simulator.meters[0]

    @property
    def garage(self) -> ConfigSubentry:
        """Return the first wallbox."""
        return next(iter(self.entry.subentries.values()))

    @property
    def stored(self) -> dict[str, Any] | None:
        """Return the settings of the first wallbox's meter."""
        meter = self.garage.data.get("meter")
        return None if meter is None else dict(meter)

    async def wizard(self, source: str = "meter") -> Wizard:
        """Change the first wallbox; its rules are answered."""
        result = await change(self.hass, self.entry, self.garage.title)
        wizard = Wizard(self.hass, result)
        await wizard.say(meter_source=source)
        return wizard

    async def keep(self, settings: MeterSettings, box: int = 0) -> None:
        """Let a wallbox have a meter as if it had been set up before."""
        subentry = list(self.entry.subentries.values())[box]
        self.hass.config_entries.async_update_subentry(
            self.entry, subentry, data={**subentry.data, "meter": settings.as_dict()}
        )
        await self.hass.async_block_till_done()

    def charge(self) -> None:
        """Let a car charge at every wallbox."""
        for box in self.simulator.wallboxes:
            box.plug(Car(capacity_kwh=500, energy_kwh=10))


async def build(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    *meters: MeterConfig,
    wallboxes: tuple[WallboxConfig, ...] = (THREE_PHASES,),
    rate: float = 1.0,
) -> Home:
    """Set a house up, whose wallboxes have no meter yet."""
    simulator = await start_simulator(
        clock=FastClock(rate),
        wallboxes=wallboxes,
        meters=meters,
        idle_timeout_s=1e6,
        token_lifetime_s=1e7,
    )
    return Home(hass, simulator, await set_up(hass, make_entry(simulator)))


def port_of(meter: SimulatedMeter) -> int:
    """Return the TCP port of a meter."""
    return int(meter.address.partition(":")[2])
