"""Statistics of a real file while other programs write and the upkeep is killed."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from optimizations.stats.rollups.table import TABLE
from tests.support.processes import REPOSITORY, Scratch

SECONDS = float(os.environ.get("STATISTICS_SECONDS", "2"))
RUNS = 12_000
INSERT = (
    "INSERT OR REPLACE INTO optimizations (id, created_at, raw_prompt, status, project, strategy, task_type, "
    "overall_score, tags) VALUES (?, '2026-01-01 00:00:00.000000', 'text', ?, ?, ?, ?, ?, ?)"
)


def row(chance: random.Random, number: int) -> tuple[object, ...]:
    return (
        f"run-{number}",
        chance.choice(["completed", "completed", "error"]),
        chance.choice(["p", "q", None]),
        chance.choice(["risen", "few-shot", None]),
        chance.choice(["coding", "writing"]),
        chance.randrange(1000) / 1000,
        chance.choice(['["a"]', '["b", "c"]', None]),
    )


def write(path: Path, stop: threading.Event) -> None:
    """What an operator or an older program may do to old and new rows, one transaction at a time."""
    chance = random.Random("writer")
    with closing(sqlite3.connect(path, timeout=30)) as raw:
        number = RUNS
        while not stop.is_set():
            with raw:
                deed = chance.randrange(4)
                if deed == 0:
                    raw.executemany(INSERT, [row(chance, number + more) for more in range(50)])
                    number += 50
                elif deed == 1:
                    raw.execute(INSERT, row(chance, chance.randrange(RUNS)))
                elif deed == 2:
                    score, run = chance.randrange(1000) / 1000, f"run-{chance.randrange(RUNS)}"
                    raw.execute("UPDATE optimizations SET overall_score = ? WHERE id = ?", (score, run))
                else:
                    raw.execute("DELETE FROM optimizations WHERE id = ?", (f"run-{chance.randrange(RUNS)}",))
            time.sleep(0.02)


def test_equals_a_recomputation_while_others_write(scratch: Scratch, new_file: bytes) -> None:
    """At each moment that a reader sees; and once the upkeep, killed several times, is through, from summaries."""
    scratch.database.write_bytes(new_file)
    chance = random.Random("rows")
    with closing(sqlite3.connect(scratch.database)) as raw, raw:
        raw.executemany(INSERT, [row(chance, number) for number in range(RUNS)])
    stop = threading.Event()
    writer = threading.Thread(target=write, args=(scratch.database, stop))
    watcher = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("statistics_watcher.py")), str(SECONDS)],
        env=scratch.environment(PYTHONPATH=str(REPOSITORY)),
        stdout=subprocess.PIPE,
        text=True,
    )
    writer.start()
    try:
        while watcher.poll() is None:
            upkeep = scratch.start("upkeep")
            time.sleep(2)
            upkeep.kill()
            upkeep.communicate()
    finally:
        stop.set()
        writer.join()
        output, _ = watcher.communicate()
    (line,) = output.splitlines()
    compared, _ = map(int, line.split())
    assert compared > 0
    done = scratch.manage("upkeep", "--once", "--job", "statistics")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(scratch.database)) as raw:
        (stored,) = raw.execute(f"SELECT COUNT(*) FROM {TABLE} WHERE data IS NOT NULL").fetchone()
    assert stored > 0
    again = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("statistics_watcher.py")), "0.01"],
        env=scratch.environment(PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == "2 2\n"
