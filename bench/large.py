"""At a million runs: medians of single requests, memory, and the first answer after a cold start."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.figures import Figure
from bench.files import Adopted
from bench.http import Client
from bench.lists import Ask, history, pages, searches
from bench.loads import CLIENTS
from bench.servers import serving, wait_for
from bench.wrk import load

TIMES = 15
SLOW_TIMES = 5
MEMORY_TIMES = 4
SLOW_MS = 300
CACHE_MIB = 64  # PRAGMA cache_size of a connection
#: Changes nothing, but is a commit.
TOUCH = "UPDATE optimizations SET status = status WHERE id = (SELECT id FROM optimizations ORDER BY created_at LIMIT 1)"
Say = Callable[[str], None]


def measure_requests(file: Adopted, *, say: Say) -> list[Figure]:
    """Each list, filter, sort and search: the median while nobody writes, and after a write before each request."""
    figures = []
    with serving(file.database, file.data, file.token) as server, Client(server) as client:
        asks = [*history(file.runs, client), *pages(client), *searches(client, say)]
        asks.append(Ask("substring search", "/api/history?search=hexagonal"))
        for ask in asks:
            say(ask.name)
            unchanged = timed(client, ask.path)
            after = timed(client, ask.path, before=lambda: _write(file.database))
            figures.append(_requests(file, ask.name, unchanged, ask.target, {"after_write_ms": after}))
        say("statistics")
        computed = timed(client, "/api/history/stats", before=lambda: _write(file.database))
        figures.append(_requests(file, "statistics, after a write", computed, 350))
        figures.append(_requests(file, "statistics, unchanged", timed(client, "/api/history/stats"), 3))
    return figures


def measure_memory(file: Adopted, *, say: Callable[[str], None]) -> list[Figure]:
    """The largest worker after each list and search, and a second of eight clients, with page caches and without.

    Resident is what the system counts, without the mapped pages of the file: these are the system's cache, shared and
    given back at once. How full a connection's own page cache is can't be seen from outside, so another server, whose
    caches hold next to nothing, does the same work: that is what a worker takes without them.
    """
    found = {}
    for name, settings in (("with", "promptadmin.settings"), ("without", "bench.without_page_caches")):
        say(f"memory {name} page caches")
        with serving(file.database, file.data, file.token, settings=settings) as server, Client(server) as client:
            for ask in [*history(file.runs, client), *pages(client), *searches(client, say)]:
                for _ in range(MEMORY_TIMES):
                    client.timed(ask.path)
            for kind in ("/api/history", "/api/history/stats"):
                load(server.url(kind), seconds=1, clients=CLIENTS, headers=server.headers)
            found[name] = max(
                (_resident(pid, file.database) for pid in server.worker_ids()), key=lambda each: each["own"]
            )
    note = (
        f"{found['with']['own']:.0f} with the page caches of {found['with']['connections']:.0f} connections, which may "
        f"take {CACHE_MIB} MiB each; {found['with']['mapped']:.0f} more of the file are mapped"
    )
    details = {name: list(each.values()) for name, each in found.items()}
    name, value = "memory of a worker without page caches", [found["without"]["own"]]
    return [Figure(_group(file), name, "MiB", value, more_is_better=False, target=150, note=note, details=details)]


def timed(client: Client, path: str, before: Callable[[], None] = lambda: None) -> list[float]:
    """Milliseconds of some requests, fewer of a slow one; the first one, which fills caches, isn't counted."""
    before()
    first = client.timed(path)
    found = []
    for _ in range(TIMES if first < SLOW_MS else SLOW_TIMES):
        before()
        found.append(client.timed(path))
    return found


def measure_start(file: Adopted, *, rounds: int, say: Say) -> list[Figure]:
    """`serve` until its first page of the history, with the file dropped from the system's cache before."""
    found = []
    for number in range(rounds):
        say(f"start, round {number + 1} of {rounds}")
        _drop_from_cache(file.database)
        began = time.perf_counter()
        with serving(file.database, file.data, file.token) as server:
            wait_for(server, "/api/history")
            found.append(time.perf_counter() - began)
    note = "a page of the history; the file was dropped from the system's cache before"
    name = "serve, from cold to first answer"
    return [Figure(_group(file), name, "s", found, more_is_better=False, target=2, note=note)]


def _requests(
    file: Adopted, name: str, found: list[float], target: float | None, details: dict[str, list[float]] | None = None
) -> Figure:
    details = details or {}
    after = details.get("after_write_ms")
    note = f"after a write: {statistics.median(after):.1f}" if after else ""
    target = target if file.runs >= 1_000_000 else None
    return Figure(_group(file), name, "ms p50", found, more_is_better=False, target=target, note=note, details=details)


def _group(file: Adopted) -> str:
    return f"{file.runs:,} runs, one client"


def _write(database: Path) -> None:
    """Another program's commit: what anybody remembers of the file no longer counts."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute(TOUCH)


def _resident(pid: int, database: Path) -> dict[str, float]:
    """In MiB: the memory of a process of its own, and mapped pages of the file; and its connections to that."""
    resident, mapped = _resident_mib(pid, database)
    opened = sum(1 for link in Path(f"/proc/{pid}/fd").iterdir() if _leads_to(link, database))
    return {"own": resident - mapped, "mapped": mapped, "connections": opened}


def _resident_mib(pid: int, database: Path) -> tuple[float, float]:
    """The resident memory of a process, and the part of it that maps the database."""
    resident = mapped = 0
    is_database = False
    for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
        name, _, rest = line.partition(" ")
        if name == "Rss:":
            resident += int(rest.split()[0])
            mapped += int(rest.split()[0]) if is_database else 0
        elif not name.endswith(":"):
            is_database = line.endswith(str(database))
    return resident / 1024, mapped / 1024


def _leads_to(link: Path, database: Path) -> bool:
    try:
        return link.readlink() == database
    except OSError:
        return False


def _drop_from_cache(database: Path) -> None:
    """Ask the system to forget the file's pages; what is not yet on the disk is written first."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with database.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
