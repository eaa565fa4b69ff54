"""What a meter does not put up with, it refuses or does not hear."""

import asyncio
import contextlib
from typing import Any

import pytest

from .conftest import Start
from .meters import charge, house, master, read_pdu, rtu, tcp, wire
from simulator import MeterConfig, Simulator, SimulatorConfig
from simulator.meters.maps import MAPS

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_TARGET = 1, 2, 3, 11


async def one_meter(start: Start, profile: str, **changes: Any) -> Simulator:
    """Return a unit with one meter that wants no pauses unless told."""
    wallbox = 0 if MAPS[profile].phases == 3 else 1
    changes = {"pause_s": 0.0, "wallbox": wallbox, **changes}
    return await house(start, MeterConfig(profile=profile, **changes))


# Model, and a read with the exception that it gets, 0 for an answer.
CASES: list[tuple[str, tuple[int, int, int], int]] = [
    # Twenty registers at most, one function, and 52 or 40 registers in all.
    ("ale3", (3, 32, 20), 0),
    ("ale3", (3, 31, 21), ILLEGAL_VALUE),
    ("ale3", (4, 35, 17), ILLEGAL_FUNCTION),
    ("ale3", (3, 51, 2), ILLEGAL_ADDRESS),
    ("ald1", (3, 27, 13), 0),
    ("ald1", (3, 27, 14), ILLEGAL_ADDRESS),
    ("finder_7e23", (3, 19, 21), ILLEGAL_VALUE),
    # Whole floats only; 80 registers, 60 or ten.
    ("sdm630", (4, 0x00, 76), 0),
    ("sdm630", (4, 0x00, 80), 0),
    ("sdm630", (4, 0x00, 82), ILLEGAL_VALUE),
    ("sdm630", (4, 0x34, 23), ILLEGAL_VALUE),
    ("sdm630", (4, 0x35, 2), ILLEGAL_ADDRESS),
    ("sdm630", (3, 0x34, 24), ILLEGAL_ADDRESS),
    ("sdm630", (3, 0x48, 4), ILLEGAL_ADDRESS),
    ("sdm630", (4, 0xFC00, 2), ILLEGAL_ADDRESS),
    ("sdm630_old", (3, 0xFC00, 2), 0),
    ("sdm72_v2", (4, 0x34, 24), 0),
    ("sdm72_v2", (4, 0x00, 62), ILLEGAL_VALUE),
    ("sdm230", (4, 0x00, 62), ILLEGAL_VALUE),
    ("sdm72", (4, 0x34, 2), 0),
    ("sdm72", (4, 0x48, 4), 0),
    ("sdm72", (4, 0x34, 12), ILLEGAL_VALUE),
    ("sdm72", (4, 0x34, 4), ILLEGAL_ADDRESS),
    ("sdm120", (4, 0x00, 14), 0),
    # Any block in the range of its manual.
    ("abb_b23", (3, 0x5B00, 46), 0),
    ("abb_b23", (3, 0x5B00, 125), 0),
    ("abb_b23", (4, 0x5B00, 2), ILLEGAL_FUNCTION),
    ("abb_b23", (3, 0x0FFF, 2), ILLEGAL_ADDRESS),
    ("abb_b23", (3, 0x8EFF, 2), ILLEGAL_ADDRESS),
    # Fifty registers; eleven of the old ones; both functions alike.
    ("em112", (4, 0x00, 34), 0),
    ("em340", (4, 0x28, 40), 0),
    ("em340", (3, 0x28, 50), 0),
    ("em340", (3, 0x28, 51), ILLEGAL_VALUE),
    ("em24", (4, 0x28, 11), 0),
    ("em24", (4, 0x28, 12), ILLEGAL_VALUE),
    ("em24_e1", (3, 0x28, 2), ILLEGAL_FUNCTION),
    ("or_we_504", (3, 0x00, 9), 0),
    ("or_we_504", (4, 0x00, 9), ILLEGAL_FUNCTION),
    ("or_we_514", (3, 0x130, 18), 0),
    ("or_we_516", (3, 0x0E, 22), 0),
    ("or_we_516", (3, 0x60, 2), ILLEGAL_ADDRESS),
    ("dvh4013", (3, 0x00, 20), 0),
    ("dvh4013", (3, 0x00, 21), ILLEGAL_ADDRESS),
    ("iem3155", (3, 3053, 8), 0),
    ("iem3155", (3, 2999, 34), 0),
    ("iem3155", (4, 3053, 8), ILLEGAL_FUNCTION),
    # A read begins and ends where values do.
    ("pac2200", (3, 1, 70), 0),
    ("pac2200", (4, 801, 16), 0),
    ("pac2200", (3, 64001, 27), 0),
    ("pac2200", (3, 65, 3), ILLEGAL_ADDRESS),
    ("pac2200", (3, 66, 2), ILLEGAL_ADDRESS),
    ("pac2200", (3, 801, 2), ILLEGAL_ADDRESS),
    ("pac2200", (3, 64012, 8), ILLEGAL_ADDRESS),
    ("finder_7m38", (4, 2500, 100), 0),
    ("finder_7m38", (3, 2536, 2), ILLEGAL_FUNCTION),
]


