"""Prompts fetched by name and label with eight clients, and the same by the addresses of other products' clients.

The file has NAMES prompts of VERSIONS versions each. It is filled by SQL: making them one by one takes hours. The
search index isn't told of them, since no fetch asks it.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bench import plain
from bench.figures import Figure
from bench.files import Adopted, token_of
from bench.http import Client
from bench.loads import CLIENTS
from bench.process import ProcessError, run_python
from bench.servers import Server, environment, serving, serving_bare
from bench.texts import Texts, scatter
from bench.wrk import Load, load

NAMES, VERSIONS, PROJECTS = 100_000, 10, 100
TARGET, SHARE, SHARE_OF_DOORS = 3000, 0.5, 0.7
LABEL = "production"
STAMP = "2026-01-02 03:04:05.000000"
#: So many different names are asked for in a round, one after the other.
ASKED = 20_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Door:
    """An address at which another product's client fetches a prompt: its path, further headers, and a body to POST."""

    title: str
    path: str
    headers: Mapping[str, str]
    body: str | None = None


def name_of(number: int) -> str:
    """The name of a prompt."""
    return f"team-{number % PROJECTS:02}/prompt-{number:06}"


def named_file(directory: Path, names: int, say: Say) -> Adopted:
    """The file of so many named prompts: made unless it is there, and brought up to date."""
    database, data = directory / f"named-{names}.db", directory / f"named-{names}.data"
    if not database.exists():
        say(f"{names:,} named prompts of {VERSIONS} versions: makes the file")
        partial = directory / f"naming-{names}.db"
        for left in [*directory.glob(f"{partial.name}*"), *directory.glob(f"{database.name}*")]:
            left.unlink()
        shutil.rmtree(data, ignore_errors=True)
        run_python(["manage.py", "startup"], environment=environment(partial, data))
        run_python(["manage.py", "upkeep", "--once"], environment=environment(partial, data))
        _fill(partial, names)
        partial.replace(database)
    else:
        say(f"{names:,} named prompts: brings the file up to date")
        run_python(["manage.py", "startup"], environment=environment(database, data))
    return Adopted(0, database, data, token_of(database, data))


def _fill(database: Path, names: int) -> None:
    texts = Texts(5)
    key = "00000000-0000-4000-8000-{:012x}".format
    with closing(sqlite3.connect(database)) as connection:
        for project in range(PROJECTS):
            connection.execute(
                "INSERT INTO projects (id, name, status, created_at, updated_at) VALUES (?, ?, 'active', ?, ?)",
                [f"project-{project}", f"Team {project}", STAMP, STAMP],
            )
        numbers = range(names)
        # The live version is the one before the current one, as after a version that nobody has released yet.
        rows: dict[str, Iterator[Any]] = {
            "prompts (id, content, version, project_id, order_index, created_at, updated_at)": (
                [key(n), f"{texts.raw(n)} {{{{name}}}}", VERSIONS, f"project-{n % PROJECTS}", n, STAMP, STAMP]
                for n in numbers
            ),
            "prompt_versions (id, prompt_id, version, content, created_at)": (
                [f"{key(n)}-{v}", key(n), v, f"{texts.raw(n)} {{{{name}}}} {v}", STAMP]
                for n in numbers
                for v in range(1, VERSIONS)
            ),
            "prompt_names (name, key, kind, template_format, created_at, prompt_id)": (
                [name_of(n), name_of(n), "text", "mustache", STAMP, key(n)] for n in numbers
            ),
            "version_details (version, author, reason, sha256, created_at, prompt_id)": (
                [v, "bench", "measured", f"{n:058x}{v:06x}", STAMP, key(n)]
                for n in numbers
                for v in range(1, VERSIONS + 1)
            ),
            "labels (label, version, moved_at, prompt_id)": ([LABEL, VERSIONS - 1, STAMP, key(n)] for n in numbers),
        }
        for table, some in rows.items():
            places = ", ".join("?" * (table.count(",") + 1))
            while batch := list(itertools.islice(some, 10_000)):
                connection.executemany(f"INSERT INTO {table} VALUES ({places})", batch)
                connection.commit()
        for table in ("prompts", "prompt_versions"):
            connection.execute(f"DELETE FROM promptadmin_derived_search_{table}")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def measure_fetches(
    directory: Path, scratch: Path, *, names: int, rounds: int, seconds: float, say: Say
) -> list[Figure]:
    """By name and label: ours, ours without counters, in process, bare, and answers of 304, in turns."""
    file = named_file(directory, names, say)
    # Scattered, as programs ask: otherwise the pages would come in the order of the file.
    asked = [name_of(scatter(number) % names) for number in range(min(ASKED, names))]
    paths, bare_paths = scratch / "paths", scratch / "bare-paths"
    paths.write_text("".join(f"/api/prompts/{name}?label={LABEL}\n" for name in asked))
    bare_paths.write_text("".join(f"/named/{name}\n" for name in asked))
    path = f"/api/prompts/{asked[0]}?label={LABEL}"
    found: dict[str, list[Load]] = {"counted": [], "uncounted": [], "bare": [], "unchanged": []}
    in_process: list[float] = []
    uncounting = {"PROMPTADMIN_FETCH_SECONDS": "0"}
    with (
        serving(file.database, file.data, file.token) as counting,
        serving(file.database, file.data, file.token, variables=uncounting) as other,
        serving_bare(file.database, file.data) as bare,
    ):
        unchanged = {"If-None-Match": _etag(counting, path)}
        for number in range(rounds):
            say(f"fetches by name, round {number + 1} of {rounds}")
            found["counted"].append(_asked(counting, path, seconds, paths=paths))
            found["uncounted"].append(_asked(other, path, seconds, paths=paths))
            in_process.append(_in_process(file.database, asked, seconds / 2))
            found["bare"].append(_asked(bare, f"/named/{asked[0]}", seconds, paths=bare_paths))
            found["unchanged"].append(_asked(counting, path, seconds, headers=unchanged))
    per_second = {kind: [each.per_second for each in some] for kind, some in found.items()}
    p99 = {kind: [each.p99_ms for each in some] for kind, some in found.items()}
    group = f"{names:,} names, {names * VERSIONS:,} versions, {CLIENTS} clients"
    with_yardsticks: dict[str, Any] = {"in_process": in_process, "bare": per_second["bare"], "share": SHARE}
    unit, name = "requests/s", "a prompt by name and label"
    return [
        Figure(group, name, unit, per_second["counted"], target=TARGET, **with_yardsticks),
        Figure(group, "the same, not counted", unit, per_second["uncounted"], **with_yardsticks),
        Figure(group, "the same, unchanged (304)", unit, per_second["unchanged"], target=TARGET),
        Figure(group, "p99 of the first", "ms", p99["counted"], more_is_better=False),
        Figure(group, "p99 of the second", "ms", p99["uncounted"], more_is_better=False),
    ]


