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
#: Where recording adds rows.
TABLES = ("projects", "prompts", "optimizations")
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
    """POST /api/optimizations on a copy; SQLite alone then stores what was stored in another copy."""
    copy, twin = _twins(file, scratch)
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
        # In the other copy: what it stores would keep the upkeep of the first busy in the next round.
        serving_bare(twin.database, twin.data) as bare_server,
    ):
        skip = 0
        for number in range(rounds):
            say(f"recording, round {number + 1} of {rounds}")
            before = _settled(copy.database)
            known = {table: _last_row(copy.database, table) for table in TABLES}
            options: dict[str, Any] = {"seconds": seconds, "clients": CLIENTS, "bodies": sent}
            found = load(server.url("/api/optimizations"), headers={**server.headers, **headers}, skip=skip, **options)
            stored = _settled(copy.database) - before
            skip += found.answered + CLIENTS
            # What was under way when the time was over may have been stored too.
            if found.errors or not found.answered <= stored <= found.answered + CLIENTS:
                raise ProcessError(f"{found.answered} acknowledged, {stored} stored, {found.errors} errors")
            ours.append(found.per_second)
            p99.append(found.p99_ms)
            in_process.append(_store_again(copy.database, twin.database, known, at_once=1))
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
            note="each acknowledged one found in the table afterwards; in process: the same rows, a commit each",
            details={"p99_ms": p99},
        )
    ]


def measure_import(file: Adopted, scratch: Path, *, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """POST /api/optimizations/import of 10,000 lines; SQLite alone then stores what was stored in another copy."""
    copy, twin = _twins(file, scratch)
    ours: list[float] = []
    in_process: list[float] = []
    with serving(copy.database, copy.data, copy.token) as server, Client(server) as client:
        for number in range(rounds):
            say(f"import, round {number + 1} of {rounds}")
            body = lines_to_import(number)
            known = {table: _last_row(copy.database, table) for table in TABLES}
            began = time.perf_counter()
            said = client.post("/api/optimizations/import", body, "application/x-ndjson")
            ours.append(LINES / (time.perf_counter() - began))
            if said["imported"] != LINES:
                raise ProcessError(f"{said} of {LINES} lines were imported")
            in_process.append(_store_again(copy.database, twin.database, known, at_once=LINES))
    return [
        Figure(
            group=f"{file.runs:,} runs",
            name=f"import of {LINES:,} lines",
            unit="rows/s",
            rounds=ours,
            target=20_000,
            in_process=in_process,
            note="in one request, by one client; in process: the same rows by `executemany`, in one commit",
        )
    ]


def lines_to_import(number: int) -> bytes:
    """The lines of a round, each a new run."""
    runs = (
        run | {"id": f"{number:08x}-1111-4111-8111-{place:012x}", "created_at": "2026-01-01T00:00:00Z"}
        for place, run in enumerate(bodies(LINES, f"v{number}"))
    )
    return "\n".join(json.dumps(run) for run in runs).encode()


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


def _twins(file: Adopted, scratch: Path) -> tuple[Adopted, Adopted]:
    """A copy to serve, and one to which SQLite alone writes the same rows."""
    places = scratch / "served", scratch / "plain"
    for place in places:
        place.mkdir()
    return scratch_copy(file, places[0]), scratch_copy(file, places[1])


def _last_row(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT MAX(rowid) FROM {table}").fetchone()[0] or 0


def _store_again(served: Path, twin: Path, known: dict[str, int], *, at_once: int) -> float:
    """Runs a second that SQLite alone stores in the twin: those that the server has added, with indexes and triggers.

    `known` says the last row of each table before. Projects and prompts of runs come just before these.
    """
    with closing(sqlite3.connect(served)) as connection:
        connection.row_factory = sqlite3.Row
        rows = {
            table: connection.execute(f"SELECT * FROM {table} WHERE rowid > ? ORDER BY rowid", [last]).fetchall()
            for table, last in known.items()
        }
    projects = {row["id"]: row for row in rows["projects"]}
    prompts = {row["id"]: row for row in rows["prompts"]}
    runs = rows["optimizations"]
    parts = []
    for part in (runs[start : start + at_once] for start in range(0, len(runs), at_once)):
        its_prompts = [prompts.pop(run["prompt_id"]) for run in part if run["prompt_id"] in prompts]
        its_projects = [projects.pop(row["project_id"]) for row in its_prompts if row["project_id"] in projects]
        parts.append({"projects": its_projects, "prompts": its_prompts, "optimizations": part})
    with closing(plain.connect(twin)) as connection:
        began = time.perf_counter()
        for tables in parts:
            connection.execute("BEGIN IMMEDIATE")
            for table, some in tables.items():
                if some:
                    places = ", ".join("?" * len(some[0]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({places})", map(tuple, some))
            connection.execute("COMMIT")
        return len(runs) / (time.perf_counter() - began)