async def test_reads(start: Start, subtests: pytest.Subtests) -> None:
    """The maker's limits hold, with the exceptions of the specification."""
    profiles = sorted({case[0] for case in CASES})
    meters = [
        MeterConfig(
            profile=profile,
            wallbox=0 if MAPS[profile].phases == 3 else 1,
            pause_s=0,
            line="all",
            unit=unit,
        )
        for unit, profile in enumerate(profiles, 1)
    ]
    sim = await house(start, *meters)
    async with master(sim.meters[0]) as reads:
        for profile, (function, address, count), code in CASES:
            meter = sim.meters.find(profile)
            with subtests.test(profile=profile, read=(function, address, count)):
                unit = meter.config.unit_id
                answer = await reads.read(function, address, count, unit)
                if code:
                    assert answer == code
                    assert meter.requests[-1].outcome == f"exception {code}"
                else:
                    assert isinstance(answer, list)
                    assert len(answer) == count


@pytest.mark.parametrize(
    ("profile", "changes", "read", "code"),
    [
        ("sdm120", {"max_registers": 14}, (4, 0x00, 16), ILLEGAL_VALUE),
        ("em24", {"absent": frozenset({0x5C, 0x5D})}, (4, 0x5C, 2), ILLEGAL_ADDRESS),
        ("em24", {"absent": frozenset({0x5C, 0x5D})}, (4, 0x5A, 8), ILLEGAL_ADDRESS),
        ("or_we_514", {"strict": True}, (3, 0x130, 18), ILLEGAL_ADDRESS),
        ("sdm72", {"strict": False, "max_registers": 60}, (4, 0x34, 24), 0),
    ],
)
async def test_odd_units(
    start: Start,
    profile: str,
    changes: dict[str, Any],
    read: tuple[int, int, int],
    code: int,
) -> None:
    """Units in the field put up with less than their model, or with more."""
    sim = await one_meter(start, profile, **changes)
    async with master(sim.meters[0]) as reads:
        answer = await reads.read(*read)
    assert (answer if isinstance(answer, int) else 0) == code


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ((1, 0, 0, 0, 1), ILLEGAL_FUNCTION),
        ((6, 0, 0, 0, 1), ILLEGAL_FUNCTION),
        ((16, 0, 0, 0, 1, 2, 0, 0), ILLEGAL_FUNCTION),
        ((23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0), ILLEGAL_FUNCTION),
        ((0x2B, 0x0E, 1, 0), ILLEGAL_FUNCTION),
        ((99,), ILLEGAL_FUNCTION),
        (read_pdu(4, 0, 0), ILLEGAL_VALUE),
        (read_pdu(4, 0, 0xFFFF), ILLEGAL_VALUE),
        (read_pdu(4, 0xFFFE, 4), ILLEGAL_ADDRESS),
    ],
)
@pytest.mark.parametrize("link", ["tcp", "rtu_tcp"])
async def test_odd_requests(
    start: Start, link: Any, pdu: tuple[int, ...], code: int
) -> None:
    """No request upsets a meter: it says what is wrong and answers the next one."""
    sim = await one_meter(start, "em340", link=link)
    make = rtu if link == "rtu_tcp" else lambda unit, *pdu: tcp(7, unit, *pdu)
    async with wire(sim.meters[0]) as bare:
        bare.send(make(1, *pdu))
        refused = make(1, pdu[0] | 0x80, code)
        assert await bare.take(len(refused)) == refused
        bare.send(make(1, *read_pdu(4, 0x0B, 1)))
        answer = make(1, 4, 2, 341 >> 8, 341 & 255)
        assert await bare.take(len(answer)) == answer


