"""Our simulated meters, read by strangers: mbpoll, that is libmodbus, and tmodbus.

What they read is held against what a meter really measures, by the tables of its maker;
what its maker does not allow is refused in the words of the specification.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import struct

import pytest

from .harness import config_of, house
from .strangers.masters import Master, master
from simulator.meters.meter import SimulatedMeter

pytestmark = pytest.mark.usefixtures("socket_enabled")

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
WAYS = [
    ("mbpoll", "tcp"),
    ("mbpoll", "pty"),
    ("tmodbus", "tcp"),
    ("tmodbus", "rtu_tcp"),
    ("tmodbus", "pty"),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A value in a maker's table: where it is, how, and in W, Wh, V or Hz a count."""

    shows: str
    at: int
    form: str
    unit: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What a maker's table says of a model, and reads that it refuses with a code."""

    profile: str
    function: int
    rows: tuple[Row, ...]
    refused: tuple[tuple[int, int, int, int], ...]
    low_word_first: bool = False


MODELS = (
    Model(
        profile="sdm630",
        function=4,
        rows=(
            Row(shows="power", at=0x34, form=">f"),
            Row(shows="import", at=0x48, form=">f", unit=1000),
            Row(shows="voltage_1", at=0x00, form=">f"),
            Row(shows="frequency", at=0x46, form=">f"),
        ),
        # Forty values at most, whole ones, and not by function 3.
        refused=(
            (4, 0x00, 82, ILLEGAL_VALUE),
            (4, 0x00, 3, ILLEGAL_VALUE),
            (4, 0x35, 2, ILLEGAL_ADDRESS),
            (3, 0x48, 2, ILLEGAL_ADDRESS),
        ),
    ),
    Model(
        profile="em340",
        function=4,
        rows=(
            Row(shows="power", at=0x28, form=">i", unit=0.1),
            Row(shows="import", at=0x34, form=">i", unit=100),
            Row(shows="voltage_1", at=0x00, form=">i", unit=0.1),
            Row(shows="frequency", at=0x33, form=">h", unit=0.1),
        ),
        refused=((4, 0x00, 51, ILLEGAL_VALUE), (3, 0x300, 2, ILLEGAL_ADDRESS)),
        low_word_first=True,
    ),
    Model(
        profile="ale3",
        function=3,
        rows=(
            Row(shows="power", at=50, form=">h", unit=10),
            Row(shows="import", at=27, form=">I", unit=10),
            Row(shows="voltage_1", at=35, form=">H"),
        ),
        # The meter that the maker of the wallboxes sells: 20 registers, one function.
        refused=(
            (3, 31, 21, ILLEGAL_VALUE),
            (3, 51, 2, ILLEGAL_ADDRESS),
            (4, 50, 1, ILLEGAL_FUNCTION),
        ),
    ),
)
all_models = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.profile)
all_ways = pytest.mark.parametrize(("stranger", "link"), WAYS)


@asynccontextmanager
async def read_by(
    stranger: str, link: str, model: Model
) -> AsyncIterator[tuple[SimulatedMeter, Master]]:
    """Hold a meter that measures a charging car, and a stranger that reads it."""
    config = config_of(model.profile, link, energy_kwh=65_432.1)
    async with house(config) as home:
        home.pass_time(3600)
        async with master(stranger, home.meter) as client:
            yield home.meter, client


@all_models
@all_ways
async def test_values(stranger: str, link: str, model: Model) -> None:
    """What strangers read is what the meter shows."""
    async with read_by(stranger, link, model) as (meter, client):
        shown = meter.truth()["shown"]
        # A car charges, so that no value is zero by chance.
        assert shown["power"] > 10_000
        for row in model.rows:
            size = struct.calcsize(row.form) // 2
            words = await client.read(model.function, row.at, size)
            assert isinstance(words, list), f"{row.shows}: exception {words}"
            if model.low_word_first:
                words.reverse()
            (number,) = struct.unpack(row.form, struct.pack(f">{size}H", *words))
            # What a meter shows is told to three decimals.
            step = 0.001 if row.form == ">f" else row.unit
            assert number * row.unit == pytest.approx(
                shown[row.shows], rel=1e-6, abs=step
            ), row.shows


@all_models
@all_ways
async def test_refusals(stranger: str, link: str, model: Model) -> None:
    """What the maker does not allow is refused, and the next read is answered."""
    async with read_by(stranger, link, model) as (meter, client):
        for function, address, count, code in model.refused:
            read = (function, address, count)
            assert await client.read(*read) == code, read
            assert meter.requests[-1].outcome == f"exception {code}"
        row = model.rows[0]
        size = struct.calcsize(row.form) // 2
        assert isinstance(await client.read(model.function, row.at, size), list)
