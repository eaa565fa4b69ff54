"""Prices by the clock and by another source's word."""

from datetime import timedelta
from decimal import Decimal
import json
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from homeassistant.generated.currencies import ACTIVE_CURRENCIES

from .nights import LONDON, local
from .stays import utc
from custom_components.loxone_wallbox.charging.money import (
    Price,
    PriceStatus,
    TariffError,
    checked_currency,
    cost_minor,
    decimals,
    parse_price,
)
from custom_components.loxone_wallbox.charging.schedule import (
    ALL_DAYS,
    WEEKDAYS,
    ClockKind,
    Window,
)
from custom_components.loxone_wallbox.charging.tariff import (
    DynamicTariff,
    FixedTariff,
    PricePoint,
    Rate,
    TimeOfUseTariff,
    tariff_from_dict,
)

NIGHT = Window(days=ALL_DAYS, start=30, end=330)
PEAK = Window(days=WEEKDAYS, start=16 * 60, end=19 * 60)
DAY = timedelta(days=1)


def time_of_use(clock: ClockKind = ClockKind.LOCAL) -> TimeOfUseTariff:
    """Return a cheap night and a dear early evening."""
    return TimeOfUseTariff(
        id="go",
        currency="GBP",
        per_kwh=Decimal("0.25"),
        rates=(
            Rate(per_kwh=Decimal("0.07"), windows=(NIGHT,)),
            Rate(per_kwh=Decimal("0.40"), windows=(PEAK,)),
        ),
        zone=LONDON,
        clock=clock,
    )


def point(start: str, minutes: int, price: str, **changes: bool) -> PricePoint:
    """Return a price from an instant of UTC on."""
    begin = utc(start)
    end = begin + timedelta(minutes=minutes)
    return PricePoint(start=begin, end=end, per_kwh=Decimal(price), **changes)


@pytest.mark.parametrize("code", sorted(ACTIVE_CURRENCIES))
def test_every_currency_of_the_house(code: str) -> None:
    """What Home Assistant lets an owner choose is a currency here too."""
    assert checked_currency(code) == code


@pytest.mark.parametrize("code", ["", "gbp", "XXX", "£", "EURO", None, 7])
def test_no_currency(code: object) -> None:
    """Anything else is refused."""
    with pytest.raises(TariffError) as caught:
        checked_currency(code)
    assert caught.value.key == "currency_unknown"


@pytest.mark.parametrize(
    ("wh", "price", "currency", "cost"),
    [
        (1000, "0.25", "GBP", 25),
        (500, "0.01", "EUR", 0),
        (1500, "0.01", "EUR", 2),
        (2500, "0.01", "EUR", 2),
        (1500, "1", "JPY", 2),
        (2500, "1", "JPY", 2),
        (1234, "0.1", "KWD", 123),
        (1000, "-0.031", "GBP", -3),
        (0, "0.25", "GBP", 0),
        (60_000, "0.0712345", "EUR", 427),
    ],
)
def test_costs_in_whole_units(wh: int, price: str, currency: str, cost: int) -> None:
    """A cost is in the smallest unit, half rounded to even."""
    assert cost_minor(wh, Price(per_kwh=Decimal(price), currency=currency)) == cost


def test_decimals() -> None:
    """Currencies have none, two or three."""
    assert [decimals(code) for code in ("JPY", "GBP", "KWD")] == [0, 2, 3]


@pytest.mark.parametrize(
    "value", ["", "nan", "inf", "cheap", None, True, "1e7", "1" * 41, "0x10"]
)
def test_no_price(value: object) -> None:
    """What is no price is refused."""
    with pytest.raises(TariffError):
        parse_price(value)


@pytest.mark.parametrize(
    ("value", "price"), [(0.1, "0.1"), ("-0.02", "-0.02"), (3, "3")]
)
def test_a_price_counts_as_it_is_written(value: object, price: str) -> None:
    """No binary fraction slips in."""
    assert parse_price(value) == Decimal(price)


