"""P1: decoding a value-state table."""

import gc
import random
from statistics import median
import struct
import timeit

from .report import Figure
from custom_components.loxone_wallbox.miniserver.frames import decode_values

EVENTS = 3000
WATCHED = 60
ROUNDS = 200
TARGET_NS = 250.0


def decode_values_ns() -> Figure:
    """Measure the time an event of a full table takes, beside the bare unpacking."""
    source = random.Random(1)  # noqa: S311
    uuids = [source.randbytes(16) for _ in range(EVENTS)]
    table = b"".join(
        struct.pack("<16sd", uuid, source.uniform(0, 20)) for uuid in uuids
    )
    watched = {
        uuid: str(number) for number, uuid in enumerate(source.sample(uuids, WATCHED))
    }
    unpack = struct.Struct("<16sd").iter_unpack

    def floor() -> None:
        """Unpack and do nothing."""
        for _ in unpack(table):
            pass

    def decode() -> None:
        """Decode as the client does."""
        assert len(decode_values(table, watched)) == WATCHED

    gc.collect()
    pairs = [
        (timeit.timeit(decode, number=1), timeit.timeit(floor, number=1))
        for _ in range(ROUNDS)
    ]
    scale = 1e9 / EVENTS
    return Figure(
        id="P1",
        name="decode_ns_per_event",
        value=median(pair[0] for pair in pairs) * scale,
        target=TARGET_NS,
        floor=median(pair[1] for pair in pairs) * scale,
        floor_name="struct.iter_unpack alone, ns an event",
        notes=(f"{EVENTS} events, {WATCHED} watched, median of {ROUNDS} tables",),
    )
