"""A server of libmodbus, a C library: `tcp`, or `rtu` with the path of a serial device.

The library is the one that mbpoll comes with; frames, checks and exceptions are its
work. It has no holes in a space: what lies between two areas reads as zero.
"""

import ctypes
import socket
import sys

from .registers import Served, ready

LIBRARY = "libmodbus.so.5"
LONGEST_FRAME = 260


class Mapping(ctypes.Structure):
    """The library's `modbus_mapping_t`."""

    _fields_ = (
        ("nb_bits", ctypes.c_int),
        ("start_bits", ctypes.c_int),
        ("nb_input_bits", ctypes.c_int),
        ("start_input_bits", ctypes.c_int),
        ("nb_input_registers", ctypes.c_int),
        ("start_input_registers", ctypes.c_int),
        ("nb_registers", ctypes.c_int),
        ("start_registers", ctypes.c_int),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def library() -> ctypes.CDLL:
    """Return the library; raises OSError where there is none."""
    found = ctypes.CDLL(LIBRARY)
    for name in ("modbus_new_tcp", "modbus_new_rtu"):
        getattr(found, name).restype = ctypes.c_void_p
    found.modbus_mapping_new_start_address.restype = ctypes.POINTER(Mapping)
    return found


def mapping_of(modbus: ctypes.CDLL, served: Served) -> ctypes._Pointer[Mapping]:
    """Return the registers as the library holds them."""
    holding, inputs = served.of("holding"), served.of("input")
    places = (
        *(holding.first, len(holding.registers)),
        *(inputs.first, len(inputs.registers)),
    )
    mapping: ctypes._Pointer[Mapping] = modbus.modbus_mapping_new_start_address(
        *(0, 0, 0, 0), *places
    )
    for table, area in (
        (mapping.contents.tab_registers, holding),
        (mapping.contents.tab_input_registers, inputs),
    ):
        for offset, word in enumerate(area.registers):
            table[offset] = word
    return mapping


def answer_all(
    modbus: ctypes.CDLL, line: ctypes.c_void_p, mapping: ctypes._Pointer[Mapping]
) -> None:
    """Answer requests until the client is gone."""
    request = (ctypes.c_uint8 * LONGEST_FRAME)()
    while (size := modbus.modbus_receive(line, request)) >= 0:
        # Nothing is left of a request to another unit.
        if size:
            modbus.modbus_reply(line, request, size, mapping)


def serve_tcp(modbus: ctypes.CDLL, served: Served) -> None:
    """Serve one client after the other."""
    line = ctypes.c_void_p(modbus.modbus_new_tcp(b"127.0.0.1", 0))
    mapping = mapping_of(modbus, served)
    with socket.socket(fileno=modbus.modbus_tcp_listen(line, 1)) as listening:
        ready(listening.getsockname()[1])
        handle = ctypes.c_int(listening.fileno())
        while modbus.modbus_tcp_accept(line, ctypes.byref(handle)) >= 0:
            answer_all(modbus, line, mapping)
            modbus.modbus_close(line)


def serve_rtu(modbus: ctypes.CDLL, served: Served, device: str) -> None:
    """Serve whoever is at the other end of the line."""
    parity, bits, stop_bits = ctypes.c_char(b"N"), 8, 1
    line = ctypes.c_void_p(
        modbus.modbus_new_rtu(device.encode(), 9600, parity, bits, stop_bits)
    )
    modbus.modbus_set_slave(line, served.unit)
    mapping = mapping_of(modbus, served)
    if modbus.modbus_connect(line) < 0:
        raise OSError(f"libmodbus cannot open {device}")
    ready()
    while True:
        answer_all(modbus, line, mapping)


def main(link: str, device: str = "") -> None:
    """Serve until the process is ended."""
    modbus, served = library(), Served.load()
    if link == "tcp":
        serve_tcp(modbus, served)
    else:
        serve_rtu(modbus, served, device)


if __name__ == "__main__":
    main(*sys.argv[1:])
