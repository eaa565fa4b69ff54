"""When what is shown of a running session goes on, with a meter and without one."""

from datetime import timedelta

import pytest

from .charging.stays import Stay, utc
from custom_components.loxone_wallbox.meter_shown import MeterShown
from custom_components.loxone_wallbox.session_showing import MISSED_AFTER, Showing
from custom_components.loxone_wallbox.session_shown import SessionShown

SECOND = timedelta(seconds=1)


class Looker:
    """Looks at a car that charges with 7.2 kW, 2 Wh a second, as often as it is told."""

    def __init__(self, meter: MeterShown | None) -> None:
        """Let the car be there and charge; `meter` is what is shown of its meter."""
        self.stay, self.meter = Stay(now=utc("2026-11-23T12:00")), meter
        self.stay.plug()
        self.stay.flow(7200.0)
        self._showing = Showing(
            None,
            None,
            priced=lambda session, _: session.record(self.stay.rules),
            currency=lambda _: None,
        )

    def look(self) -> SessionShown:
        """Return what is shown now."""
        stay = self.stay
        return self._showing.shown(stay.book.open, stay.now, self.meter)

    def after(self, seconds: float) -> SessionShown:
        """Return what is shown so much later; the Miniserver has told each second."""
        stay = self.stay
        end = stay.now + timedelta(seconds=seconds)
        while stay.now < end:
            stay.until(stay.now + SECOND)
            shown = self.look()
        return shown


def test_with_a_meter() -> None:
    """The session goes on with what is shown of the meter, and with nothing else."""
    looker = Looker(MeterShown(energy_kwh=1.0))
    assert looker.look().energy_kwh == 0
    assert looker.after(59).energy_kwh == 0
    looker.meter = MeterShown(energy_kwh=1.118)
    shown = looker.look()
    assert shown.energy_kwh == pytest.approx(0.118)
    assert shown.connected_s == 59
    assert looker.after(30) is shown


def test_a_meter_that_is_not_read() -> None:
    """The session goes on by itself, no more often than it has to."""
    looker = Looker(MeterShown(connected=False))
    first = looker.look()
    assert looker.after((MISSED_AFTER - SECOND).total_seconds()) is first
    shown = looker.after(1)
    assert shown.connected_s == MISSED_AFTER.total_seconds()
    assert shown.energy_kwh == pytest.approx(0.18)


def test_without_a_meter() -> None:
    """The energy is shown as it flows, times each minute or with a tenth of a kWh."""
    looker = Looker(None)
    looker.look()
    shown = looker.after(49)
    assert shown.energy_kwh == pytest.approx(0.098)
    assert shown.connected_s == 0
    assert looker.after(1).connected_s == 50
    looker.stay.flow(0.0)
    assert looker.after(59).connected_s == 50
    assert looker.after(1).connected_s == 110
