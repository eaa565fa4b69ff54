"""Every map says what its maker says, and no words of any kind upset it.

`struct` reads the vectors a second time, so that neither they nor the maps are taken at
their word.
"""

from collections.abc import Iterator
import math
import struct
from typing import Any

from hypothesis import given, strategies as st
from modbus_connection.encode import encode_float32, encode_float64, encode_int
import pytest

from .tables import VECTORS, vector, with_struct, words_in
from custom_components.loxone_wallbox.meter.decode import number
from custom_components.loxone_wallbox.meter.profiles import (
    PROFILES,
    Kind,
    Measured,
    MeterProfile,
    Quantity,
    Read,
    Register,
    energy_step_wh,
    identify,
    value,
    values,
    words_of,
)

each_meter = pytest.mark.parametrize("meter", sorted(PROFILES))


def registers(profile: MeterProfile) -> Iterator[Register]:
    """Yield all registers of a meter."""
    for quantity in profile.quantities.values():
        yield from quantity.registers
    if profile.identity.model is not None:
        yield profile.identity.model
    yield from profile.identity.serial


def test_a_vector_for_every_meter() -> None:
    """A meter without a vector is an opinion."""
    assert {path.stem for path in VECTORS.glob("*.json")} == set(PROFILES)


@each_meter
def test_vectors_are_true(meter: str) -> None:
    """The numbers in a vector are those in its words."""
    content = vector(meter)
    assert content["meter"] == meter
    rows = [row for sample in content["samples"] for row in sample["rows"]]
    for row in rows + content["identity"]["rows"]:
        assert with_struct(row) == row["number"], row


@each_meter
def test_values(meter: str) -> None:
    """The words give the values, in W, Wh, V, A and Hz, and nothing else."""
    profile = PROFILES[meter]
    content = vector(meter)
    assert set(content["samples"][0]["values"]) == set(profile.quantities)
    for sample in content["samples"]:
        found = values(profile, words_in(sample["rows"]))
        assert {str(k): v for k, v in found.items()} == pytest.approx(
            sample["values"], rel=1e-9
        )


@each_meter
def test_power_knows_its_direction(meter: str) -> None:
    """All but the one without a sign have a sample of feeding back."""
    samples = {sample["name"]: sample for sample in vector(meter)["samples"]}
    assert samples["charging"]["values"]["power"] > 1000
    if meter == "orno_we504":
        assert "feeding back" not in samples
    else:
        assert samples["feeding back"]["values"]["power"] < 0


@each_meter
def test_identity(meter: str) -> None:
    """A meter is known by what it says of itself."""
    expected = vector(meter)["identity"]
    found = identify(PROFILES[meter], words_in(expected["rows"]))
    assert found.matches is expected["matches"]
    assert found.serial == expected["serial"]


@each_meter
def test_another_meter_is_told_apart(meter: str) -> None:
    """Another model's code contradicts; a meter that says nothing does not."""
    profile = PROFILES[meter]
    model = profile.identity.model
    if model is None:
        assert identify(profile, {}).matches is None
        return
    others = dict.fromkeys(range(model.address, model.last + 1), 0x5A5A)
    assert identify(profile, {model.space: others}).matches is False
    empty = dict.fromkeys(others, 0)
    silent = model.kind is Kind.TEXT or 0 in profile.identity.silent
    assert identify(profile, {model.space: empty}).matches is (
        None if silent else False
    )


def test_models_are_not_confused() -> None:
    """What one model answers is not what a sister model is known by."""
    for meter in PROFILES:
        rows = vector(meter)["identity"]["rows"]
        for other in PROFILES.values():
            model = other.identity.model
            same_place = model == PROFILES[meter].identity.model
            if other.id == meter or model is None or not same_place:
                continue
            matches = identify(other, words_in(rows)).matches
            assert not matches, f"{meter} taken for {other.id}"


@each_meter
def test_profile_is_complete(meter: str) -> None:
    """Whoever reads a profile finds all there is to know, or that it is not known."""
    profile = PROFILES[meter]
    assert profile.id == meter
    assert profile.maker
    assert profile.model
    assert len(profile.source) > 10
    assert {Measured.POWER, Measured.IMPORT} <= set(profile.quantities)
    assert profile.resolution_wh in (1, 10, 100)
    assert profile.limits.spacing_s > 0
    assert profile.line.baudrate in (None, 2400, 9600, 19200)
    assert profile.poll_s >= 1
    assert (profile.identity.model is None) is not bool(profile.identity.models)
    assert profile.rollover_wh in (None, 10**9, 10**10)
    phases = {name for name in profile.quantities if name.endswith(("_l2", "_l3"))}
    if profile.phases == 1:
        assert not phases
    if profile.phases == 3 and meter != "eastron_sdm72":
        assert {Measured.VOLTAGE_L3, Measured.CURRENT_L3} <= phases


