"""Restoring a backup of a PostgreSQL database into a new one, which then takes the old one's name."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.ops.backups.boot_check import BootStep, boot
from promptadmin.ops.backups.engines import Say, unpack_checked
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.postgresql_server import (
    MAINTENANCE,
    contents_of,
    database,
    find_tool,
    proof_database,
    rename,
    server_name,
    sessions_in,
)
from promptadmin.ops.backups.postgresql_source import FILE_NAME
from promptadmin.ops.backups.room import check_room
from promptadmin.ops.backups.store import PARTIAL, Backup
from promptadmin.ops.backups.workspace import workspace

LONGEST_NAME = 63


class PostgreSQLTarget:
    """A PostgreSQL database, which may be missing."""

    engine = "postgresql"

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.database = str(connection.settings_dict["NAME"])
        self.name = server_name(connection)

    def drill(self, backup: Backup, say: Say) -> list[BootStep]:
        """Restore and verify in a scratch database, and boot the application on it. Raises BackupError."""
        with self._restored(backup, "drill", say) as (_, scratch, directory):
            say("Booting the application on the copy.")
            return boot(self._url(scratch), directory / "data")

    def restore(self, backup: Backup, say: Say) -> str | None:
        """Restore, verify and rename; returns the old database's new name, None without one. Raises BackupError."""
        self.connection.close()
        with database(self.connection, MAINTENANCE) as cursor:
            sessions = sessions_in(cursor, self.database)
        if sessions:
            raise BackupError(
                f"The database {self.database} is in use ({', '.join(sessions)}): stop the server and try again."
            )
        suffix = f"_before_{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
        kept = self.database[: LONGEST_NAME - len(suffix)] + suffix
        with self._restored(backup, "restore", say) as (cursor, scratch, _):
            return kept if rename(cursor, scratch, self.database, kept) else None

    @contextlib.contextmanager
    def _restored(self, backup: Backup, purpose: str, say: Say) -> Iterator[tuple[Any, str, Path]]:
        """A verified scratch database, with a cursor to rename it, and a directory for whatever else is needed."""
        manifest = backup.manifest
        find_tool("pg_restore")
        with workspace(Path(settings.DATA_DIR).absolute() / f"{purpose}{PARTIAL}") as directory:
            check_room(directory, manifest.unpacked.size, "the unpacked archive")
            archive = directory / FILE_NAME
            unpack_checked(backup, archive)
            say("The file is as it was written. Restoring it into a scratch database, and checking that.")
            try:
                with proof_database(self.connection, archive, manifest.locale) as (cursor, scratch):
                    contents, migrations = contents_of(self.connection, scratch)
                    problems = manifest.contents.differences(contents)
                    if migrations != manifest.migrations:
                        problems.append("its migrations are not those of the manifest")
                    if problems:
                        raise BackupError(f"{backup.directory} can't be restored: {'; '.join(problems)}.")
                    yield cursor, scratch, directory
            except DatabaseError as error:
                raise BackupError(f"PostgreSQL refused: {' '.join(str(error).split())}") from error

    def _url(self, name: str) -> str:
        """DATABASE_URL of another database of the same server."""
        config = self.connection.settings_dict
        user = quote(config["USER"], safe="")
        password = f":{quote(config['PASSWORD'], safe='')}" if config["PASSWORD"] else ""
        server = f"{quote(config['HOST'], safe='')}{':' + str(config['PORT']) if config['PORT'] else ''}"
        options = {key: value for key, value in config["OPTIONS"].items() if isinstance(value, str)}
        query = f"?{urlencode(options)}" if options else ""
        return f"postgresql://{user}{password}{'@' if user else ''}{server}/{quote(name, safe='')}{query}"
