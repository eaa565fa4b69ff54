"""Late answers, and everything else that goes wrong on a line, while a car charges.

Whatever happens, the words of a reading are those that the meter gave to this very
request. Time-outs, waits and seconds are those of a real installation; only the waiting
for them takes no time.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import product
from random import Random
from typing import Any

import pytest

from .gateway import Transparent, transparent
from .harness import (
    EM340,
    WE504,
    House,
    config_of,
    house,
    link_to,
    profile_of,
    running,
)
from .loop_time import leaping_time
from .watched import Stamp, WatchedLink
from custom_components.loxone_wallbox.meter.dedicated import DEDICATED_TIMEOUT_S
from custom_components.loxone_wallbox.meter.fit import Fit
from custom_components.loxone_wallbox.meter.late import LATE_S
from custom_components.loxone_wallbox.meter.link import SHARED_TIMEOUT_S
from custom_components.loxone_wallbox.meter.sample import MeterSample
from simulator.meters.faults import METER_FAULTS

LINKS = {"shared": SHARED_TIMEOUT_S, "dedicated": DEDICATED_TIMEOUT_S}
RTU = ("rtu_tcp", "pty")
GATEWAY = "gateway"
WIRES = ("tcp", *RTU, GATEWAY)
READINGS = 150
# Over both links more than ten thousand; through a serial device they take real time.
MANY = {"rtu_tcp": 4_500, "pty": 700}
CAMPAIGN = 10_000
# How many readings there are to a trouble.
OFTEN, SELDOM = 8, 30
# However bad it gets, so many seconds are enough for a reading on average.
MOST_SECONDS = 20

all_wires = pytest.mark.parametrize("wire", WIRES)
rtu_wires = pytest.mark.parametrize("wire", RTU)
both_links = pytest.mark.parametrize("kind", LINKS)

type Trouble = Callable[["Storm"], None]


class Storm:
    """A meter that is read each second while things go wrong now and then."""

    def __init__(self, kind: str, *, every: int, seed: int) -> None:
        """Take the kind of link and how many readings there are to a trouble."""
        self.random = Random(seed)
        self.timeout_s = LINKS[kind]
        self.every = every
        self.calm = every
        self.turn = 0
        self.came: Counter[str] = Counter()
        self.home: House
        self.between: Transparent | None = None
        self.fast: Sequence[int] = ()

    def fault(self, name: str, **options: Any) -> None:
        """Let a single thing go wrong with the next answers."""
        self.home.meter.clear()
        self.home.meter.fault(name, **{"times": 1, **options})
        self.came[name] += 1

    def take(self, sample: MeterSample, trouble: Trouble) -> None:
        """Count what came of a second, and let something go wrong now and then."""
        reading = sample.missing is None
        self.came["reading" if reading else "gap"] += 1
        self.calm -= reading
        if reading and self.calm <= 0:
            trouble(self)
            # The next one comes at once, or when all is forgotten.
            self.calm = self.random.choice([1, 3, 2 * self.every])


def late(storm: Storm) -> None:
    """Let answers come just before or after their requests are given up."""
    least, most = 0.9 * storm.timeout_s, storm.timeout_s + 0.95 * LATE_S
    seconds = storm.random.uniform(least, most)
    storm.fault("slow", seconds=seconds, times=storm.random.randint(1, 3))


def twice(storm: Storm) -> None:
    """Let answers come twice, the second time while something else may be asked."""
    after_s = storm.random.choice([0.0, 0.0, 0.001, 0.5])
    storm.fault("duplicate", after_s=after_s, times=storm.random.randint(1, 3))


def torn(storm: Storm) -> None:
    """Let answers end before their end.

    On Modbus TCP that is not a header that promises more bytes than come before the
    next one: a stream loses nothing in its middle, and who sends it counts what there
    is to send. (Were it so, the beginning of an answer that comes twice would become
    the end of the torn one, with the right number and length, and without a checksum
    nobody could tell.) What is torn there either was so behind a gateway, or ends
    together with the connection.
    """
    missing = storm.random.randint(1, 8)
    if storm.home.meter.config.link == "tcp" and storm.random.random() < 0.5:
        storm.fault("closed", halfway=True)
    else:
        storm.fault("truncated", missing=missing)


def late_twice_or_torn(storm: Storm) -> None:
    """Let these go wrong in turn."""
    storm.turn += 1
    (late, twice, torn)[storm.turn % 3](storm)


def held_back(storm: Storm) -> None:
    """Let a gateway hold answers back, for its next client if need be."""
    assert storm.between is not None
    storm.between.delays.extend(
        storm.random.uniform(0, storm.timeout_s + 0.95 * LATE_S)
        for _ in range(storm.random.randint(1, 3))
    )
    storm.came["slow"] += 1


def anything(storm: Storm) -> None:
    """Let anything go wrong with an answer."""
    random, rtu = storm.random, storm.home.meter.config.rtu
    choices: list[tuple[str, dict[str, Any]]] = [
        ("silent", {"times": random.randint(1, 3)}),
        ("duplicate", {"times": 3}),
        ("truncated", {"missing": random.randint(1, 8)}),
        ("short", {"by": random.randint(1, 5)}),
        ("other_unit", {}),
        ("garbage", {"size": random.randint(1, 60)}),
        ("garbage", {"size": random.randint(1, 60), "instead": True}),
        ("exception", {"code": 4}),
        ("exception", {"code": 11}),
        ("closed", {}),
        ("slow", {"seconds": random.uniform(0, LATE_S)}),
    ]
    more = ("echo", "wrong_crc") if rtu else ("wrong_transaction",)
    choices += [(name, {}) for name in more]
    assert {name for name, _ in choices} <= set(METER_FAULTS)
    name, options = random.choice(choices)
    storm.fault(name, **options)


async def raged(
    kind: str,
    wire: str,
    trouble: Trouble,
    *,
    readings: int = READINGS,
    profile: str = EM340,
    every: int = OFTEN,
    seed: int = 1,
    fit: Fit | None = None,
) -> Counter[str]:
    """Read through a storm; return what came of it."""
    storm = Storm(kind, every=every, seed=seed)
    config = config_of(profile, "rtu_tcp" if wire == GATEWAY else wire)
    async with AsyncExitStack() as stack:
        clock = stack.enter_context(leaping_time(wire))
        home = await stack.enter_async_context(house(config, clock=clock))
        storm.home, by = home, ""
        if wire == GATEWAY:
            storm.between = await stack.enter_async_context(
                transparent(home.meter.address)
            )
            by = storm.between.address
        link = await stack.enter_async_context(
            link_to(home.meter, kind, by, clock=clock)
        )
        watched = WatchedLink(link, Stamp(home.meter, profile_of(home.meter)))
        async with running(
            watched,
            profile_of(home.meter),
            clock,
            lambda s: storm.take(s, trouble),
            fit=fit,
        ):
            for _ in range(MOST_SECONDS * readings):
                if storm.came["reading"] >= readings:
                    break
                await clock.sleep(1)
    assert watched.wrong == []
    assert storm.came["reading"] >= readings
    return storm.came + watched.came


@all_wires
@both_links
async def test_late_answers(socket_enabled: None, kind: str, wire: str) -> None:
    """No answer that comes late is taken for another one."""
    trouble = held_back if wire == GATEWAY else late
    came = await raged(kind, wire, trouble)
    assert came["wrong"] == 0
    assert came["slow"] >= 5
    assert came["NoAnswerError"] >= 5


@rtu_wires
@both_links
async def test_late_answers_of_a_meter_with_one_read(
    socket_enabled: None, kind: str, wire: str
) -> None:
    """A meter that tells all in one read, and not who it is, is read as safely."""
    came = await raged(kind, wire, late, profile=WE504)
    assert came["wrong"] == 0
    assert came["slow"] >= 5


@pytest.mark.parametrize("wire", ["tcp", *RTU])
@both_links
async def test_late_twice_or_torn(socket_enabled: None, kind: str, wire: str) -> None:
    """Answers that are late, come twice or not whole are no readings."""
    came = await raged(kind, wire, late_twice_or_torn, seed=5)
    assert came["wrong"] == 0
    assert min(came[name] for name in ("slow", "duplicate")) >= 4
    assert came["truncated"] + came["closed"] >= 4


@pytest.mark.parametrize("trouble", [late, twice, late_twice_or_torn])
@pytest.mark.parametrize("profile", ["finder_7m24", "or_we_514", "sdm120"])
async def test_short_reads_of_one_length(
    socket_enabled: None, profile: str, trouble: Trouble
) -> None:
    """Units that give single values, nearly all as long, are read as safely.

    Through a link of their own, without a silence between requests.
    """
    cautious = Fit(cautious=True)
    came = await raged("dedicated", "rtu_tcp", trouble, profile=profile, fit=cautious)
    assert came["wrong"] == 0


@pytest.mark.parametrize("profile", [EM340, "finder_7m24", "or_we_514"])
async def test_held_back_by_a_gateway(socket_enabled: None, profile: str) -> None:
    """An answer that a gateway gives to the next connection is no reading."""
    came = await raged("dedicated", GATEWAY, held_back, profile=profile, seed=5)
    assert came["wrong"] == 0
    assert came["slow"] >= 5


@pytest.mark.parametrize("wire", ["tcp", *RTU])
@both_links
async def test_anything(socket_enabled: None, kind: str, wire: str) -> None:
    """Nothing that goes wrong on a line becomes a reading."""
    came = await raged(kind, wire, anything, seed=4)
    assert came["wrong"] == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
@rtu_wires
@both_links
async def test_ten_thousand_readings(
    socket_enabled: None, kind: str, wire: str
) -> None:
    """Not one of ten thousand readings, over both links and both wires, is wrong."""
    came = await raged(
        kind,
        wire,
        late_twice_or_torn,
        readings=MANY[wire],
        every=SELDOM,
        seed=7,
    )
    assert came["wrong"] == 0
    assert (
        min(came[name] for name in ("slow", "duplicate", "truncated"))
        >= MANY[wire] / 130
    )


@pytest.mark.campaign
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("wire", "trouble"),
    [
        *product(["tcp", *RTU], [late, late_twice_or_torn, anything]),
        (GATEWAY, held_back),
    ],
)
@both_links
async def test_ten_thousand_readings_each(
    socket_enabled: None,
    kind: str,
    wire: str,
    trouble: Trouble,
) -> None:
    """Not one of ten thousand readings is wrong, whatever goes wrong wherever."""
    came = await raged(kind, wire, trouble, readings=CAMPAIGN, every=SELDOM, seed=11)
    assert came["wrong"] == 0
