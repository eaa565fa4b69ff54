"""Ledger and state are copied at any instant of writing: no session is lost or doubled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from .nights import RULES, night, utc
from custom_components.loxone_wallbox.charging.found import Found
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.charging.step import Step
from custom_components.loxone_wallbox.charging.tally import Reading
from custom_components.loxone_wallbox.records.ledger import Ledger
from custom_components.loxone_wallbox.records.state import StateKeeper
from custom_components.loxone_wallbox.records.together import (
    Line,
    keep,
    make_good,
    unwritten,
)

NOON = utc("2027-01-13T12:00:00")
BEGUN_WH = 5_000.0
type Files = dict[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """What is the case at the wallbox, whoever looks; `done` are sessions on the disk."""

    now: datetime = NOON
    wh: float = BEGUN_WH
    visit: int = 0
    since: datetime | None = None
    since_wh: float = BEGUN_WH
    done: frozenset[str] = frozenset()

    @property
    def found(self) -> Found:
        """Return what a restart finds."""
        here = self.since is not None
        return Found(
            connected=here,
            reading=Reading(at=self.now, wh=self.wh, power_w=0.0),
            visit_id=str(self.visit) if here else None,
            visit_since=self.since,
            visit_wh=self.wh - self.since_wh if here else None,
        )


@dataclass
class Home:
    """A wallbox whose sessions are written to a folder, as they happen."""

    folder: Path
    world: World = field(default_factory=World)
    book: SessionBook = field(default_factory=lambda: SessionBook(wallbox="box"))
    held: bool = False
    # The files whenever the disk is asked to keep one, and what is the case then.
    seen: list[tuple[Files, World]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the files."""
        self.ledger = Ledger(self.folder, "box")
        self.keeper = StateKeeper(self.folder / "box.running.jsonl")

    def take(self, step: Step) -> None:
        """Go on to a step's state and write what is to be written."""
        self.book = step.book
        lines = [Line(record=one.record, transition=one.kind) for one in step.told]
        state = None if self.held else {"book": self.book.as_dict()}
        if lines or step.save:
            assert keep(self.ledger, self.keeper, lines, state) == (len(lines), None)
        ended = {one.record.id for one in lines if one.record.disconnected_utc}
        self.world = replace(self.world, done=self.world.done | ended)

    def read(self, minutes: int, wh: float, *, silent: bool = False) -> None:
        """Let time and energy pass, and read the counter unless it is silent."""
        now = self.world.now + timedelta(minutes=minutes)
        self.world = replace(self.world, now=now, wh=self.world.wh + wh)
        reading = Reading(at=now, wh=self.world.wh, power_w=60.0 * wh / minutes)
        if silent:
            reading = Reading(at=now, charging=wh > 0, blind=True)
        self.take(self.book.read(reading, RULES))

    def plug(self, *, silent: bool = False) -> None:
        """Have a car come."""
        world = self.world
        number = world.visit + 1
        self.world = replace(world, visit=number, since=world.now, since_wh=world.wh)
        wh = None if silent else world.wh
        self.take(self.book.plugged(world.now, RULES, wh, str(number)))

    def unplug(self, *, silent: bool = False) -> None:
        """Have the car leave."""
        self.world = replace(self.world, since=None)
        wh = None if silent else self.world.wh
        self.take(self.book.unplugged(self.world.now, RULES, wh))

    def silence(self) -> None:
        """Have the counter say nothing from here on."""
        self.take(self.book.link_lost(self.world.now, RULES))

    def evening(self) -> None:
        """Play a visit, one in which the counter falls silent, and one in the silence."""
        self.read(1, 0)
        self.plug()
        self.read(10, 2_000)
        self.unplug()
        self.read(5, 0)
        self.plug()
        self.read(10, 2_000)
        self.silence()
        self.read(10, 1_500, silent=True)
        self.unplug(silent=True)
        self.read(5, 0, silent=True)
        self.plug(silent=True)
        self.read(10, 1_000, silent=True)
        self.unplug(silent=True)
        self.read(10, 0)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at the folder whenever the disk is asked to keep something."""
        fsync = os.fsync

        def look(handle: int) -> None:
            """Copy all files, then do it."""
            self.look()
            fsync(handle)

        with patch("os.fsync", look):
            yield
        self.look()

    def look(self) -> None:
        """Copy all files."""
        files = {one.name: one.read_bytes() for one in self.folder.iterdir()}
        self.seen.append((files, self.world))


def instants(home: Home) -> Iterator[tuple[Files, World]]:
    """Return what a copy has at any instant: also half of what is just written."""
    before: Files = {}
    for files, world in home.seen:
        for name, data in files.items():
            old = before.get(name, b"")
            added = len(data) - len(old)
            if added and data.startswith(old):
                for part in (1, added // 2, added - 1):
                    yield {**before, name: data[: len(old) + part]}, world
        yield files, world
        before = files


def opened(folder: Path, files: Files) -> Home:
    """Return the home that starts with a copy of the files."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    home = Home(folder)
    state = home.keeper.load() or {}
    assert make_good(home.ledger, state) == []
    if "book" in state:
        home.book = SessionBook.from_dict(state["book"])
    home.book = home.book.reconciled(home.ledger.newest(), RULES)
    return home


