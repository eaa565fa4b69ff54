"""The interface that moves the world, and the command line."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import signal
import sys
from typing import Any

from aiohttp import ClientSession
import pytest

from .conftest import Connect, Start
from simulator import Simulator, cli

ROOT = Path(__file__).parents[2]
type Post = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
async def sim(start: Start) -> Simulator:
    """Return a unit with its control port."""
    return await start(control_port=0)


@pytest.fixture
def post(sim: Simulator) -> Post:
    """Return a function that posts to the control port."""

    async def _post(name: str, /, **data: Any) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{sim.control_port}/{name}"
        async with ClientSession() as session, session.post(url, json=data) as response:
            return response.status, await response.json()

    return _post


async def get(sim: Simulator, name: str) -> Any:
    """Return what the control port shows."""
    url = f"http://127.0.0.1:{sim.control_port}/{name}"
    async with ClientSession() as session, session.get(url) as response:
        return await response.json()


async def test_a_session(sim: Simulator, post: Post) -> None:
    """A car is plugged in, charging is moved from the app, and it leaves."""
    box = sim.wallboxes[1]
    done = (200, {"ok": True})
    car = {"capacity_kwh": 50, "energy_kwh": 10, "phases": 1, "sleeps_after_s": None}
    assert await post("plug", wallbox="Carport", car=car) == done
    assert box.car
    assert box.car.capacity_kwh == 50
    assert await post("app", wallbox=box.uuid, allow=False, user="Ben") == done
    assert await post("app", wallbox=1, limit=3.5) == done
    assert await post("app", wallbox=1, mode_unplug=1) == done
    assert (box.enabled, box.limit_kw, box.mode_unplug) == (False, 3.5, 1)
    assert await post("app", wallbox=1, mode=2) == done
    assert await post("loadshed", wallbox=1) == done
    assert await post("lock", wallbox=1, reason="paint") == done
    assert await post("tamper", wallbox=1, on=True) == done
    assert await post("error", wallbox=1, code=101) == done
    assert (await post("contact", wallbox=1, name="Tamper"))[0] == 400
    state = await get(sim, "state")
    shown = state["wallboxes"][1]
    assert shown["loadshed"]
    assert shown["locked"]
    assert not shown["online"]
    assert shown["error_code"] == 101
    assert shown["session"]["user"] == "Ben"
    assert await post("clear") == done
    assert await post("lock", wallbox=1, on=False) == done
    assert await post("offline", wallbox=1, on=False) == done
    assert await post("unplug", wallbox=1) == done
    state = await get(sim, "state")
    assert state["wallboxes"][1]["history"][0]["user"] == "Ben"
    assert await post("spoil_history", wallbox=1, lines=["x", "{"]) == done
    first, second, third = str(sim.unit.states.get(box.uuid)).split("|")
    assert (first, third) == ("x", "{")
    assert json.loads(second)["user"] == "Ben"
    assert await post("spoil_history", wallbox=1, lines=[]) == done
    assert sim.unit.states.get(box.uuid) == second
    assert state["wallboxes"][1]["car"] is None
    assert state["commands"] == []


async def test_faults_and_connections(
    sim: Simulator, post: Post, connect: Connect
) -> None:
    """Faults, drops, restarts and changes of the structure go by HTTP as well."""
    client = connect(sim)
    await client.start()
    await client.secret(f"jdev/sps/io/{sim.wallboxes[0].uuid}/allow/off")
    state = await get(sim, "state")
    assert state["commands"][0]["command"] == "allow/off"
    assert state["clients"][0]["user"] == "admin"
    assert state["tokens"][0]["info"] == "A test"
    assert (await post("fault", name="delay", seconds=0.1))[0] == 200
    assert (await get(sim, "state"))["faults"]["delay"]["seconds"] == 0.1
    assert "options" in (await get(sim, "faults"))["delay"]
    assert (await post("clear", name="delay"))[0] == 200
    assert (await post("drop", hard=True))[0] == 200
    assert sim.clients == []
    rename = {"Garage": "Left"}
    body = {"rename": rename, "remove": [1], "add": [{"name": "New"}], "down_s": 0}
    assert (await post("structure", **body))[0] == 200
    assert [box.name for box in sim.wallboxes] == ["Left", "New"]
    assert (await post("close", code=4005, reason="changed"))[0] == 200
    assert (await post("restart", down_s=60))[0] == 200
    assert (await get(sim, "state"))["booting"]


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("plug", {"wallbox": 7}, "there is no wallbox 7"),
        ("plug", {"wallbox": 1.5}, "wallbox is a position"),
        ("plug", {"car": {"colour": "red"}}, "colour is not known here"),
        ("plug", {"car": {"max_kw": "many"}}, "max_kw of a car is not a text"),
        ("plug", {"car": {"max_kw": None}}, "max_kw of a car is not null"),
        ("plug", {"car": {"energy_kwh": 999}}, "between 0 and its capacity"),
        ("plug", {"car": []}, "an object was expected"),
        ("unplug", {}, "no car is plugged into Garage"),
        ("fault", {}, "'name' is missing"),
        ("fault", {"name": "flood"}, "unknown fault 'flood'"),
        ("clear", {"name": "flood"}, "unknown fault 'flood'"),
        ("error", {}, "'code' is missing"),
        ("error", {"code": "x"}, "code is a number"),
        ("loadshed", {"on": "yes"}, "on is true or false"),
        ("spoil_history", {"lines": "x"}, "lines is a list of texts"),
        ("app", {}, "nothing to do"),
        ("app", {"mode": 5}, "mode 5 is not configured"),
        ("app", {"limit": -1}, "a limit is a number of kW"),
        ("structure", {"add": [{"name": "Garage"}]}, "named Garage already"),
        ("structure", {"remove": ["Attic"]}, "no wallbox 'Attic'"),
        ("restart", {"soon": True}, "soon is not known here"),
    ],
)
async def test_wrong_input(post: Post, name: str, body: Any, sentence: str) -> None:
    """What makes no sense is answered with a sentence."""
    status, answer = await post(name, **body)
    assert status == 400
    assert answer["ok"] is False
    assert sentence in answer["error"]


async def test_no_json(sim: Simulator) -> None:
    """A body that is no JSON object is refused."""
    url = f"http://127.0.0.1:{sim.control_port}/plug"
    async with ClientSession() as session:
        for text in ("{", "[]", "3"):
            async with session.post(url, data=text) as response:
                assert response.status == 400
                assert (await response.json())["ok"] is False


async def test_command_line(socket_enabled: None) -> None:
    """The process says where it is, serves, and ends when it is told to."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator",
        *("--port", "0", "--tls-port", "0", "--control-port", "0"),
        *("--discovery-port", "0", "--user", "me", "--password", "secret 123"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not any("Carport" in line for line in lines):
            lines.append((await process.stdout.readline()).decode())
    url = lines[0].split(" at ")[1].strip()
    assert lines[0][10:].split()[1:3] == ["Miniserver", "504F94A00001"]
    assert "Wallbox 11kW 16A Tree" in lines[-2]
    assert "Wallbox 7.4kW 32A Air" in lines[-1]
    async with ClientSession() as session:
        async with session.get(f"{url}/jdev/cfg/apiKey") as response:
            assert response.status == 200
        control = next(line for line in lines if "control at" in line).split()[-1]
        async with session.post(f"{control}/plug", json={}) as response:
            assert (await response.json()) == {"ok": True}
    # A second one on the same port says so.
    port = url.rsplit(":", maxsplit=1)[1]
    second = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--port", port, "--tls-port", "-1"),
        *("--control-port", "-1"),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await second.communicate()
    assert second.returncode == 1
    assert f"--port {port}" in complaint.decode()
    process.send_signal(signal.SIGTERM)
    rest = (await process.stdout.read()).decode()
    assert "Garage: plugged in" in rest
    assert "stopping" in rest
    assert await process.wait() == 0


@pytest.mark.parametrize(
    "arguments",
    [("--serial", "xyz"), ("--firmware", "new"), ("--wallboxes", "-1")],
)
def test_wrong_arguments(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    """A configuration that cannot be is refused in one line."""
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith("simulator: ")


def test_four_wallboxes_are_of_four_models() -> None:
    """The command line takes all variants in turn."""
    options = cli._parser().parse_args(["--wallboxes", "5", "--manager"])
    config = cli._config(options)
    assert len({box.variant for box in config.wallboxes}) == 4
    assert all(box.managed for box in config.wallboxes)
    assert json.dumps([box.name for box in config.wallboxes][-1]) == '"Wallbox 5"'
