"""The lines that meters hang on: several at once, serial devices, and a clean end."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import signal
import socket
import struct
import sys
from typing import Any

from aiohttp import ClientSession
import pytest
from tmodbus import (
    create_async_rtu_client,
    create_async_rtu_over_tcp_client,
    create_async_tcp_client,
)
from tmodbus.client.async_client import AsyncModbusClient
from tmodbus.exceptions import IllegalDataValueError

from .conftest import Start
from .meters import charge, house, master, mbpoll, program, read_pdu, rtu, wire
from simulator import MeterConfig, Simulator, SimulatorConfig, cli
from simulator.meters.meter import SimulatedMeter
from simulator.meters.serial_device import SerialDeviceError

ROOT = Path(__file__).parents[2]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens outside of this process."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def processes_with(text: str) -> list[str]:
    """Return the command lines of all processes that contain a text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError, UnicodeDecodeError:
            continue
        if text in line:
            found.append(line)
    return found


def stranger(meter: SimulatedMeter) -> AsyncModbusClient:
    """Return a client of tmodbus for a meter."""
    unit = meter.config.unit_id
    if meter.config.link == "pty":
        return create_async_rtu_client(
            meter.address, unit_id=unit, timeout=5, baudrate=9600
        )
    host, _, port = meter.address.partition(":")
    create = create_async_tcp_client
    if meter.config.rtu:
        create = create_async_rtu_over_tcp_client
    return create(host, int(port), unit_id=unit, timeout=5)


@pytest.mark.parametrize("link", ["tcp", "rtu_tcp", "pty"])
async def test_tmodbus(start: Start, link: Any) -> None:
    """A client that is no kin of the server reads on every link."""
    config = MeterConfig(profile="sdm630", link=link, pause_s=0, wobble=0)
    sim = await house(start, config)
    charge(sim)
    async with stranger(sim.meters[0]) as client:
        words = await client.read_input_registers(0x34, 2)
        assert struct.unpack(">f", struct.pack(">HH", *words)) == (11000,)
        with pytest.raises(IllegalDataValueError):
            await client.read_input_registers(0x34, 3)


@pytest.mark.parametrize(
    ("profile", "place", "options", "number"),
    [
        ("ale3", (3, 50), (), 1100),
        ("sdm630", (4, 0x34), (":float", "-B"), 11000),
        ("em340", (4, 0x28), (":int",), 110000),
    ],
)
async def test_serial_device(
    start: Start,
    profile: str,
    place: tuple[int, int],
    options: tuple[str, ...],
    number: float,
) -> None:
    """The client of libmodbus opens the device, reads, closes it, and comes again."""
    config = MeterConfig(profile=profile, link="pty", pause_s=0, wobble=0)
    sim = await house(start, config)
    charge(sim)
    meter = sim.meters[0]
    for _ in range(2):
        (text,) = await mbpoll(meter, *place, *options)
        assert float(text) == number
    assert meter.outcomes["answered"] == 2


async def test_several_on_one_serial_device(start: Start, tmp_path: Path) -> None:
    """Two meters share the wires, and each answers to its own address only."""
    path = str(tmp_path / "bus")
    sim = await house(
        start,
        MeterConfig(profile="em340", link="pty", path=path, unit=1, wobble=0),
        MeterConfig(profile="ald1", link="pty", path=path, unit=2, wallbox=1, wobble=0),
    )
    charge(sim)
    assert [meter.address for meter in sim.meters] == [path, path]
    assert await mbpoll(sim.meters[1], 3, 37) == ["740"]
    async with stranger(sim.meters[0]) as client:
        assert await client.read_holding_registers(0x0B, 1) == [341]
    assert sim.meters[0].outcomes["answered"] == 1
    assert sim.meters[1].outcomes["answered"] == 1


async def test_a_pulled_serial_device_comes_back(start: Start, tmp_path: Path) -> None:
    """Where the far end closes, the device goes and another one takes its place."""
    path = tmp_path / "meter"
    config = MeterConfig(profile="ale3", link="pty", path=str(path), wobble=0)
    sim = await house(start, config)
    charge(sim)
    before = path.readlink()
    holder = path.open("rb", buffering=0)
    meter = sim.meters[0]
    meter.fault("closed", times=1)
    frame = rtu(1, *read_pdu(3, 50, 1))
    with open(path, "wb", buffering=0) as device:  # noqa: PTH123, ASYNC230  (a device)
        device.write(frame)
        await until(lambda: meter.outcomes["connection closed"] == 1)
    # The old device is not given away while somebody holds it, so that the new one
    # has another name.
    await until(lambda: path.exists() and path.readlink() != before)
    holder.close()
    assert await mbpoll(meter, 3, 50) == ["1100"]


async def test_several_at_once(start: Start) -> None:
    """Meters of every link side by side, and two on one port, tell one story."""
    sim = await house(
        start,
        MeterConfig(profile="sdm630", line="hall", unit=1, pause_s=0, wobble=0),
        MeterConfig(profile="sdm120", line="hall", unit=2, wallbox=1, wobble=0),
        MeterConfig(profile="em340", link="rtu_tcp", wobble=0),
        MeterConfig(profile="ale3", link="pty", wobble=0),
    )
    charge(sim)
    first, second, third, fourth = sim.meters
    assert first.address == second.address != third.address
    async with master(first) as hall, master(third) as other:
        answers = await asyncio.gather(
            hall.value(4, 0x34, "FLOAT32", unit=1),
            hall.value(4, 0x0C, "FLOAT32", unit=2),
            other.value(4, 0x28, "INT32", low_word_first=True),
            mbpoll(fourth, 3, 50),
        )
    assert list(answers) == [11000, pytest.approx(7400), 110000, ["1100"]]


