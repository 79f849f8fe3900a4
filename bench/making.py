"""How long `make_legacy` takes, beside what SQLite alone takes to store the same rows.

`python -m bench.making MADE.db COPY.db` is the yardstick: an empty file of the same tables and indexes gets all rows
of the made one by one INSERT … SELECT, row by row, with the same settings.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure
from bench.files import PROJECTS
from bench.legacy_schema import schema
from bench.make_legacy import SETTINGS
from bench.process import run_python

#: "A million rows in under a minute."
TARGET_ROWS, TARGET_SECONDS = 1_000_000, 60
Say = Callable[[str], None]


def measure(runs: int, scratch: Path, *, rounds: int, say: Say) -> list[Figure]:
    """Seconds of the whole process, from its start to the complete file; and of the yardstick's."""
    made, copy = scratch / "made.db", scratch / "copy.db"
    found, yardstick = [], []
    for number in range(rounds):
        say(f"make {runs:,} rows, round {number + 1} of {rounds}")
        arguments = ["--runs", str(runs), "--projects", str(PROJECTS), "--age", "early"]
        found.append(run_python(["-m", "bench.make_legacy", str(made), *arguments]))
        copy.unlink(missing_ok=True)
        yardstick.append(run_python(["-m", "bench.making", str(made), str(copy)]))
    per_second = [runs / each.seconds for each in found]
    cpu = [each.cpu_seconds for each in found]
    size = made.stat().st_size / 2**20
    return [
        Figure(
            "Data",
            f"making {runs:,} rows",
            "s",
            [each.seconds for each in found],
            more_is_better=False,
            target=TARGET_SECONDS if runs >= TARGET_ROWS else None,
            in_process=[each.seconds for each in yardstick],
            note=f"{max(per_second):,.0f} rows/s, {min(cpu):.1f} s of a core, {size:,.0f} MiB",
            details={
                "rows_per_second": per_second,
                "cpu_seconds": cpu,
                "yardstick_cpu_seconds": [each.cpu_seconds for each in yardstick],
            },
        )
    ]


def store_again(made: Path, copy: Path) -> None:
    """Store the runs of a made file in a new one."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as database:
        for setting in SETTINGS:
            database.execute(f"PRAGMA {setting}").fetchall()
        for statement in schema("early"):
            database.execute(statement)
        database.execute("ATTACH ? AS made", [str(made)])
        # With a condition, or SQLite would copy all pages of the table and then those of each index, in their order.
        database.execute("INSERT INTO main.optimizations SELECT * FROM made.optimizations WHERE rowid > 0")


if __name__ == "__main__":
    store_again(Path(sys.argv[1]), Path(sys.argv[2]))
