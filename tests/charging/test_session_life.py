"""Whatever happens to a wallbox, its energy is neither lost nor doubled."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from .stays import Stay, rules, utc
from custom_components.loxone_wallbox.charging.session import (
    Kind,
    SessionRecord,
    check_no_overlap,
)
from custom_components.loxone_wallbox.charging.slices import (
    energy_wh,
    floor_hour,
    month_span,
)

MOMENTS = (
    utc("2026-12-31T22:10:00"),
    utc("2027-03-27T23:40:00"),
    utc("2027-10-30T23:40:00"),
    utc("2028-02-28T20:00:00"),
    utc("2027-06-30T12:00:00"),
)
ZONES = tuple(
    ZoneInfo(name)
    for name in (
        *("Europe/London", "Europe/Vienna", "Australia/Lord_Howe"),
        *("America/Havana", "Asia/Kathmandu", "Pacific/Apia"),
    )
)
lengths = st.integers(1, 40_000)
energies = st.integers(0, 30_000)
powers = st.sampled_from((0.0, 30.0, 1_400.0, 7_400.0, 11_000.0))
events = st.one_of(
    st.tuples(st.just("plug")),
    st.tuples(st.just("unplug")),
    st.tuples(st.just("unplug_behind"), st.integers(1, 40)),
    st.tuples(st.just("unplug_silent"), st.integers(1, 9_000), energies, lengths),
    st.tuples(st.just("read"), st.integers(1, 5_000), energies, powers),
    st.tuples(st.just("power_only"), lengths, powers),
    st.tuples(st.just("unknown"), st.integers(1, 5_000), energies),
    st.tuples(st.just("silence"), lengths, energies, powers),
    st.tuples(st.just("crash"), lengths, energies, powers),
    st.tuples(st.just("away"), lengths, energies, energies, st.booleans()),
    st.tuples(st.just("new_meter"), st.integers(0, 10**7)),
    st.tuples(st.just("zero")),
    st.tuples(st.just("price"), st.sampled_from(("a", "b", None)), st.integers(0, 900)),
    st.tuples(st.just("event"), st.sampled_from(("A", None))),
    st.tuples(st.just("clock"), st.integers(-9_000, 9_000)),
)


@dataclass
class Life(Stay):
    """A wallbox that anything happens to; the counter is in whole Wh."""

    delivered: int = 0
    plugged: bool = False
    visits: int = 0
    records: dict[str, SessionRecord] = field(default_factory=dict)

    def add(self, seconds: int, wh: int) -> None:
        """Let time and, while a car is there, energy pass unseen."""
        self.now += timedelta(seconds=seconds)
        if self.plugged:
            self.wh += wh
            self.delivered += wh

    def happen(self, name: str, *numbers: object) -> None:
        """Let an event happen."""
        getattr(self, f"on_{name}")(*numbers)

    def on_plug(self) -> None:
        """Plug in."""
        if not self.plugged:
            self.plugged, self.visits = True, self.visits + 1
            self.take(
                self.book.plugged(self.now, self.rules, self.wh, str(self.visits))
            )

    def on_unplug(self) -> None:
        """Plug out."""
        if self.plugged:
            self.unplug()
        self.plugged = False

    def on_unplug_behind(self, wh: int) -> None:
        """Plug out before the counter shows everything."""
        if self.plugged:
            self.take(self.book.unplugged(self.now, self.rules, self.wh))
            self.wh += wh
            self.delivered += wh
            self.now += timedelta(seconds=3)
            self.power_w = 0.0
            self.read()
        self.plugged = False

    def on_unplug_silent(self, seconds: int, wh: int, later: int) -> None:
        """Plug out while the counter is silent; it is read whenever it is back."""
        if self.plugged:
            self.take(self.book.link_lost(self.now, self.rules))
            self.add(seconds, wh)
            self.take(self.book.unplugged(self.now, self.rules))
            self.now += timedelta(seconds=later)
            self.power_w = 0.0
            self.read()
        self.plugged = False

    def on_read(self, seconds: int, wh: int, power_w: float) -> None:
        """Read everything."""
        self.add(seconds, wh)
        self.flow(power_w)

    def on_power_only(self, seconds: int, power_w: float) -> None:
        """Read no counter."""
        self.add(seconds, 0)
        wh, self.wh = self.wh, float("nan")
        self.flow(power_w)
        self.wh = wh

    def on_unknown(self, seconds: int, wh: int) -> None:
        """Read no power."""
        self.add(seconds, wh)
        self.flow(float("nan"))

    def on_silence(self, seconds: int, wh: int, power_w: float) -> None:
        """Lose the link for a time."""
        self.take(self.book.link_lost(self.now, self.rules))
        self.on_read(seconds, wh, power_w)

    def on_crash(self, seconds: int, wh: int, power_w: float) -> None:
        """Lose what was not saved."""
        if not self.saved:
            return
        self.add(seconds, wh)
        self.power_w = power_w
        visit = str(self.visits) if self.plugged else None
        self.restart(connected=self.plugged, visit_id=visit)

    def on_away(self, seconds: int, before: int, after: int, told: bool) -> None:
        """Let the car leave and another come while nobody looks."""
        if not self.plugged or not self.saved:
            return
        self.add(seconds, before)
        came, self.visits = self.now, self.visits + 1
        self.add(seconds, after)
        self.restart(
            visit_id=str(self.visits),
            visit_since=came if told else None,
            visit_wh=float(after) if told else None,
        )

    def on_new_meter(self, wh: int) -> None:
        """Exchange the meter."""
        self.take(self.book.meter_broke(self.now, self.rules, self.wh, float(wh)))
        self.wh = float(wh)

    def on_zero(self) -> None:
        """Misread the counter once."""
        wh, self.wh = self.wh, 0.0
        self.read()
        self.wh = wh

    def on_price(self, price_id: str | None, late: int) -> None:
        """Hear of another price, maybe late."""
        at = self.now - timedelta(seconds=late)
        self.take(self.book.price_changed(at, price_id, self.rules))

    def on_event(self, dsr_id: str | None) -> None:
        """Let an event begin or end."""
        self.take(self.book.dsr_changed(self.now, dsr_id, self.rules))

    def on_clock(self, seconds: int) -> None:
        """Set the clock."""
        self.now += timedelta(seconds=seconds)

    def told_records(self) -> list[SessionRecord]:
        """Return the records that were told, the last of each id."""
        return list({one.record.id: one.record for one in self.told}.values())


def lived(start: datetime, zone: ZoneInfo, story: list[tuple[object, ...]]) -> Life:
    """Play a story and end it with an unplugged wallbox."""
    life = Life(now=start, wh=1_000.0, rules=rules(zone))
    for name, *numbers in story:
        life.happen(str(name), *numbers)
    life.on_unplug()
    return life


def check_parts(record: SessionRecord, zone: ZoneInfo) -> None:
    """Check that no part reaches over a cut of the clock."""
    record.check()
    for one in record.slices:
        last = max(one.start, one.end - timedelta(microseconds=1))
        assert one.start.astimezone(zone).date() == last.astimezone(zone).date()
    assert all(one.start == floor_hour(one.start) for one in record.hours)
    assert SessionRecord.from_dict(record.as_dict()) == record


@given(st.sampled_from(MOMENTS), st.sampled_from(ZONES), st.lists(events, max_size=25))
@settings(max_examples=400, deadline=None)
def test_energy_is_conserved(
    start: datetime, zone: ZoneInfo, story: list[tuple[object, ...]]
) -> None:
    """What was delivered is in the records, once, whatever happened in between."""
    life = lived(start, zone, [("plug",), *story])
    records = life.told_records()
    assert sum(one.import_wh for one in records) == life.delivered
    for record in records:
        check_parts(record, zone)
        assert record.kind is not Kind.OPEN
    if not any(name == "clock" for name, *_ in story):
        check_no_overlap(records)


@given(st.sampled_from(MOMENTS), st.sampled_from(ZONES), st.lists(events, max_size=25))
@settings(max_examples=100, deadline=None)
def test_months_add_up_to_the_years(
    start: datetime, zone: ZoneInfo, story: list[tuple[object, ...]]
) -> None:
    """The months of the years of a life have all its energy, each part once."""
    plain = [one for one in story if one[0] != "clock"]
    life = lived(start, zone, [("plug",), *plain])
    slices = [one for record in life.told_records() for one in record.slices]
    months = 0
    for year in range(start.year, start.year + 2):
        spans = [month_span(year, month, zone) for month in range(1, 13)]
        whole = energy_wh(slices, spans[0].start, spans[-1].end)
        parts = sum(energy_wh(slices, one.start, one.end) for one in spans)
        assert whole == parts
        months += parts
    assert months == life.delivered


@given(st.lists(events, max_size=25), st.integers(0, 25))
@settings(max_examples=100, deadline=None)
def test_a_saved_state_is_the_state(story: list[tuple[object, ...]], stop: int) -> None:
    """A state read back is the one that was written, and goes on alike."""
    once = lived(MOMENTS[0], ZONES[0], [("plug",), *story])
    kept = Life(now=MOMENTS[0], wh=1_000.0, rules=rules(ZONES[0]))
    for number, (name, *numbers) in enumerate([("plug",), *story]):
        if number == stop:
            again = type(kept.book).from_dict(kept.book.as_dict())
            assert again.as_dict() == kept.book.as_dict()
            assert again.open == kept.book.open
            assert again.closing == kept.book.closing
        kept.happen(str(name), *numbers)
    kept.on_unplug()
    assert kept.told_records() == once.told_records()
