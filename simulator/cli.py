"""The command line of the simulator."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
import signal
import sys
from typing import get_args

from .clock import Clock, SystemClock
from .config import SimulatorConfig, User, Variant, WallboxConfig
from .meters.config import parse_meter
from .meters.serial_device import SerialDeviceError
from .simulator import Simulator

_NAMES = ("Garage", "Carport", "Drive", "Yard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        config = _config(options)
        return asyncio.run(_run(config))
    except ValueError as err:
        sys.stderr.write(f"simulator: {err}\n")
        return 2
    except SerialDeviceError as err:
        sys.stderr.write(f"simulator: {err}\n")
        return 1
    except OSError as err:
        sys.stderr.write(f"simulator: {_port_sentence(config, err)}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    usual = SimulatorConfig()
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A Loxone Miniserver with wallboxes and cars behind it.",
    )
    add = parser.add_argument
    add("--host", default=usual.host)
    add("--port", type=int, default=8080, help="HTTP and websocket")
    add("--tls-port", type=int, default=8443, help="second generation only; -1: none")
    add("--control-port", type=int, default=8081, help="moves the world; -1: none")
    add("--discovery-port", type=int, default=-1, help="UDP, really 7070; -1: none")
    add("--discovery-reply-port", type=int, default=None, help="really 7071")
    add("--wallboxes", type=int, default=2, help="of all variants in turn")
    add("--manager", action="store_true", help="puts the wallboxes under a manager")
    add(
        "--meter",
        action="append",
        default=[],
        metavar="MODEL:PORT",
        help=(
            "a Modbus meter, such as sdm630:5020, ale3:rtu:5021 (RTU over TCP) or "
            "em340:/tmp/meter (serial device); options follow: ,wallbox=Carport,unit=3"
        ),
    )
    add("--user", default="admin")
    add("--password", default="Wallbox-1234")
    add("--hash", choices=("SHA1", "SHA256"), default="SHA256")
    add("--visu-password", default=None)
    add("--name", default=usual.name)
    add("--serial", default=usual.serial)
    add("--firmware", default=usual.firmware)
    add("--generation", type=int, choices=(1, 2), default=usual.generation)
    add("--timezone", default=usual.timezone)
    add("--extra-controls", type=int, default=0, help="pads the structure file")
    add("--structure-mib", type=float, default=0.0, help="pads the structure file")
    add("--background-events", type=float, default=0.0, help="per second")
    add("--estimated-headers", action="store_true")
    add("--tick", type=float, default=usual.tick_s, help="seconds")
    add("--energy-every", type=float, default=usual.energy_every_s, help="seconds")
    # With a clock that runs fast these have to grow with it.
    add("--login-timeout", type=float, default=usual.login_timeout_s, help="seconds")
    add("--idle-timeout", type=float, default=usual.idle_timeout_s, help="seconds")
    add("--key-lifetime", type=float, default=usual.key_lifetime_s, help="seconds")
    add("--seed", type=int, default=0)
    return parser


def _config(options: argparse.Namespace) -> SimulatorConfig:
    """Return the configuration of the command line."""
    variants: tuple[Variant, ...] = get_args(Variant.__value__)
    # Neighbours differ in power as well as in their link.
    order = (variants[0], variants[3], variants[1], variants[2])
    if options.wallboxes < 0:
        raise ValueError("the number of wallboxes is not negative")
    return SimulatorConfig(
        host=options.host,
        port=options.port,
        tls_port=_port(options.tls_port),
        control_port=_port(options.control_port),
        discovery_port=_port(options.discovery_port),
        discovery_reply_port=options.discovery_reply_port,
        name=options.name,
        serial=options.serial.upper(),
        firmware=options.firmware,
        generation=options.generation,
        timezone=options.timezone,
        users=(
            User(
                name=options.user,
                password=options.password,
                hash_alg=options.hash,
                visu_password=options.visu_password,
            ),
        ),
        wallboxes=tuple(
            WallboxConfig(
                name=_NAMES[index] if index < len(_NAMES) else f"Wallbox {index + 1}",
                variant=order[index % len(order)],
                managed=options.manager,
            )
            for index in range(options.wallboxes)
        ),
        meters=tuple(
            parse_meter(text, position) for position, text in enumerate(options.meter)
        ),
        manager=options.manager,
        extra_controls=options.extra_controls,
        structure_mib=options.structure_mib,
        background_events=options.background_events,
        estimated_headers=options.estimated_headers,
        tick_s=options.tick,
        energy_every_s=options.energy_every,
        login_timeout_s=options.login_timeout,
        idle_timeout_s=options.idle_timeout,
        key_lifetime_s=options.key_lifetime,
        seed=options.seed,
    )


def _port(number: int) -> int | None:
    """Return a port, None for a negative one."""
    return None if number < 0 else number


async def _run(config: SimulatorConfig) -> int:
    """Serve until the process is told to end."""
    clock = SystemClock()
    simulator = Simulator(config, clock=clock, log=lambda line: _say(clock, line))
    await simulator.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    _say(clock, f"Miniserver {config.serial} {config.firmware} at {simulator.url}")
    if simulator.tls_port:
        _say(clock, f"https on port {simulator.tls_port} as {simulator.tls_name}")
    if simulator.control_port:
        _say(clock, f"control at http://{config.host}:{simulator.control_port}")
    if simulator.discovery_port:
        _say(clock, f"discovery on UDP port {simulator.discovery_port}")
    for box in simulator.wallboxes:
        _say(clock, f"wallbox {box.name}: {box.config.facts.title}, {box.uuid}")
    for meter in simulator.meters:
        _say(
            clock,
            f"meter {meter.name} of {meter.box.name}: {meter.map.title}, "
            f"{meter.config.link} {meter.address}, unit {meter.config.unit_id}",
        )
    await ended.wait()
    _say(clock, "stopping")
    await simulator.stop()
    return 0


def _say(clock: Clock, line: str) -> None:
    """Print a line with its time."""
    now = datetime.fromtimestamp(clock.time(), UTC)
    print(f"{now:%Y-%m-%d %H:%M:%S} {line}", flush=True)


def _port_sentence(config: SimulatorConfig, err: OSError) -> str:
    """Say which ports are meant when one of them cannot be opened."""
    ports = {
        "--port": config.port,
        "--tls-port": config.tls_port if config.generation > 1 else None,
        "--control-port": config.control_port,
        "--discovery-port": config.discovery_port,
    }
    named = [*ports.items(), *(("--meter", meter.port) for meter in config.meters)]
    wanted = ", ".join(f"{name} {port}" for name, port in named if port)
    return f"a port cannot be opened ({err.strerror or err}); wanted were {wanted}"
