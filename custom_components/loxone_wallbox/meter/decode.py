"""From register words to numbers. Never raises, whatever the words are.

The library that knows how words make a number is taken when there are words. Where it
is missing there are none, and whatever needs only the maps of the registers still loads.
"""

from collections.abc import Iterable, Sequence
import math

from .model import (
    Identification,
    Kind,
    Measured,
    MeterProfile,
    Quantity,
    Read,
    Register,
    Words,
)

# No grid has it; some Eastron meters give ten times the frequency.
MAX_FREQUENCY_HZ = 100.0
# Finer than any meter counts; takes the noise of 0.1 out of scaled integers.
DECIMALS = 6
# The bits of a float's fraction.
FLOAT32_FRACTION = 23

SIGNED = {Kind.INT16, Kind.INT32, Kind.INT64}


def words_of(read: Read, words: Sequence[int]) -> Words:
    """Lay the answer to a read out by address."""
    by_address = {read.start + offset: word for offset, word in enumerate(words)}
    return {read.space: by_address}


def number(register: Register, words: list[int]) -> float | int | None:
    """Return the unscaled number in a register's words, None where they hold none.

    Beside what is no number at all, no meter counts to the very end of a type: the
    last values are what makers use for a value that there is not.
    """
    from modbus_connection.decode import (  # noqa: PLC0415
        combine_words,
        decode_float32,
        decode_float64,
        decode_int,
    )

    if register.kind in (Kind.FLOAT32, Kind.FLOAT64):
        decoder = decode_float64 if register.kind is Kind.FLOAT64 else decode_float32
        value = decoder(words, word_order=register.word_order)
        return value if math.isfinite(value) else None
    bits = 16 * len(words)
    raw = combine_words(words, word_order=register.word_order)
    if register.kind not in SIGNED:
        return None if raw == (1 << bits) - 1 else raw
    top = 1 << (bits - 1)
    if raw in (top - 1, top):
        return None
    return decode_int(words, signed=True, word_order=register.word_order)


def content(register: Register, words: Words) -> str | int | None:
    """Return a text or a whole number as it stands in a register, None if unread."""
    raw = _cut(register, words)
    if raw is None:
        return None
    if register.kind is Kind.TEXT:
        from modbus_connection.decode import decode_string  # noqa: PLC0415

        return _plain(decode_string(raw))
    found = number(register, raw)
    return None if found is None else int(found)


def value(measured: Measured, quantity: Quantity, words: Words) -> float | None:
    """Return a quantity in its unit: W, Wh, V, A, Hz.

    None where a register was not read or holds no number, and for a counter below zero.
    """
    total = 0.0
    for register in quantity.registers:
        raw = _cut(register, words)
        found = None if raw is None else number(register, raw)
        if found is None:
            return None
        total += found * register.scale
    if not math.isfinite(total):
        return None
    if measured in (Measured.IMPORT, Measured.EXPORT) and total < 0:
        return None
    if measured is Measured.FREQUENCY and total > MAX_FREQUENCY_HZ:
        total /= 10
    return round(total, DECIMALS)


def values(profile: MeterProfile, words: Words) -> dict[Measured, float | None]:
    """Return every quantity whose registers were read, by what it measures."""
    return {
        measured: value(measured, quantity, words)
        for measured, quantity in profile.quantities.items()
        if all(_cut(register, words) is not None for register in quantity.registers)
    }


def identify(profile: MeterProfile, words: Words) -> Identification:
    """Tell from the words of the identity reads whether a meter is of this model.

    Give it those only: a register that is to be read alone holds something else in
    the answer to a longer read.
    """
    identity = profile.identity
    found = None if identity.model is None else content(identity.model, words)
    matches = None
    if found not in (None, "", *identity.silent):
        matches = _folded(found) in {_folded(model) for model in identity.models}
    return Identification(matches=matches, serial=_serial(identity.serial, words))


def energy_step_wh(profile: MeterProfile, reading_wh: float) -> float:
    """Return the smallest step a counter can make at a reading, in Wh.

    A float of 32 bits holds 24 binary digits, so its last one grows with the reading:
    1 Wh at 10 MWh, 63 Wh near 1 GWh.
    """
    step = profile.resolution_wh
    for register in profile.quantities[Measured.IMPORT].registers:
        if register.kind is Kind.FLOAT32 and reading_wh > 0:
            _, exponent = math.frexp(reading_wh / register.scale)
            digit = math.ldexp(1.0, exponent - 1 - FLOAT32_FRACTION)
            step = max(step, digit * register.scale)
    return step


def _cut(register: Register, words: Words) -> list[int] | None:
    """Return the words of a register, None unless all of them were read."""
    space = words.get(register.space, {})
    found = [space.get(register.address + offset) for offset in range(register.count)]
    cut = [word for word in found if word is not None]
    return cut if len(cut) == len(found) else None


def _plain(text: str) -> str:
    """Return a text without the bytes that makers fill it up with."""
    return "".join(filter(str.isprintable, text)).strip()


def _folded(found: str | int | None) -> str:
    """Return what is compared: makers are free with upper and lower case."""
    return str(found).casefold()


def _serial(registers: Iterable[Register], words: Words) -> str | None:
    """Return a serial number, None where there is none or it was read badly.

    Some Carlo Gavazzi meters give one character at first; no serial number is that
    short, and zero is what a meter without one gives.
    """
    total = 0
    for register in registers:
        found = content(register, words)
        if isinstance(found, str):
            return found if len(found) > 1 else None
        if found is None:
            return None
        total = total << (16 * register.count) | found
    return str(total) if total else None
