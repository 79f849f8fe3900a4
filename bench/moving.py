"""Moving a file to PostgreSQL by `manage.py move_to`, killed midway and resumed, beside a plain COPY of the same rows.

Afterwards the servers of both databases must give the same answers.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.figures import Figure
from bench.files import Adopted
from bench.http import Client
from bench.lists import Ask, history, pages, statistics_of_all
from bench.process import ROOT, ProcessError
from bench.servers import environment, serving

VARIABLE = "PROMPTADMIN_BENCH_POSTGRESQL"
MISSING = (
    "the parts engines and move make databases of their own on a PostgreSQL server: name one whose user may do that, "
    f"by --postgresql or {VARIABLE}, as in postgresql://postgres@127.0.0.1:5432/postgres"
)
TABLES = ("projects", "prompts", "prompt_versions", "optimizations")
KILLED_AT = 0.5  # of the runs
DONE = "Both hold the same."
MOVED_TABLE = re.compile(r"^(\S+) +(\d+) rows  [0-9a-f]{16}", re.MULTILINE)
#: The command's own batches, but of a small file at least so many, so that there is a middle to be killed in.
ROWS_A_BATCH, LEAST_BATCHES = 5000, 50
#: What names a place in a database's own order of equals.
OWN_WORDS = frozenset({"next_cursor"})
Say = Callable[[str], None]


@dataclass(frozen=True)
class Move:
    """A move: the seconds until it was killed, those of the rest, the runs that were there between, rows in all."""

    seconds_before: float
    seconds_after: float
    runs_before: int
    rows: int

    @property
    def seconds(self) -> float:
        """Of both commands."""
        return self.seconds_before + self.seconds_after


def measure(file: Adopted, scratch: Path, url: str, *, say: Say) -> list[Figure]:
    """One move. Raises ProcessError where anything is not the same afterwards."""
    data = scratch / "data"
    shutil.copytree(file.data, data)  # with the key that both servers need for the same tokens
    with database(url) as target:
        found = _move(file, data, target, say)
        say("plain COPY of the same rows")
        rows, seconds = _copy(file.database, target)
        say("the answers of both databases")
        compared = _compare(file, data, target, say)
    note = (
        f"{found.seconds:.0f} s, comparison of every row included; killed after {found.seconds_before:.0f} s at "
        f"{found.runs_before:,} runs and resumed; {compared} answers are the same"
    )
    return [
        Figure(
            f"{file.runs:,} runs to PostgreSQL",
            "move_to",
            "rows/s",
            [found.rows / found.seconds],
            in_process=[rows / seconds],
            note=note,
            details={
                "rows": found.rows,
                "seconds": found.seconds,
                "seconds_before_kill": found.seconds_before,
                "seconds_after_kill": found.seconds_after,
                "runs_at_kill": found.runs_before,
                "copied_rows": rows,
                "copy_seconds": seconds,
                "answers_compared": compared,
            },
        )
    ]


@contextlib.contextmanager
def database(url: str) -> Iterator[str]:
    """The address of a new, empty database, dropped at the end."""
    name = f"promptadmin_bench_{uuid.uuid4().hex[:12]}"
    try:
        server = psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise ProcessError(f"PostgreSQL can't be used: {' '.join(str(error).split())}\n{MISSING}") from error
    with server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _move(file: Adopted, data: Path, target: str, say: Say) -> Move:
    say(f"move {file.runs:,} runs, until it is killed")
    began = time.perf_counter()
    runs = _move_until_killed(file, data, target)
    killed = time.perf_counter()
    say(f"killed at {runs:,} runs; moves the rest")
    with _started(file, data, target) as process:
        output, errors = process.communicate()
    ended = time.perf_counter()
    if process.returncode or DONE not in output:
        raise ProcessError(f"the resumed move failed ({process.returncode}): {errors.strip()[-500:]}")
    moved = {name: int(rows) for name, rows in MOVED_TABLE.findall(output)}
    with contextlib.closing(sqlite3.connect(file.database)) as connection:
        for table in TABLES:
            (rows,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            if moved.get(table) != rows:
                raise ProcessError(f"{table} has {rows} rows in the file, and {moved.get(table)} were moved")
    return Move(killed - began, ended - killed, runs, sum(moved.values()))


def _move_until_killed(file: Adopted, data: Path, target: str) -> int:
    """Kill a move once it has copied its part of the runs. Returns how many there are then."""
    query = "SELECT rows, done FROM promptadmin_move_tables WHERE name = 'optimizations'"
    with _started(file, data, target) as process, psycopg.connect(target, autocommit=True) as server:
        while True:
            if process.poll() is not None:
                raise ProcessError(f"the move ended before it was killed: {(process.communicate()[1])[-500:]}")
            if server.execute("SELECT to_regclass('promptadmin_move_tables')").fetchone() != (None,):
                rows, done = server.execute(query).fetchone() or (0, False)
                if done:
                    raise ProcessError("the runs were copied before the move was killed: give it more of them")
                if rows >= KILLED_AT * file.runs:
                    break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = server.execute("SELECT COUNT(*) FROM optimizations").fetchone()
    return int(found[0]) if found else 0


@contextlib.contextmanager
def _started(file: Adopted, data: Path, target: str) -> Iterator[subprocess.Popen[str]]:
    rows_a_batch = max(1, min(ROWS_A_BATCH, file.runs // LEAST_BATCHES))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "move_to", target, "--rows-a-batch", str(rows_a_batch)],
        cwd=ROOT,
        env=environment(file.database, data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _copy(database: Path, target: str) -> tuple[int, float]:
    """Rows and seconds of the yardstick: the rows of four tables by COPY into others with the same indexes."""
    total, began = 0, time.perf_counter()
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        psycopg.connect(target, options="-c timezone=UTC") as server,
    ):
        for table in TABLES:
            copied = sql.Identifier(f"bench_{table}")
            server.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(copied, sql.Identifier(table)))
            names = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
            rows = source.execute(f"SELECT {', '.join(names)} FROM {table}")
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            while batch := rows.fetchmany(ROWS_A_BATCH):
                with server.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(copied, columns)) as copy:
                    for row in batch:
                        copy.write_row(row)
                server.commit()
                total += len(batch)
        seconds = time.perf_counter() - began
        for table in TABLES:
            server.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"bench_{table}")))
    return total, seconds


def _compare(file: Adopted, data: Path, target: str, say: Say) -> int:
    """Ask both servers the same. Raises ProcessError at the first answer that differs; returns how many were asked."""
    variables = {"PROMPTADMIN_READ_TIMEOUT": "600"}
    with (
        serving(file.database, file.data, file.token, variables=variables) as ours,
        serving(file.database, data, file.token, variables=variables | {"DATABASE_URL": target}) as theirs,
        Client(ours) as sqlite,
        Client(theirs) as postgresql,
    ):
        asks = [ask for ask in _asks(file, sqlite) if _has_no_ties(ask)]
        for ask in asks:
            say(f"compares {ask.name}")
            if _answer(sqlite, ask) != _answer(postgresql, ask):
                raise ProcessError(f"{ask.name}: both databases answer {ask.path} differently")
    return len(asks)


def _asks(file: Adopted, client: Client) -> list[Ask]:
    return [*history(file.runs, client), *pages(client), statistics_of_all()]


def _has_no_ties(ask: Ask) -> bool:
    """Whether the order is by time alone: each engine has an order of its own for equals, and cursors that name it."""
    return "sort=" not in ask.path and "cursor=" not in ask.path


def _answer(client: Client, ask: Ask) -> Any:
    answer = client.get(ask.path)
    return {name: value for name, value in answer.items() if name not in OWN_WORDS}
