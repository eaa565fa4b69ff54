"""Which reads a meter refuses, with the exceptions of the Modbus specification."""

from .config import MeterConfig
from .registers import Space

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
GATEWAY_TARGET_SILENT = 11
REGISTER_READS = (3, 4)


def refusal(config: MeterConfig, function: int, address: int, count: int) -> int | None:
    """Return the exception code of a read, None if it is answered.

    The order is that of the specification: function, count, address.
    """
    space = config.map.spaces.get(function)
    if space is None or function not in REGISTER_READS:
        return ILLEGAL_FUNCTION
    odd = space.even and count % 2
    if not 1 <= count <= config.most_registers or odd:
        return ILLEGAL_VALUE
    if alone_register(config, address, count):
        return None
    return None if _readable(config, space, address, count) else ILLEGAL_ADDRESS


def alone_register(config: MeterConfig, address: int, count: int) -> bool:
    """Return whether this read shows a register that speaks only when read alone."""
    return any(
        (register.address, register.size) == (address, count)
        for register in config.map.alone
    )


def _readable(config: MeterConfig, space: Space, address: int, count: int) -> bool:
    """Return whether a meter gives these registers in one read."""
    area = space.area(address, count)
    if area is None or (address - area.first) % area.step or count % area.step:
        return False
    if config.absent & set(range(address, address + count)):
        return False
    if not config.refuses_gaps:
        return True
    used = sum(
        min(register.end, address + count) - max(register.address, address)
        for register in space.within(address, count)
    )
    return used == count