async def test_a_clean_end(tmp_path: Path, socket_enabled: None) -> None:
    """Nothing is left after a stop: no task, no process, no file, no open port."""
    before = asyncio.all_tasks()
    path = tmp_path / "left"
    meters = (
        MeterConfig(profile="em340", wobble=0),
        MeterConfig(profile="em112", link="rtu_tcp", wallbox=1),
        MeterConfig(profile="ale3", link="pty", path=str(path)),
    )
    config = SimulatorConfig(generation=1, tls_port=None, meters=meters)
    sim = Simulator(config)
    await sim.start()
    async with wire(sim.meters[0]) as silent, master(sim.meters[1]) as reads:
        await reads.read(4, 0, 2)
        assert await mbpoll(sim.meters[2], 3, 1) == ["52"]
        # A client in the middle of a late answer does not keep the line open.
        sim.meters[0].fault("slow", seconds=3600.0)
        silent.send(bytes.fromhex("000100000006010300280002"))
        await until(lambda: sim.meters[0].outcomes["answered"] == 1)
        assert processes_with(str(path))
        await sim.stop()
        assert await silent.rest() == b""
    assert processes_with(str(path)) == []
    assert not path.exists()
    for meter in sim.meters[0], sim.meters[1]:
        host, _, port = meter.address.partition(":")
        with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
            probe.connect((host, int(port)))
    # Tasks of libraries that were about to end have ended by now.
    await until(lambda: asyncio.all_tasks() <= before)


async def test_no_socat(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Without socat the start fails with what to install, and leaves nothing open."""
    monkeypatch.setenv("PATH", "")
    config = SimulatorConfig(
        generation=1,
        tls_port=None,
        meters=(
            MeterConfig(profile="em340"),
            MeterConfig(profile="ale3", link="pty"),
        ),
    )
    sim = Simulator(config)
    with pytest.raises(SerialDeviceError, match="apt-get install socat"):
        await sim.start()
    host, _, port = sim.meters[0].address.partition(":")
    with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
        probe.connect((host, int(port)))


async def test_no_place_for_a_serial_device(start: Start, tmp_path: Path) -> None:
    """Where socat cannot make the device, its own words are passed on."""
    path = str(tmp_path / "no" / "such" / "folder")
    config = MeterConfig(profile="ale3", link="pty", path=path)
    with pytest.raises(SerialDeviceError, match="No such file or directory"):
        await house(start, config)


async def test_a_stale_link_is_replaced(start: Start, tmp_path: Path) -> None:
    """What a killed simulator left behind does not stand in the way."""
    path = tmp_path / "meter"
    path.symlink_to("/dev/pts/99999")
    await house(start, MeterConfig(profile="ale3", link="pty", path=str(path)))
    assert path.exists()


async def test_a_port_that_is_taken(start: Start) -> None:
    """A second line on the same port fails; the first one goes on."""
    sim = await house(start, MeterConfig(profile="em340"))
    port = int(sim.meters[0].address.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await house(start, MeterConfig(profile="em340", port=port))
    async with master(sim.meters[0]) as reads:
        assert await reads.read(4, 0x0B, 1) == [341]


async def run_simulator(*arguments: str) -> asyncio.subprocess.Process:
    """Start the command line on ports of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--port", "0", "--tls-port", "-1"),
        *("--control-port", "0", "--generation", "1", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_command_line(tmp_path: Path, socket_enabled: None) -> None:
    """Meters of the command line can be read, seen and moved, and end with it."""
    path = tmp_path / "meter"
    process = await run_simulator(
        *("--meter", "sdm630:0,name=hall"),
        *("--meter", f"ald1:{path},unit=7,energy=500"),
    )
    assert process.stdout
    lines: list[str] = []
    async with asyncio.timeout(30):
        while not any("meter ald1" in line for line in lines):
            lines.append((await process.stdout.readline()).decode())
    assert "meter hall of Garage: Eastron SDM630, tcp 127.0.0.1:" in lines[-2]
    assert f"pty {path}, unit 7" in lines[-1]
    assert "of Carport" in lines[-1]
    poll = await asyncio.create_subprocess_exec(
        *(program("mbpoll"), "-m", "rtu", "-b", "9600", "-P", "none", "-a", "7"),
        *("-0", "-1", "-r", "27", "-t", "4:int", "-B", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await poll.communicate()
    assert b"[27]: \t50000" in output
    control = next(line for line in lines if "control at" in line).split()[-1]
    async with ClientSession() as session:
        async with session.post(f"{control}/meter/replace", json={}) as response:
            assert await response.json() == {"ok": True}
        async with session.get(f"{control}/meters") as response:
            meters = await response.json()
    assert meters[0]["import_kwh"] == 0.3
    process.send_signal(signal.SIGTERM)
    rest = (await process.stdout.read()).decode()
    assert "meter hall: replaced by 23110002 at 0.3 kWh" in rest
    assert await process.wait() == 0
    await until(lambda: not processes_with(str(path)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sdm999:5020", "unknown meter 'sdm999', choose from ale3"),
        ("sdm630:http", "'http' is no port"),
        ("sdm630:0,colour=red", "no option colour"),
        ("sdm630:0,wallbox=Attic", "no wallbox 'Attic'"),
        ("sdm630:0,unit=300", "a unit id goes from 1 to 247"),
        ("sdm630:0,serial=none", "only digits"),
        ("sdm120:0", "sdm120 has one phase, and Garage has three"),
    ],
)
def test_wrong_meters(
    capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    """A meter that cannot be is refused in one line."""
    assert cli.main(["--meter", text, "--port", "0", "--control-port", "-1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("simulator: ")
    assert sentence in said
