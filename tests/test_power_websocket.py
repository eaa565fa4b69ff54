"""The power of each second as it comes, over the WebSocket connection."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from homeassistant.auth.models import Group
from homeassistant.core import HomeAssistant

from .actions import device_of
from .conftest import StartSimulator, make_entry, set_up
from .helpers import entity_id, eventually
from .meter_house import MeteredHouse, metered
from simulator import Car, MeterConfig

METER = MeterConfig(profile="or_we_504", wobble=0.0)
COMMAND = "loxone_wallbox/power/subscribe"


@pytest.fixture
async def home(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[MeteredHouse]:
    """Return two wallboxes with meters, one of them charging for a minute."""
    async with metered(hass, start_simulator, monkeypatch, METER, METER) as home:
        await home.plug()
        await home.run(60)
        yield home


async def subscribed(
    client: MockHAClientWebSocket, hass: HomeAssistant, home: MeteredHouse, **asked: Any
) -> tuple[int, dict[str, Any]]:
    """Subscribe; return the subscription and the first event."""
    device = device_of(hass, home.simulator)
    await client.send_json_auto_id({"type": COMMAND, "device_id": device, **asked})
    result = await client.receive_json()
    assert result["success"], result
    event = await client.receive_json()
    assert event["id"] == result["id"]
    return result["id"], event["event"]


async def test_window_and_live(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, home: MeteredHouse
) -> None:
    """First what was, then each second as it comes, without a second lost between."""
    client = await hass_ws_client(hass)
    now = home.clock.time()
    number, first = await subscribed(client, hass, home, seconds=30)
    assert (first["source"], first["coarse"]) == ("meter", False)
    points = first["points"]
    assert len(points) == 30
    assert points[-1] == [now - 1, 7400.0] or points[-1][0] <= now
    for _ in range(20):
        await home.run(1)
        event = await client.receive_json()
        assert event["id"] == number
        points += event["event"]["points"]
    times = [at for at, _ in points]
    assert len(times) == len(set(times))
    assert times == sorted(times)
    assert {after - at for at, after in pairwise(times)} <= {
        1.0,
        2.0,
    }
    assert {power for _, power in points[-20:]} == {7400.0}

    home.meter().fault("silent")
    await home.run(1)
    event = await client.receive_json()
    assert [power for _, power in event["event"]["points"]] == [None]
    feed = home.wallbox().measuring.feed
    assert len(feed._listeners) == 1
    await client.send_json_auto_id(
        {"type": "unsubscribe_events", "subscription": number}
    )
    result = await client.receive_json()
    assert result["success"]
    assert feed._listeners == []
    assert feed._stop_ticking is None


async def test_who_leaves_is_forgotten(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, home: MeteredHouse
) -> None:
    """A closed connection leaves nothing behind, and nobody else notices."""
    staying, leaving = await hass_ws_client(hass), await hass_ws_client(hass)
    await subscribed(staying, hass, home, seconds=0)
    await subscribed(leaving, hass, home)
    feed = home.wallbox().measuring.feed
    assert len(feed._listeners) == 2
    await leaving.close()
    await eventually(lambda: len(feed._listeners) == 1)
    await home.run(1)
    event = await staying.receive_json()
    assert len(event["event"]["points"]) == 1


async def test_removed(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, home: MeteredHouse
) -> None:
    """It says that the wallbox was removed, and then nothing more."""
    client = await hass_ws_client(hass)
    number, first = await subscribed(client, hass, home, seconds=0)
    assert first["points"] == []
    subentry_id = home.wallbox().subentry_id
    hass.config_entries.async_remove_subentry(home.entry, subentry_id)
    event = await client.receive_json()
    assert event["id"] == number
    assert event["event"] == {
        "ended": "removed",
        "message": "The wallbox was removed.",
    }
    await eventually(lambda: len(home.entry.runtime_data.wallboxes) == 1)
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


async def test_unloaded(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, home: MeteredHouse
) -> None:
    """It says that the wallbox may come back, and can be subscribed to again then."""
    client = await hass_ws_client(hass)
    await subscribed(client, hass, home, seconds=0)
    device = device_of(hass, home.simulator)
    await hass.config_entries.async_unload(home.entry.entry_id)
    event = await client.receive_json()
    assert event["event"]["ended"] == "unloaded"
    await client.send_json_auto_id({"type": COMMAND, "device_id": device})
    result = await client.receive_json()
    assert result["error"]["code"] == "not_found"
    assert result["error"]["translation_key"] == "unknown_wallbox"
    await hass.config_entries.async_setup(home.entry.entry_id)
    await subscribed(client, hass, home)


@pytest.mark.parametrize("seconds", [-1, 21_601, 1e99, "ten", None])
async def test_bad_limits(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    home: MeteredHouse,
    seconds: object,
) -> None:
    """What makes no sense is refused in words."""
    client = await hass_ws_client(hass)
    device = device_of(hass, home.simulator)
    await client.send_json_auto_id(
        {"type": COMMAND, "device_id": device, "seconds": seconds}
    )
    result = await client.receive_json()
    assert result["error"]["code"] == "invalid_format"
    assert "seconds" in result["error"]["message"]


async def test_rights(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    hass_read_only_user: Any,
    home: MeteredHouse,
) -> None:
    """Who may see the power may subscribe to it, who may not is refused."""
    client = await hass_ws_client(hass, hass_read_only_access_token)
    await subscribed(client, hass, home)
    power = entity_id(hass, home.simulator, "charging_power")
    user = hass_read_only_user
    for entities, allowed in (({power: True}, True), ({"light.hall": True}, False)):
        user.groups = [
            Group(name="Some", policy={"entities": {"entity_ids": entities}})
        ]
        user.invalidate_cache()
        client = await hass_ws_client(hass, hass_read_only_access_token)
        device = device_of(hass, home.simulator)
        await client.send_json_auto_id({"type": COMMAND, "device_id": device})
        result = await client.receive_json()
        assert result["success"] is allowed
        if not allowed:
            assert result["error"]["code"] == "unauthorized"


async def test_without_a_meter(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    start_simulator: StartSimulator,
) -> None:
    """What the Miniserver told last comes each second, also while it tells nothing."""
    simulator = await start_simulator(power_every_s=3600.0, energy_every_s=3600.0)
    entry = await set_up(hass, make_entry(simulator))
    simulator.wallboxes[0].plug(Car())
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": COMMAND, "device_id": device_of(hass, simulator)}
    )
    assert (await client.receive_json())["success"]
    first = (await client.receive_json())["event"]
    assert (first["source"], first["coarse"]) == ("miniserver", True)
    points: list[Any] = []
    while len(points) < 3:
        points += (await client.receive_json())["event"]["points"]
    times = [at for at, _ in points]
    assert times == [times[0] + number for number in range(len(times))]
    await hass.config_entries.async_unload(entry.entry_id)
