"""Energy since plug-in and idle time."""

from dataclasses import dataclass

from custom_components.loxone_wallbox.charging.visit import Visit, is_charging


@dataclass(kw_only=True)
class Readings:
    """What a wallbox tells."""

    power_kw: float | None = 0.0
    energy_kwh: float | None = 100.0
    connected: bool | None = True
    charging: bool | None = False


def test_a_visit_counts_from_plug_in() -> None:
    """Energy before the plug-in is not this car's."""
    visit = Visit().step(Readings(connected=False), charging=False, now=0)
    assert visit.energy_wh == 0
    visit = visit.step(Readings(energy_kwh=100.0), charging=True, now=10)
    visit = visit.step(Readings(energy_kwh=100.5), charging=True, now=20)
    assert visit.energy_wh == 500
    assert visit.idle_s(25) == 0
    visit = visit.step(Readings(energy_kwh=101.0), charging=False, now=30)
    assert visit.has_stopped
    assert visit.idle_s(100) == 70
    visit = visit.step(Readings(energy_kwh=101.0), charging=False, now=50)
    assert visit.idle_s(100) == 70
    visit = visit.step(Readings(connected=False), charging=False, now=110)
    assert (visit.energy_wh, visit.idle_s(200), visit.has_stopped) == (0, 0, False)


def test_a_baseline_that_comes_late() -> None:
    """An unknown meter is not a meter at zero."""
    visit = Visit().step(Readings(energy_kwh=None), charging=True, now=0)
    assert visit.energy_wh == 0
    visit = visit.step(Readings(energy_kwh=7800.0), charging=True, now=10)
    assert visit.energy_wh == 0
    visit = visit.step(Readings(energy_kwh=None), charging=True, now=20)
    visit = visit.step(Readings(energy_kwh=7800.25), charging=True, now=30)
    assert visit.energy_wh == 250


def test_charging_by_power_or_by_word() -> None:
    """Over 50 W counts; without a measurement the wallbox's own word does."""
    assert is_charging(Readings(power_kw=0.051), measured=True)
    assert not is_charging(Readings(power_kw=0.05, charging=True), measured=True)
    assert is_charging(Readings(power_kw=None, charging=True), measured=True)
    assert is_charging(Readings(power_kw=0.0, charging=True), measured=False)
    assert not is_charging(Readings(power_kw=0.0, charging=None), measured=False)
