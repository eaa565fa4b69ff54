"""A server of modbus-tk: `tcp`, or `rtu` with the path of a serial device."""

import sys
from typing import override

from modbus_tk.defines import (  # type: ignore[import-untyped]
    ANALOG_INPUTS,
    HOLDING_REGISTERS,
)
from modbus_tk.modbus_rtu import RtuServer  # type: ignore[import-untyped]
from modbus_tk.modbus_tcp import TcpServer  # type: ignore[import-untyped]
from serial import Serial  # type: ignore[import-untyped]

from .registers import Served, ready

BLOCKS = {"holding": HOLDING_REGISTERS, "input": ANALOG_INPUTS}


class OnAnyPort(TcpServer):  # type: ignore[misc]
    """A server that says which port the system chose."""

    @override
    def _do_init(self) -> None:
        """Listen, in the server's own thread."""
        super()._do_init()
        ready(self._sock.getsockname()[1])


class OnDevice(RtuServer):  # type: ignore[misc]
    """A server that says when its device is open."""

    @override
    def _do_init(self) -> None:
        """Open the device, in the server's own thread."""
        super()._do_init()
        ready()


def main(link: str, device: str = "") -> None:
    """Serve until the process is ended."""
    served = Served.load()
    if link == "tcp":
        server = OnAnyPort(port=0, address="127.0.0.1")
    else:
        server = OnDevice(Serial(device, 9600))
    slave = server.add_slave(served.unit)
    for number, area in enumerate(served.areas):
        name = str(number)
        slave.add_block(name, BLOCKS[area.space], area.first, len(area.registers))
        slave.set_values(name, area.first, area.registers)
    server.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
