"""Which SQLite this process runs on: chosen once, before Django or anything else of ours is imported.

Python's `sqlite3` has the SQLite that it was built with, often years old. The package pysqlite3 is the same module with
a current SQLite inside, so it takes that name, for Django's backend too. All of a process must use one of the two: if
both opened a file, closing it in one would drop the locks of the other (https://sqlite.org/howtocorrupt.html, 2.2.1).
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import version

PACKAGE = "pysqlite3"


def choose() -> None:
    """From now on `import sqlite3` gives pysqlite3, where that is installed and can be loaded."""
    try:
        import pysqlite3
    except ImportError:
        return
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


@cache
def describe() -> str:
    """The release of SQLite, and where it comes from."""
    import sqlite3  # the chosen one

    origin = f"{PACKAGE} {version(PACKAGE)}" if sqlite3.__name__ == PACKAGE else "Python"
    return f"SQLite {sqlite3.sqlite_version} from {origin}"
