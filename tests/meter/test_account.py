"""What samples add up to: power, energy, findings, across restarts."""

from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.loxone_wallbox.meter.account import MeterAccount, MeterFacts
from custom_components.loxone_wallbox.meter.checks import Circuit
from custom_components.loxone_wallbox.meter.counter import Answer
from custom_components.loxone_wallbox.meter.errors import Missing
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.meter.profiles import PROFILES
from custom_components.loxone_wallbox.meter.sample import MeterSample

NOW = datetime(2027, 1, 13, 22, tzinfo=UTC)
FACTS = MeterFacts(
    profile=PROFILES["eastron_sdm630"], circuit=Circuit(phases=3, rated_a=16)
)


def sample(second: float, **fields: Any) -> MeterSample:
    """Return the sample of a second."""
    return MeterSample(monotonic=second, utc=NOW, **fields)


def charged(
    account: MeterAccount,
    seconds: range,
    start_wh: float = 100_000,
    *,
    serial: str = "1",
) -> MeterAccount:
    """Let a car charge with 11 kW; the counter begins at a reading."""
    for number, second in enumerate(seconds):
        energy = round((start_wh + number * 11_000 / 3600) / 10) * 10
        account, _ = account.take(
            sample(second, power_w=11_000, import_wh=energy, serial=serial),
            FACTS,
            second,
        )
    return account


def test_energy_to_the_watt_hour() -> None:
    """Between two steps of the counter the power tells what has flowed."""
    account = charged(MeterAccount(), range(600))
    assert account.power_w == 11_000
    assert account.total_wh == pytest.approx(100_000 + 600 * 11_000 / 3600, abs=10)
    assert account.fine_wh is not None
    assert 0 <= account.fine_wh - (account.total_wh or 0) < 10


def test_an_outage_costs_no_energy() -> None:
    """Unknown power while nothing is read, all of the energy afterwards."""
    account = charged(MeterAccount(), range(60))
    before = account.total_wh
    account, _ = account.take(sample(60, missing=Missing.NO_ANSWER), FACTS, 60)
    assert account.power_w is None
    assert account.total_wh == before
    later = 100_000 + 3660 * 11_000 / 3600
    account = charged(account, range(3660, 3670), later)
    assert account.total_wh == pytest.approx(later, abs=50)
    assert account.integral.gaps == 1


def test_a_counter_without_a_power() -> None:
    """What flowed is known although nobody knows how much flows now."""
    account = charged(MeterAccount(), range(60))
    gaps = account.integral.gaps
    for second in (60, 61, 62):
        silent = sample(second, import_wh=100_190, serial="1", missing=Missing.NO_VALUE)
        account, _ = account.take(silent, FACTS, second)
    assert account.power_w is None
    assert account.total_wh == 100_190
    assert account.read_at == 62
    assert account.integral.gaps == gaps
    nothing, _ = account.take(sample(63, missing=Missing.NO_VALUE), FACTS, 63)
    assert (nothing.total_wh, nothing.read_at) == (100_190, 62)


def test_based_on_what_was_before() -> None:
    """The owner's total goes on where it stood, and only once."""
    account = charged(MeterAccount(), range(10)).based(2_000_000)
    assert account.total_wh == 2_000_000
    later = charged(account, range(10, 20), 100_030).based(5).total_wh
    assert later is not None
    assert later > 2_000_000
    assert MeterAccount().based(7).base_wh is None
    assert charged(MeterAccount(), range(10)).based(None).total_wh == pytest.approx(
        100_020, abs=10
    )


def test_inverted_wiring() -> None:
    """Export is import, and power the other way round."""
    facts = MeterFacts(profile=FACTS.profile, circuit=FACTS.circuit, inverted=True)
    account = MeterAccount()
    for second in range(3):
        account, _ = account.take(
            sample(second, power_w=-7000, import_wh=5, export_wh=1000), facts, second
        )
    assert account.power_w == 7000
    assert account.total_wh == 1000


def test_another_meter_is_asked_about() -> None:
    """The break is told once, the total goes on, the answer ends the question."""
    account, told = charged(MeterAccount(), range(60)), []
    before = account.total_wh
    for second in range(60, 100):
        account, finding = account.take(
            sample(second, power_w=0, import_wh=300, serial="2"), FACTS, second
        )
        told += [finding] if finding else []
    assert [one.kind for one in told] == [FindingKind.METER_REPLACED]
    assert account.total_wh == before
    assert account.answer(Answer.REPLACED).counter.question is None


@given(st.integers(1, 300))
def test_a_restart_changes_nothing(second: int) -> None:
    """What is kept is plain data, and counting goes on from it."""
    account = charged(MeterAccount(), range(second)).based(None)
    kept = MeterAccount.from_dict(json.loads(json.dumps(account.as_dict())))
    assert kept.total_wh == account.total_wh
    assert kept.counter == account.counter


@pytest.mark.parametrize(
    "data", [{}, {"counter": 7, "checks": "x"}, {"counter": {}, "base_wh": "much"}]
)
def test_what_makes_no_sense_begins_anew(data: dict[str, Any]) -> None:
    """A damaged account is no account."""
    assert MeterAccount.from_dict(data) == MeterAccount()
