"""Putting a restored file in the place of a SQLite database, so that at each moment one whole database is there.

Whoever has the database open would go on writing to the old file, and to a log that then lies beside the new one. So
the old file is locked first. Every connection in WAL mode holds a shared lock on it for as long as it is open, even
when idle, which makes a server that has ever answered a request known. The lock also ends WAL mode: the log is moved
into the old file and removed, so that none is left that could be applied to the new one. A connection that comes while
the lock is held waits for it and then finds the file under another name, to which SQLite refuses to write.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from promptadmin.db.sqlite.connections import log_of
from promptadmin.ops.backups.copying import flush
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.store import PARTIAL

INFIX = ".before-restore-"
COMPANIONS = ("-wal", "-shm", "-journal")
# The bytes that SQLite locks (section "locking" of its os_unix.c): pending, reserved, and the range of the shared lock.
LOCK_START = 0x40000000
LOCK_BYTES = 512


def check_unused(path: Path) -> None:
    """Raise BackupError where another process has the database open, as far as its locks tell."""
    if path.exists():
        with _byte_lock(path):
            pass


def finish_interrupted(target: Path) -> list[Path]:
    """Give the old file its name where a swap was killed just before that; returns what was named."""
    named = []
    for partial in target.parent.glob(f"{target.name}{INFIX}*.db{PARTIAL}"):
        if target.exists() and partial.samefile(target):
            partial.unlink()  # killed before the swap: a second name of the file in use
        else:
            named.append(partial.rename(partial.with_name(partial.name.removesuffix(PARTIAL))))
    return named


def swap(new: Path, target: Path) -> Path | None:
    """Put `new` in the place of `target`; returns the old file's new path, or None where there was none.

    Raises BackupError, with nothing changed, where another process has the target open.
    """
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    kept = target.with_name(f"{target.name}{INFIX}{stamp}.db")
    new.chmod(0o600)
    if not target.exists():
        _set_companions_aside(target, kept)
        new.replace(target)
        flush(target.parent)
        return None
    _give_owner(new, target.stat())
    flush(new)
    partial = kept.with_name(kept.name + PARTIAL)
    with _locked(target):
        _set_companions_aside(target, kept)
        try:
            partial.hardlink_to(target)
        except OSError:  # a file system without hard links; reading the file here frees its lock an instant early
            shutil.copy2(target, partial)
            flush(partial)
        new.replace(target)
        flush(target.parent)
    partial.rename(kept)
    flush(target.parent)
    return kept


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the database exclusively, with no log beside it; a file too damaged for SQLite is locked in its way."""
    raw = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
    with contextlib.closing(raw):
        try:
            raw.execute("PRAGMA journal_mode=DELETE").fetchone()
            raw.execute("BEGIN EXCLUSIVE")
            readable = True
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error)):
                raise _in_use(path) from None
            readable = False
        if readable:
            if log_of(path).exists():
                raise _in_use(path)  # somebody came between the two statements
            yield
            return
    with _byte_lock(path):
        yield


@contextlib.contextmanager
def _byte_lock(path: Path) -> Iterator[None]:
    """Hold SQLite's exclusive lock without SQLite. This process must have no connection to the file."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES, LOCK_START)
        except (BlockingIOError, PermissionError):
            raise _in_use(path) from None
        yield


def _in_use(path: Path) -> BackupError:
    return BackupError(f"{path} is open in another process: stop the server and whatever else uses it, and try again.")


def _set_companions_aside(target: Path, kept: Path) -> None:
    """Whatever still lies beside the old file belongs to it, and must never be applied to the new one."""
    for suffix in COMPANIONS:
        companion = target.with_name(target.name + suffix)
        if companion.exists():
            companion.rename(kept.with_name(kept.name + suffix))


def _give_owner(path: Path, old: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(path, old.st_uid, old.st_gid)