@each_meter
def test_registers_lie_in_runs(meter: str) -> None:
    """Every register can be read, and runs consist of whole steps."""
    profile = PROFILES[meter]
    for run in profile.limits.runs:
        assert 0 <= run.first <= run.last <= 0xFFFF
        assert (run.last - run.first + 1) % run.step == 0
    for register in registers(profile):
        holding = [run for run in profile.limits.runs if run.holds(register)]
        assert len(holding) == 1, register


@each_meter
def test_one_register_for_one_thing(meter: str) -> None:
    """No two quantities are read from the same place."""
    taken: set[tuple[str, int]] = set()
    for quantity in PROFILES[meter].quantities.values():
        for register in quantity.registers:
            own = {
                (register.space, address)
                for address in range(register.address, register.last + 1)
            }
            assert not own & taken, register
            taken |= own


ENDS = {
    Kind.UINT16: ["FFFF"],
    Kind.INT16: ["7FFF", "8000"],
    Kind.UINT32: ["FFFF FFFF"],
    Kind.INT32: ["7FFF FFFF", "8000 0000"],
    Kind.UINT64: ["FFFF FFFF FFFF FFFF"],
    Kind.INT64: ["7FFF FFFF FFFF FFFF", "8000 0000 0000 0000"],
    Kind.FLOAT32: ["7FC0 0000", "FFFF FFFF", "7F80 0000", "FF80 0000"],
    Kind.FLOAT64: ["7FF8 0000 0000 0000", "7FF0 0000 0000 0000"],
}


@pytest.mark.parametrize(
    ("kind", "end"), [(kind, end) for kind, ends in ENDS.items() for end in ends]
)
def test_the_ends_of_a_type(kind: Kind, end: str) -> None:
    """They are no numbers, each by itself; what is next to them is one."""
    words = [int(word, 16) for word in end.split()]
    register = Register(address=0, kind=kind)
    assert number(register, words) is None
    assert number(register, [words[0] ^ 0x0F80, *words[1:]]) is not None


@each_meter
def test_what_is_no_number(meter: str) -> None:
    """The last values of a type and floats that are none mean that there is none."""
    profile = PROFILES[meter]
    words = words_in(vector(meter)["samples"][0]["rows"])
    for measured, quantity in profile.quantities.items():
        for register in quantity.registers:
            for end in ENDS[register.kind]:
                marker = [int(word, 16) for word in end.split()]
                if register.word_order == "little":
                    marker.reverse()
                by_address = dict(words[register.space])
                by_address.update(enumerate(marker, register.address))
                found = values(profile, {**words, register.space: by_address})
                assert found[measured] is None, (measured, end)
                others = {k: v for k, v in found.items() if k is not measured}
                assert None not in others.values()


@each_meter
@pytest.mark.parametrize("measured", [Measured.IMPORT, Measured.EXPORT])
def test_a_counter_below_zero_is_none(meter: str, measured: Measured) -> None:
    """No counter runs backwards through zero; such words are garbage."""
    profile = PROFILES[meter]
    quantity = profile.quantities.get(measured)
    if quantity is None:
        assert meter in {
            "saia_ale3_one_way",
            "saia_ald1_one_way",
            "orno_we504",
            "orno_we514",
            "schneider_iem3150",
        }
        return
    by_address: dict[int, int] = {}
    for register in quantity.registers:
        minus = encoded(register, -5)
        by_address.update(enumerate(minus, register.address))
    found = value(measured, quantity, {quantity.registers[0].space: by_address})
    unsigned = quantity.registers[0].kind in (Kind.UINT32, Kind.UINT64)
    assert (found is None) is not unsigned


def encoded(register: Register, wanted: float) -> list[int]:
    """Return a number's words, by the library's encoders."""
    if register.kind is Kind.FLOAT32:
        return encode_float32(wanted, word_order=register.word_order)
    if register.kind is Kind.FLOAT64:
        return encode_float64(wanted, word_order=register.word_order)
    return encode_int(int(wanted), count=register.count, word_order=register.word_order)


def numbers(kind: Kind) -> st.SearchStrategy[float]:
    """Return all numbers a kind of register can hold."""
    if kind is Kind.FLOAT32:
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    if kind is Kind.FLOAT64:
        return st.floats(allow_nan=False, allow_infinity=False)
    bits = int(kind.removeprefix("u").removeprefix("int"))
    if kind.startswith("u"):
        return st.integers(0, 2**bits - 2)
    return st.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 2)


