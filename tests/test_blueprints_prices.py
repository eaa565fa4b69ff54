"""The cheapest hours by blueprint, from prices in the shapes that integrations give."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import (
    CoreState,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .actions import device_of
from .blueprint_helpers import AUTOMATION, running, triggered, use
from .conftest import StartSimulator
from .helpers import eventually
from .stage import LONDON, Stage, stage
from simulator import Car

PRICES = "sensor.prices"
NEXT_DAY = "event.next_day_rates"
TODAY, TOMORROW = "2027-01-13T00:00:00", "2027-01-14T00:00:00"
# What each hour of the night costs: cheap at 23:00, 02:00 and 03:00, dear at midnight.
COST = {22: 30.0, 23: 5.0, 0: 40.0, 1: 20.0, 2: 6.0, 3: 4.0, 4: 21.0, 5: 22.0, 6: 23.0}
EVERY_DAY = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

type Row = Callable[[datetime, float], dict[str, Any]]


def day(begin: str, row: Row, minutes: int = 60) -> list[dict[str, Any]]:
    """Return the prices of a day."""
    start = datetime.fromisoformat(begin).replace(tzinfo=LONDON)
    steps = [start + timedelta(minutes=one) for one in range(0, 1440, minutes)]
    return [row(at, COST.get(at.hour, 50.0)) for at in steps]


def _nordpool(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of Nord Pool from HACS."""
    return {"start": at, "end": at + timedelta(hours=1), "value": cost}


