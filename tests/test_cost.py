"""What a session costs: by a fixed price, by the hour, by an entity's word."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .cost_home import (
    DYNAMIC,
    FIXED,
    TIME_OF_USE,
    Costs,
    Home,
    by_price,
    cost_home,
    exact,
)
from .security_home import logged
from custom_components.loxone_wallbox.charging.money import PriceStatus


@pytest.fixture
def home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Home:
    """Return what sets a home up with a tariff."""

    def build(tariff: dict[str, Any] | None, **changes: Any) -> Any:
        """Set it up."""
        return cost_home(hass, start_simulator, monkeypatch, tariff, **changes)

    return build


async def test_one_price(home: Home) -> None:
    """The cost runs with the energy and is everywhere the same when it is over."""
    async with home(FIXED) as costs:
        see = costs.play.see
        assert see("session_cost") == "unknown"
        assert see.attribute("session_cost", "unit_of_measurement") == "GBP"
        await costs.until("2027-01-13T23:00:00")
        await costs.plug()
        assert float(see("session_cost")) == 0
        reset = see.attribute("session_cost", "last_reset")
        assert reset == "2027-01-13T23:00:00+00:00"
        assert see.attribute("session_cost", "state_class") == "total"
        await costs.until("2027-01-13T23:30:00")
        assert float(see("session_cost")) == pytest.approx(5.5 * 0.3, abs=0.05)
        await costs.until("2027-01-14T00:30:00")
        record = await costs.unplug()
        assert record.cost_minor == exact(record)
        assert record.cost_minor == pytest.approx(1.5 * 11 * 30, abs=10)
        assert record.cost_status is PriceStatus.FINAL
        assert len(record.slices) == 2
        assert float(see("session_cost")) == record.cost_minor / 100
        listed = await costs.listed()
        assert listed["cost"] == record.cost_minor / 100
        assert (listed["currency"], listed["cost_status"]) == ("GBP", "final")
        told = costs.recorded.told[-1]
        assert (told["cost"], told["currency"]) == (listed["cost"], "GBP")
        assert costs.repairs == []


async def test_no_tariff(home: Home) -> None:
    """Without a price there is energy, and nothing is said of its cost."""
    async with home(None) as costs:
        await costs.plug()
        await costs.until("2027-01-13T23:30:00")
        record = await costs.unplug()
        assert record.cost_status is PriceStatus.UNKNOWN
        assert costs.play.see("session_cost") == "unknown"
        assert (await costs.listed())["cost"] is None


async def test_prices_by_the_hour(home: Home) -> None:
    """Each side of an edge has its price, and the edge moves nothing else."""
    async with home(TIME_OF_USE, begin="2027-01-14T00:00:00") as costs:
        await costs.plug()
        await costs.until("2027-01-14T00:29:00")
        allowed = len(costs.play.see.commands)
        await costs.until("2027-01-14T01:00:00")
        assert len(costs.play.see.commands) == allowed
        record = await costs.unplug()
        dear, cheap = record.slices
        edge = costs.play.instant("2027-01-14T00:30:00")
        assert dear.end <= edge <= cheap.start
        assert (str(dear.price), str(cheap.price)) == ("0.25", "0.07")
        assert dear.wh == pytest.approx(5500, rel=0.01)
        assert cheap.wh == pytest.approx(5500, rel=0.01)
        assert record.cost_minor == exact(record)
        assert record.cost_minor == round(dear.wh * 0.025) + round(cheap.wh * 0.007)


async def test_the_word_of_an_entity(home: Home) -> None:
    """Its price counts by the quarter hour, in whatever unit it is said."""
    async with home(DYNAMIC) as costs:
        costs.say(20, "p/kWh")
        await costs.until("2027-01-13T23:00:00")
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        # It tells the new price a little late.
        await costs.until("2027-01-13T23:15:08")
        costs.say("0.10")
        await costs.until("2027-01-13T23:30:00")
        costs.say("-50", "GBP/MWh")
        await costs.until("2027-01-13T23:45:00")
        record = await costs.unplug()
        assert list(by_price(record)) == ["0.20", "0.10", "-0.050"]
        assert record.repricings == ()
        for wh in by_price(record).values():
            assert wh == pytest.approx(2750, rel=0.02)
        assert record.cost_minor == exact(record)
        assert record.cost_status is PriceStatus.FINAL
        assert costs.repairs == []


async def test_a_price_that_comes_late(home: Home) -> None:
    """While the entity is away the fallback holds, provisionally; then its word."""
    async with home(DYNAMIC) as costs:
        costs.say("unavailable", None)
        await costs.plug()
        assert costs.repairs == []
        await costs.until("2027-01-13T23:20:00")
        assert costs.play.see("charging") == "on"
        assert costs.repairs == ["price_source_silent"]
        assert float(costs.play.see("session_cost")) == pytest.approx(
            0.4 * 11 * 25 / 60, abs=0.1
        )
        costs.say("0.10")
        await costs.settle()
        assert costs.repairs == []
        record = await costs.unplug()
        guessed, known = by_price(record).items()
        assert (guessed[0], known[0]) == ("0.40", "0.10")
        assert guessed[1] == pytest.approx(20 / 60 * 11_000, rel=0.02)
        assert record.cost_status is PriceStatus.PROVISIONAL
        assert record.cost_minor == exact(record)
        # What the guess was for the quarter hour that is known now is kept.
        assert [str(one.price) for one in record.repricings] == ["0.40"]
        listed = await costs.listed()
        [old] = listed["repricings"]
        part = listed["slices"][-1]
        assert (old["price_per_kwh"], old["cost_status"]) == (0.4, "provisional")
        assert (old["currency"], part["price_per_kwh"]) == ("GBP", 0.1)
        assert old["slice_start_utc"] == part["start_utc"]
        assert old["cost"] == pytest.approx(4 * part["cost"], abs=0.02)
        assert old["replaced_local"].startswith("2027-01-13T23:20:")


async def test_no_guess(home: Home) -> None:
    """Without a fallback energy waits for its price, and charging for nothing."""
    async with home({**DYNAMIC, "fallback": None}) as costs:
        await costs.plug()
        await costs.until("2027-01-13T23:10:00")
        costs.say("0.10")
        await costs.settle()
        assert costs.play.see("session_cost") == "unknown"
        record = await costs.unplug()
        assert record.import_wh == pytest.approx(2750, rel=0.02)
        assert [one.cost_minor is None for one in record.slices] == [True, False]
        assert record.cost_status is PriceStatus.UNKNOWN


async def test_an_entity_that_is_removed(home: Home) -> None:
    """A source that goes for good stops nothing; the owner is told, until it is back."""
    async with home(DYNAMIC) as costs:
        costs.say("0.20")
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        costs.say(None)
        await costs.until("2027-01-14T00:15:00")
        assert costs.play.see("charging") == "on"
        assert costs.repairs == ["price_source_silent"]
        await costs.change(FIXED)
        assert costs.repairs == []
        await costs.until("2027-01-14T00:30:00")
        record = await costs.unplug()
        assert list(by_price(record)) == ["0.20", "0.40", "0.30"]
        assert record.cost_status is PriceStatus.PROVISIONAL


@pytest.mark.parametrize(
    ("price", "unit"), [("0.2", "EUR/kWh"), ("0.2", "kWh"), ("much", "GBP/kWh")]
)
async def test_a_word_that_is_no_price(home: Home, price: str, unit: str) -> None:
    """Another currency, another unit, no number: nothing is taken and it is said."""
    async with home(DYNAMIC) as costs:
        costs.say("0.20")
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        costs.say(price, unit)
        await costs.until("2027-01-13T23:45:00")
        assert costs.repairs == ["price_source_unusable"]
        costs.say("0.20")
        await costs.settle()
        assert costs.repairs == []
        record = await costs.unplug()
        assert list(by_price(record)) == ["0.20", "0.40"]


@pytest.fixture
async def switched(home: Home) -> AsyncIterator[Costs]:
    """Return a session in which the supplier was switched after half an hour."""
    async with home(FIXED) as costs:
        await costs.plug()
        await costs.until("2027-01-13T23:25:00")
        yield costs


async def test_another_supplier(switched: Costs) -> None:
    """Sessions, schedule and what runs stay as they are; only the price is another."""
    costs, wallbox = switched, switched.play.wallbox
    recording = wallbox.recording
    assert recording is not None
    before, state = recording.book, wallbox.controller.state
    lines, commands = await costs.recorded.lines(), len(costs.play.see.commands)
    home = wallbox.hass, costs.play.simulator
    security = await logged(*home)
    await costs.change({**FIXED, "per_kwh": "0.20"})
    assert await logged(*home) == security
    assert costs.play.wallbox is wallbox
    assert wallbox.recording is recording
    assert wallbox.controller.state == state
    assert len(costs.play.see.commands) == commands
    assert await costs.recorded.lines() == lines
    assert before.open is not None
    assert recording.book.open is not None
    assert recording.book.open.tally == before.open.tally
    await costs.until("2027-01-13T23:55:00")
    await costs.change(None)
    await costs.until("2027-01-14T00:25:00")
    await costs.change(TIME_OF_USE)
    await costs.until("2027-01-14T00:29:00")
    record = await costs.unplug()
    assert record.id == before.open.id
    assert list(by_price(record)) == ["0.30", "0.20", "None", "0.25"]
    assert not record.quality.estimated_timing
    assert record.quality.gaps_s == 0
    assert sum(by_price(record).values()) == record.import_wh
    for price, minutes in (("0.30", 30), ("0.20", 30), ("None", 30), ("0.25", 4)):
        expected = pytest.approx(minutes / 60 * 11_000, abs=250)
        assert by_price(record)[price] == expected


async def test_a_restart_in_the_middle(home: Home) -> None:
    """Prices and what they were for go on after a restart."""
    async with home(DYNAMIC) as costs:
        costs.say("0.20")
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        await costs.play.restart()
        await costs.until("2027-01-13T23:20:00")
        costs.say("0.10")
        await costs.until("2027-01-13T23:30:00")
        record = await costs.unplug()
        assert list(by_price(record)) == ["0.20", "0.10"]
        assert by_price(record)["0.10"] == pytest.approx(2750, rel=0.03)
        assert record.cost_status is PriceStatus.FINAL
        assert record.cost_minor == exact(record)


async def test_old_sessions_keep_their_price(home: Home) -> None:
    """A price that changes holds from then on; what was charged stays as it was."""
    async with home(FIXED) as costs:
        await costs.plug()
        await costs.until("2027-01-13T23:15:00")
        before = await costs.unplug()
        await costs.until("2027-01-13T23:20:00")
        await costs.change({**FIXED, "per_kwh": "0.90"})
        await costs.plug()
        await costs.until("2027-01-13T23:30:00")
        await costs.unplug()
        first, second = await costs.recorded.records()
        assert first == before
        assert [str(one.price) for one in second.slices] == ["0.90"]
