"""Copies of a SQLite file that were made beside it before it was adopted, or before a backup took its place."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.sqlite.connections import file_of, is_file
from promptadmin.ops.backups import sqlite_swap
from promptadmin.ops.startup.adoption import backup as adoption

#: What stands between the file's name and the moment, and why the copy was made.
REASONS = {adoption.INFIX: "before the file was adopted", sqlite_swap.INFIX: "before a backup was restored"}
STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class KeptCopy:
    """A whole database as it was at a moment, with its size in bytes, and why it was kept."""

    file: Path
    made_at: dt.datetime
    size: int
    reason: str


def kept_copies(connection: BaseDatabaseWrapper) -> list[KeptCopy]:
    """The copies beside a database's file, the last one made first; PostgreSQL has none."""
    if not is_file(connection):
        return []
    path, found = file_of(connection), []
    infixes = "|".join(map(re.escape, REASONS))
    named = re.compile(rf"{re.escape(path.name)}({infixes})(\d{{8}}T\d{{12}}Z)\.db")
    for file in path.parent.iterdir():
        if match := named.fullmatch(file.name):
            with contextlib.suppress(OSError, ValueError):
                made_at = dt.datetime.strptime(match[2], STAMP).replace(tzinfo=dt.UTC)
                found.append(KeptCopy(file, made_at, file.stat().st_size, REASONS[match[1]]))
    return sorted(found, key=lambda copy: copy.made_at, reverse=True)
