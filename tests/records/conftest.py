"""The databases that Home Assistant's recorder knows, each a real server."""

from collections.abc import Iterator
from itertools import count
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa

from ..databases import ENGINES, Server, mariadb, postgresql

_NUMBERS = count()
# Each statement in the log costs more than the statement.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker run all tests of an engine, so that each server starts once."""
    for item in items:
        params = (
            item.callspec.params
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else {}
        )
        engine = params.get("dialect")
        if engine in ENGINES[1:]:
            item.add_marker(pytest.mark.xdist_group(engine))


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Return a folder that a server's own user can reach.

    Not one of pytest's, which removes those of its older runs while they still run.
    """
    with TemporaryDirectory(prefix="databases-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def postgresql_server(server_folder: Path) -> Iterator[Server]:
    """Run PostgreSQL while its tests run."""
    with postgresql(server_folder) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(server_folder: Path) -> Iterator[Server]:
    """Run MariaDB while its tests run."""
    with mariadb(server_folder) as server:
        yield server


@pytest.fixture(params=ENGINES)
def dialect(request: pytest.FixtureRequest) -> str:
    """Return each engine in turn."""
    return str(request.param)


@pytest.fixture
def db_url(
    dialect: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    socket_enabled: None,
) -> Iterator[str]:
    """Return the URL of a new, empty database."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path}/home-assistant_v2.db"
        return
    server: Server = request.getfixturevalue(f"{dialect}_server")
    name = f"home_{next(_NUMBERS)}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def engine(db_url: str) -> Iterator[sa.Engine]:
    """Return a connection to a new, empty database."""
    made: Any = sa.create_engine(db_url)
    yield made
    made.dispose()


@pytest.fixture
def recorder_db_url(db_url: str) -> str:
    """Have Home Assistant's recorder use the database of the test."""
    return db_url
