"""The power of each second: the action that gives it, from a meter and without one."""

from datetime import UTC, datetime, timedelta
import math
import threading
from typing import Any

import pytest

from homeassistant.auth.models import Group
from homeassistant.auth.permissions.types import PolicyType
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized

from .actions import Actions, refused, user_id
from .conftest import StartSimulator
from .helpers import entity_id, eventually
from .meter_house import MeteredHouse, metered
from .stage import Stage, stage
from custom_components.loxone_wallbox.meter.series import Point, VisitSeries
from simulator import Car, MeterConfig

METER = MeterConfig(profile="or_we_504", wobble=0.0)


async def series(actions: Actions, **asked: Any) -> dict[str, Any]:
    """Return the series of the only wallbox."""
    answer = await actions("get_power_series", answer=True, **asked)
    [(device_id, found)] = answer.items()
    assert device_id == actions.devices[0]
    return dict(found)


def holes(found: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return from when to when there are no readings."""
    points = found["points"]
    return [
        (point["at"], points[number + 1]["at"] if number + 1 < len(points) else None)
        for number, point in enumerate(points)
        if point["power_w"] is None
    ]


def missed_by(home: MeteredHouse) -> int:
    """Return how many seconds had no reading."""
    figures = home.reading().figures
    assert figures is not None
    return figures.ticks - figures.valid


def check_charging(home: MeteredHouse, found: dict[str, Any], missing: int) -> None:
    """See that there are as many seconds of charging as there really were.

    Zeros stand where no current flowed: before the car's contactor closed.
    """
    powers = [point["power_w"] for point in found["points"]]
    flows = home.simulator.wallboxes[0].flows.as_list()
    flowing = [flow["time"] for flow in flows if flow["power_kw"]]
    start = datetime.fromisoformat(found["points"][0]["at"]).timestamp()
    idle = math.ceil(flowing[0] - start)
    assert powers[:idle] == [0.0] * idle
    assert 0.0 not in powers[idle:]
    charged = sum(bool(power) for power in powers)
    assert charged + missing == found["seconds"] - idle


def clock_of(text: str) -> str:
    """Return the time of day of an instant, to the second."""
    return text[11:19]


async def check_afterwards(
    home: MeteredHouse, actions: Actions, found: dict[str, Any]
) -> None:
    """See that the session stays as it was, and what is known of other times."""
    await home.unplug()
    await home.run(100)
    last = await series(actions, session="last")
    assert last["seconds"] == 180
    assert last["points"] == found["points"]
    async with refused(home.entry, "power_no_session"):
        await series(actions, session="current")
    now = datetime.fromtimestamp(home.clock.time(), UTC)
    found = await series(
        actions, start=now - timedelta(seconds=60), end=now + timedelta(hours=1)
    )
    assert (found["seconds"], found["measured_seconds"]) == (60, 60)
    assert {point["power_w"] for point in found["points"]} == {0.0}
    found = await series(
        actions, start=now - timedelta(hours=3), end=now - timedelta(hours=2)
    )
    assert [point["power_w"] for point in found["points"]] == [None]
    assert found["coverage"] == 0


@pytest.mark.slow
async def test_each_second_of_a_session(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session has as many points as seconds; a silent meter leaves one hole."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        actions = Actions(hass, home.simulator)
        before = home.entry.as_dict()
        async with refused(home.entry, "power_no_session"):
            await series(actions, session="current")
        async with refused(home.entry, "power_no_last_session"):
            await series(actions, session="last")
        # No car is plugged in just when the meter is read.
        await home.run(0.5)
        await home.plug()
        await home.run(120)
        found = await series(actions, session="current")
        assert (found["source"], found["coarse"]) == ("meter", False)
        assert (found["seconds"], found["measured_seconds"]) == (120, 120)
        assert found["coverage"] == 1
        assert [point["power_w"] for point in found["points"][-60:]] == [7400.0] * 60
        instants = [datetime.fromisoformat(one["at"]) for one in found["points"]]
        steps = {
            one - other for one, other in zip(instants[1:], instants, strict=False)
        }
        assert steps == {timedelta(seconds=1)}
        assert instants[0].tzinfo == UTC

        missed = missed_by(home)
        assert missed == 0
        home.meter().fault("silent")
        await home.run(8)
        home.meter().clear()
        await home.run(52)
        found = await series(actions, session="current")
        assert found["seconds"] == 180
        assert len(holes(found)) == 1
        missing = found["seconds"] - found["measured_seconds"]
        # Each second that has no reading, and no other.
        assert missing == missed_by(home)
        assert missing >= 8
        assert found["coverage"] == pytest.approx(1 - missing / 180, abs=1e-3)
        check_charging(home, found, missing)

        await check_afterwards(home, actions, found)
        assert home.entry.as_dict() == before


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({}, "power_session_or_times"),
        (
            {"session": "current", "start": "{0}", "end": "{1}"},
            "power_session_or_times",
        ),
        ({"start": "{0}"}, "power_session_or_times"),
        ({"end": "{1}"}, "power_session_or_times"),
        ({"session": "tomorrow's"}, "power_session_unknown"),
        ({"session": ""}, "power_session_unknown"),
        ({"start": "{1}", "end": "{0}"}, "power_end_before_start"),
        ({"start": "{0}", "end": "{0}"}, "power_end_before_start"),
        ({"start": "2027-01-13T20:00:00", "end": "{1}"}, "time_naive"),
        ({"start": "{0}", "end": "2027-01-13T23:00:00"}, "time_naive"),
        ({"start": "9990-01-01T00:00Z", "end": "9999-01-01T00:00Z"}, "power_in_future"),
        ({"start": "9999-12-31T23:00-12:00", "end": "{1}"}, "power_end_before_start"),
        ({"start": "0001-01-01T00:00+14:00", "end": "{1}"}, "power_too_much"),
        ({"start": "2020-01-01T00:00Z", "end": "{1}"}, "power_too_much"),
    ],
)
async def test_what_makes_no_sense(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, str],
    key: str,
) -> None:
    """It is refused in words."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        now = datetime.fromtimestamp(home.clock.time(), UTC)
        times = ((now - timedelta(hours=1)).isoformat(), now.isoformat())
        filled = {name: text.format(*times) for name, text in asked.items()}
        async with refused(home.entry, key):
            await series(Actions(hass, home.simulator), **filled)


async def test_a_day_of_all_together(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty-four hours at once, of one wallbox or of two together."""
    async with metered(hass, start_simulator, monkeypatch, METER, METER) as home:
        end = datetime.fromtimestamp(home.clock.time(), UTC)
        both = Actions(hass, home.simulator, 0, 1)
        half = {"start": end - timedelta(hours=12), "end": end}
        answer = await both("get_power_series", answer=True, **half)
        assert list(answer) == both.devices
        async with refused(home.entry, "power_too_much"):
            await both(
                "get_power_series",
                answer=True,
                start=end - timedelta(hours=12, seconds=1),
                end=end,
            )
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(
                "loxone_wallbox",
                "get_power_series",
                {"device_id": [*both.devices, "none"], "session": "last"},
                blocking=True,
                return_response=True,
            )
        assert caught.value.translation_key == "unknown_wallbox"


async def reader(hass: HomeAssistant, policy: PolicyType) -> str:
    """Return a user with a policy of their own."""
    await user_id(hass)
    user = await hass.auth.async_create_user("Visitor")
    user.groups = [Group(name="Some", policy=policy)]
    user.invalidate_cache()
    return user.id


async def test_who_may_read(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever may see the power, and automations; nobody else."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(5)
        actions = Actions(hass, home.simulator)
        power = entity_id(hass, home.simulator, "charging_power")
        for by in (None, await user_id(hass, "Guest", "guest")):
            assert await series(actions, by=by, session="current")
        policy = {"entities": {"entity_ids": {power: {"read": True}}}}
        seeing = await reader(hass, policy)
        assert await series(actions, by=seeing, session="current")
        other = {"entities": {"entity_ids": {"light.hall": True}}}
        for by in (await reader(hass, other), "nobody"):
            with pytest.raises(Unauthorized):
                await series(actions, by=by, session="current")


async def silence(play: Stage, until: str) -> None:
    """Let the Miniserver be out of reach for a while."""
    play.simulator.fault("booting")
    await play.simulator.drop()
    await eventually(lambda: play.see("miniserver_connection") == "off")
    await play.at(until)
    play.simulator.clear()
    await eventually(lambda: play.see("miniserver_connection") == "on", 30)


async def test_without_a_meter(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the Miniserver told last holds, second by second; a lost link is a hole."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-13T22:30:00"
    ) as play:
        play.deal(453)
        await play.at("2027-01-13T22:35:00")
        play.box.plug(Car(capacity_kwh=500, energy_kwh=10))
        await play.settle()
        await play.at("2027-01-13T23:00:00")
        actions = Actions(hass, play.simulator)
        found = await series(actions, session="current")
        assert (found["source"], found["coarse"]) == ("miniserver", True)
        assert found["seconds"] == pytest.approx(25 * 60, abs=2)
        assert found["measured_seconds"] == pytest.approx(found["seconds"], abs=2)
        assert holes(found) == []
        begun = next(one["at"] for one in found["points"] if one["power_w"])
        assert clock_of(begun)[:5] == "22:42"
        await silence(play, "2027-01-13T23:20:00")
        await play.at("2027-01-13T23:30:00")
        found = await series(actions, session="current")
        [(start, end)] = holes(found)
        assert clock_of(start) in {"23:00:00", "23:00:01"}
        assert end is not None
        assert clock_of(end)[:5] == "23:20"
        assert found["seconds"] == pytest.approx(55 * 60, abs=2)
        assert found["measured_seconds"] == pytest.approx(35 * 60, abs=60)
        play.box.unplug()
        await play.settle()
        await play.at("2027-01-13T23:40:00")
        last = await series(actions, session="last")
        assert last["seconds"] == pytest.approx(55 * 60, abs=2)
        assert holes(last) == [(start, end)]


async def test_a_day_of_seconds_does_not_hold_the_loop_up(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The points are made in a thread, of a copy of what is there."""
    threads: list[int] = []
    between = VisitSeries.between

    def noted(self: VisitSeries, start: float, end: float) -> list[Point]:
        """Note which thread makes the points."""
        threads.append(threading.get_ident())
        return between(self, start, end)

    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        await home.plug()
        await home.run(20)
        monkeypatch.setattr(VisitSeries, "between", noted)
        await series(Actions(hass, home.simulator), session="current")
        assert threads
        assert threading.get_ident() not in threads
