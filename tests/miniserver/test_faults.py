"""Each fault in the middle of a charge: afterwards all is as if it had not been."""

import asyncio
from typing import Any

import pytest

from .harness import House, agree, config, house, until
from custom_components.loxone_wallbox.miniserver import (
    MiniserverClient,
    connection as connection_module,
)
from custom_components.loxone_wallbox.miniserver.errors import MiniserverError
from simulator import Car
from simulator.faults import FAULTS

pytestmark = pytest.mark.usefixtures("socket_enabled")

# What a fault is injected with, and whether the link has to break by it.
CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "latin1_text": ({}, False),
    "unescaped_quote": ({}, False),
    "unescaped_quote session": ({"where": "session"}, False),
    "control_characters": ({}, False),
    "control_characters session": ({"where": "session"}, False),
    "numeric_codes": ({}, False),
    "negative_zero": ({}, False),
    "no_price": ({}, False),
    "missing_states": ({}, False),
    "delay": ({"seconds": 0.05}, False),
    "delay too long": ({"seconds": 0.7, "times": 1}, True),
    "no_answer": ({"times": 1}, True),
    "events_before_answer": ({}, False),
    "zero_header": ({}, False),
    "zero_header texts": ({"kind": 3, "count": 3}, False),
    "empty_answer": ({"times": 1}, False),
    "half_table": ({}, True),
    "half_table texts": ({"kind": 3}, True),
    "half_table daytimers": ({"kind": 4}, True),
    "half_table weather": ({"kind": 7}, True),
    "garbage_frame": ({}, True),
    "garbage_frame short": ({"size": 3}, True),
    "garbage_frame long": ({"size": 5000}, True),
    "wrong_length": ({}, True),
    "wrong_length short": ({"by": -8}, True),
    "huge_length": ({}, True),
    "reset": ({}, True),
    "half_frame": ({}, True),
    "silence": ({}, True),
    "no_slot": ({}, False),
    "lost_slots": ({}, False),
    "booting": ({}, False),
    "blocked": ({"seconds": 0.5}, False),
    "command_ignored": ({}, False),
    "wrong_state": ({}, False),
    "command_code": ({}, False),
    "estimated_headers": ({}, False),
    "estimated_headers other bit": ({"mask": 1}, False),
    "expired_tokens": ({}, False),
    "revoked_tokens": ({}, False),
    "revoked_tokens close": ({"close": True}, True),
    "new_key_pair": ({}, False),
    "structure_invalid": ({}, False),
    "structure_without_wallbox": ({}, False),
    "structure_slow": ({"seconds": 0.2}, False),
    "structure_change": ({"down_s": 0.3}, True),
    "offline": ({}, False),
    "charging_error": ({}, False),
    "clock_off": ({}, False),
    "clock_zone": ({}, False),
    "no_clock": ({}, False),
}
# Over TLS a link breaks otherwise; what is said over it is the same.
TLS = {"reset", "half_frame", "garbage_frame"}


def test_no_fault_is_forgotten() -> None:
    """Every fault that the simulator knows is injected here."""
    assert {name.split()[0] for name in CASES} == set(FAULTS)


async def charging(home: House, **options: Any) -> MiniserverClient:
    """Return a client in front of which a car charges."""
    client = await home.connected(**options)
    home.sim.wallboxes[0].plug(Car(capacity_kwh=77, energy_kwh=17))
    await until(lambda: client.wallbox(home.box).charging)
    return client


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice silence and missing answers soon."""
    monkeypatch.setattr(connection_module, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(connection_module, "KEEPALIVE_INTERVAL_S", 0.1)
    monkeypatch.setattr(connection_module, "KEEPALIVE_TIMEOUT_S", 0.3)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("name", "generation"),
    [
        *((name, 1) for name in CASES),
        *(
            pytest.param(name, 2, marks=[] if name in TLS else pytest.mark.slow)
            for name in CASES
        ),
    ],
)
async def test_fault_while_charging(name: str, generation: int) -> None:
    """The client is connected again, knows the truth, and has nothing left over."""
    options, breaks = CASES[name]
    fault = name.split(maxsplit=1)[0]
    settings = config(generation=generation, extra_controls=30)
    async with house(settings) as home:
        secure = generation == 2
        client = await charging(
            home,
            address={"tls": secure},
            certificate=home.trust() if secure else True,
        )
        home.sim.fault(fault, **options)
        commands = asyncio.gather(
            *(client.set_mode(home.box, mode) for mode in (1, 2)),
            client.set_mode_after_unplug(home.box, 4),
            return_exceptions=True,
        )
        for outcome in await commands:
            assert outcome is None or isinstance(outcome, MiniserverError)
        if breaks:
            await until(lambda: home.listener.lost)
        else:
            # Faults that show only at the next login are met there.
            await home.sim.drop()
            await until(lambda: home.listener.lost)
            await asyncio.sleep(0.05)
        home.sim.clear()
        await until(lambda: client.connected)
        # A structure that came with a fault is read again after the next save.
        if fault.startswith(("structure_", "missing_")):
            await home.sim.change_structure(down_s=0.1)
            await until(lambda: len(home.listener.lost) >= 2 and client.connected)
        await agree(client, home.sim)
        await client.set_manual_limit(home.box, 6)
        await agree(client, home.sim)
        assert client.wallbox(home.box).limit_kw == 6
        assert home.listener.refused == []


@pytest.mark.usefixtures("hasty")
async def test_faults_without_a_break() -> None:
    """Faults of texts and numbers do not cost the link."""
    async with house() as home:
        client = await charging(home)
        home.sim.wallboxes[0].set_user("somebody")
        for name, options, user in (
            ("latin1_text", {}, "Jürgen Müller"),
            ("unescaped_quote", {"where": "session"}, 'say "hello" twice'),
            ("control_characters", {"where": "session"}, "line\x14break"),
        ):
            home.sim.fault(name, **options)
            await session_of(client, home.box, user)
            await client.set_mode(home.box, 2)
            home.sim.clear()
        for name in ("unescaped_quote", "control_characters", "numeric_codes"):
            home.sim.fault(name)
            await client.set_mode(home.box, 3)
            home.sim.clear()
        home.sim.wallboxes[0].unplug()
        home.sim.fault("negative_zero")
        home.sim.fault("no_price")
        await until(lambda: client.wallbox(home.box).price_per_kwh is None)
        assert str(client.wallbox(home.box).power_kw) == "0.0"
        assert client.connections == 1
        assert home.listener.lost == []


async def session_of(client: MiniserverClient, box: str, user: str) -> None:
    """Wait until the running session is somebody's."""

    def is_theirs() -> bool:
        """Look at the session."""
        session = client.wallbox(box).session
        return session is not None and session.user == user

    await until(is_theirs)


@pytest.mark.usefixtures("hasty")
async def test_all_at_once() -> None:
    """A storm of faults, one after the other without a pause, is survived."""
    async with house() as home:
        client = await charging(home)
        for name in ("half_table", "zero_header", "garbage_frame", "reset") * 5:
            home.sim.fault(name)
            await asyncio.sleep(0.03)
        home.sim.clear()
        await agree(client, home.sim)
        await client.allow(home.box, False)
        await agree(client, home.sim)