@pytest.mark.parametrize("word_order", ["big", "little"])
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEXT])
@given(data=st.data())
def test_round_trip(kind: Kind, word_order: Any, data: st.DataObject) -> None:
    """What is encoded comes back."""
    register = Register(address=0, kind=kind, word_order=word_order)
    wanted = data.draw(numbers(kind))
    assert number(register, encoded(register, wanted)) == wanted


@each_meter
@given(data=st.data())
def test_no_words_upset_it(meter: str, data: st.DataObject) -> None:
    """Any words give finite numbers or none, and never an error."""
    profile = PROFILES[meter]
    drawn = iter(data.draw(st.binary(min_size=200, max_size=200)))
    by_space: dict[Any, dict[int, int]] = {}
    for register in registers(profile):
        space = by_space.setdefault(register.space, {})
        for address in range(register.address, register.last + 1):
            space[address] = next(drawn) << 8 | next(drawn)
    found = values(profile, by_space)
    assert set(found) == set(profile.quantities)
    assert all(v is None or math.isfinite(v) for v in found.values())
    serial = identify(profile, by_space).serial
    assert serial is None or (len(serial) > 0 and serial.isprintable())
    for measured in {Measured.IMPORT, Measured.EXPORT} & set(found):
        assert (found[measured] or 0) >= 0


def test_what_was_not_read_is_not_there() -> None:
    """Half of a value is no value."""
    profile = PROFILES["eastron_sdm630"]
    assert values(profile, {}) == {}
    words = words_of(Read(space="input", start=0x34, count=2), [0x462C, 0x8000])
    assert values(profile, words) == {Measured.POWER: 11040.0}
    half = words_of(Read(space="input", start=0x34, count=1), [0x462C])
    assert values(profile, half) == {}
    quantity = profile.quantities[Measured.POWER]
    assert value(Measured.POWER, quantity, half) is None


def test_a_sum_that_is_none() -> None:
    """Two finite numbers can be infinite together."""
    register = Register(address=0, kind=Kind.FLOAT64)
    twice = Quantity(registers=(register, register))
    words = words_of(Read(space="holding", start=0, count=4), encode_float64(1.7e308))
    assert value(Measured.POWER, twice, words) is None


def test_a_serial_number_of_one_letter_is_none() -> None:
    """Some meters give one letter at first, and a zero stands for no number."""
    profile = PROFILES["gavazzi_em340"]
    words = dict.fromkeys(range(0x5000, 0x5007), 0)
    assert identify(profile, {"input": words | {0x5000: 0x4200}}).serial is None
    assert identify(profile, {"input": words | {0x5000: 0x424E}}).serial == "BN"
    assert identify(profile, {"input": words}).serial is None


@pytest.mark.parametrize(
    ("meter", "reading_wh", "step_wh"),
    [
        ("saia_ale3", 5e8, 10),
        ("gavazzi_em340", 5e8, 100),
        ("eastron_sdm630", 0, 10),
        ("eastron_sdm630", 1e7, 10),
        ("eastron_sdm630", 1e8, 10),
        ("eastron_sdm630", 999_999_900, 62.5),
        ("finder_7m38", 1e7, 1),
        ("finder_7m38", 6.6e7, 4),
    ],
)
def test_the_step_of_a_float_grows(
    meter: str, reading_wh: float, step_wh: float
) -> None:
    """A counter in a float of 32 bits gets coarser as it counts."""
    profile = PROFILES[meter]
    assert energy_step_wh(profile, reading_wh) == step_wh
    register = profile.quantities[Measured.IMPORT].registers[0]
    if step_wh > profile.resolution_wh:
        words = encode_float32(reading_wh / register.scale)
        after = struct.unpack(">f", struct.pack(">HH", words[0], words[1] + 1))[0]
        before = struct.unpack(">f", struct.pack(">HH", *words))[0]
        assert (after - before) * register.scale == pytest.approx(step_wh)


@pytest.mark.parametrize(
    ("meter", "last", "first_wh"),
    [
        ("saia_ale3", [0x05F5, 0xE0FF], 999_999_990),
        ("orno_we514", [0x05F5, 0xE0FF], 999_999_990),
        ("gavazzi_em340", [0xE0FF, 0x05F5], 9_999_999_900),
    ],
)
def test_rollover(meter: str, last: list[int], first_wh: int) -> None:
    """The last reading before zero is one step below the modulus."""
    profile = PROFILES[meter]
    quantity = profile.quantities[Measured.IMPORT]
    register = quantity.registers[0]
    words = words_of(Read(space=register.space, start=register.address, count=2), last)
    assert value(Measured.IMPORT, quantity, words) == first_wh
    assert profile.rollover_wh == first_wh + profile.resolution_wh
