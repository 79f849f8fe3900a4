"""Backing up a SQLite file while others write to it.

One read transaction is held from the first page copied to the last row compared, so that all of it is one moment of
the database. In WAL mode that keeps no writer waiting: writers append to the log, and the copy reads around them. It
also keeps the backup from starting over at each write, as SQLite's backup interface otherwise does.

Three things could still slow writers down, and are held off:
- The disk. Pages are copied 1 MiB at a time with a pause as long as the copying took, and every 32 MiB go to the disk
  at once, so that a writer's own sync doesn't queue behind gigabytes of ours.
- The log, which can't shrink while the transaction is held: it grows by what is written meanwhile.
- The checkpoint of that log, which would fall to whichever writer commits first afterwards. This process makes it as
  soon as the transaction ends; writers that find it at work go on without.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
from pathlib import Path

from promptadmin.db.sqlite.connections import size_with_log
from promptadmin.db.sqlite.file_identity import check_before_opening
from promptadmin.ops.backups.contents import Contents, read_sqlite
from promptadmin.ops.backups.copying import broken_links, copy_pages, damage, one_moment, reading
from promptadmin.ops.backups.engines import Say, Taken
from promptadmin.ops.backups.errors import BackupError

FILE_NAME = "database.db"
PAUSE = 1.0


class SQLiteSource:
    """A SQLite file."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path.absolute())

    def size(self) -> int:
        """The size of the file and its log."""
        if not self.path.exists() or not self.path.stat().st_size:
            check_before_opening(str(self.path))
            raise BackupError(f"There is no database in {self.path} yet: `promptadmin startup` makes one.")
        return size_with_log(self.path)

    def take(self, directory: Path, *, compressed_later: bool, say: Say) -> Taken:
        """Copy the file, then open the copy, check it and compare it with the file as of the same moment."""
        file = directory / FILE_NAME
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(self._open()) as raw:
            mode = raw.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                say(f"{self.path} is in {mode.upper()} mode, not WAL: others can't write until the copy is compared.")
            with one_moment(raw):
                made_at = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
                contents = self._copied(raw, file)
            if mode == "wal":
                _shorten_log(raw)
        with reading(file) as copy:
            problems = damage(copy)
            if problems:
                raise self._damaged(problems)
            links = broken_links(copy)
            differences = contents.differences(read_sqlite(copy, "compare"))
            if differences:
                raise BackupError(f"The copy isn't the same as {self.path}: {'; '.join(differences)}. Try again.")
            migrations = applied_migrations(copy, contents)
        return Taken(file, made_at, sqlite3.sqlite_version, migrations, contents, links)

    def _copied(self, raw: sqlite3.Connection, file: Path) -> Contents:
        """Copy the pages, then read the rows."""
        try:
            copy_pages(raw, file, pause=PAUSE)
            return read_sqlite(raw, "read")
        except sqlite3.OperationalError:  # of the disk, or of a lock
            raise
        except sqlite3.DatabaseError as error:
            raise self._damaged([str(error)]) from error

    def _damaged(self, problems: list[str]) -> BackupError:
        return BackupError(
            f"{self.path} is damaged, and so is every copy of it: {'; '.join(problems)}. Restore the last proven "
            "backup with `promptadmin restoredb`."
        )

    def _open(self) -> sqlite3.Connection:
        raw = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", uri=True, timeout=5, isolation_level=None)
        raw.execute("PRAGMA query_only=ON")
        raw.execute("PRAGMA cache_size=-16384")
        return raw


def _shorten_log(raw: sqlite3.Connection) -> None:
    """Move a long log into the file, in this process, without waiting for anybody or keeping anybody waiting."""
    with contextlib.suppress(sqlite3.OperationalError):  # somebody else does it
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def applied_migrations(raw: sqlite3.Connection, contents: Contents) -> list[str]:
    """The migrations that a file says were applied to it, as "app.name", in their order."""
    if "django_migrations" not in contents.tables:
        return []
    return [f"{app}.{name}" for app, name in raw.execute("SELECT app, name FROM django_migrations ORDER BY id")]
