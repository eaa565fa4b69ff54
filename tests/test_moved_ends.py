"""Ends of the hours that a setting of the delay moves across the present instant.

What a person sets holds as if the end had always been where it is now: nobody is left
charging beyond the boundary, and nobody draws again for what is drawn already. A stop
that has come stays when it is an automation's setting: many homes may have that one.
One that it would move behind us draws anew from now on.
"""

from collections.abc import Iterator

import pytest

from homeassistant.core import Context, HomeAssistant

from .actions import user_id
from .conftest import StartSimulator
from .helpers import entity_id
from .machine_single import AUTOMATION, OWNER, Life, Make, single_lives
from .stage import stage
from custom_components.loxone_wallbox.charging.owner import EndDelay
from custom_components.loxone_wallbox.charging.wish import Reason
from custom_components.loxone_wallbox.rights import Actor
from simulator import Car


@pytest.fixture
def life() -> Iterator[Make]:
    """Build worlds, and clear them away."""
    with single_lives() as make:
        yield make


def morning(life: Make, at: str, draws: list[int]) -> Life:
    """Play a night that opens at ten and closes at eight, up to a time of morning."""
    world = life("21:00:00", draws=draws)
    world.plug()
    world.go("03:00:00")
    assert world.target_kw == 11.0
    world.go(at)
    return world


def switched(world: Life) -> list[str]:
    """Return when the wallbox was allowed and forbidden since the night began."""
    return [one.replace("allow/", "") for one in world.commands[2:] if "allow/" in one]


def drawn(world: Life) -> list[tuple[str, int]]:
    """Return the relevant times of the night with their draws."""
    found = [*world.controller.state.delay.draws]
    return [(f"{one.relevant_at:%H:%M:%S}", one.drawn_s) for one in found]


@pytest.mark.parametrize(
    ("draw", "stops"),
    # Drawn up to what is left of the window; what is over by now stops at once.
    [(100, "07:40:00"), (590, "07:40:00"), (601, "07:40:01"), (1800, "08:00:00")],
)
def test_an_end_moved_behind_us(life: Make, draw: int, stops: str) -> None:
    """It was due at half past seven, and is over by eight at the latest."""
    world = morning(life, "07:40:00", [100, draw])
    world.do(world.acts.async_set_max_delay(OWNER, 1800))
    world.go("08:30:00")
    assert switched(world) == [f"{stops} off"]
    assert drawn(world) == [("22:00:00", 100), ("07:30:00", draw)]


@pytest.mark.parametrize(
    ("draw", "stops"),
    [(0, "07:40:00"), (100, "07:41:40"), (599, "07:49:59"), (1200, "08:00:00")],
)
def test_no_program_stops_many_at_once(life: Make, draw: int, stops: str) -> None:
    """The end that it moves behind us is due now, with all that is left to draw from."""
    world = morning(life, "07:40:00", [100, draw])
    world.do(world.acts.async_set_max_delay(AUTOMATION, 1800))
    # Another setting of a program's is for the next end only.
    world.do(world.acts.async_set_end_delay(AUTOMATION, EndDelay.AFTER_BOUNDARY))
    world.go("08:30:00")
    assert switched(world) == [f"{stops} off"]
    assert drawn(world) == [("22:00:00", 100), ("07:40:00", draw)]


def test_an_end_moved_ahead_after_the_stop(life: Make) -> None:
    """It starts again without another draw, after its rest, and stops in time."""
    world = morning(life, "07:00:00", [100, 60, 7])
    world.do(world.acts.async_set_max_delay(OWNER, 1800))
    world.go("07:33:00")
    assert switched(world) == ["07:31:00 off"]
    world.do(world.acts.async_set_max_delay(OWNER, 30))
    world.go("08:30:00")
    assert switched(world) == ["07:31:00 off", "07:36:00 on", "07:59:37 off"]
    assert world.judge.count == 3
    assert drawn(world)[2:] == [("22:00:00", 100), ("07:59:30", 7)]