def _octopus(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of Octopus Energy."""
    return {"start": at, "end": at + timedelta(minutes=30), "value_inc_vat": cost}


def _epex(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of EPEX Spot, whose times are texts."""
    return {"start_time": at.isoformat(), "price_ct_per_kwh": cost}


def _tibber(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of Tibber from HACS."""
    return {"startsAt": at.isoformat(), "total": cost, "energy": 1.0}


def _entsoe(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of ENTSO-e, whose times are local and have no zone."""
    return {"time": f"{at:%Y-%m-%d %H:%M:%S}", "price": cost}


def _amber(at: datetime, cost: float) -> dict[str, Any]:
    """Return a price of Amber."""
    return {"start_time": at.isoformat(), "per_kwh": cost, "duration": 30}


class Market:
    """A wallbox under Great Britain's rules at noon, and an entity with prices."""

    def __init__(self, play: Stage) -> None:
        """Take the stage."""
        self.play = play

    @property
    def windows(self) -> list[tuple[str, str, str]]:
        """Return the default charging hours: days, start and end."""
        found = [
            one.as_dict() for one in self.play.wallbox.controller.state.hours.windows
        ]
        return [(",".join(one["days"]), one["start"], one["end"]) for one in found]

    async def tell(self, entity: str = PRICES, **lists: Any) -> None:
        """Let the entity tell its prices, and the automation take them."""
        self.play.hass.states.async_set(entity, "1", lists)
        await self.done()

    async def done(self) -> None:
        """Wait until the automation has nothing more to do."""
        await eventually(lambda: triggered(self.play.hass) is not None)
        await self.play.hass.async_block_till_done()
        await eventually(lambda: running(self.play.hass) == 0)


@asynccontextmanager
async def market(
    hass: HomeAssistant,
    start: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    at: str = "2027-01-13T14:00:00",
    **inputs: Any,
) -> AsyncIterator[Market]:
    """Set the stage on a Wednesday afternoon."""
    await hass.config.async_set_time_zone("Europe/London")
    monkeypatch.setattr(
        dt_util,
        "now",
        lambda zone=None: dt_util.utcnow().astimezone(
            zone or dt_util.get_default_time_zone()
        ),
    )
    async with stage(hass, start, monkeypatch, begin=at) as play:
        chosen = {
            "prices": [PRICES],
            "wallboxes": [device_of(hass, play.simulator)],
            "hours": 3,
            **inputs,
        }
        await use(hass, "cheapest_hours", **chosen)
        try:
            yield Market(play)
        finally:
            await hass.services.async_call(
                "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
            )


CHEAPEST = [
    ("wed", "23:00", "00:00"),
    ("thu", "02:00", "04:00"),
    ("mon,tue,wed,fri,sat,sun", "00:00", "05:00"),
]


@pytest.mark.parametrize(
    ("names", "row", "minutes"),
    [
        (("raw_today", "raw_tomorrow"), _nordpool, 60),
        (("raw_today", "raw_tomorrow"), _nordpool, 15),
        (("today", "tomorrow"), _tibber, 60),
        (("data",), _epex, 60),
        (("prices",), _entsoe, 60),
        (("forecasts",), _amber, 30),
        (("rates",), _octopus, 30),
    ],
)
async def test_shapes(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    row: Row,
    minutes: int,
) -> None:
    """The cheapest hours of the night become the hours; other days keep the usual ones."""
    async with market(hass, start_simulator, monkeypatch) as it:
        days = [day(TODAY, row, minutes), day(TOMORROW, row, minutes)]
        lists: Any = days if len(names) > 1 else [days[0] + days[1]]
        told: dict[str, Any] = dict(zip(names, lists, strict=True))
        await it.tell(**told)
        assert it.windows == CHEAPEST


async def test_two_entities(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing changes until enough prices are known; tomorrow's come from elsewhere."""
    async with market(
        hass, start_simulator, monkeypatch, prices=[PRICES, NEXT_DAY]
    ) as it:
        before = it.windows
        await it.tell(rates=day(TODAY, _octopus, 30))
        assert it.windows == before
        await it.tell(NEXT_DAY, rates=day(TOMORROW, _octopus, 30))
        assert it.windows == CHEAPEST


async def test_the_car_follows(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A car that is there waits, charges in the chosen hours, and only in those."""
    async with market(hass, start_simulator, monkeypatch, together=True, hours=2) as it:
        it.play.deal(0, 0, 0, 0)
        await it.tell(
            raw_today=day(TODAY, _nordpool), raw_tomorrow=day(TOMORROW, _nordpool)
        )
        assert it.windows[:-1] == [("thu", "02:00", "04:00")]
        it.play.box.plug(Car(capacity_kwh=77, energy_kwh=10))
        await it.play.settle()
        assert it.play.see("status") == "waiting_for_default_hours"
        await it.play.at("2027-01-14T01:55:00")
        assert it.play.see.commands == ["allow/off"]
        await it.play.at("2027-01-14T02:05:00")
        assert it.play.see.commands == ["allow/off", "allow/on"]
        await it.play.at("2027-01-14T04:30:00")
        assert it.play.see.commands == ["allow/off", "allow/on", "allow/off"]


@pytest.mark.parametrize(
    ("inputs", "windows"),
    [
        ({"dearest": 5.5}, [("wed", "23:00", "00:00"), ("thu", "03:00", "04:00")]),
        ({"hours": 9}, [("wed", "22:00", "07:00")]),
        ({"hours": 1.5}, [("wed", "23:00", "00:00"), ("thu", "03:00", "04:00")]),
        ({"begin": "01:00:00"}, [("thu", "01:00", "04:00")]),
        (
            {"begin": "13:00:00", "ready": "13:00:00", "hours": 1},
            [("thu", "03:00", "04:00")],
        ),
    ],
)
async def test_limits(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    inputs: dict[str, Any],
    windows: list[tuple[str, str, str]],
) -> None:
    """Nothing dearer, no less than was asked, and only between the two times of day."""
    async with market(hass, start_simulator, monkeypatch, **inputs) as it:
        both = day(TODAY, _epex) + day(TOMORROW, _epex)
        # What is no price is left out.
        await it.tell(
            data=[*both, {"start_time": "soon", "price": 0}, {"price": -5}, 7]
        )
        assert it.windows[:-1] == windows
        assert set(it.windows[-1][0].split(",")) < EVERY_DAY


async def test_a_night_that_has_begun(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who forgets yesterday at midnight does not make the night longer."""
    async with market(
        hass, start_simulator, monkeypatch, at="2027-01-13T21:00:00"
    ) as it:
        await it.tell(data=day(TODAY, _epex) + day(TOMORROW, _epex))
        await it.play.at("2027-01-14T00:01:00")
        await it.tell(data=day(TOMORROW, _epex))
        assert it.windows == CHEAPEST


@pytest.mark.parametrize("which", ["nordpool", "tibber"])
async def test_asked_for(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
) -> None:
    """Where no list is told, the integration's action is asked, here at the start."""
    entry = MockConfigEntry(domain=which, title=which)
    entry.add_to_hass(hass)
    registry = er.async_get(hass)
    registry.async_get_or_create(
        "sensor", which, "1", suggested_object_id="prices", config_entry=entry
    )
    hass.states.async_set(PRICES, "12.3")
    asked: list[dict[str, Any]] = []

    async def answer(call: ServiceCall) -> ServiceResponse:
        """Give prices as the integration does."""
        asked.append(dict(call.data))
        if which == "nordpool":
            rows = day(f"{call.data['date']}T00:00:00", _nordpool)
            plain = [{**one, "start": one["start"].isoformat()} for one in rows]
            return {
                "UK": [{"start": one["start"], "price": one["value"]} for one in plain]
            }
        rows = day(TODAY, _tibber) + day(TOMORROW, _tibber)
        plain = [{"start_time": one["startsAt"], "price": one["total"]} for one in rows]
        home: Any = plain
        return {"prices": {"Home": home}}

    action = {"nordpool": "get_prices_for_date", "tibber": "get_prices"}[which]
    hass.services.async_register(
        which, action, answer, supports_response=SupportsResponse.ONLY
    )
    async with market(hass, start_simulator, monkeypatch) as it:
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": AUTOMATION}, blocking=True
        )
        hass.set_state(CoreState.starting)
        await hass.services.async_call(
            "automation", "turn_on", {"entity_id": AUTOMATION}, blocking=True
        )
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await it.done()
        assert it.windows == CHEAPEST
        if which == "nordpool":
            assert [one["date"] for one in asked] == ["2027-01-13", "2027-01-14"]
            assert {one["config_entry"] for one in asked} == {entry.entry_id}