def doors(name: str, token: str) -> list[Door]:
    """What each client sends for a prompt with the label production, as its own code does."""
    basic = base64.b64encode(f"bench:{token}".encode()).decode()
    quoted, dotted = quote(name, ""), name.replace("/", ".")  # MLflow and Phoenix know no folders
    mlflow = urlencode({"name": dotted, "alias": LABEL})
    litellm = urlencode({"prompt_id": name, "label": LABEL})
    context = json.dumps({"context": {"targetingKey": "1"}})
    return [
        Door("Langfuse", f"/api/public/v2/prompts/{quoted}?label={LABEL}", {"Authorization": f"Basic {basic}"}),
        Door("MLflow", f"/api/2.0/mlflow/registered-models/alias?{mlflow}", {}),
        Door("Phoenix", f"/v1/prompts/{dotted}/tags/{LABEL}", {}),
        Door("LiteLLM", f"/beta/litellm_prompt_management?{litellm}", {}),
        Door("OFREP", f"/ofrep/v1/evaluate/flags/{quoted}", {}, context),
    ]


def measure_doors(directory: Path, scratch: Path, *, names: int, rounds: int, seconds: float, say: Say) -> list[Figure]:
    """One prompt by each client's address, beside GET /api/prompts/{name} in the same round."""
    file = named_file(directory, names, say)
    name = name_of(scatter(1) % names)
    ours: list[float] = []
    kinds = doors(name, file.token)
    found: dict[str, list[float]] = {door.title: [] for door in kinds}
    body = scratch / "body"
    variables = {"PROMPTADMIN_PLUGINS": "projects,optimizations,registry,clients"}
    with serving(file.database, file.data, file.token, variables=variables) as server:
        for number in range(rounds):
            say(f"clients' addresses, round {number + 1} of {rounds}")
            ours.append(_asked(server, f"/api/prompts/{name}?label={LABEL}", seconds).per_second)
            for door in kinds:
                body.write_text(f"{door.body}\n")
                bodies = body if door.body else None
                loaded = _asked(server, door.path, seconds, headers=door.headers, bodies=bodies)
                found[door.title].append(loaded.per_second)
    return [
        Figure(
            f"{names:,} names: the addresses of other clients, {CLIENTS} clients",
            door.title,
            "requests/s",
            found[door.title],
            share=SHARE_OF_DOORS,
            first_page=ours,
            note="the share is that of GET /api/prompts/{name}",
        )
        for door in kinds
    ]


def _asked(
    server: Server, path: str, seconds: float, *, headers: Mapping[str, str] | None = None, **files: Any
) -> Load:
    options: dict[str, Any] = {"clients": CLIENTS, "headers": {**server.headers, **(headers or {})}, **files}
    load(server.url(path), seconds=1, **options)
    found = load(server.url(path), seconds=seconds, **options)
    if found.errors:
        raise ProcessError(f"{found.errors} of the requests for {path} failed")
    return found


def _etag(server: Server, path: str) -> str:
    with Client(server) as client:
        return client.header(path, "ETag")


def _in_process(database: Path, asked: list[str], seconds: float) -> float:
    with closing(plain.connect(database)) as connection:
        count, began = 0, time.perf_counter()
        for name in itertools.cycle(asked):
            plain.answer(connection, "named", name)
            count += 1
            if time.perf_counter() - began > seconds:
                break
        return count / (time.perf_counter() - began)
