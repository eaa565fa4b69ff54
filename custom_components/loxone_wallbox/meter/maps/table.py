"""Short words to write register maps with."""

from collections.abc import Callable, Mapping

from ..model import Measured, Quantity, Register

type Table = Mapping[Measured, Quantity]

VOLTAGES = (Measured.VOLTAGE_L1, Measured.VOLTAGE_L2, Measured.VOLTAGE_L3)
CURRENTS = (Measured.CURRENT_L1, Measured.CURRENT_L2, Measured.CURRENT_L3)
POWERS = (Measured.POWER_L1, Measured.POWER_L2, Measured.POWER_L3)


def one(*registers: Register) -> Quantity:
    """Return a quantity that is the sum of registers."""
    return Quantity(registers=registers)


def phases(
    measured: tuple[Measured, ...],
    addresses: tuple[int, ...],
    register: Callable[[int], Register],
) -> dict[Measured, Quantity]:
    """Return a quantity for each phase that has an address."""
    return {
        name: one(register(address))
        for name, address in zip(measured, addresses, strict=False)
    }
