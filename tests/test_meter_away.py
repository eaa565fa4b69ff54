"""The Miniserver is away for minutes while cars come, charge and go; the meter goes on."""

from dataclasses import dataclass

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import StartSimulator
from .helpers import eventually
from .meter_house import MeteredHouse, metered
from .recorded import Recorded
from .test_recording_silence import series
from custom_components.loxone_wallbox.miniserver import backoff
from simulator import Car, MeterConfig

METER = MeterConfig(profile="sdm630", wobble=0.0, energy_kwh=500)
# What a stay's energy may be off where the meter was read: a step at either end.
STEP_WH = 3


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once, as the pauses themselves are tested elsewhere."""
    for name in ("RETRY_MIN_S", "RETRY_STARTING_S"):
        monkeypatch.setattr(backoff, name, 0.05)


@dataclass
class Away:
    """A house whose Miniserver goes away and comes back."""

    home: MeteredHouse
    restarts: bool

    async def goes(self) -> None:
        """Let the Miniserver be gone: it announces a restart, or just falls silent."""
        home = self.home
        if self.restarts:
            await home.simulator.restart(1e9)
        else:
            home.simulator.fault("booting")
            await home.simulator.drop(hard=True)
        await eventually(lambda: home.see[0]("miniserver_connection") == "off")

    async def comes_back(self) -> None:
        """Let the Miniserver answer again."""
        home = self.home
        home.simulator.unit.boot_until = 0.0
        home.simulator.clear()
        await eventually(lambda: home.see[0]("miniserver_connection") == "on", 10)
        await home.run(5)

    async def unseen(self, *, plug: bool, seconds: float) -> float:
        """Let a car come or go and time pass; return what the meter counted, in Wh."""
        box, before = self.home.simulator.wallboxes[0], self.counted_wh
        if plug:
            box.plug(Car(capacity_kwh=500, energy_kwh=10))
        else:
            box.unplug()
        await self.home.run(seconds)
        return self.counted_wh - before

    @property
    def counted_wh(self) -> float:
        """Return where the meter stands."""
        return self.home.meter().import_kwh * 1000

    @property
    def stay_wh(self) -> float | None:
        """Return what the meter's own account says of the running stay."""
        session = self.home.reading().session
        return None if session is None else session.energy_wh


both = pytest.mark.parametrize("restarts", [True, False], ids=["restarts", "is gone"])


