"""The same loads on SQLite and on PostgreSQL, in turns: what moving costs a team, and what it gives."""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.figures import Figure
from bench.files import Adopted, scratch_copy
from bench.http import Client
from bench.loads import CLIENTS, reads
from bench.moving import database
from bench.process import ProcessError, run_python
from bench.recording import BODIES_A_SECOND, LINES, bodies, lines_to_import
from bench.servers import Server, environment, serving
from bench.wrk import load

ENGINES = ("SQLite", "PostgreSQL")
READS = ("history", "run", "project")  # a cursor names a place in its own engine
Say = Callable[[str], None]


def measure(file: Adopted, scratch: Path, url: str, *, rounds: int, seconds: float, say: Say) -> list[Figure]:
    """Reads, recording and an import of each engine, on a copy of the file and on a database that it was moved to."""
    copy = scratch_copy(file, scratch)
    data = scratch / "data-of-postgresql"
    shutil.copytree(copy.data, data)  # with the key that both servers need for the same tokens
    sent = scratch / "bodies.jsonl"
    with sent.open("w") as lines:
        for body in bodies(int(BODIES_A_SECOND * (seconds + 1) * rounds), "v1"):
            lines.write(json.dumps(body) + "\n")
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        target = stack.enter_context(database(url))
        say(f"moves {file.runs:,} runs to PostgreSQL")
        run_python(["manage.py", "move_to", target], environment=environment(copy.database, data))
        places = {"SQLite": (copy.data, {}), "PostgreSQL": (data, {"DATABASE_URL": target})}
        servers = {
            engine: stack.enter_context(serving(copy.database, place, copy.token, variables=variables))
            for engine, (place, variables) in places.items()
        }
        kinds = [read for read in reads(servers["SQLite"], file.runs) if read.name in READS]
        skip = dict.fromkeys(ENGINES, 0)
        for number in range(rounds):
            for engine, server in servers.items():
                say(f"{engine}, round {number + 1} of {rounds}")
                for kind in kinds:
                    found[kind.title, engine].append(_reading(server, kind.path.replace(" ", "%20"), seconds))
                per_second, answered = _recording(server, sent, skip[engine], seconds)
                found["recording runs", engine].append(per_second)
                skip[engine] += answered + CLIENTS
                found[f"import of {LINES:,} lines", engine].append(_importing(server, number))
    return [
        Figure(
            f"{file.runs:,} runs, {CLIENTS} clients, by engine",
            f"{name}, {engine}",
            "rows/s" if name.startswith("import") else "requests/s",
            found[name, engine],
            first_page=found[name, "SQLite"] if engine != "SQLite" else (),
            note="the share is that of SQLite in the same rounds" if engine != "SQLite" else "",
        )
        for name in dict.fromkeys(name for name, _ in found)
        for engine in ENGINES
    ]


def _reading(server: Server, path: str, seconds: float) -> float:
    load(server.url(path), seconds=1, clients=CLIENTS, headers=server.headers)  # every thread has its caches
    found = load(server.url(path), seconds=seconds, clients=CLIENTS, headers=server.headers)
    if found.errors:
        raise ProcessError(f"{found.errors} of the requests for {path} failed")
    return found.per_second


def _recording(server: Server, sent: Path, skip: int, seconds: float) -> tuple[float, int]:
    headers = {**server.headers, "Content-Type": "application/json"}
    url = server.url("/api/optimizations")
    found = load(url, seconds=seconds, clients=CLIENTS, headers=headers, bodies=sent, skip=skip)
    if found.errors:
        raise ProcessError(f"{found.errors} of the runs were refused")
    return found.per_second, found.answered


def _importing(server: Server, number: int) -> float:
    body = lines_to_import(number)
    with Client(server) as client:
        began = time.perf_counter()
        said = client.post("/api/optimizations/import", body, "application/x-ndjson")
        taken = time.perf_counter() - began
    if said["imported"] != LINES:
        raise ProcessError(f"{said} of {LINES} lines were imported")
    return LINES / taken
