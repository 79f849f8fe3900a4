"""System checks of what SQLite is, and how it is set up."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

from promptadmin.db.sqlite.connections import is_file
from promptadmin.db.sqlite.engine import describe
from promptadmin.db.sqlite.known_bugs import advice, bugs_of
from promptadmin.db.sqlite.pragmas import pragmas_read_back, read_pragmas


def check_pragmas(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.E001: each PRAGMA holds its value on the open connection."""
    messages: list[checks.CheckMessage] = []
    wanted = pragmas_read_back()
    for alias in databases or ():
        connection = connections[alias]
        if not is_file(connection):
            continue
        for name, value in read_pragmas(connection).items():
            if value != wanted[name]:
                messages.append(
                    checks.Error(
                        f"PRAGMA {name} of database {alias!r} is {value}, not {wanted[name]}.",
                        hint="Is the file on a network or read-only file system?",
                        id="promptadmin.E001",
                    )
                )
    return messages


def check_version(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.W001: the SQLite that runs has none of the known bugs."""
    if not any(is_file(connections[alias]) for alias in databases or ()):
        return []
    return [
        checks.Warning(
            f"{describe()} has the {bug.name}: {bug.effect}.",
            hint=advice(bug),
            id="promptadmin.W001",
        )
        for bug in bugs_of(sqlite3.sqlite_version_info)
    ]
