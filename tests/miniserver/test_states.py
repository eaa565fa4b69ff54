"""The store of states, fed with event tables."""

import math

import pytest

from . import tables
from .structures import ONLINE, WALLBOX, document, parse, uuid, wallbox
from custom_components.loxone_wallbox.miniserver.dropped import Dropped
from custom_components.loxone_wallbox.miniserver.errors import ProtocolError
from custom_components.loxone_wallbox.miniserver.frames import Kind
from custom_components.loxone_wallbox.miniserver.states import StateStore

POWER, CONNECTED, ENABLED, ACTIVE, SESSION, LOCK = (
    tables.wire_uuid(uuid(number)) for number in range(1, 7)
)
DIAGNOSTIC = tables.wire_uuid(uuid(100))
# Nobody listens to it here.
DROPPED = Dropped(lambda: 0.0, lambda _report: None)
MODIFICATIONS = tables.wire_uuid(uuid(200))


@pytest.fixture
def store() -> StateStore:
    """Return a store of one wallbox and one diagnostic control."""
    return StateStore(parse(document()), DROPPED)


def test_starts_unknown(store: StateStore) -> None:
    """Before anything arrived, all is unknown."""
    assert not store.has_values()
    assert not store.has_texts()
    assert store.wallbox(WALLBOX).power_kw is None
    assert store.diagnostic(ONLINE) is None


def test_complete(store: StateStore) -> None:
    """The store is complete with the states that a wallbox cannot do without."""
    store.take(Kind.VALUES, tables.values([(POWER, 1), (CONNECTED, 1), (ENABLED, 0)]))
    assert not store.has_values()
    store.take(Kind.VALUES, tables.values([(ACTIVE, 1)]))
    assert store.has_values()
    store.take(Kind.TEXTS, tables.texts([(LOCK, "")]))
    assert not store.has_texts()
    store.take(Kind.TEXTS, tables.texts([(SESSION, "")]))
    assert store.has_texts()


def test_complete_without_a_state() -> None:
    """A state that the block does not have is not waited for."""
    store = StateStore(parse(document(wallbox(states={"enabled": uuid(3)}))), DROPPED)
    store.take(Kind.VALUES, tables.values([(ENABLED, 1)]))
    assert store.has_values()
    assert store.has_texts()


def test_changes(store: StateStore) -> None:
    """What changed is told, and what did not is not."""
    assert store.take(Kind.VALUES, tables.values([(POWER, 1), (DIAGNOSTIC, 1)])) == {
        WALLBOX,
        ONLINE,
    }
    assert store.wallbox(WALLBOX).power_kw == 1
    assert store.diagnostic(ONLINE) == 1
    assert store.take(Kind.VALUES, tables.values([(POWER, 1)])) == frozenset()
    assert store.take(Kind.VALUES, tables.values([(bytes(16), 5)])) == frozenset()
    assert store.take(Kind.VALUES, tables.values([(POWER, 2), (POWER, 3)])) == {WALLBOX}
    assert store.wallbox(WALLBOX).power_kw == 3


def test_texts(store: StateStore) -> None:
    """Texts are read when they arrive."""
    text = '{"connect": 1767225600, "user": "me"}'
    changed = store.take(
        Kind.TEXTS,
        tables.texts(
            [
                (SESSION, text),
                (LOCK, '{"locked": 1}'),
                (tables.wire_uuid(WALLBOX), f"{text}|{text}"),
            ]
        ),
    )
    assert changed == {WALLBOX}
    state = store.wallbox(WALLBOX)
    assert state.session is not None
    assert state.session.user == "me"
    assert state.lock is not None
    assert len(state.history) == 2


def test_diagnostic_that_is_no_number(store: StateStore) -> None:
    """A value that is not finite is unknown."""
    store.take(Kind.VALUES, tables.values([(DIAGNOSTIC, math.nan)]))
    assert store.diagnostic(ONLINE) is None


def test_modifications(store: StateStore) -> None:
    """An edit of the structure is noticed, an empty announcement is none."""
    store.take(Kind.TEXTS, tables.texts([(MODIFICATIONS, "")]))
    assert not store.structure_modified
    assert store.take(Kind.TEXTS, tables.texts([(MODIFICATIONS, "{}")])) == frozenset()
    assert store.structure_modified


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        (Kind.VALUES, tables.values([(POWER, 5.0)])),
        (Kind.TEXTS, tables.texts([(LOCK, '{"locked":1}')])),
        (Kind.DAYTIMERS, tables.daytimer(bytes(16), 0, [])),
        (Kind.WEATHER, tables.weather(bytes(16), 0, [])),
    ],
)
def test_broken_table_changes_nothing(
    store: StateStore, kind: Kind, entry: bytes
) -> None:
    """Of a table that is cut short nothing is kept."""
    with pytest.raises(ProtocolError):
        store.take(kind, entry + entry[:20])
    assert store.wallbox(WALLBOX).power_kw is None
    assert store.wallbox(WALLBOX).lock is None
    store.take(kind, entry)


def test_unknown_ids() -> None:
    """A store answers also for what is not there, and keeps nothing of it."""
    store = StateStore(parse(document()), DROPPED)
    assert store.wallbox("x").power_kw is None
    assert store.diagnostic("x") is None
