"""Requests a second with eight clients, beside the two yardsticks: a round of each, one after the other."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bench import plain
from bench.figures import Figure
from bench.files import PROJECT_NAME, Adopted
from bench.http import Client
from bench.process import ProcessError
from bench.servers import Server, serving, serving_bare
from bench.wrk import load

CLIENTS = 8
PAGE = 20
FAR_PAGE = 2000


@dataclass(frozen=True)
class Read:
    """A kind of request: our path, and the yardstick's work with its argument."""

    name: str
    title: str
    path: str
    work: str
    argument: Any
    target: float | None = None
    share: float | None = None


def reads(server: Server, runs: int) -> list[Read]:
    """The requests of the table, with addresses that there are in this file."""
    far_page = min(FAR_PAGE, max(1, runs // PAGE // 2))
    with Client(server) as client:
        page = client.get(f"/api/history?page={far_page}")
        deep = client.get(f"/api/history?page={max(1, runs // PAGE * 3 // 4)}")
        found = client.get("/api/projects?search=Bench%3A")["items"]
    projects = [project["id"] for project in found if project["name"] == PROJECT_NAME]
    if not projects:
        raise ProcessError(f"the file has no project {PROJECT_NAME!r}: delete it, and it will be made again")
    stamp = deep["items"][-1]["created_at"].replace("T", " ").rstrip("Z")
    run = page["items"][0]["id"]
    after = f"/api/history?cursor={deep['next_cursor']}"
    numbered, skipped = f"/api/history?page={far_page}", (far_page - 1) * PAGE
    project = projects[0]
    return [
        Read("history", "history page of 20", "/api/history", "history", 0, 1650, 0.6),
        Read("cursor", "the same at a deep cursor", after, "after", stamp, None, 0.8),
        Read("far", f"the same, page {far_page}", numbered, "history", skipped, None, 0.6),
        Read("run", "one run", f"/api/optimize/{run}", "run", run, 2000),
        Read("project", "one project with 250 prompts", f"/api/projects/{project}", "project", project, 200),
    ]


def measure(
    file: Adopted, *, rounds: int, seconds: float, only: Sequence[str], say: Callable[[str], None]
) -> list[Figure]:
    """Each kind of request: ours, in process, bare, in turns."""
    ours: dict[str, list[float]] = defaultdict(list)
    bare: dict[str, list[float]] = defaultdict(list)
    in_process: dict[str, list[float]] = defaultdict(list)
    latency: dict[str, list[float]] = defaultdict(list)
    with (
        serving(file.database, file.data, file.token) as server,
        serving_bare(file.database, file.data) as bare_server,
    ):
        kinds = [read for read in reads(server, file.runs) if read.name in {*only, "history"}]
        for number in range(rounds):
            for kind in kinds:
                say(f"{kind.title}, round {number + 1} of {rounds}")
                found = _load(server, kind.path, seconds)
                ours[kind.name].append(found.per_second)
                latency[kind.name].append(found.p99_ms)
                in_process[kind.name].append(_in_process(file, kind, seconds / 2))
                bare[kind.name].append(_load(bare_server, f"/{kind.work}/{kind.argument}", seconds).per_second)
    return [
        Figure(
            group=f"{file.runs:,} runs, {CLIENTS} clients",
            name=kind.title,
            unit="requests/s",
            rounds=ours[kind.name],
            target=kind.target if file.runs == 50_000 else None,
            share=kind.share,
            in_process=in_process[kind.name],
            bare=bare[kind.name],
            first_page=ours["history"] if kind.name in ("cursor", "far") else (),
            details={"p99_ms": latency[kind.name]},
        )
        for kind in kinds
        if kind.name in only
    ]


def measure_metrics(file: Adopted, *, rounds: int, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """One run, asked of a server that counts for Prometheus and of one that doesn't, in turns."""
    found: dict[str, list[float]] = defaultdict(list)
    variables = {"PROMPTADMIN_METRICS_TOKEN": "a-token-that-nobody-reads-them-with"}
    with (
        serving(file.database, file.data, file.token) as without,
        serving(file.database, file.data, file.token, variables=variables) as counting,
    ):
        [kind] = [read for read in reads(without, file.runs) if read.name == "run"]
        for number in range(rounds):
            say(f"{kind.title} with metrics and without, round {number + 1} of {rounds}")
            # Each is first in half of the rounds: what else the machine does falls on both.
            for name, server in sorted([("with", counting), ("without", without)], reverse=bool(number % 2)):
                found[name].append(_load(server, kind.path, seconds).per_second)
    return [
        Figure(
            group=f"{file.runs:,} runs, {CLIENTS} clients, metrics on",
            name=f"{kind.title}, counted",
            unit="requests/s",
            rounds=found["with"],
            share=0.97,
            bare=found["without"],
            note="in place of the bare view: the same server without metrics",
        )
    ]


def _load(server: Server, path: str, seconds: float) -> Any:
    url = server.url(path.replace(" ", "%20"))
    load(url, seconds=1, clients=CLIENTS, headers=server.headers)  # every thread has its caches
    found = load(url, seconds=seconds, clients=CLIENTS, headers=server.headers)
    if found.errors:
        raise ProcessError(f"{found.errors} of the requests for {path} failed")
    return found


def _in_process(file: Adopted, kind: Read, seconds: float) -> float:
    """How often a second this thread alone does the work."""
    with closing(plain.connect(file.database)) as connection:
        plain.answer(connection, kind.work, kind.argument)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            plain.answer(connection, kind.work, kind.argument)
            count += 1
        return count / (time.perf_counter() - began)
