"""The first bytes of a SQLite file, read beside whatever connections to it there are.

When a process closes any descriptor of a file, the system drops every lock that the process has on it (POSIX), those of
SQLite's connections among them: https://sqlite.org/howtocorrupt.html, section 2.2. The next program that opens and
closes the database then takes itself for the last one that uses it, and removes the log that those connections go on
writing to. So a descriptor of a database file stays open as long as the process.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from promptadmin.db.sqlite.file_identity import Identity

_descriptors: dict[Identity, int] = {}
_lock = threading.Lock()


def read_header(path: Path, count: int) -> bytes:
    """Return the first `count` bytes of the file, or as many as it has. Raises OSError."""
    with _lock:
        found = path.stat()
        handle = _descriptors.get((found.st_dev, found.st_ino))
        if handle is None:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            opened = os.fstat(handle)  # another file may have come to this path since
            _descriptors[opened.st_dev, opened.st_ino] = handle
    return os.pread(handle, count, 0)
