"""Three meters as their makers' tables have them, written down register by register.

On the left the words on the wire, on the right what a person reads on the display. No
code of ours was used to make one from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .registers import Area, Served

# "4365 0000" is 229.0 as a float of four bytes, and so on.
SDM630_INPUT = {
    0x00: "4365 0000",  # 229 V
    0x02: "4367 C000",  # 231.75 V
    0x04: "4369 8000",  # 233.5 V
    0x06: "4178 0000",  # 15.5 A
    0x08: "417E 0000",  # 15.875 A
    0x0A: "4181 0000",  # 16.125 A
    0x0C: "455D D800",  # 3549.5 W
    0x0E: "4565 F000",  # 3679 W
    0x10: "456B 5400",  # 3765.25 W
    0x34: "462B C700",  # 10993.75 W
    0x3E: "3F78 0000",  # 0.96875
    0x46: "4248 2000",  # 50.03125 Hz
    0x48: "4587 0C00",  # 4321.5 kWh
    0x4A: "3E80 0000",  # 0.25 kWh
}
SDM630_HOLDING = {
    0xFC00: "0151 5F51",  # 22110033
    0xFC02: "0070",
}
# Whole numbers, the high word first: 0.1 V, 0.01 A, 0.01 W, 0.01 Hz, 10 Wh.
B23_HOLDING = {
    0x5000: "0000 0000 0006 981D",  # 4321.57 kWh
    0x5004: "0000 0000 0000 0019",  # 0.25 kWh
    0x5B00: "0000 08F2",  # 229.0 V
    0x5B02: "0000 090E",  # 231.8 V
    0x5B04: "0000 091F",  # 233.5 V
    0x5B0C: "0000 060E",  # 15.50 A
    0x5B0E: "0000 0634",  # 15.88 A
    0x5B10: "0000 064D",  # 16.13 A
    0x5B14: "0010 C66F",  # 10993.75 W
    0x5B16: "0005 6A86",  # 3549.50 W
    0x5B18: "0005 9D1C",  # 3679.00 W
    0x5B1A: "0005 BECD",  # 3765.25 W
    0x5B2C: "138B",  # 50.03 Hz
    0x5B3A: "03DE",  # 0.990
    0x8900: "0151 5F51",  # 22110033
    0x8960: "4232 3320",  # "B23 "
}
# Whole numbers, the low word first: 0.1 V, 0.001 A, 0.1 W, 0.1 Hz, 0.1 kWh.
EM340_INPUT = {
    0x00: "08F2 0000",  # 229.0 V
    0x02: "090E 0000",  # 231.8 V
    0x04: "091F 0000",  # 233.5 V
    0x0B: "0155",  # 341, the model
    0x0C: "3C8C 0000",  # 15.500 A
    0x0E: "3E03 0000",  # 15.875 A
    0x10: "3EFD 0000",  # 16.125 A
    0x12: "8AA7 0000",  # 3549.5 W
    0x14: "8FB6 0000",  # 3679.0 W
    0x16: "9315 0000",  # 3765.3 W
    0x28: "AD72 0001",  # 10993.8 W
    0x31: "03DE",  # 0.990
    0x33: "01F4",  # 50.0 Hz
    0x34: "FBF1 0009",  # 65432.1 kWh
    0x4E: "0003 0000",  # 0.3 kWh
}
EM340_SERIAL = {
    0x5000: "4246 3132 3334 3536 3738 3930 4B00",  # "BF1234567890K"
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """A meter: its registers, and in W, Wh, V, A and Hz what they say."""

    profile: str
    served: Served
    serial: str
    values: Mapping[str, float]


def phases(quantity: str, *values: float) -> dict[str, float]:
    """Return a value of each phase."""
    return {f"{quantity}_l{phase}": value for phase, value in enumerate(values, 1)}


SDM630 = Meter(
    profile="eastron_sdm630",
    served=Served(
        unit=1,
        areas=(
            Area.written("input", 0x00, 0x4F, SDM630_INPUT),
            Area.written("holding", 0xFC00, 0xFC03, SDM630_HOLDING),
        ),
    ),
    serial="22110033",
    values={
        "power": 10993.75,
        "import": 4_321_500,
        "export": 250,
        **phases("power", 3549.5, 3679.0, 3765.25),
        **phases("voltage", 229.0, 231.75, 233.5),
        **phases("current", 15.5, 15.875, 16.125),
        "frequency": 50.03125,
        "power_factor": 0.96875,
    },
)
B23 = Meter(
    profile="abb_b23",
    served=Served(
        unit=17, areas=(Area.written("holding", 0x1000, 0x8EFF, B23_HOLDING),)
    ),
    serial="22110033",
    values={
        "power": 10993.75,
        "import": 4_321_570,
        "export": 250,
        **phases("power", 3549.5, 3679.0, 3765.25),
        **phases("voltage", 229.0, 231.8, 233.5),
        **phases("current", 15.5, 15.88, 16.13),
        "frequency": 50.03,
        "power_factor": 0.99,
    },
)
EM340 = Meter(
    profile="gavazzi_em340",
    served=Served(
        unit=247,
        areas=(
            Area.written("input", 0x00, 0x4F, EM340_INPUT),
            Area.written("input", 0x5000, 0x5006, EM340_SERIAL),
        ),
    ),
    serial="BF1234567890K",
    values={
        "power": 10993.8,
        "import": 65_432_100,
        "export": 300,
        **phases("power", 3549.5, 3679.0, 3765.3),
        **phases("voltage", 229.0, 231.8, 233.5),
        **phases("current", 15.5, 15.875, 16.125),
        "frequency": 50.0,
        "power_factor": 0.99,
    },
)
METERS = (SDM630, B23, EM340)
