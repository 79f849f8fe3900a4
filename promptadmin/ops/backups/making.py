"""Making a backup, on any engine: a copy that is proven before it gets its name."""

from __future__ import annotations

import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin import __version__
from promptadmin.ops.backups.compression import check_compression, describe, pack, unpack
from promptadmin.ops.backups.engines import Say, Source, source_of, store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.manifest import Manifest
from promptadmin.ops.backups.room import check_room
from promptadmin.ops.backups.store import Backup, Store, open_backup


@dataclass(frozen=True)
class Made:
    """A new backup, the directories of older ones that were removed, and what somebody should look at."""

    backup: Backup
    removed: list[Path]
    warnings: list[str]


def make_backup(
    connection: BaseDatabaseWrapper,
    directory: Path | None = None,
    *,
    keep: int | None = None,
    compression: str = "none",
    say: Say = lambda line: None,
) -> Made:
    """Back up a database into a directory (default: the data directory's `backups`), and keep the newest ones.

    `keep` counts proven backups of this database, the new one included. Raises BackupError with no backup made.
    """
    if keep is not None and keep < 1:
        raise BackupError("--keep must be at least 1: the new backup stays.")
    check_compression(compression)
    source = source_of(connection)
    store = store_of(connection, directory)
    try:
        with store.opened():
            check_room(store.directory, source.size() * (1 if compression == "none" else 2), "a backup")
            backup = open_backup(_make(store, source, compression, say))
            removed = _prune(store, backup, keep) if keep is not None else []
    except (sqlite3.Error, DatabaseError, OSError) as error:
        raise BackupError(f"The backup failed, and nothing was kept: {error}") from error
    return Made(backup, removed, _warnings(backup.manifest))


def _prune(store: Store, made: Backup, keep: int) -> list[Path]:
    try:
        return store.prune(keep, made)
    except OSError as error:
        raise BackupError(f"{made.directory} was made, but older backups can't be removed: {error}") from error


def _make(store: Store, source: Source, compression: str, say: Say) -> Path:
    began = time.monotonic()
    partial = store.new_partial()
    try:
        taken = source.take(partial, compressed_later=compression != "none", say=say)
        unpacked = describe(taken.file, "hash")
        file = pack(taken.file, compression)
        stored = unpacked
        if file != taken.file:
            stored, out = unpack(file, compression, None)
            if out != unpacked:
                raise BackupError(f"{file} doesn't unpack to what was packed: is the disk or the memory faulty?")
            taken.file.unlink()
        manifest = Manifest(
            name=partial.stem,
            made_at=taken.made_at,
            source=source.name,
            engine=source.engine,
            engine_version=taken.engine_version,
            promptadmin=__version__,
            migrations=taken.migrations,
            file_name=file.name,
            compression=compression,
            file=stored,
            unpacked=unpacked,
            contents=taken.contents,
            broken_links=taken.broken_links,
            seconds=round(time.monotonic() - began, 3),
            locale=taken.locale,
            number=store.next_number(),
        )
        manifest.write(partial)
        return store.finish(partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _warnings(manifest: Manifest) -> list[str]:
    if not manifest.broken_links:
        return []
    tables = ", ".join(f"{count} in {table}" for table, count in manifest.broken_links.items())
    return [f"The database has links to rows that don't exist ({tables}), and the backup has them too: see `doctor`."]
