"""At a million runs: medians of single requests, memory, and the first answer after a cold start."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import orjson

from bench import plain_lists
from bench.figures import Figure
from bench.files import Adopted
from bench.http import Client
from bench.lists import Ask, history, pages, searches, statistics_of_all, substring
from bench.loads import CLIENTS
from bench.plain import FEW_PAGES
from bench.process import ProcessError, run_python
from bench.servers import Server, serving, serving_bare, wait_for
from bench.wrk import load

#: How often a request is timed, by the milliseconds that the slowest of its round took at first.
TIMES, SLOW_TIMES, SLOWEST_TIMES = 15, 5, 3
SLOW_MS, SLOWEST_MS = 300, 3000
MEMORY_TIMES = 4
CACHE_MIB = 64  # PRAGMA cache_size of a connection
#: Changes nothing, but is a commit.
TOUCH = "UPDATE optimizations SET status = status WHERE id = (SELECT id FROM optimizations ORDER BY created_at LIMIT 1)"
Say = Callable[[str], None]


def measure_requests(file: Adopted, *, times: int = TIMES, say: Say) -> list[Figure]:
    """Each list, filter, sort and search: the median while nobody writes, and after a write before each request.

    In each round stand the yardsticks: the same rows in process, and by the bare view.
    """
    figures = []
    with serving(file.database, file.data, file.token) as server, Client(server) as client:
        asks = [*history(file.runs, client), *pages(client), *searches(client, say), substring()]
        with (
            serving_bare(file.database, file.data, [ask.plain for ask in asks]) as bare_server,
            Client(bare_server) as bare,
            closing(plain_lists.connect(file.database)) as connection,
        ):
            for number, ask in enumerate(asks):
                say(ask.name)
                check_alike(ask, client, connection)
                found = beside(
                    {
                        "ours": lambda path=ask.path: client.timed(path),  # type: ignore[misc]  # bound in this turn
                        "in_process": lambda work=ask.plain: _plainly(connection, work),  # type: ignore[misc]
                        "bare": lambda path=f"/list/{number}": bare.timed(path),  # type: ignore[misc]
                    },
                    most=times,
                )
                written = timed(client, ask.path, before=lambda: _write(file.database), most=times)
                figures.append(_requests(file, ask.name, found, ask.target, {"after_write_ms": written}))
        with closing(plain_lists.connect(file.database)) as connection:
            figures += _statistics(file, client, connection, times, say)
    return figures


def _statistics(file: Adopted, client: Client, connection: sqlite3.Connection, times: int, say: Say) -> list[Figure]:
    """The statistics beside the plain aggregate, which a bare view would only add a millisecond to."""
    ask = statistics_of_all()
    check_alike(ask, client, connection)

    def after_write() -> float:
        _write(file.database)
        return client.timed(ask.path)

    figures = []
    kinds: list[tuple[str, Callable[[], float], float]] = [
        ("after a write", after_write, 350),
        ("unchanged", lambda: client.timed(ask.path), 3),
    ]
    for name, ours, target in kinds:
        say(f"{ask.name}, {name}")
        ours()  # by each of the server's threads, which remember by themselves
        found = beside({"ours": ours, "in_process": lambda: _plainly(connection, ask.plain)}, most=times)
        if name == "unchanged":  # in a row: what waits for seconds, while the yardstick computes, wakes slowly
            found["ours"] = [ours() for _ in range(times)][-len(found["ours"]) :]
        figures.append(_requests(file, f"{ask.name}, {name}", found, target))
    return figures


def check_alike(ask: Ask, client: Client, connection: sqlite3.Connection) -> None:
    """Raise ProcessError unless the yardstick's statements find what the API answers."""
    ours, theirs = client.get(ask.path), orjson.loads(plain_lists.answer(connection, ask.plain))
    if not plain_lists.is_alike(ours, theirs):
        raise ProcessError(f"{ask.name}: the yardstick's statements find other rows than {ask.path} answers")


def beside(works: Mapping[str, Callable[[], float]], *, most: int = TIMES) -> dict[str, list[float]]:
    """The milliseconds of some works, in turns. The first round, which fills caches, isn't counted."""
    slowest = max(work() for work in works.values())
    times = TIMES if slowest < SLOW_MS else SLOW_TIMES if slowest < SLOWEST_MS else SLOWEST_TIMES
    rounds = [{name: work() for name, work in works.items()} for _ in range(min(times, most))]
    return {name: [each[name] for each in rounds] for name in works}