@pytest.mark.parametrize(
    "noise",
    [
        # Too short, too long, with a wrong checksum, and the start of a request.
        rtu(1, 4, 0, 0, 0),
        rtu(1, 4, 0, 0, 0, 2, 9),
        rtu(1, *read_pdu(4, 0, 2))[:-1] + b"!",
        rtu(1, *read_pdu(4, 0, 2))[:3],
        b"\xff" * 300,
    ],
)
async def test_noise_on_rtu(start: Start, noise: bytes) -> None:
    """What is no frame is not answered, and silence makes room for the next one."""
    sim = await one_meter(start, "em340", link="rtu_tcp")
    async with wire(sim.meters[0]) as bare:
        bare.send(noise)
        answer = b""
        while not answer:
            # Longer than any silence within a frame.
            await asyncio.sleep(0.15)
            bare.send(rtu(1, *read_pdu(4, 0x0B, 1)))
            # On a busy machine noise and request may come in at once.
            with contextlib.suppress(TimeoutError):
                answer = await bare.take(7, patience_s=1)
        assert answer == rtu(1, 4, 2, 341 >> 8, 341 & 255)
    assert sim.meters[0].outcomes == {"answered": 1}


@pytest.mark.parametrize(
    "noise", [bytes.fromhex("000112340006010400000002"), bytes(300)]
)
async def test_noise_on_tcp(start: Start, noise: bytes) -> None:
    """Who does not speak Modbus TCP is hung up on; the next client is served."""
    sim = await one_meter(start, "em340")
    async with wire(sim.meters[0]) as bare:
        bare.send(noise)
        assert await bare.rest() == b""
    async with wire(sim.meters[0]) as bare:
        bare.send(tcp(5, 1, *read_pdu(4, 0x0B, 1)))
        assert await bare.take(11) == tcp(5, 1, 4, 2, 341 >> 8, 341 & 255)
    assert sim.meters[0].outcomes == {"answered": 1}


async def test_reads_of_a_wrong_length(start: Start) -> None:
    """A read with too little or too much in its frame is refused on Modbus TCP."""
    sim = await one_meter(start, "em340")
    async with wire(sim.meters[0]) as bare:
        for pdu in (4, 0, 0, 0), (4, 0, 0, 0, 2, 9):
            bare.send(tcp(1, 1, *pdu))
            assert await bare.take(9) == tcp(1, 1, 0x84, ILLEGAL_VALUE)


async def test_somebody_elses_address(start: Start) -> None:
    """A gateway says that nobody is there; on RTU there is nobody to say it."""
    sim = await house(
        start,
        MeterConfig(profile="em340"),
        MeterConfig(profile="em340", name="direct", gateway=False),
        MeterConfig(profile="em340", name="rtu", link="rtu_tcp"),
    )
    question, code = read_pdu(4, 0x0B, 1), (4, 2, 341 >> 8, 341 & 255)
    async with wire(sim.meters[0]) as bare:
        bare.send(tcp(1, 9, *question))
        refused = tcp(1, 9, 0x84, NO_TARGET)
        assert await bare.take(len(refused)) == refused
        # Nobody answers to all at once.
        bare.send(tcp(2, 0, *question) + tcp(3, 1, *question))
        assert await bare.take(11) == tcp(3, 1, *code)
    async with wire(sim.meters[1]) as bare:
        bare.send(tcp(1, 9, *question) + tcp(2, 1, *question))
        assert await bare.take(11) == tcp(2, 1, *code)
    async with wire(sim.meters[2]) as bare:
        bare.send(rtu(9, *question) + rtu(1, *question))
        assert await bare.take(7) == rtu(1, *code)


