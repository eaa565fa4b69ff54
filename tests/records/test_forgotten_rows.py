"""People are forgotten in a database of every kind; sums and other people stay."""

from dataclasses import replace
from datetime import timedelta
import json
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from sqlalchemy import Engine, insert, select

from homeassistant.components.recorder.db_schema import (
    Base,
    EventData,
    Events,
    EventTypes,
)

from .nights import RULES, stay, utc
from custom_components.loxone_wallbox.charging.session import SessionRecord
from custom_components.loxone_wallbox.charging.session_book import SessionBook
from custom_components.loxone_wallbox.records import forgotten_rows, table
from custom_components.loxone_wallbox.records.forgotten_rows import (
    ForgetTask,
    Traces,
    forget_copies,
    forget_rows,
)
from custom_components.loxone_wallbox.records.mapping import row_of

ADA, BOB = "p00000000000000ad", "p00000000000000b0"
NAME, TAG, NUMBER = 'Ada "Countess" Lovelace', "04A2B3C4D5", "1234567890"


def call(domain: str, **data: object) -> str:
    """Return a recorded call of an action."""
    told = {"domain": domain, "service": "get_sessions", "service_data": data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def record_calls(engine: Engine, calls: list[str]) -> None:
    """Write calls as the recorder does."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(EventTypes), [{"event_type_id": 1, "event_type": "call_service"}]
        )
        for number, text in enumerate(calls, 1):
            connection.execute(
                insert(EventData), [{"data_id": number, "shared_data": text}]
            )
            connection.execute(
                insert(Events),
                [{"event_id": number, "event_type_id": 1, "data_id": number}],
            )


def test_rows_and_calls(engine: Engine) -> None:
    """Sessions are nobody's, calls of our actions name nobody, those of others do."""
    table.prepare(engine)
    start = utc("2026-01-10T18:00")
    records = []
    for number, user in enumerate((ADA, BOB, ADA)):
        book = SessionBook(wallbox="box", seq=number)
        at = start + timedelta(days=number)
        record = stay(at, 2.0, book)[1][-1].record
        plain = {**record.as_dict(), "user_id": user}
        records.append(SessionRecord.from_dict(plain))
    table.write(engine, [row_of(one, RULES.zone) for one in records])
    calls = [
        call(
            "loxone_wallbox",
            user=f" {NAME.upper()} ",
            users={ADA: NAME, BOB: "Bob", NAME: 1},
            note=f"x {ADA}",
            data=json.dumps({"users": {ADA: NAME}, "sessions": [{"tag": TAG}]}),
            text="[" * 20_000,
            tags=[int(NUMBER), 5],
        ),
        call("notify", message=NAME),
        call("loxone_wallbox", mode="ended", note="Adam, [E]", tags=["a", ""]),
    ]
    record_calls(engine, calls)
    found = forget_rows(engine, [ADA], [NAME, TAG, NUMBER, "", "e", "5"])
    assert (found.sessions, found.calls) == (2, 1)
    sqlite = engine.dialect.name == "sqlite"
    assert found.traces is (Traces.NONE if sqlite else Traces.SERVER)
    nobodys = [row_of(one.without_person(), RULES.zone) for one in records]
    after = [
        one if number != 1 else row_of(records[1], RULES.zone)
        for number, one in enumerate(nobodys)
    ]
    assert table.revisions(engine, "box") == {one.id: one.revision for one in after}
    with engine.connect() as connection:
        whose = set(connection.execute(select(table.SLICE.c.user_id)).scalars())
        texts = connection.execute(
            select(EventData.shared_data).order_by(EventData.data_id)
        ).scalars()
        ours, *others = texts
    assert whose == {None, BOB}
    assert json.loads(ours or "")["service_data"] == {
        "user": "deleted",
        # What a key says is not known, unless it is a pseudonym.
        "users": {BOB: "Bob", NAME: 1},
        "note": "x deleted",
        "data": '{"users": {}, "sessions": [{"tag": "deleted"}]}',
        "text": "[" * 20_000,
        "tags": ["deleted", 5],
    }
    assert others == calls[1:]
    again = forget_rows(engine, [ADA], [NAME, TAG])
    assert (again.sessions, again.calls) == (0, 0)
    # Who else was named in the same call is forgotten later.
    assert forget_rows(engine, [BOB], ["Bob"]).calls == 1


@pytest.mark.filterwarnings("error")
def test_nobody(engine: Engine) -> None:
    """Where nobody is named nothing is forgotten."""
    table.prepare(engine)
    Base.metadata.create_all(engine)
    record = replace(
        stay(utc("2026-01-10T18:00"), 2.0, SessionBook(wallbox="box", seq=1))[1][
            -1
        ].record,
        user_id=BOB,
    )
    table.write(engine, [row_of(record, RULES.zone)])
    before = table.revisions(engine, "box")
    found = forget_rows(engine, [], [])
    assert (found.sessions, found.calls) == (0, 0)
    assert table.revisions(engine, "box") == before


def test_names_that_an_import_brought(engine: Engine) -> None:
    """Who is called so in a session goes, and whoever is called nearly so stays."""
    table.prepare(engine)
    Base.metadata.create_all(engine)
    told = [
        {"user_id": NAME},
        {"tag": "E"},
        {"vehicle": "Jürgen's 100 %"},
        {"user_id": f"{NAME} II", "tag": "Ee", "vehicle": "Jürgen's 100 km"},
        {"user_id": BOB},
    ]
    records = []
    for number, who in enumerate(told):
        book = SessionBook(wallbox="box", seq=number)
        at = utc("2026-01-10T18:00") + timedelta(days=number)
        plain = stay(at, 2.0, book)[1][-1].record.as_dict()
        records.append(SessionRecord.from_dict({**plain, **who}))
    table.write(engine, [row_of(one, RULES.zone) for one in records])
    words = [
        NAME.lower(),
        "E",
        "e",
        "Jürgen's 100 %",
        "box",
        "2026",
        *map(str, range(300)),
    ]
    found = forget_rows(engine, [ADA], words)
    assert found.sessions == 3
    after = [one.without_person() for one in records[:3]] + records[3:]
    rows = [row_of(one, RULES.zone) for one in after]
    assert table.revisions(engine, "box") == {one.id: one.revision for one in rows}
    with engine.connect() as connection:
        for column in (table.SESSION.c.user_id, table.SLICE.c.user_id):
            whose = set(connection.execute(select(column)).scalars())
            assert whose == {None, f"{NAME} II", BOB}


def test_copies_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom an import named with a letter is not looked for in every word."""
    queued: list[ForgetTask] = []
    instance = SimpleNamespace(queue_task=queued.append)
    monkeypatch.setattr(forgotten_rows, "get_instance", lambda _hass: instance)
    forget_copies(Mock(), {ADA, "e"})
    [task] = queued
    assert (task.people, task.words) == ([ADA], ["e"])