def _plainly(connection: sqlite3.Connection, work: plain_lists.Work) -> float:
    began = time.perf_counter()
    plain_lists.answer(connection, work)
    return (time.perf_counter() - began) * 1000


def measure_memory(file: Adopted, *, say: Callable[[str], None]) -> list[Figure]:
    """The largest worker after each list and search, and a second of eight clients, with page caches and without.

    Resident is what the system counts, without the mapped pages of the file: these are the system's cache, shared and
    given back at once. How full a connection's own page cache is can't be seen from outside, so another server, whose
    caches hold next to nothing, does the same work: that is what a worker takes without them. Beside it stands the
    bare view's worker with page caches as small, which did the same yardstick's works.
    """
    found = {}
    works: list[plain_lists.Work] = []
    for name, settings in (("with", "promptadmin.settings"), ("without", "bench.without_page_caches")):
        say(f"memory {name} page caches")
        with serving(file.database, file.data, file.token, settings=settings) as server, Client(server) as client:
            asks = [*history(file.runs, client), *pages(client), *searches(client, say)]
            works = [ask.plain for ask in asks]
            for ask in asks:
                for _ in range(MEMORY_TIMES):
                    client.timed(ask.path)
            for kind in ("/api/history", "/api/history/stats"):
                load(server.url(kind), seconds=1, clients=CLIENTS, headers=server.headers)
            found[name] = _largest(server, file.database)
    say("memory of the bare view")
    with serving_bare(file.database, file.data, works, cache_size=FEW_PAGES) as server, Client(server) as client:
        for number in range(len(works)):
            for _ in range(MEMORY_TIMES):
                client.timed(f"/list/{number}")
        load(server.url("/list/0"), seconds=1, clients=CLIENTS, headers={})
        found["bare"] = _largest(server, file.database)
    note = (
        f"{found['with']['own']:.0f} with the page caches of {found['with']['connections']:.0f} connections, which may "
        f"take {CACHE_MIB} MiB each; {found['with']['mapped']:.0f} more of the file are mapped"
    )
    details = {name: list(each.values()) for name, each in found.items()}
    name, value, bare = "memory of a worker without page caches", [found["without"]["own"]], [found["bare"]["own"]]
    return [
        Figure(
            _group(file), name, "MiB", value, more_is_better=False, target=150, bare=bare, note=note, details=details
        )
    ]


def _largest(server: Server, database: Path) -> dict[str, float]:
    """The memory of the worker that takes most of its own."""
    return max((_resident(pid, database) for pid in server.worker_ids()), key=lambda each: each["own"])


def timed(client: Client, path: str, before: Callable[[], None] = lambda: None, *, most: int = TIMES) -> list[float]:
    """Milliseconds of some requests, fewer of a slow one; the first one, which fills caches, isn't counted."""

    def work() -> float:
        before()
        return client.timed(path)

    return beside({"ours": work}, most=most)["ours"]


def measure_start(file: Adopted, *, rounds: int, say: Say) -> list[Figure]:
    """`serve` until its first page of the history, with the file dropped from the system's cache before.

    Beside it, from a cold file each: the bare view's server until the same page, and a process that only reads it.
    """
    found, bare, in_process = [], [], []
    for number in range(rounds):
        say(f"start, round {number + 1} of {rounds}")
        _drop_from_cache(file.database)
        began = time.perf_counter()
        with serving(file.database, file.data, file.token) as server:
            wait_for(server, "/api/history")
            found.append(time.perf_counter() - began)
        _drop_from_cache(file.database)
        began = time.perf_counter()
        with serving_bare(file.database, file.data):  # which waits for that page
            bare.append(time.perf_counter() - began)
        _drop_from_cache(file.database)
        in_process.append(run_python(["-m", "bench.plain", str(file.database)]).seconds)
    note = "a page of the history; the file was dropped from the system's cache before"
    name = "serve, from cold to first answer"
    return [
        Figure(
            _group(file),
            name,
            "s",
            found,
            more_is_better=False,
            target=2,
            in_process=in_process,
            bare=bare,
            note=note,
        )
    ]


def _requests(
    file: Adopted,
    name: str,
    found: Mapping[str, list[float]],
    target: float | None,
    details: dict[str, list[float]] | None = None,
) -> Figure:
    details = details or {}
    after = details.get("after_write_ms")
    return Figure(
        _group(file),
        name,
        "ms p50",
        found["ours"],
        more_is_better=False,
        target=target if file.runs >= 1_000_000 else None,
        in_process=found.get("in_process", ()),
        bare=found.get("bare", ()),
        note=f"after a write: {statistics.median(after):.1f}" if after else "",
        details=details,
    )


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
