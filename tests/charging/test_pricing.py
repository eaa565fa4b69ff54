"""Prices of sessions that still change: a source's word, a gap, another supplier."""

from datetime import datetime, timedelta
from decimal import Decimal
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from .nights import LONDON, local
from .stays import Stay, utc
from .test_tariff import time_of_use
from custom_components.loxone_wallbox.charging.costing import TariffBook
from custom_components.loxone_wallbox.charging.money import PriceStatus, TariffError
from custom_components.loxone_wallbox.charging.price_words import (
    Word,
    heard,
    quarter_of,
    said,
)
from custom_components.loxone_wallbox.charging.pricing import Prices, told_again
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.tariff import (
    QUARTER,
    DynamicTariff,
    FixedTariff,
)
from custom_components.loxone_wallbox.charging.transition import TransitionKind

TEN = utc("2027-01-13T22:00:00")
HALF = timedelta(minutes=30)
AGILE = DynamicTariff(id="agile", currency="GBP", step=QUARTER)
GUESSED = DynamicTariff(
    id="agile", currency="GBP", step=QUARTER, fallback=Decimal("0.30")
)


def book(tariff: DynamicTariff) -> TariffBook:
    """Return a book with one tariff."""
    return TariffBook().switched(tariff)


def charging(prices: Prices, minutes: int, begin: datetime = TEN) -> Stay:
    """Charge at 6 kW, cut where the price may change."""
    stay = Stay(now=begin, wh=0.0)
    stay.take(
        stay.book.price_changed(begin, prices.tariffs.price_id(begin), stay.rules)
    )
    stay.plug()
    stay.flow(6_000)
    go_on(stay, prices, minutes)
    return stay


def go_on(stay: Stay, prices: Prices, minutes: int) -> None:
    """Let time pass, cut where the price may change."""
    end, since = stay.now + timedelta(minutes=minutes), stay.now
    for edge in (*prices.tariffs.edges(since, end), end):
        stay.until(edge, timedelta(seconds=30))
        for at, price_id in prices.cuts(since, edge, stay.book.price_id):
            stay.take(stay.book.price_changed(at, price_id, stay.rules))
        since = edge


def record_of(stay: Stay) -> SessionRecord:
    """Return the running session as the energy makes it."""
    assert stay.book.open is not None
    return stay.book.open.record(stay.rules)


def test_a_word_counts_for_its_quarter_hour() -> None:
    """A source tells a little late; its last word counts for all of the quarter."""
    tariff = said(AGILE, TEN, Decimal("0.20"))
    assert said(tariff, TEN + timedelta(minutes=14), Decimal("0.20")) is tariff
    late = said(tariff, TEN + QUARTER + timedelta(seconds=5), Decimal("0.10"))
    for minute, price in ((0, "0.20"), (14, "0.20"), (15, "0.10"), (29, "0.10")):
        told = late.price_at(TEN + timedelta(minutes=minute))
        assert told is not None
        assert told.per_kwh == Decimal(price)
    assert late.price_at(TEN + HALF) is None
    assert quarter_of(TEN + timedelta(minutes=29)) == TEN + QUARTER


def test_a_price_that_goes_on_is_one_point() -> None:
    """A week at one price is not a week of quarter hours."""
    tariff = AGILE
    for number in range(7 * 96):
        tariff = said(tariff, TEN + number * QUARTER, Decimal("0.20"))
    [point] = tariff.points
    assert (point.start, point.end) == (TEN, TEN + timedelta(days=7))


def test_what_was_heard_before() -> None:
    """History fills the time in which it said something, to the quarter hour."""
    words = [
        Word(at=TEN, per_kwh=Decimal("0.20")),
        Word(at=TEN + timedelta(minutes=30, seconds=4), per_kwh=Decimal("0.10")),
        Word(at=TEN + timedelta(minutes=50), per_kwh=None),
        Word(at=TEN + timedelta(minutes=80), per_kwh=Decimal("0.40")),
    ]
    tariff = heard(AGILE, words, TEN + timedelta(minutes=90))
    assert [
        (round((one.start - TEN) / QUARTER), round((one.end - TEN) / QUARTER))
        for one in tariff.points
    ] == [(0, 2), (2, 4), (5, 6)]
    assert heard(tariff, words, TEN + timedelta(minutes=90)).points == tariff.points
    assert heard(AGILE, [], TEN) is AGILE


