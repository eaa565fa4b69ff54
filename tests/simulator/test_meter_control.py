"""Meters over the control port."""

from typing import Any

from aiohttp import ClientSession
import pytest

from .conftest import Start
from .meters import charge, house, master
from simulator import MeterConfig, Simulator


@pytest.fixture
async def sim(start: Start) -> Simulator:
    """Return a unit with a control port and two meters, after an hour of charging."""
    sim = await house(
        start,
        MeterConfig(profile="sdm630", name="hall", pause_s=0, wobble=0),
        MeterConfig(profile="pac2200", link="rtu_tcp", wobble=0),
        control_port=0,
    )
    charge(sim)
    return sim


async def get(sim: Simulator, path: str) -> Any:
    """Return what the control port shows."""
    url = f"http://127.0.0.1:{sim.control_port}/{path}"
    async with ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.json()


async def post(sim: Simulator, path: str, **data: Any) -> tuple[int, Any]:
    """Return status and answer of the control port."""
    url = f"http://127.0.0.1:{sim.control_port}/{path}"
    async with ClientSession() as session, session.post(url, json=data) as response:
        return response.status, await response.json()


async def test_truth(sim: Simulator) -> None:
    """The truth of every meter stands in the state of the world and by itself."""
    async with master(sim.meters[0]) as reads:
        await reads.read(4, 0x34, 24)
        await reads.read(4, 0x34, 23)
    meters = await get(sim, "meters")
    assert meters == (await get(sim, "state"))["meters"]
    hall, pac = meters
    assert hall["title"] == "Eastron SDM630"
    assert hall["wallbox"] == "Garage"
    assert hall["address"] == sim.meters[0].address
    assert hall["power_w"] == 11000
    assert hall["phase_power_w"] == [pytest.approx(11000 / 3, abs=0.001)] * 3
    assert hall["import_kwh"] == pytest.approx(sim.wallboxes[0].total_kwh)
    assert hall["shown"]["power"] == 11000
    assert hall["requests"] == {"answered": 1, "exception 3": 1}
    assert hall["last_requests"] == ["4 52+24: answered", "4 52+23: exception 3"]
    assert (pac["unit"], pac["link"], pac["name"]) == (126, "rtu_tcp", "pac2200")


async def test_everything_that_can_be_done(sim: Simulator) -> None:
    """Faults come and go; meters are replaced, reset, restarted."""
    done = (200, {"ok": True})
    hall, pac = sim.meters
    assert "options" in (await get(sim, "meters/faults"))["slow"]
    assert await post(sim, "meter/fault", name="silent", times=3) == done
    assert await post(sim, "meter/fault", meter="pac2200", name="bias", of="power") == (
        done
    )
    assert hall.faults.active["silent"]["times"] == 3
    assert pac.faults.active["bias"]["percent"] == 12
    assert (await get(sim, "meters"))[1]["faults"]["bias"]["of"] == "power"
    assert await post(sim, "meter/clear", name="silent") == done
    assert hall.faults.active == {}
    assert await post(sim, "clear") == done
    assert pac.faults.active == {}
    assert await post(sim, "meter/replace", meter=0) == done
    assert (hall.serial, hall.import_kwh) == ("23110002", 0.3)
    assert await post(sim, "meter/replace", serial="4711", energy_kwh=7) == done
    assert (hall.serial, hall.import_kwh) == ("4711", 7)
    assert await post(sim, "meter/reset", meter="hall") == done
    assert hall.import_kwh == 0
    assert await post(sim, "meter/energy", meter=1, energy_kwh=999999.9) == done
    assert pac.import_kwh == 999999.9
    assert await post(sim, "meter/reboot", meter=1, seconds=7) == done
    assert (await get(sim, "meters"))[1]["dark"]
    assert await post(sim, "meter/reboot", meter=0) == done
    assert hall.is_dark()
    assert await post(sim, "meter/tariff", meter=1, tariff=2) == done


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("fault", {}, "'name' is missing"),
        ("fault", {"name": "flood"}, "unknown fault 'flood'"),
        ("fault", {"name": "slow", "speed": 3}, "slow has no option speed"),
        ("fault", {"meter": 2, "name": "slow"}, "there is no meter 2, only hall"),
        ("fault", {"meter": 1.5, "name": "slow"}, "meter is a position"),
        ("clear", {"name": "flood"}, "unknown fault 'flood'"),
        ("replace", {"serial": "X"}, "only digits"),
        ("replace", {"energy_kwh": "much"}, "energy_kwh is a number"),
        ("reset", {"meter": "attic"}, "there is no meter 'attic'"),
        ("energy", {}, "'energy_kwh' is missing"),
        ("energy", {"energy_kwh": -1}, "is not negative"),
        ("reboot", {"soon": True}, "soon is not known here"),
        ("tariff", {"tariff": 3}, "tariff 1 and tariff 2"),
    ],
)
async def test_wrong_input(
    sim: Simulator, path: str, body: dict[str, Any], sentence: str
) -> None:
    """What makes no sense is answered with a sentence."""
    status, answer = await post(sim, f"meter/{path}", **body)
    assert status == 400
    assert sentence in answer["error"]


async def test_no_meters(start: Start) -> None:
    """A house without meters says so."""
    sim = await house(start, control_port=0)
    assert await get(sim, "meters") == []
    _, answer = await post(sim, "meter/reset")
    assert answer["error"] == "there is no meter 0, only none at all"
