"""Whether a path can be used as a SQLite database: found out without changing it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from pathlib import Path

from promptadmin.db.sqlite.connections import log_of, size_with_log
from promptadmin.db.sqlite.file_header import read_header
from promptadmin.ops.startup.adoption.errors import UnusableDatabaseError

MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
MEBIBYTE = 1024 * 1024


def check_file(path: Path) -> bool:
    """Whether there is a database in this file; False where a new one can be made.

    Raises UnusableDatabaseError for a file that isn't SQLite's or is cut short, and for one that can't be written.
    """
    directory = path.parent
    if not directory.is_dir():
        raise UnusableDatabaseError(f"There is no directory {directory}: make it, or name another place.")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UnusableDatabaseError(
            f"The directory {directory} is read-only for this user, and SQLite keeps its log there: change its mode."
        )
    if not path.exists() or path.stat().st_size == 0:
        return False
    if not os.access(path, os.R_OK | os.W_OK):
        raise UnusableDatabaseError(f"{path} is read-only for this user: change its mode or owner.")
    _check_header(path)
    return True


def _check_header(path: Path) -> None:
    """Hold the header's page count (SQLite's file format, section 1.3) against the file's size."""
    header = read_header(path, HEADER_BYTES)
    size = path.stat().st_size
    if not header.startswith(MAGIC):
        raise UnusableDatabaseError(f"{path} is not a SQLite database: name PromptForge's .db file.")
    if len(header) < HEADER_BYTES:
        raise UnusableDatabaseError(f"{path} is cut short, at {size} bytes: restore a whole copy.")
    page_size = struct.unpack(">H", header[16:18])[0]
    page_size = 65536 if page_size == 1 else page_size
    change_counter, pages = struct.unpack(">II", header[24:32])
    counter_of_pages = struct.unpack(">I", header[92:96])[0]
    log = log_of(path)
    in_log = log.exists() and log.stat().st_size > 0  # the missing pages may be there
    if change_counter == counter_of_pages and size < pages * page_size and not in_log:
        raise UnusableDatabaseError(
            f"{path} is cut short: it has {size} of {pages * page_size} bytes. Restore a whole copy."
        )


def take_write_lock(raw: sqlite3.Connection, path: Path) -> None:
    """Take the write lock and give it back. Raises UnusableDatabaseError where another process holds it."""
    try:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: sqlite3.Error) -> UnusableDatabaseError:
    """What to tell an operator about an error of SQLite's."""
    if "locked" in str(error) or "busy" in str(error):
        return UnusableDatabaseError(
            f"{path} is locked by another process: stop that one (PromptForge, a shell, a backup) and start again."
        )
    return UnusableDatabaseError(f"{path} can't be used: {error}. Restore a backup of it, or name another file.")


def check_room(path: Path) -> None:
    """Raise UnusableDatabaseError unless the disk has room for a backup and for the growth of an adoption."""
    needed = 2 * size_with_log(path) + 8 * MEBIBYTE
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise UnusableDatabaseError(
            f"The disk of {path.parent} has {free // MEBIBYTE} MiB free; a backup and the adoption need "
            f"{needed // MEBIBYTE} MiB. Make room, or move the file to a larger disk."
        )