def test_a_late_price_replaces_a_guess() -> None:
    """Energy stands first, at a guess; what comes late holds, the guess is kept."""
    prices = Prices(tariffs=book(GUESSED))
    stay = charging(prices, 60)
    before = prices.priced(record_of(stay), stay.now)
    assert (before.cost_minor, before.cost_status) == (180, PriceStatus.PROVISIONAL)
    told = heard(GUESSED, [Word(at=TEN, per_kwh=Decimal("0.10"))], stay.now)
    prices, changed = prices.taken(book(told), [record_of(stay)], stay.now)
    assert changed == {before.id}
    step = told_again(stay.book, changed, stay.now, stay.rules)
    [again] = step.told
    assert again.kind is TransitionKind.SESSION_CORRECTED
    assert again.record.revision == record_of(stay).revision + 1
    after = prices.priced(again.record, stay.now)
    after.check()
    assert (after.cost_minor, after.cost_status) == (60, PriceStatus.FINAL)
    assert [(one.price, one.price_status) for one in after.repricings] == [
        (Decimal("0.30"), PriceStatus.PROVISIONAL)
    ] * 4
    # It is kept when the session goes on, and when it has ended.
    stay.take(step)
    go_on(stay, prices, 15)
    stay.flow(0)
    ended = prices.priced(stay.unplug(), stay.now)
    ended.check()
    assert ended.repricings == after.repricings
    assert ended.cost_status is PriceStatus.PROVISIONAL
    plain = json.loads(json.dumps(prices.as_dict()))
    assert Prices.from_dict(plain, LONDON) == prices


def test_a_word_that_is_corrected_at_once_replaces_nothing() -> None:
    """The old price of a quarter hour's first seconds was never said for good."""
    tariff = said(AGILE, TEN, Decimal("0.20"))
    prices = Prices(tariffs=book(tariff))
    stay = charging(prices, 15)
    stay.until(stay.now + timedelta(seconds=20))
    old = said(tariff, stay.now, Decimal("0.20"))
    prices, changed = prices.taken(book(old), [record_of(stay)], stay.now)
    assert not changed
    new = said(old, stay.now, Decimal("0.40"))
    prices, changed = prices.taken(book(new), [record_of(stay)], stay.now)
    assert not changed
    record = prices.priced(record_of(stay), stay.now)
    assert record.repricings == ()
    assert [one.price for one in record.slices] == [Decimal("0.20"), Decimal("0.40")]


def test_a_session_that_has_ended_keeps_what_it_said() -> None:
    """Its price was written down: what replaces it is noted, however late it is."""
    tariff = said(AGILE, TEN, Decimal("0.20"))
    prices = Prices(tariffs=book(tariff))
    stay = charging(prices, 10)
    stay.flow(0)
    ended = stay.unplug()
    assert stay.book.closing is not None
    new = said(tariff, stay.now, Decimal("0.40"))
    prices, changed = prices.taken(book(new), [ended], stay.now)
    assert changed == {ended.id}
    [told] = told_again(stay.book, changed, stay.now, stay.rules).told
    after = prices.priced(told.record, stay.now)
    assert [one.price for one in after.repricings] == [Decimal("0.20")]
    assert after.cost_minor == 40


def test_without_a_price_again() -> None:
    """An owner who removes the tariff keeps what was charged under it."""
    fixed = FixedTariff(id="a", currency="GBP", per_kwh=Decimal("0.30"))
    removed = TariffBook().switched(fixed).switched(None, TEN + HALF)
    prices = Prices(tariffs=removed)
    stay = charging(prices, 60)
    record = prices.priced(record_of(stay), stay.now)
    assert [(one.wh, one.cost_minor) for one in record.slices] == [
        (3_000, 90),
        (3_000, None),
    ]
    assert record.cost_status is PriceStatus.UNKNOWN
    assert removed.price_id(TEN + HALF) is None
    plain = json.loads(json.dumps(removed.as_dict()))
    assert TariffBook.from_dict(plain, LONDON) == removed


