"""Recording runs with eight clients, each acknowledged write counted afterwards; and importing many at once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import plain
from bench.figures import Figure
from bench.files import PROJECTS, Adopted, scratch_copy
from bench.http import Client
from bench.legacy_rows import project_names
from bench.loads import CLIENTS
from bench.process import ProcessError
from bench.servers import serving, serving_bare
from bench.texts import Texts, scatter
from bench.wrk import load

#: More than a second's answers, for each second: each body is sent once.
BODIES_A_SECOND = 3000
LINES = 10_000
NEW_TEXT = 0.4
#: Seconds in which a server that has something under way stores at least one run.
SETTLING = 0.5


def bodies(count: int, mark: str) -> Iterator[dict[str, Any]]:
    """Runs as a program records them: 2.5 of a text, in 200 projects. Their version is the mark."""
    texts, names = Texts(11), project_names(PROJECTS)
    new = 0
    for number in range(count):
        luck = scatter(number)
        if new == 0 or luck % 1000 < NEW_TEXT * 1000:
            text, new = new, new + 1
        else:
            text = luck // 1000 % new
        raw = texts.raw(text)
        yield {
            "raw_prompt": raw,
            "optimized_prompt": texts.optimised(raw, luck),
            "project": names[scatter(text) % PROJECTS],
            "title": raw[:60],
            "task_type": "coding",
            "strategy": "chain-of-thought",
            "overall_score": luck % 100 / 100,
            "duration_ms": 2000,
            "tags": ["bench"],
            "status": "completed",
            "version": mark,
        }


def measure_recording(
    file: Adopted, scratch: Path, *, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Figure]:
    """POST /api/optimizations on a copy, and what the yardsticks make of the same rows."""
    copy = scratch_copy(file, scratch)
    sent = scratch / "bodies.jsonl"
    count = int(BODIES_A_SECOND * (seconds + 1) * rounds)
    with sent.open("w") as lines:
        for body in bodies(count, "v1"):
            lines.write(json.dumps(body) + "\n")
    ours: list[float] = []
    bare: list[float] = []
    in_process: list[float] = []
    p99: list[float] = []
    headers = {"Content-Type": "application/json"}
    with (
        serving(copy.database, copy.data, copy.token) as server,
        serving_bare(copy.database, copy.data) as bare_server,
    ):
        skip = 0
        for number in range(rounds):
            say(f"recording, round {number + 1} of {rounds}")
            before = _settled(copy.database)
            options: dict[str, Any] = {"seconds": seconds, "clients": CLIENTS, "bodies": sent}
            found = load(server.url("/api/optimizations"), headers={**server.headers, **headers}, skip=skip, **options)
            stored = _count(copy.database) - before
            skip += found.answered + CLIENTS
            # What was under way when the time was over may have been stored too.
            if found.errors or not found.answered <= stored <= found.answered + CLIENTS:
                raise ProcessError(f"{found.answered} acknowledged, {stored} stored, {found.errors} errors")
            ours.append(found.per_second)
            p99.append(found.p99_ms)
            in_process.append(_in_process(copy.database, sent, seconds / 2))
            bare.append(load(bare_server.url("/record"), headers=headers, skip=skip, **options).per_second)
    return [
        Figure(
            group=f"{file.runs:,} runs, {CLIENTS} clients",
            name="recording runs",
            unit="requests/s",
            rounds=ours,
            target=1000,
            in_process=in_process,
            bare=bare,
            note="each acknowledged one found in the table afterwards",
            details={"p99_ms": p99},
        )
    ]


def measure_import(file: Adopted, scratch: Path, *, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """POST /api/optimizations/import of 10,000 lines, and `executemany` of the same rows."""
    copy = scratch_copy(file, scratch)
    ours: list[float] = []
    in_process: list[float] = []
    with serving(copy.database, copy.data, copy.token) as server, Client(server) as client:
        for number in range(rounds):
            say(f"import, round {number + 1} of {rounds}")
            runs = [
                run | {"id": f"{number:08x}-1111-4111-8111-{place:012x}", "created_at": "2026-01-01T00:00:00Z"}
                for place, run in enumerate(bodies(LINES, f"v{number}"))
            ]
            body = "\n".join(json.dumps(run) for run in runs).encode()
            began = time.perf_counter()
            said = client.post("/api/optimizations/import", body, "application/x-ndjson")
            ours.append(LINES / (time.perf_counter() - began))
            if said["imported"] != LINES:
                raise ProcessError(f"{said} of {LINES} lines were imported")
            in_process.append(_insert_many(copy.database, runs, number))
    return [
        Figure(
            group=f"{file.runs:,} runs",
            name=f"import of {LINES:,} lines",
            unit="rows/s",
            rounds=ours,
            target=20_000,
            in_process=in_process,
            note="in one request, by one client",
        )
    ]


def _count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM optimizations").fetchone()[0])


def _settled(database: Path) -> int:
    """The number of runs when nothing is under way any more: a server ends what a load generator has given up."""
    before, now = -1, _count(database)
    while before != now:
        time.sleep(SETTLING)
        before, now = now, _count(database)
    return now


def _in_process(database: Path, sent: Path, seconds: float) -> float:
    with closing(plain.connect(database)) as connection, sent.open("rb") as lines:
        count, began = 0, time.perf_counter()
        for line in lines:
            plain.record(connection, line)
            count += 1
            if time.perf_counter() - began > seconds:
                break
        return count / (time.perf_counter() - began)


def _insert_many(database: Path, runs: list[dict[str, Any]], number: int) -> float:
    rows = [
        [f"{number:08x}-2222-{place}", *(run.get(column) for column in plain.COLUMNS[1:])]
        for place, run in enumerate(runs)
    ]
    with closing(plain.connect(database)) as connection:
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(plain.INSERT, rows)
        connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)