@both
async def test_the_car_stays(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """Its session has what the meter counted, in one piece."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        before = away.counted_wh
        await home.plug()
        await home.run(60)
        await away.goes()
        await home.run(300)
        await away.comes_back()
        assert away.stay_wh == pytest.approx(away.counted_wh - before, abs=STEP_WH)
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(away.counted_wh - before, abs=STEP_WH)
        assert not record.quality.estimated_timing
        assert home.reading().visits.error_pct == pytest.approx(0, abs=1)


@both
async def test_a_car_comes(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """What it took before the Miniserver was back is its session's, to the step."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        await home.run(5)
        before = away.counted_wh
        await away.goes()
        await home.run(60)
        assert await away.unseen(plug=True, seconds=307) > 800
        await away.comes_back()
        assert away.stay_wh == pytest.approx(away.counted_wh - before, abs=STEP_WH)
        await home.run(60)
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        assert record.import_wh == pytest.approx(away.counted_wh - before, abs=STEP_WH)
        assert record.import_wh == pytest.approx(away.stay_wh, abs=STEP_WH)
        # Each second of it was measured, and is the session's.
        powers = [point["power_w"] for point in await series(home, "last")]
        assert None not in powers
        assert len(powers) == pytest.approx(307 + 5 + 60, abs=3)


@both
async def test_the_car_leaves(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """Its session has what the meter counted until then; another one begins at nil."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        before = away.counted_wh
        await home.plug()
        await home.run(60)
        await away.goes()
        await home.run(120)
        await away.unseen(plug=False, seconds=120)
        await away.comes_back()
        [record] = await recorded.records()
        taken = away.counted_wh - before
        assert record.import_wh == pytest.approx(taken, abs=STEP_WH)
        assert away.stay_wh == pytest.approx(taken, abs=STEP_WH)
        await home.plug()
        await home.run(60)
        assert away.stay_wh == pytest.approx(
            away.counted_wh - before - taken, abs=STEP_WH
        )


@both
async def test_another_car(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """The meter knows its part; all sessions together have what the meter counted."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        before = away.counted_wh
        await home.plug()
        await home.run(60)
        await away.goes()
        await home.run(100)
        await away.unseen(plug=False, seconds=20)
        first = away.counted_wh - before
        await away.unseen(plug=True, seconds=200)
        await away.comes_back()
        await home.run(60)
        second = away.counted_wh - before - first
        assert away.stay_wh == pytest.approx(second, abs=STEP_WH)
        await home.unplug()
        await home.run(10)
        records = await recorded.records()
        taken = [one.import_wh for one in records]
        assert taken == pytest.approx([first, second], abs=STEP_WH)
        assert sum(taken) == pytest.approx(away.counted_wh - before, abs=STEP_WH)
        # The first left 20 seconds before the second came, and did so after 160.
        one, other = records
        assert one.disconnected_utc is not None
        stayed = one.disconnected_utc - one.connected_utc
        pause = other.connected_utc - one.disconnected_utc
        assert stayed.total_seconds() == pytest.approx(160, abs=3)
        assert pause.total_seconds() == pytest.approx(20, abs=3)
        # A car needs some seconds before it charges.
        charged = [one.importing_s for one in records]
        assert charged == pytest.approx([151, 265], abs=12)


@pytest.mark.parametrize(
    ("charges_s", "restarts"),
    [(45, True), (45, False), (300, False)],
    ids=["a little, restarts", "a little, is gone", "much"],
)
async def test_two_come(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    charges_s: int,
    restarts: bool,
) -> None:
    """Who came and left in the absence has its energy from the Miniserver's log.

    That is not the next car's as well, however little it is and although the first did
    not charge at once.
    """
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        clock = home.clock
        monkeypatch.setattr(
            dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(clock.time())
        )
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        await home.run(5)
        before = away.counted_wh
        await away.goes()
        first = await away.unseen(plug=True, seconds=charges_s)
        first += await away.unseen(plug=False, seconds=20)
        assert first > 50
        await away.unseen(plug=True, seconds=120)
        await away.comes_back()
        await home.run(10)
        await home.unplug()
        await home.run(10)
        second = away.counted_wh - before - first
        records = sorted(await recorded.records(), key=lambda one: one.connected_utc)
        taken = [one.import_wh for one in records]
        assert taken == pytest.approx([first, second], abs=STEP_WH)


@pytest.mark.parametrize("looks", ["never", "at once", "restarts"])
async def test_one_comes_right_after_another(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    looks: str,
) -> None:
    """What the counter shows within a minute of an end is not always the last car's."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        clock = home.clock
        monkeypatch.setattr(
            dt_util, "utcnow", lambda: dt_util.utc_from_timestamp(clock.time())
        )
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts=True)
        before = away.counted_wh
        await home.plug()
        await home.run(30)
        await home.unplug()
        await home.run(3)
        first = away.counted_wh - before
        await away.goes()
        second = await away.unseen(plug=True, seconds=25)
        second += await away.unseen(plug=False, seconds=5)
        assert second > 30
        if looks == "restarts":
            home.simulator.unit.boot_until = 0.0
            await home.restart()
        elif looks == "at once":
            await away.comes_back()
        await home.run(120)
        if looks == "never":
            await away.comes_back()
        # It has been seen that nobody is there; the next one takes its own.
        await home.plug()
        await home.run(30)
        await home.unplug()
        await home.run(10)
        third = away.counted_wh - before - first - second
        records = sorted(await recorded.records(), key=lambda one: one.connected_utc)
        taken = [one.import_wh for one in records]
        assert taken == pytest.approx([first, second, third], abs=STEP_WH)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarts"])
async def test_a_wallbox_that_is_cut_off(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """The Miniserver is there and knows of no car that comes; nothing says why.

    When the link of the wallbox is mended its car has all that the meter counted, from
    when it came on; and so it is if Home Assistant was restarted meanwhile.
    """
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        recorded, away = Recorded(hass, home.simulator), Away(home, restarts)
        box, before = home.simulator.wallboxes[0], away.counted_wh
        await home.run(5)
        box.tamper(on=True)
        came = home.clock.time()
        assert await away.unseen(plug=True, seconds=120) > 300
        if restarts:
            await home.restart()
            await home.run(60)
        assert home.see[0]("vehicle_connected") == "off"
        box.tamper(on=False)
        await eventually(lambda: home.see[0]("vehicle_connected") == "on")
        await eventually(lambda: home.wallbox().state.session is not None)
        await home.run(20)
        await home.unplug()
        await home.run(10)
        [record] = await recorded.records()
        counted_wh = away.counted_wh - before
        assert record.import_wh == pytest.approx(counted_wh, abs=STEP_WH)
        assert record.connected_utc.timestamp() == pytest.approx(came, abs=2)


async def test_a_clock_that_is_behind(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was measured until the wallbox last told anything stays the first car's."""
    async with metered(hass, start_simulator, monkeypatch, METER) as home:
        world = type(home.simulator.wallboxes[0]._world)
        behind = property(lambda it: int(it.utc + 0.001) - 3600)
        monkeypatch.setattr(world, "unix", behind)
        away = Away(home, restarts=True)
        await home.plug()
        await home.run(60)
        await away.goes()
        await away.unseen(plug=False, seconds=20)
        await away.unseen(plug=True, seconds=100)
        home.simulator.unit.boot_until = 0.0
        await eventually(lambda: home.see[0]("miniserver_connection") == "on", 10)
        await home.run(5)
        first, second = [await series(home, visit) for visit in ("last", "current")]
        assert len(first) >= 10
        assert len(first) + len(second) == pytest.approx(185, abs=5)
