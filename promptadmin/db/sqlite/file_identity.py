"""Whether the SQLite file that a connection has open is still the one at its path.

A program that moves another file there, or removes it, doesn't disturb the connections that are open: they would go on
writing to a file that nobody finds again, and SQLite doesn't notice in WAL mode. New ones would open the other
file with the log of the first one beside it, or make an empty file and remove that log as stale, with what is only in
it. So both refuse until the file is back, or the server starts anew. The same holds for a log that is removed while
connections write to it: what they would commit is nowhere.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

Identity = tuple[int, int]

#: In a server's process: path → the file that was opened there first. Others may meet another one later.
_first_opened: dict[str, Identity] = {}
_in_server = threading.Event()


class FileReplacedError(OperationalError):
    """The file that a connection has open isn't at its path any more."""


def expect_the_same_file() -> None:
    """From now on this process, a server's, opens no other file at the same path."""
    _in_server.set()


def note_opened(path: str, opened: Identity | None) -> None:
    """The first file that a server's process opens at a path is the one that belongs there."""
    if opened is not None and _in_server.is_set():
        _first_opened.setdefault(path, opened)


def identity(path: str) -> Identity | None:
    """What tells one file from another; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # for each request: a Path takes twice as long to make as this to run
    except OSError:
        return None
    return found.st_dev, found.st_ino


def check_before_opening(path: str) -> None:
    """Raise FileReplacedError where SQLite would open another file than this server's, or drop a lost one's log."""
    found = identity(path)
    if _in_server.is_set() and found != _first_opened.get(path, found):
        raise FileReplacedError(f"{path} isn't the file any more that this process opened")
    if found is None and identity(f"{path}-wal") is not None:
        raise FileReplacedError(
            f"{path} is missing, but its log, {path}-wal, is there, and may hold what was written last: put the file "
            "back, or move the log away to start with a new one."
        )


def check_in_place(connection: BaseDatabaseWrapper) -> None:
    """Raise FileReplacedError where another file, or none, is in the place of an open SQLite file or its log."""
    raw: Any = connection.connection
    opened: Identity | None = getattr(raw, "identity", None)
    if opened is None:
        return
    if not identity(raw.path) == opened == _first_opened.get(raw.path, opened):
        raise FileReplacedError(f"{raw.path} isn't the file any more that this process opened")
    if raw.log is not None and identity(raw.log_path) != raw.log:
        raise FileReplacedError(f"{raw.log_path}, which this process writes to, was removed or replaced")