def sessions(home: Home) -> list[SessionRecord]:
    """Return all sessions of the ledger."""
    return [
        one
        for month in home.ledger.months()
        for one in home.ledger.month(month).records
    ]


def test_a_copy_at_any_instant(tmp_path: Path) -> None:
    """Every session that had ended is there once, and all add up to the meter."""
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home")
    with home.watched():
        home.evening()
    tried = 0
    for files, world in instants(home):
        again = opened(tmp_path / str(tried), files)
        assert world.done <= {one.id for one in sessions(again) if one.disconnected_utc}
        again.world = world
        again.take(again.book.resumed(world.found, RULES))
        if world.since is not None:
            again.unplug()
        again.read(5, 0)
        found = sessions(again)
        assert all(one.disconnected_utc for one in found)
        assert len(found) <= world.visit
        assert sum(one.import_wh for one in found) == world.wh - BEGUN_WH
        tried += 1
    assert tried > 50


def test_a_copy_while_the_state_is_held(tmp_path: Path) -> None:
    """A state of before with a ledger of any later instant, as a backup reads them."""
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home")
    with home.watched():
        home.read(1, 0)
        home.held = True
        state = (tmp_path / "home/box.running.jsonl").read_bytes()
        for _ in range(3):
            home.plug()
            home.read(10, 2_000)
            home.unplug()
            home.read(5, 0)
    assert (tmp_path / "home/box.running.jsonl").read_bytes() == state
    for number, (files, world) in enumerate(instants(home)):
        again = opened(tmp_path / str(number), {**files, "box.running.jsonl": state})
        found = [one for one in sessions(again) if one.disconnected_utc]
        assert world.done <= {one.id for one in found}
        assert {one.import_wh for one in found} <= {2_000}
        assert again.book.seq == max((one.seq for one in sessions(again)), default=0)
    assert len(world.done) == 3


def test_what_a_crash_kept_from_the_ledger(tmp_path: Path) -> None:
    """It is written from the state, once, and not what was deleted meanwhile."""
    first, second = night(NOON), night(NOON + timedelta(days=1))
    lines = [Line(record=one, transition="session_finished") for one in (first, second)]
    gone = Ledger(tmp_path / "another", "box")
    keeper = StateKeeper(tmp_path / "box.running.jsonl")
    assert keep(gone, keeper, lines, {"seq": 2}) == (2, None)
    state = keeper.load() or {}
    assert unwritten(state) == lines
    ledger = Ledger(tmp_path, "box")
    ledger.delete(first.id, NOON, "asked")
    for _ in range(2):
        assert make_good(ledger, state) == []
        assert ledger.newest() == second
        assert ledger.get(first.id) is None
    keep(ledger, keeper, [], {"seq": 2})
    assert keeper.load() == {"seq": 2}


def test_a_disk_that_does_not_take_it(tmp_path: Path) -> None:
    """A ledger is written without a state, and what neither has is told."""
    line = Line(record=night(NOON), transition="session_finished")
    ledger = Ledger(tmp_path / "ledger", "box")
    (tmp_path / "file").write_text("")
    keeper = StateKeeper(tmp_path / "file" / "box.running.jsonl")
    done, error = keep(ledger, keeper, [line], {})
    assert done == 1
    assert error is not None
    assert ledger.newest() == line.record
    nowhere = Ledger(tmp_path / "file", "box")
    state = {"unwritten": [{"at": "x", "record": line.record.as_dict()}]}
    assert make_good(nowhere, state) == [replace(line, transition="x")]


@pytest.mark.parametrize(
    "nonsense", [None, "x", [1], [{}], [{"record": {}, "at": "x"}], {"a": 1}]
)
def test_nonsense_in_a_state(tmp_path: Path, nonsense: object) -> None:
    """A state that somebody changed does not keep the rest from being read."""
    state = json.loads(json.dumps({"unwritten": nonsense}))
    assert make_good(Ledger(tmp_path, "box"), state) == []
