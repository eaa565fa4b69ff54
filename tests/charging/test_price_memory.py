"""A session of weeks is priced bit by bit, and costs what it would cost all at once."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

from hypothesis import given, settings, strategies as st

from .stays import Stay, utc
from .test_pricing import record_of
from custom_components.loxone_wallbox.charging import costing, price_memory
from custom_components.loxone_wallbox.charging.costing import TariffBook, priced
from custom_components.loxone_wallbox.charging.price_memory import agreed, within
from custom_components.loxone_wallbox.charging.price_words import (
    Word,
    heard,
    quarter_of,
    said,
)
from custom_components.loxone_wallbox.charging.pricing import Prices
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.slices import Slice
from custom_components.loxone_wallbox.charging.tariff import (
    QUARTER,
    DynamicTariff,
    FixedTariff,
)

BEGIN = utc("2027-01-13T20:00:00")
AGILE = DynamicTariff(id="agile", currency="GBP", step=QUARTER)
FIXED = FixedTariff(id="fixed", currency="GBP", per_kwh=Decimal("0.25"))


class Week:
    """A long stay on prices that change with the quarter hours."""

    def __init__(self, tariff: DynamicTariff = AGILE) -> None:
        """Plug in and charge at 3 kW."""
        self.tariff = tariff
        self.stay = Stay(now=BEGIN, wh=0.0)
        since = BEGIN - timedelta(days=1)
        self.prices = Prices(tariffs=TariffBook().switched(tariff, since))
        self._cut()
        self.stay.plug()
        self.stay.flow(3000)

    def _cut(self) -> None:
        """Cut where another price begins."""
        price_id = self.prices.tariffs.price_id(self.stay.now)
        step = self.stay.book.price_changed(self.stay.now, price_id, self.stay.rules)
        self.stay.take(step)

    def quarter(self) -> None:
        """Let a quarter hour pass."""
        for _ in range(3):
            self.stay.pass_unread(QUARTER / 3)
            self.stay.read()
        self._cut()

    def take(self, tariffs: TariffBook) -> None:
        """Take another book, which costs what it costs without any memory."""
        record, at = record_of(self.stay), self.stay.now
        before = self._afresh()
        whole = priced(before, tariffs, at, being_said=quarter_of(at))
        self.prices, changed = self.prices.taken(tariffs, [record], at)
        assert self.prices.replaced.get(record.id, ()) == whole.repricings
        assert bool(changed) is (whole.repricings != before.repricings)
        self._same()

    def _afresh(self) -> SessionRecord:
        """Return the record with prices, by somebody who remembers nothing."""
        new = Prices(tariffs=self.prices.tariffs, replaced=self.prices.replaced)
        return new.priced(record_of(self.stay), self.stay.now)

    def _same(self) -> None:
        """Price it, and price it again without a memory."""
        found = self.prices.priced(record_of(self.stay), self.stay.now)
        assert found == self._afresh()
        assert sum(one.wh for one in found.slices) == found.import_wh

    def say(self, pence: int) -> None:
        """Let the source say a price of now."""
        self.tariff = said(self.tariff, self.stay.now, Decimal(pence) / 100)
        self.take(self.prices.tariffs.updated(self.tariff))

    def tell(self, quarters: int, pence: int) -> None:
        """Let the recorder tell what was said so long ago, for half an hour."""
        start = self.stay.now - quarters * QUARTER
        words = [Word(at=start, per_kwh=Decimal(pence) / 100)]
        until = min(start + 2 * QUARTER, self.stay.now)
        self.tariff = heard(self.tariff, words, until)
        self.take(self.prices.tariffs.updated(self.tariff))

    def switch(self) -> None:
        """Choose another supplier."""
        self.take(self.prices.tariffs.switched(FIXED, self.stay.now - QUARTER / 2))

    def forget(self) -> None:
        """Forget what was said before the session."""
        self.take(self.prices.tariffs.forgotten(BEGIN))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.integers(-5, 3)),
            st.tuples(st.just("tell"), st.integers(1, 6), st.integers(-5, 3)),
            st.tuples(st.sampled_from(["quarter", "quarter", "forget", "switch"])),
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_it_is_a_memory_only(story: list[tuple[object, ...]], guessed: bool) -> None:
    """Whatever is said and heard: cost and replaced prices are those of a fresh look."""
    tariff = replace(AGILE, fallback=Decimal("0.30")) if guessed else AGILE
    week = Week(tariff)
    week.quarter()
    for name, *values in story:
        getattr(week, str(name))(*values)
    week.take(week.prices.tariffs)


def test_only_what_is_new_is_reckoned() -> None:
    """Of two days of quarter hours the next price touches a handful of parts."""
    week = Week()
    for number in range(192):
        week.tariff = said(week.tariff, week.stay.now, Decimal(number % 7) / 100)
        tariffs = week.prices.tariffs.updated(week.tariff)
        week.prices = replace(week.prices, tariffs=tariffs)
        week.quarter()
    record = record_of(week.stay)
    assert len(record.slices) == 192
    reckoned: list[Slice] = []

    def count(one: Slice, tariffs: TariffBook) -> tuple[Slice, ...]:
        """Count what is looked at."""
        reckoned.append(one)
        return parts(one, tariffs)

    parts, divided = costing.parts_of, costing._divided
    with (
        patch.object(price_memory, "parts_of", count),
        patch.object(costing, "_divided", side_effect=divided) as again,
    ):
        week.prices.priced(record, week.stay.now)
        assert len(reckoned) == 192
        reckoned.clear()
        again.reset_mock()
        week.tariff = said(week.tariff, week.stay.now, Decimal("0.5"))
        book = week.prices.tariffs.updated(week.tariff)
        week.prices, _ = week.prices.taken(book, [record], week.stay.now)
        week.stay.pass_unread(QUARTER / 3)
        week.stay.read()
        found = week.prices.priced(record_of(week.stay), week.stay.now)
        assert len(reckoned) <= 3
        assert again.call_count <= 5
    assert found.slices[-1].price == Decimal("0.5")


def test_a_price_that_goes_on() -> None:
    """One word for weeks is one point, and what it said before is not reckoned again."""
    week = Week()
    week.tariff = said(week.tariff, BEGIN, Decimal("0.2"))
    before = TariffBook().switched(week.tariff)
    after = before.updated(said(week.tariff, BEGIN + QUARTER, Decimal("0.2")))
    span = agreed(before, after)
    assert within(_slice(BEGIN, BEGIN + QUARTER), span)
    assert not within(_slice(BEGIN + QUARTER, BEGIN + 2 * QUARTER), span)
    assert not within(_slice(BEGIN + QUARTER, BEGIN + QUARTER), span)
    # The same tariff, agreed on at another time.
    later = TariffBook().switched(week.tariff, BEGIN + QUARTER)
    assert not within(_slice(BEGIN, BEGIN + QUARTER), agreed(before, later))


def _slice(start: datetime, end: datetime) -> Slice:
    """Return a part of some energy."""
    return Slice(start=start, end=end, wh=100)
