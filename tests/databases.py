"""Real database servers for the tests: PostgreSQL and MariaDB, each in a folder of its own.

Takes nothing but the programs of the Debian packages, gives URLs of new, empty databases.
What may go wrong: a server is not installed; that is said, and in CI it is an error.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import os
from pathlib import Path
import pwd
import shutil
import socket
import subprocess
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

POSTGRESQL_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
MARIADB_PATH = "/usr/sbin:/usr/bin:/usr/local/bin"
# Long enough for a machine that is busy with other tests.
START_S = 90.0
ENGINES = ("sqlite", "postgresql", "mariadb")


def _free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _missing(name: str, package: str) -> None:
    """Leave a test out, in words; in CI nothing is left out."""
    text = (
        f"{name} is not installed (Debian package {package}); scripts/test installs it"
    )
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running database server; `admin` is the URL of its own database."""

    name: str
    admin: URL

    def create(self, database: str) -> str:
        """Make an empty database and return its URL for Home Assistant."""
        collation = (
            " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
            if self.name == "mariadb"
            else ""
        )
        self._run(f"DROP DATABASE IF EXISTS {database}")
        self._run(f"CREATE DATABASE {database}{collation}")
        url = self.admin.set(database=database)
        return url.render_as_string(hide_password=False)

    def drop(self, database: str) -> None:
        """Remove a database, whoever still holds a connection to it."""
        force = " WITH (FORCE)" if self.name == "postgresql" else ""
        self._run(f"DROP DATABASE IF EXISTS {database}{force}")

    def _run(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        engine = sa.create_engine(
            self.admin, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """Run PostgreSQL on loopback until the block ends."""
    if not POSTGRESQL_BINARIES:
        _missing("PostgreSQL", "postgresql")
    binaries, port = POSTGRESQL_BINARIES[-1], _free_port()
    data, user = folder / "postgresql", _unprivileged(folder)
    initdb = [f"{binaries}/initdb", "-D", str(data), "-U", "postgres", "-A", "trust"]
    _run_as(user, [*initdb, "-E", "UTF8", "--no-sync", "--no-instructions"])
    command = [f"{binaries}/postgres", "-D", str(data), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-k", "", "-F"]
    url = URL.create("postgresql", "postgres", None, "127.0.0.1", port, "postgres")
    with _running(user, command, url, folder / "postgresql.log"):
        yield Server(name="postgresql", admin=url)


@contextmanager
def mariadb(folder: Path) -> Iterator[Server]:
    """Run MariaDB on loopback until the block ends."""
    server = shutil.which("mariadbd", path=MARIADB_PATH)
    installer = shutil.which("mariadb-install-db", path=MARIADB_PATH)
    if server is None or installer is None:
        _missing("MariaDB", "mariadb-server-core")
    assert server is not None
    assert installer is not None
    port, data, user = _free_port(), folder / "mariadb", _unprivileged(folder)
    common = ["--no-defaults", f"--datadir={data}"]
    install = [installer, *common, "--auth-root-authentication-method=normal"]
    _run_as(user, [*install, "--skip-test-db", "--skip-name-resolve"])
    command = [server, *common, "--bind-address=127.0.0.1", f"--port={port}"]
    command += [f"--socket={folder}/mariadb.sock", f"--pid-file={folder}/mariadb.pid"]
    command += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"]
    url = URL.create(
        "mysql+pymysql",
        "root",
        None,
        "127.0.0.1",
        port,
        "mysql",
        query={"charset": "utf8mb4"},
    )
    with _running(user, command, url, folder / "mariadb.log"):
        yield Server(name="mariadb", admin=url)


def _unprivileged(folder: Path) -> str | None:
    """Return whom a server runs as, which never is root; the folder becomes theirs."""
    if os.geteuid() != 0:
        return None
    name = "nobody"
    owner = pwd.getpwnam(name)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return name


def _run_as(user: str | None, command: Sequence[str]) -> None:
    """Run a program to its end, with what it said where it fails."""
    done = subprocess.run(
        command, user=user, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{command[0]} failed: {done.stdout}{done.stderr}")


@contextmanager
def _running(
    user: str | None, command: Sequence[str], url: URL, log: Path
) -> Iterator[None]:
    """Run a server; it takes connections when the block begins."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, user=user, cwd="/", stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait_until_up(process, url, log)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _wait_until_up(process: subprocess.Popen[bytes], url: URL, log: Path) -> None:
    """Wait until a server takes connections, and say what it said if it does not."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with engine.connect():
                return
        except sa.exc.OperationalError:
            # No event tells that a server listens; asking again is how it is done.
            time.sleep(0.1)
    pytest.fail(f"{process.args!r} does not take connections:\n{log.read_text()}")
