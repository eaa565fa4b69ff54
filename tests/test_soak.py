"""Hours in which everything goes wrong, after which nothing is missing or too much."""

from collections.abc import Iterator
import logging
from random import SystemRandom
import time

import pytest

from homeassistant.core import HomeAssistant

from .conftest import StartSimulator
from .soak_home import NIGHT, RESOLUTION_WH, Footing, SoakHome, soaked

HOUR_S = 3600
# So many things happen between two looks at whether all is well.
SPELL = 14
SEED = 6
# A session has so many parts at most: some have paused often.
PARTS = 20


@pytest.fixture
def _silent() -> Iterator[None]:
    """Log nothing: what is caught of a day of it is no memory of ours."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def say(capsys: pytest.CaptureFixture[str], text: object) -> None:
    """Show a figure, whatever comes of the test."""
    with capsys.disabled():
        print(text, flush=True)  # noqa: T201


async def soak(
    play: SoakHome, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Let things happen for so long, and look after each spell whether all is well."""
    first: Footing | None = None
    began = time.monotonic()
    while play.home.clock.time() < NIGHT + seconds:
        await play.spell(SPELL)
        await play.recover()
        await play.leave()
        amounts = await play.amounts()
        for summed, counted in amounts:
            assert summed == pytest.approx(counted, abs=RESOLUTION_WH), play.state
        now = Footing.of(play.hass)
        first = first or now
        hours = (play.home.clock.time() - NIGHT) / HOUR_S
        kwh = sum(counted for _, counted in amounts) / 1000
        passed = time.monotonic() - began
        say(capsys, f"{hours:.2f} h, {kwh:.1f} kWh in {passed:.0f} s: {now}")
        assert not now.has_outgrown(first), f"began with {first}"
        assert now.history < first.history + PARTS * play.sessions
    say(capsys, dict(play.came))
    assert all(counted > 0 for _, counted in await play.amounts())


@pytest.mark.slow
async def test_an_hour(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No energy is lost, nothing is stuck and nothing grows."""
    async with soaked(hass, start_simulator, monkeypatch, SEED) as play:
        await soak(play, HOUR_S, capsys)


@pytest.mark.campaign
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("_silent")
async def test_a_day(
    hass: HomeAssistant,
    start_simulator: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same for a day, and each time another one."""
    seed = SystemRandom().randrange(10**6)
    say(capsys, f"seed {seed}")
    async with soaked(hass, start_simulator, monkeypatch, seed) as play:
        await soak(play, 24 * HOUR_S, capsys)
