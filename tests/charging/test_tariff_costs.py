"""What sessions cost: late prices, changed prices, another supplier."""

from datetime import timedelta
from decimal import Decimal
import json

from hypothesis import given, settings, strategies as st
import pytest

from .nights import LONDON, local
from .stays import Stay, utc
from .test_tariff import point, time_of_use
from custom_components.loxone_wallbox.charging.costing import TariffBook, priced
from custom_components.loxone_wallbox.charging.money import PriceStatus, TariffError
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.tariff import (
    DynamicTariff,
    FixedTariff,
    PricePoint,
    Tariff,
)

BEGIN = local("2027-01-13T22:00:00")
LATER = BEGIN + timedelta(days=2)


def night(tariffs: TariffBook, hours: float = 2.0) -> SessionRecord:
    """Charge at 6 kW from ten on, cut where the price may change."""
    stay = Stay(now=BEGIN, wh=0.0)
    stay.take(stay.book.price_changed(BEGIN, tariffs.price_id(BEGIN), stay.rules))
    stay.plug()
    stay.flow(6_000)
    end = BEGIN + timedelta(hours=hours)
    for edge in (*tariffs.edges(BEGIN, end), end):
        stay.until(edge, timedelta(seconds=30))
        stay.take(stay.book.price_changed(edge, tariffs.price_id(edge), stay.rules))
    stay.flow(0)
    record = stay.unplug()
    record.check()
    return record


def book(tariff: Tariff) -> TariffBook:
    """Return a book with one tariff."""
    return TariffBook().switched(tariff)


def flat(price: str, name: str = "flat", currency: str = "GBP") -> FixedTariff:
    """Return one price."""
    return FixedTariff(id=name, currency=currency, per_kwh=Decimal(price))


def test_a_night_by_the_time_of_use() -> None:
    """Each rate has its slice and its cost."""
    tariffs = book(time_of_use())
    record = priced(night(tariffs, 4), tariffs, LATER)
    record.check()
    assert [(one.wh, one.cost_minor) for one in record.slices] == [
        (12_000, 300),
        (3_000, 75),
        (9_000, 63),
    ]
    assert (record.cost_minor, record.currency) == (438, "GBP")
    assert record.cost_status is PriceStatus.FINAL
    assert priced(record, tariffs, LATER) is record
    assert SessionRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


def test_prices_that_come_late() -> None:
    """Energy waits for its price, a guess for the final word; both are kept."""
    agile = DynamicTariff(id="agile", currency="GBP")
    record = priced(night(book(agile)), book(agile), BEGIN)
    assert len(record.slices) == 4
    assert (record.cost_status, record.cost_minor) == (PriceStatus.UNKNOWN, None)
    guess = agile.told([point("2027-01-13T22:00:00", 120, "0.20", provisional=True)])
    record = priced(record, book(guess), LATER)
    assert (record.cost_status, record.cost_minor) == (PriceStatus.PROVISIONAL, 240)
    assert record.repricings == ()
    final = guess.told(
        [
            point("2027-01-13T22:00:00", 30, "0.20"),
            point("2027-01-13T22:30:00", 30, "-0.05"),
            point("2027-01-13T23:00:00", 60, "0.10"),
        ]
    )
    after = priced(record, book(final), LATER)
    after.check()
    assert (after.cost_status, after.cost_minor) == (PriceStatus.FINAL, 60 - 15 + 60)
    assert after.import_wh == record.import_wh
    assert after.revision == record.revision + 1
    # The first half hour costs what was guessed.
    assert [
        (one.price, one.cost_minor, one.price_status.value) for one in after.repricings
    ] == [(Decimal("0.20"), 60, "provisional")] * 3


def test_a_price_within_a_slice() -> None:
    """A late price that begins within a slice divides it, and no energy is lost."""
    agile = DynamicTariff(id="agile", currency="GBP", step=timedelta(hours=1))
    record = priced(night(book(agile)), book(agile), BEGIN)
    told = agile.told(
        [
            point("2027-01-13T22:00:00", 20, "0.30"),
            point("2027-01-13T22:20:00", 100, "0.10"),
        ]
    )
    after = priced(record, book(told), LATER)
    after.check()
    assert [one.wh for one in after.slices] == [2_000, 4_000, 6_000]
    assert after.cost_minor == 60 + 40 + 60