def test_old_tariffs_are_forgotten() -> None:
    """What no session needs any more is not kept; what holds now is."""
    fixed = FixedTariff(id="a", currency="GBP", per_kwh=Decimal("0.30"))
    agile = heard(AGILE, [Word(at=TEN, per_kwh=Decimal("0.1"))], TEN + HALF)
    agile = heard(agile, [Word(at=TEN + HALF, per_kwh=Decimal("0.2"))], TEN + 2 * HALF)
    tariffs = TariffBook().switched(fixed).switched(agile, TEN)
    assert tariffs.forgotten(TEN - HALF) == tariffs
    kept = tariffs.forgotten(TEN + HALF)
    assert [one.since for one in kept.agreements] == [TEN]
    for at in (TEN + HALF, TEN + HALF + QUARTER):
        assert kept.price_at(at) == tariffs.price_at(at)


@pytest.mark.parametrize(
    ("evening", "cheap_wh", "cost"),
    [
        # The cheap hours have six hours where the clock goes back, four in spring.
        ("2027-10-30T22:00:00", 36_000, 252 + 600),
        ("2027-03-27T22:00:00", 24_000, 168 + 600),
        ("2027-01-13T22:00:00", 30_000, 210 + 600),
    ],
)
def test_the_clock_changes_at_night(evening: str, cheap_wh: int, cost: int) -> None:
    """Rates follow the wall clock over a clock change, to the penny."""
    prices = Prices(tariffs=TariffBook().switched(time_of_use()))
    begin = local(evening)
    morning = datetime.fromisoformat(evening) + timedelta(hours=9)
    hours = local(morning.isoformat()) - begin
    stay = charging(prices, hours // timedelta(minutes=1), begin)
    stay.flow(0)
    record = prices.priced(stay.unplug(), stay.now)
    record.check()
    cheap = [one for one in record.slices if one.price == Decimal("0.07")]
    assert sum(one.wh for one in cheap) == cheap_wh
    assert (record.cost_minor, record.cost_status) == (cost, PriceStatus.FINAL)


said_words = st.lists(
    st.tuples(
        st.integers(0, 150), st.one_of(st.none(), st.integers(-20, 60)), st.booleans()
    ),
    max_size=8,
)


@given(said_words)
@settings(deadline=None, max_examples=60)
def test_whatever_a_source_says(words: list[tuple[int, int | None, bool]]) -> None:
    """Energy is not moved, a cost is that of its slices, saying it again is nothing."""
    prices = Prices(tariffs=book(GUESSED))
    tariff, energy = GUESSED, record_of(_NIGHT)
    for minute, price, late in sorted(words, key=lambda one: one[0]):
        at = TEN + timedelta(minutes=minute)
        number = None if price is None else Decimal(price) / 100
        if late:
            tariff = heard(tariff, [Word(at=at, per_kwh=number)], _NIGHT.now)
        elif number is not None:
            tariff = said(tariff, at, number)
        prices, _ = prices.taken(book(tariff), [energy], _NIGHT.now)
        record = prices.priced(energy, _NIGHT.now)
        record.check()
        assert record.import_wh == energy.import_wh
        assert record.cost_minor == sum(one.cost_minor or 0 for one in record.slices)
        same, changed = prices.taken(book(tariff), [energy], _NIGHT.now)
        assert not changed
        assert same == prices


_NIGHT = charging(Prices(tariffs=book(GUESSED)), 120)


def test_prices_that_cannot_be_read() -> None:
    """A damaged file is no price, and says so."""
    damaged: list[dict[str, Any]] = [
        {},
        {"tariffs": {}},
        {"tariffs": TariffBook().as_dict()},
    ]
    for spoilt in damaged:
        with pytest.raises(TariffError):
            Prices.from_dict(spoilt, LONDON)