async def test_a_pause_before_each_request(start: Start) -> None:
    """Who does not pause is not heard; a pause of 60 ms is enough for an SDM630."""
    sim = await house(
        start,
        MeterConfig(profile="sdm630", link="rtu_tcp", line="one"),
        MeterConfig(profile="em340", link="rtu_tcp", line="one", unit=2),
    )
    meter, patient = sim.meters
    charge(sim)
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(4, 0x34, 2)))
        assert (await bare.take(9))[:3] == bytes([1, 4, 4])
        bare.send(rtu(1, *read_pdu(4, 0x34, 4)) + rtu(2, *read_pdu(4, 0x0B, 1)))
        # The first thing that comes is the answer of the other meter.
        assert (await bare.take(7))[0] == 2
        assert meter.requests[-1].outcome == "silent: no pause before it"
        assert patient.outcomes == {"answered": 1}
        await asyncio.sleep(0.07)
        bare.send(rtu(1, *read_pdu(4, 0x34, 6)))
        assert (await bare.take(17))[:3] == bytes([1, 4, 12])


async def test_a_hurried_meter_starts_anew(start: Start) -> None:
    """An SDM72 that is polled without pauses goes dark and comes back."""
    sim = await one_meter(start, "sdm72", link="rtu_tcp", pause_s=None)
    meter = sim.meters[0]
    async with wire(meter) as bare:
        bare.send(rtu(1, *read_pdu(4, 0x34, 2)) * 2)
        await bare.take(9)
        assert meter.outcomes == {"answered": 1, "silent: no pause before it": 1}
        assert meter.is_dark()
        sim.advance(meter.map.ready_s)
        assert not meter.is_dark()
        await asyncio.sleep(0.51)
        bare.send(rtu(1, *read_pdu(4, 0x48, 4)))
        assert (await bare.take(13))[:3] == bytes([1, 4, 8])


async def test_a_gateway_tells_of_a_hurried_meter(start: Start) -> None:
    """Through a gateway a request that the meter does not hear becomes exception 11."""
    sim = await one_meter(start, "sdm630", pause_s=3600.0)
    async with master(sim.meters[0]) as reads:
        assert isinstance(await reads.read(4, 0, 2), list)
        assert await reads.read(4, 0, 2) == NO_TARGET


async def test_what_is_unused(start: Start) -> None:
    """Unused registers of an ABB hold all ones, those of others zeros."""
    sim = await house(
        start,
        MeterConfig(profile="abb_b21", wallbox=1, line="all", unit=1),
        MeterConfig(profile="or_we_514", wallbox=1, line="all", unit=2),
    )
    async with master(sim.meters[0]) as reads:
        assert await reads.read(3, 0x6000, 2) == [0xFFFF, 0xFFFF]
        # One phase: the powers of phases are marked as invalid.
        assert await reads.read(3, 0x5B16, 2) == [0x7FFF, 0xFFFF]
        assert await reads.read(3, 0x132, 2, 2) == [0, 0]


def test_two_with_the_same_name() -> None:
    """Two meters with the same name cannot be told apart."""
    twice = (MeterConfig(profile="em340"), MeterConfig(profile="em340"))
    with pytest.raises(ValueError, match="two meters have the same name"):
        Simulator(SimulatorConfig(meters=twice))


async def test_two_with_the_same_unit(start: Start) -> None:
    """Two meters on one line cannot have the same address."""
    with pytest.raises(ValueError, match="the same unit id"):
        await house(
            start,
            MeterConfig(profile="em340", line="one"),
            MeterConfig(profile="sdm630", line="one"),
        )