@pytest.mark.parametrize("restarts", [False, True])
def test_no_program_starts_again_what_has_stopped(life: Make, restarts: bool) -> None:
    """Its shorter delay is for the next end; nothing is drawn for this one again."""
    world = morning(life, "07:00:00", [100, 60, 19, 7])
    world.do(world.acts.async_set_max_delay(OWNER, 1800))
    world.go("07:40:00")
    world.do(world.acts.async_set_max_delay(AUTOMATION, 300))
    world.do(world.acts.async_set_max_delay(AUTOMATION, 0))
    world.do(world.acts.async_set_max_delay(AUTOMATION, 30))
    assert switched(world) == ["07:31:00 off"]
    if restarts:
        world.kill()
        world.start()
    assert world.reason is Reason.OUTSIDE_DEFAULT_HOURS
    world.go("21:59:00")
    assert not world.device.state.allowed
    world.go("08:30:00")
    assert world.commands[-2:] == ["22:00:19 allow/on", "07:59:37 allow/off"]
    assert drawn(world)[2:] == [("22:00:00", 19), ("07:59:30", 7)]


@pytest.mark.parametrize(("actor", "starts"), [(OWNER, True), (AUTOMATION, False)])
def test_who_moves_the_delay_behind_the_boundary(
    life: Make, actor: Actor, starts: bool
) -> None:
    """The other setting that moves an end asks the same of who sets it."""
    world = morning(life, "07:50:30", [100, 0, 45])
    assert switched(world) == ["07:50:00 off"]
    world.do(world.acts.async_set_end_delay(actor, EndDelay.AFTER_BOUNDARY))
    world.go("08:30:00")
    assert switched(world)[1:] == (["07:55:00 on", "08:00:45 off"] if starts else [])


def test_a_person_takes_back_what_a_program_kept(life: Make) -> None:
    """The last word is a person's; only hours that are set anew say as much."""
    world = morning(life, "07:00:00", [100, 60, 7])
    world.do(world.acts.async_set_max_delay(OWNER, 1800))
    world.go("07:40:00")
    world.do(world.acts.async_set_max_delay(AUTOMATION, 300))
    assert world.target_kw == 0
    world.do(world.acts.async_set_max_delay(OWNER, 299))
    assert switched(world) == ["07:31:00 off", "07:40:00 on"]


def test_another_car_finds_the_end_where_it_is(life: Make) -> None:
    """What stays is the stop of the car that was there."""
    world = morning(life, "07:00:00", [100, 60, 7, 5])
    world.do(world.acts.async_set_max_delay(OWNER, 1800))
    world.go("07:40:00")
    world.do(world.acts.async_set_max_delay(AUTOMATION, 300))
    world.device_changes(connected=False, session=None)
    world.go("07:42:00")
    world.plug()
    world.go("08:30:00")
    assert switched(world)[-2:] == ["07:42:07 on", "07:55:05 off"]


def test_an_end_moved_ahead_too_late(life: Make) -> None:
    """What could not last for five minutes does not begin."""
    world = morning(life, "07:52:00", [100, 60])
    world.do(world.acts.async_set_max_delay(OWNER, 30))
    world.go("08:30:00")
    assert switched(world) == ["07:51:00 off"]
    assert world.judge.count == 2


def test_a_stop_that_waits_is_no_programs(life: Make) -> None:
    """What is drawn is drawn: it neither comes sooner nor is it drawn again."""
    world = morning(life, "07:55:00", [100, 590, 7])
    world.do(world.acts.async_set_max_delay(AUTOMATION, 30))
    assert world.target_kw == 11.0
    world.go("08:30:00")
    assert switched(world) == ["07:59:50 off"]
    assert drawn(world)[1:] == [("07:50:00", 590)]