def test_a_fixed_price() -> None:
    """It never changes."""
    tariff = FixedTariff(id="flat", currency="EUR", per_kwh=Decimal("0.3"))
    start = utc("2027-01-01T00:00:00")
    assert tariff.price_at(start).per_kwh == Decimal("0.3")
    assert tariff.edges(start, start + 400 * DAY) == []


def test_a_weekday_in_winter() -> None:
    """Rates begin and end on the local clock."""
    tariff = time_of_use()
    begin = local("2027-01-13T00:00:00")
    edges = tariff.edges(begin, begin + DAY)
    times = [edge.astimezone(LONDON).strftime("%H:%M") for edge in edges]
    assert times == ["00:30", "05:30", "16:00", "19:00"]
    prices = [str(tariff.price_at(at).per_kwh) for at in (begin, *edges)]
    assert prices == ["0.25", "0.07", "0.25", "0.40", "0.25"]


def test_a_meter_that_follows_utc() -> None:
    """In summer a night tariff on UTC begins an hour later by the clock."""
    tariff = time_of_use(ClockKind.UTC)
    assert tariff.price_at(local("2027-07-01T01:00:00")).per_kwh == Decimal("0.25")
    assert tariff.price_at(local("2027-07-01T01:30:00")).per_kwh == Decimal("0.07")
    assert tariff.price_at(local("2027-07-01T06:29:59")).per_kwh == Decimal("0.07")


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 4), ("2027-10-31", 6)])
def test_the_nights_of_a_clock_change(day: str, hours: int) -> None:
    """The cheap window opens and closes once, an hour shorter or longer."""
    tariff = time_of_use()
    begin = local(f"{day}T00:00:00")
    cheap = tariff.edges(begin, begin + timedelta(hours=12))
    assert len(cheap) == 2
    assert cheap[1] - cheap[0] == timedelta(hours=hours)


def test_prices_that_are_told() -> None:
    """The newer word holds, and what it leaves of the older one stays."""
    tariff = DynamicTariff(id="agile", currency="GBP").told(
        [
            point("2027-01-13T22:00:00", 60, "0.10"),
            point("2027-01-13T23:00:00", 60, "0.05", provisional=True),
            point("2027-01-13T22:30:00", 45, "-0.02"),
        ]
    )
    told = [
        (one.start.strftime("%H:%M"), one.end.strftime("%H:%M"), str(one.per_kwh))
        for one in tariff.points
    ]
    assert told == [
        ("22:00", "22:30", "0.10"),
        ("22:30", "23:15", "-0.02"),
        ("23:15", "00:00", "0.05"),
    ]
    late = tariff.price_at(utc("2027-01-13T23:30:00"))
    assert late is not None
    assert late.status is PriceStatus.PROVISIONAL
    assert tariff.price_at(utc("2027-01-14T00:00:00")) is None
    assert tariff.price_at(utc("2027-01-13T21:59:59")) is None


def test_a_step_is_an_edge_before_its_price_is_known() -> None:
    """Energy is kept apart at each half hour, told or not."""
    tariff = DynamicTariff(id="agile", currency="GBP")
    begin = utc("2027-01-13T22:00:00")
    edges = tariff.edges(begin, begin + timedelta(hours=2))
    assert len(edges) == 4
    assert len({tariff.price_id(edge) for edge in edges}) == 4
    assert tariff.price_id(begin) == tariff.price_id(begin + timedelta(minutes=29))


def test_a_source_that_fell_silent() -> None:
    """The fallback holds provisionally."""
    tariff = DynamicTariff(id="agile", currency="GBP", fallback=Decimal("0.28"))
    price = tariff.price_at(utc("2027-01-13T22:00:00"))
    assert price is not None
    assert (price.per_kwh, price.status) == (Decimal("0.28"), PriceStatus.PROVISIONAL)


def test_prices_are_forgotten() -> None:
    """What nobody needs any more is dropped."""
    tariff = DynamicTariff(id="agile", currency="GBP").told(
        [point(f"2027-01-13T{hour:02}:00:00", 60, "0.1") for hour in range(24)]
    )
    assert len(tariff.forgotten(utc("2027-01-13T20:30:00")).points) == 4


