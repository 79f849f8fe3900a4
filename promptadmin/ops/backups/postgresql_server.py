"""A PostgreSQL server as making and restoring backups uses it: its programs, its databases, and one for proofs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.client import DatabaseClient

from promptadmin.db.sqlite.connections import quote
from promptadmin.ops.backups.contents import Contents
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.postgresql_contents import read_postgresql

MAINTENANCE = "postgres"
ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def server_name(connection: BaseDatabaseWrapper) -> str:
    """Names the database: host, port and name."""
    settings = connection.settings_dict
    return f"postgresql://{settings['HOST'] or 'local'}:{settings['PORT'] or 5432}/{settings['NAME']}"


@contextlib.contextmanager
def database(connection: BaseDatabaseWrapper, name: str) -> Iterator[Any]:
    """A cursor of a connection of its own to a database of the same server."""
    other = connection.__class__({**connection.settings_dict, "NAME": name}, alias=f"backup of {connection.alias}")
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def run_tool(connection: BaseDatabaseWrapper, program: str, *arguments: str, name: str) -> None:
    """Run pg_dump or pg_restore on a database. Raises BackupError where it is missing or fails."""
    path = find_tool(program)
    # Django's own way from settings to libpq's options; passwords go through the environment.
    command, environment = DatabaseClient.settings_to_cmd_args_env({**connection.settings_dict, "NAME": name}, [])
    server = command[1:-1]
    done = subprocess.run(  # noqa: S603  # the program is found on the PATH, its arguments are ours
        [path, *server, f"--dbname={name}", "--no-password", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        umask=0o077,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {' '.join(done.stderr.split()) or f'exit code {done.returncode}'}")


def find_tool(program: str) -> str:
    """The path of pg_dump or pg_restore. Raises BackupError where it is missing."""
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"There is no {program} on the PATH: install PostgreSQL's client programs of its release.")
    return path


def locale_of(cursor: Any) -> dict[str, str]:
    """What CREATE DATABASE needs to make a database like this one."""
    cursor.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
    )
    return dict(zip(("ENCODING", "LC_COLLATE", "LC_CTYPE"), cursor.fetchone(), strict=True))


def proof_name(connection: BaseDatabaseWrapper) -> str:
    """The name of a database's scratch database."""
    return f"promptadmin_proof_{_mark(connection)[:12]}_partial"


@contextlib.contextmanager
def proof_database(connection: BaseDatabaseWrapper, archive: Path, locale: dict[str, str]) -> Iterator[tuple[Any, str]]:
    """A scratch database with the archive restored into it, dropped at the end unless it was renamed.

    Yields a cursor of the maintenance database and the scratch database's name. One at a time for each database: an
    advisory lock, which ends with the process, tells what a killed process left from what another one uses.
    """
    mark = _mark(connection)
    scratch = proof_name(connection)
    with database(connection, MAINTENANCE) as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(mark[:15], 16)])
        if not cursor.fetchone()[0]:
            raise BackupError("Another process makes or restores a backup of this database: wait until it has ended.")
        check_may_create(cursor)
        _drop(cursor, scratch)
        options = " ".join(f"{name} {_literal(value)}" for name, value in locale.items())
        try:
            cursor.execute(f"CREATE DATABASE {quote(scratch)} TEMPLATE template0 {options}")
            run_tool(
                connection,
                "pg_restore",
                "--exit-on-error",
                "--no-owner",
                "--no-privileges",
                str(archive),
                name=scratch,
            )
            yield cursor, scratch
        finally:
            with contextlib.suppress(OperationalError):
                _drop(cursor, scratch)


def check_may_create(cursor: Any) -> None:
    """Raise BackupError unless the user may make the database that proofs need."""
    cursor.execute("SELECT current_user, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
    user, may = cursor.fetchone()
    if not may:
        raise BackupError(
            f"The user {user} may not make databases, and a backup is proven in one: let a superuser run "
            f"ALTER ROLE {quote(user)} CREATEDB."
        )


def contents_of(connection: BaseDatabaseWrapper, name: str) -> tuple[Contents, list[str]]:
    """What a database holds, and the migrations that it says were applied to it."""
    with database(connection, name) as cursor:
        cursor.execute(ONE_MOMENT)
        return read_postgresql(cursor), applied_migrations(cursor)


def applied_migrations(cursor: Any) -> list[str]:
    """The migrations, as "app.name", in their order."""
    cursor.execute("SELECT to_regclass('public.django_migrations') IS NULL")
    if cursor.fetchone()[0]:
        return []
    cursor.execute("SELECT app, name FROM public.django_migrations ORDER BY id")
    return [f"{app}.{name}" for app, name in cursor.fetchall()]


def rename(cursor: Any, scratch: str, target: str, kept: str) -> bool:
    """Put a database in the place of another, which is kept under a new name, in one transaction.

    Returns whether there was one to keep. Raises BackupError where somebody is connected to it, or the user may not.
    """
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [target])
    exists = cursor.fetchone() is not None
    try:
        cursor.execute("BEGIN")
        if exists:
            cursor.execute(f"ALTER DATABASE {quote(target)} RENAME TO {quote(kept)}")
        cursor.execute(f"ALTER DATABASE {quote(scratch)} RENAME TO {quote(target)}")
        cursor.execute("COMMIT")
    except DatabaseError as error:
        cursor.execute("ROLLBACK")
        raise BackupError(
            f"The database {target} can't be renamed ({' '.join(str(error).split())}): stop the server, and let "
            "the database's owner restore it."
        ) from None
    return exists


def sessions_in(cursor: Any, name: str) -> list[str]:
    """Who is connected to a database, in words."""
    cursor.execute(
        "SELECT usename, application_name, client_addr FROM pg_stat_activity WHERE datname = %s "
        "AND backend_type = 'client backend'",
        [name],
    )
    return [" ".join(str(part) for part in row if part) for row in cursor.fetchall()]


def _mark(connection: BaseDatabaseWrapper) -> str:
    return hashlib.sha256(str(connection.settings_dict["NAME"]).encode()).hexdigest()


def _drop(cursor: Any, name: str) -> None:
    cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