def test_an_end_moved_ahead_while_it_waits(life: Make) -> None:
    """What waited is void; the new end draws anew and within what is left."""
    world = morning(life, "07:55:00", [100, 590, 7])
    world.do(world.acts.async_set_max_delay(OWNER, 30))
    assert world.target_kw == 11.0
    world.go("08:30:00")
    assert switched(world) == ["07:59:37 off"]
    assert drawn(world)[-1] == ("07:59:30", 7)


def test_an_end_moved_to_the_boundary(life: Make) -> None:
    """Who wants the delay after the boundary charges up to it and draws there."""
    world = morning(life, "07:55:00", [100, 590, 45])
    world.do(world.acts.async_set_end_delay(OWNER, EndDelay.AFTER_BOUNDARY))
    assert world.target_kw == 11.0
    world.go("08:30:00")
    assert switched(world) == ["08:00:45 off"]


@pytest.mark.parametrize(
    ("actor", "stops", "due"),
    [(OWNER, "07:55:00", "07:50:00"), (AUTOMATION, "07:59:00", "07:55:00")],
)
def test_an_end_moved_from_the_boundary(
    life: Make, actor: Actor, stops: str, due: str
) -> None:
    """Moved behind us it was due ten minutes before the boundary, or is due now."""
    world = morning(life, "07:00:00", [100, 240])
    world.do(world.acts.async_set_end_delay(OWNER, EndDelay.AFTER_BOUNDARY))
    world.go("07:55:00")
    assert world.target_kw == 11.0
    world.do(world.acts.async_set_end_delay(actor, EndDelay.BEFORE_BOUNDARY))
    world.go("08:30:00")
    assert switched(world) == [f"{stops} off"]
    assert drawn(world)[-1] == (due, 240)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(("actor", "power"), [(OWNER, 0.0), (AUTOMATION, 11.0)])
def test_a_stop_that_waits_behind_the_boundary(
    life: Make, actor: Actor, power: float, restarts: bool
) -> None:
    """A person wants nothing behind it, a program only from the next one on."""
    world = morning(life, "07:00:00", [100, 300, 19, 60])
    world.do(world.acts.async_set_end_delay(OWNER, EndDelay.AFTER_BOUNDARY))
    world.go("08:02:00")
    assert world.target_kw == 11.0
    world.do(world.acts.async_set_end_delay(actor, EndDelay.BEFORE_BOUNDARY))
    assert world.target_kw == power
    if restarts:
        world.kill()
        world.start()
    world.do(world.acts.async_set_max_delay(AUTOMATION, 500))
    world.go("08:04:59")
    assert world.target_kw == power
    world.go("08:05:00")
    assert world.target_kw == 0.0
    world.go("07:52:39")
    assert world.target_kw == 11.0
    world.go("07:52:40")
    assert world.target_kw == 0.0
    assert world.judge.count == 4


@pytest.mark.parametrize("by_hand", [True, False])
@pytest.mark.parametrize(
    ("service", "key", "data"),
    [
        ("number.set_value", "max_random_delay", {"value": 30}),
        ("select.select_option", "end_delay", {"option": "after_boundary"}),
    ],
)
async def test_a_setting_after_the_stop(  # noqa: PLR0917
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    key: str,
    data: dict[str, object],
    by_hand: bool,
) -> None:
    """Through Home Assistant too only a person's setting starts what has stopped."""
    async with stage(
        hass, start_simulator, monkeypatch, begin="2027-01-14T07:40:00"
    ) as play:
        play.deal(0, 0)
        play.box.plug(Car(capacity_kwh=200, energy_kwh=10))
        await play.at("2027-01-14T07:52:00")
        assert play.see.commands[-1] == "allow/off"
        domain, _, name = service.partition(".")
        by = await user_id(hass) if by_hand else None
        await hass.services.async_call(
            domain,
            name,
            {"entity_id": entity_id(hass, play.simulator, key), **data},
            blocking=True,
            context=Context(user_id=by),
        )
        await play.at("2027-01-14T07:56:00")
        assert play.see("power_limit") == ("11.0" if by_hand else "0.0")
        kept = play.wallbox.controller.state.kept_stop
        assert (kept is None) is by_hand