minutes = st.integers(0, 600)
told = st.lists(
    st.tuples(minutes, st.integers(1, 200), st.integers(-50, 50)), max_size=8
)


@given(told, minutes)
@settings(deadline=None)
def test_the_last_word_holds(words: list[tuple[int, int, int]], at: int) -> None:
    """At every instant the price is that of the last word about it."""
    begin = utc("2027-01-13T00:00:00")
    points = [
        PricePoint(
            start=begin + timedelta(minutes=start),
            end=begin + timedelta(minutes=start + length),
            per_kwh=Decimal(price),
        )
        for start, length, price in words
    ]
    tariff = DynamicTariff(id="x", currency="EUR").told(points)
    now = begin + timedelta(minutes=at)
    last = [price for start, length, price in words if start <= at < start + length]
    price = tariff.price_at(now)
    assert (None if price is None else price.per_kwh) == (last[-1] if last else None)
    edges = tariff.edges(begin, begin + timedelta(minutes=900))
    before = next((edge for edge in reversed(edges) if edge <= now), begin)
    assert tariff.price_at(before) == price
    assert tariff.price_id(before) == tariff.price_id(now)
    ids = [tariff.price_id(edge) for edge in edges]
    assert len(set(ids)) == len(ids)
    assert tariff_from_dict(json.loads(json.dumps(tariff.as_dict())), LONDON) == tariff


def test_tariffs_are_kept() -> None:
    """Each model is read back as it was."""
    for tariff in (
        FixedTariff(id="flat", currency="JPY", per_kwh=Decimal("31.5")),
        time_of_use(ClockKind.UTC),
        DynamicTariff(id="a", currency="EUR", fallback=Decimal("0.2")),
    ):
        plain = json.loads(json.dumps(tariff.as_dict()))
        assert tariff_from_dict(plain, LONDON) == tariff


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("tariff_unreadable", {}),
        ("tariff_unreadable", None),
        ("tariff_unreadable", {"kind": "free", "id": "x", "currency": "EUR"}),
        ("tariff_unreadable", {"kind": "fixed", "id": "x", "currency": "EUR"}),
        ("currency_unknown", {"kind": "fixed", "id": "x", "currency": "EURO"}),
        ("price_invalid", {**time_of_use().as_dict(), "per_kwh": "dear"}),
        ("rates_invalid", {**time_of_use().as_dict(), "rates": []}),
        (
            "rate_without_windows",
            {**time_of_use().as_dict(), "rates": [{"per_kwh": "1", "windows": []}]},
        ),
        (
            "window_unreadable",
            {**time_of_use().as_dict(), "rates": [{"per_kwh": "1", "windows": [{}]}]},
        ),
        (
            "price_step_invalid",
            {"kind": "dynamic", "id": "x", "currency": "EUR", "step_s": 7},
        ),
        (
            "prices_overlap",
            {
                **DynamicTariff(id="x", currency="EUR").as_dict(),
                "points": [
                    ["2027-01-01T00:00:00+00:00", "2027-01-01T02:00:00+00:00", "1", 0],
                    ["2027-01-01T01:00:00+00:00", "2027-01-01T03:00:00+00:00", "1", 0],
                ],
            },
        ),
    ],
)
def test_what_is_no_tariff(key: str, data: object) -> None:
    """It is refused with a reason."""
    with pytest.raises(TariffError) as caught:
        tariff_from_dict(data, ZoneInfo("Europe/London"))
    assert caught.value.key == key


def test_what_is_no_price_of_a_time() -> None:
    """An end before the start and an instant without a zone are refused."""
    with pytest.raises(TariffError) as caught:
        point("2027-01-13T22:00:00", 0, "1")
    assert caught.value.key == "price_end_before_start"
    naive = utc("2027-01-13T22:00:00").replace(tzinfo=None)
    with pytest.raises(TariffError) as caught:
        PricePoint(start=naive, end=naive + DAY, per_kwh=Decimal(1))
    assert caught.value.key == "price_time_naive"
