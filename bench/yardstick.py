"""What SQLite itself takes for plain work on the same file: `python -m bench.yardstick FILE.db COPY.db`.

Prints JSON: seconds of a copy by the backup API, of an integrity check of the copy, and of one sequential UPDATE of
every row of `optimizations` there, in one transaction with the write-ahead log and its checkpoint. An adoption can't do
without the first two, and writes to about every row, so its time over this sum says more than seconds do.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE_KIB = 65_536  # as in promptadmin's own connections


def yardstick(source: Path, target: Path) -> dict[str, float]:
    """The seconds of each piece of work, by its name. `target` is made, and left behind."""
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - began

    with (
        contextlib.closing(sqlite3.connect(source)) as database,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        copy.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        with timed("backup"):
            database.backup(copy)
        with timed("integrity_check"):
            copy.execute("PRAGMA integrity_check").fetchall()
        with timed("update"):
            copy.execute("PRAGMA journal_mode=WAL").fetchall()
            copy.execute("PRAGMA synchronous=NORMAL")
            copy.execute("UPDATE optimizations SET verdict = id")
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return seconds


if __name__ == "__main__":
    print(json.dumps(yardstick(Path(sys.argv[1]), Path(sys.argv[2]))))