def test_a_final_price_is_not_replaced_by_a_guess() -> None:
    """A source that forgets its prices does not undo what was charged."""
    agile = DynamicTariff(id="agile", currency="GBP", fallback=Decimal("0.5"))
    told = agile.told([point("2027-01-13T22:00:00", 120, "0.10")])
    record = priced(night(book(told)), book(told), LATER)
    assert priced(record, book(agile), LATER) is record
    assert record.cost_minor == 120


def test_another_supplier() -> None:
    """What was charged before costs what it did; energy and ids stay as they were."""
    old, new = flat("0.30", "old"), flat("0.20", "new")
    both = book(old).switched(new, BEGIN + timedelta(hours=1))
    record = night(both)
    after = priced(record, both, LATER)
    after.check()
    assert [one.price for one in after.slices] == [Decimal("0.30"), Decimal("0.20")]
    assert after.cost_minor == 180 + 120
    for name in ("id", "connected_utc", "import_wh", "hours", "segments", "quality"):
        assert getattr(after, name) == getattr(record, name)
    before = priced(night(book(old)), book(old), LATER)
    assert priced(before, book(old).switched(new, LATER), LATER) is before


def test_two_currencies_have_no_sum() -> None:
    """A session in pounds and euros has two costs and no total."""
    both = book(flat("0.3")).switched(
        flat("0.3", "abroad", "EUR"), BEGIN + timedelta(hours=1)
    )
    record = priced(night(both), both, LATER)
    record.check()
    assert [one.cost_minor for one in record.slices] == [180, 180]
    assert (record.cost_minor, record.cost_status) == (None, PriceStatus.UNKNOWN)


def test_a_missing_tariff_blocks_nothing() -> None:
    """Without any tariff the energy stands, and has no cost."""
    record = priced(night(TariffBook()), TariffBook(), LATER)
    record.check()
    assert record.import_wh == 12_000
    assert record.cost_status is PriceStatus.UNKNOWN


def test_the_book_is_kept() -> None:
    """It is read back as it was; what cannot be read has a reason."""
    agile = DynamicTariff(id="agile", currency="GBP")
    tariffs = book(time_of_use()).switched(agile, BEGIN)
    plain = json.loads(json.dumps(tariffs.as_dict()))
    assert TariffBook.from_dict(plain, LONDON) == tariffs
    told = agile.told([point("2027-01-13T22:00:00", 30, "0.2")])
    updated = tariffs.updated(told)
    assert updated.at(BEGIN) == told
    assert updated.at(BEGIN - timedelta(seconds=1)) == time_of_use()
    for spoilt, key in (
        ({**plain, "schema": 2}, "tariff_schema_unknown"),
        ({"schema": 1}, "tariff_unreadable"),
        ({"schema": 1, "agreements": [{"tariff": {}}]}, "tariff_unreadable"),
    ):
        with pytest.raises(TariffError) as caught:
            TariffBook.from_dict(spoilt, LONDON)
        assert caught.value.key == key


words = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(1, 100),
        st.integers(-30, 60),
        st.booleans(),
    ),
    max_size=6,
)


@given(st.lists(words, max_size=4))
@settings(deadline=None, max_examples=60)
def test_whatever_prices_come(series: list[list[tuple[int, int, int, bool]]]) -> None:
    """Prices never move energy, and a cost is the sum of its slices."""
    agile = DynamicTariff(id="agile", currency="GBP")
    record = first = _NIGHT
    for told in series:
        agile = agile.told(
            PricePoint(
                start=utc("2027-01-13T21:50:00") + timedelta(minutes=start),
                end=utc("2027-01-13T21:50:00") + timedelta(minutes=start + length),
                per_kwh=Decimal(price) / 100,
                provisional=provisional,
            )
            for start, length, price, provisional in told
        )
        before, record = record, priced(record, book(agile), LATER)
        record.check()
        assert len(record.repricings) >= len(before.repricings)
        assert priced(record, book(agile), LATER) is record
    assert record.import_wh == first.import_wh
    assert record.hours == first.hours
    if record.cost_minor is not None:
        assert record.cost_minor == sum(one.cost_minor or 0 for one in record.slices)


_NIGHT = night(book(DynamicTariff(id="agile", currency="GBP")))
