"""Sessions on their way to the disk, while what waits changes."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from .history_home import replace_user
from .records.nights import stay, utc
from custom_components.loxone_wallbox import session_writer
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.records.journal import Journal
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.state import StateKeeper
from custom_components.loxone_wallbox.records.together import Line
from custom_components.loxone_wallbox.session_writer import SessionWriter


class Desk:
    """A writer that can be kept from its disk while it writes."""

    def __init__(self, hass: HomeAssistant, folder: Path) -> None:
        """Begin with nothing written."""
        self.folder = folder
        self.meanwhile: list[Any] = []
        self._hass = hass
        self.writer = SessionWriter(
            hass,
            "Garage",
            Ledger(folder, "box"),
            StateKeeper(folder / "box.running.jsonl"),
            turn=asyncio.Lock(),
            state=lambda: {"book": self._wait},
            written=lambda _record: None,
        )

    def _wait(self) -> None:
        """Have the event loop do something before anything is written."""
        while self.meanwhile:
            work, done = self.meanwhile.pop(), Event()

            def do(work: Any = work, done: Event = done) -> None:
                """Do it."""
                work()
                done.set()

            self._hass.loop.call_soon_threadsafe(do)
            assert done.wait(20)

    async def written(self) -> list[tuple[str, int, str | None]]:
        """Return each line of the ledger: id, revision, whose."""
        await self._hass.async_block_till_done()

        def read() -> list[tuple[str, int, str | None]]:
            """Read the files."""
            return [
                (one["id"], one["record"]["revision"], one["record"]["user_id"])
                for path in sorted(self.folder.glob("box.sessions.2*"))
                for one in Journal(path).read().records
            ]

        return await self._hass.async_add_executor_job(read)


@pytest.fixture
def desk(hass: HomeAssistant, tmp_path: Path) -> Desk:
    """Return a writer."""
    return Desk(hass, tmp_path)


def session(day: int, user: str | None = None) -> SessionRecord:
    """Return a session of somebody."""
    book = SessionBook(wallbox="box", seq=day)
    record = stay(utc(f"2026-01-{day:02}T18:00"), 2.0, book)[1][-1].record
    return replace_user(record, user)


def line(record: SessionRecord) -> Line:
    """Return the line of a session that is over."""
    return Line(record=record, transition="session_finished")


async def test_forgotten_while_it_is_written(desk: Desk) -> None:
    """A line is written once, and nothing of it waits for ever."""
    record = session(10, "ada")
    desk.meanwhile.append(lambda: desk.writer.forget(["ada"]))
    desk.writer.write(line(record))
    assert await desk.written() == [(record.id, record.revision, "ada")]
    # Whoever brings sessions of elsewhere waits for our own only.
    other = session(11)
    assert await desk.writer.async_absorb(lambda _ledger: [other]) == [other]
    desk.writer.write()
    assert len(await desk.written()) == 2
    await desk.writer.async_stop()


async def test_too_many_while_they_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is made shorter; what is being written then is not written again."""
    monkeypatch.setattr(session_writer, "MOST_WAITING", 3)
    first, second, third = (line(session(day)) for day in (10, 11, 12))
    desk.meanwhile.append(lambda: desk.writer.write(first, third))
    desk.writer.write(first, second)
    names = [one[0] for one in await desk.written()]
    ids = [one.record.id for one in (first, second, first, third)]
    assert names == ids
    await desk.writer.async_stop()
