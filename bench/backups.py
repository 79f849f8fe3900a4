"""How long writers wait while `manage.py backupdb` runs beside them."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.figures import Figure
from bench.files import Adopted, scratch_copy
from bench.process import run_python
from bench.servers import environment

GROUP = "Backups"
LONGEST_MS = 50
PAUSE = 0.002  # seconds after each write
LEAST_SECONDS = 3.0
WRITE = "UPDATE prompts SET updated_at = updated_at WHERE id = (SELECT id FROM prompts LIMIT 1)"
Say = Callable[[str], None]


def measure(file: Adopted, scratch: Path, *, rounds: int, say: Say) -> list[Figure]:
    """The longest wait, and the 99.9th percentile, of a writer beside a backup; alone for as long in the same round."""
    copy = scratch_copy(file, scratch)
    beside: list[list[float]] = []
    alone: list[list[float]] = []
    for number in range(rounds):
        say(f"backup beside a writer, {number + 1} of {rounds}")
        began = time.perf_counter()
        with writing(copy.database) as waits:
            run_python(
                ["manage.py", "backupdb", str(scratch / "backups"), "--keep", "1"],
                environment=environment(copy.database, copy.data),
            )
            time.sleep(max(0.0, LEAST_SECONDS - (time.perf_counter() - began)))
        beside.append(waits)
        seconds = time.perf_counter() - began
        with writing(copy.database) as waits:
            time.sleep(seconds)
        alone.append(waits)
    return [
        figure("longest wait of a writer", max, beside, alone, target=LONGEST_MS),
        figure("99.9 % of a writer's waits", lambda waits: sorted(waits)[int(len(waits) * 0.999)], beside, alone),
    ]


def figure(
    name: str,
    of: Callable[[list[float]], float],
    beside: list[list[float]],
    alone: list[list[float]],
    target: float | None = None,
) -> Figure:
    """A figure of the waits beside backups, with the same of those without one."""
    without = [of(waits) for waits in alone]
    over = sum(wait > LONGEST_MS for waits in beside for wait in waits)
    note = f"{sum(map(len, beside)):,} writes, {over} over {LONGEST_MS} ms; alone {max(without):.1f} at most"
    details = {"alone_ms": without}
    rounds = [of(waits) for waits in beside]
    return Figure(GROUP, name, "ms", rounds, more_is_better=False, target=target, note=note, details=details)


@contextmanager
def writing(database: Path) -> Iterator[list[float]]:
    """A thread commits one small change after another during the block; the list gets the milliseconds of each."""
    waits: list[float] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def write() -> None:
        try:
            with closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as raw:
                raw.execute("PRAGMA synchronous=NORMAL")
                while not over.is_set():
                    began = time.perf_counter()
                    raw.execute("BEGIN IMMEDIATE")
                    raw.execute(WRITE)
                    raw.execute("COMMIT")
                    waits.append((time.perf_counter() - began) * 1000)
                    time.sleep(PAUSE)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]
