"""Backing up a PostgreSQL database with pg_dump, proven by restoring it into a scratch database.

The dump and the sums that it is compared with read the same exported snapshot; nobody waits for either.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.ops.backups.engines import Say, Taken
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.postgresql_contents import read_postgresql
from promptadmin.ops.backups.postgresql_server import (
    MAINTENANCE,
    ONE_MOMENT,
    applied_migrations,
    check_may_create,
    contents_of,
    database,
    find_tool,
    locale_of,
    proof_database,
    run_tool,
    server_name,
)

FILE_NAME = "database.dump"


class PostgreSQLSource:
    """A PostgreSQL database."""

    engine = "postgresql"

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.database = str(connection.settings_dict["NAME"])
        self.name = server_name(connection)

    def size(self) -> int:
        """The size of the database with its indexes, more than any dump of it."""
        for program in ("pg_dump", "pg_restore"):
            find_tool(program)
        with database(self.connection, MAINTENANCE) as cursor:
            check_may_create(cursor)
        with database(self.connection, self.database) as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])

    def take(self, directory: Path, *, compressed_later: bool, say: Say) -> Taken:
        """Dump the database, then restore the dump elsewhere and compare that with the database as of the same moment.

        Raises BackupError where they differ.
        """
        archive = directory / FILE_NAME
        with database(self.connection, self.database) as cursor:
            cursor.execute(ONE_MOMENT)
            cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
            snapshot, version = cursor.fetchone()
            made_at = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
            own = ["--compress=0"] if compressed_later else []
            run_tool(
                self.connection,
                "pg_dump",
                "--format=custom",
                f"--snapshot={snapshot}",
                f"--file={archive}",
                *own,
                name=self.database,
            )
            locale = locale_of(cursor)
            migrations = applied_migrations(cursor)
            contents = read_postgresql(cursor)
        with proof_database(self.connection, archive, locale) as (_, scratch):
            found, _ = contents_of(self.connection, scratch)
        differences = contents.differences(found)
        if differences:
            raise BackupError(f"The dump isn't the same as {self.name}: {'; '.join(differences)}.")
        return Taken(archive, made_at, version, migrations, contents, {}, locale)
