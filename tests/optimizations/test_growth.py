"""What reads cost as rows grow, in steps of SQLite's virtual machine: plans don't tell how far a walk goes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.files.export import exported_rows
from optimizations.lists import queries, windows
from optimizations.lists.paging import INDEXED_SORTS
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.stats.rollups import building, table
from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session
from promptadmin.search import candidate_filter
from tests.conftest import OpenFile
from tests.optimizations.searched_files import index_everything

SIZES = (2_000, 20_000)
#: Ten times the rows make a b-tree at most a level deeper; what grows with the rows grows by about ten.
FLAT = 2.0
#: What a list without an index of its own may take: it looks through, or sorts, so many runs at most.
FEW, LOOKED_THROUGH, WIDEST, BOUND = 200, (4, 20), 400, 12_000
STEPS_A_CALL = 10
STAMP = "2026-01-01 00:00:00.000000"
BY_FILTER = {
    "everything": RunFilters(),
    "project": RunFilters(project="project 3"),
    "project_id": RunFilters(project_id="p3"),
    "task type": RunFilters(task_type="task 3"),
    "status": RunFilters(status="error"),
    "shown": RunFilters(include_archived=False),
    "project, status": RunFilters(project="project 3", status="error"),
    "project, task type": RunFilters(project="project 3", task_type="task 3"),
    "task type, status": RunFilters(task_type="task 3", status="error"),
}
#: What does grow, and why it may. Everything else must not.
GROWS = {
    "page in the middle": "an index is walked up to the page, without reading what it passes",
    "page in the middle of a status": "the same",
    "page in the middle by score": "the same",
    "project_id, project asc": "the runs that pass lie together, anywhere in this order: they are collected first",
    "project_id, project desc": "the same",
    "shown, project desc": "the runs that are hidden are the first of this order: they are walked past",
}


def fill(path: Path, runs: int) -> None:
    """So many runs with all columns mixed, ten projects, a prompt with versions; one row in twenty is a prompt."""
    chance = random.Random(11)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.executemany(
            "INSERT INTO projects (id, name, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            [(f"p{n}", f"project {n}", "archived" if n == 9 else "active", STAMP, STAMP) for n in range(10)],
        )
        raw.executemany(
            "INSERT INTO prompts (id, content, version, project_id, order_index, created_at, updated_at) "
            "VALUES (?, ?, 6, ?, ?, ?, ?)",
            # Project 0 has five prompts and twenty runs in a file of any size.
            [(f"t{n}", f"prompt {n}", f"p{1 + n % 9 if n >= 5 else 0}", n, STAMP, STAMP) for n in range(runs // 20)],
        )
        raw.executemany(
            "INSERT INTO prompt_versions (id, prompt_id, version, content, created_at) VALUES (?, 't1', ?, 'v', ?)",
            [(f"v{n}", n, STAMP) for n in range(1, 6)],
        )
        raw.executemany(
            "INSERT INTO optimizations (id, raw_prompt, created_at, status, project, task_type, complexity, "
            "overall_score, duration_ms, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    f"r{n}",
                    # All have the parts of "commons".
                    f"common{' rare' if n < 20 else ''} {'commons' if 100 <= n < 110 else 'onset'}",
                    f"2026-01-{1 + n * 27 // runs:02} {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.000000",
                    chance.choice(["completed", "completed", "completed", "error"]),
                    "project 0" if n < 20 else f"project {1 + chance.randrange(9)}",
                    f"task {chance.randrange(5)}",
                    chance.choice(["simple", "complex", None]),
                    chance.choice([None, chance.random()]),
                    chance.choice([None, chance.randrange(9999)]),
                    chance.choice([None, f"title {chance.randrange(runs)}"]),
                )
                for n in range(runs)
            ],
        )


def reads(using: str, size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every read of the contract, by a name."""
    runs, projects = OptimizationRepository(using), ProjectRepository(using)
    for name, filters in BY_FILTER.items():
        for sort in INDEXED_SORTS:
            for order in ("desc", "asc"):
                by: dict[str, Any] = {"filters": filters, "sort": sort, "order": order}
                yield f"{name}, {sort} {order}", partial(runs.list_runs, **by)
                with read_session(using):
                    cursor = runs.list_runs(**by, limit=100, offset=size // 100).next_cursor
                if cursor:
                    yield f"{name}, {sort} {order}, cursor", partial(runs.list_runs_after, cursor, **by)
    yield "page in the middle", lambda: runs.list_runs(offset=size // 2)
    yield "page in the middle of a status", lambda: runs.list_runs(filters=BY_FILTER["status"], offset=size // 10)
    yield "page in the middle by score", lambda: runs.list_runs(sort="overall_score", offset=size // 2)
    yield "run", lambda: runs.get_run("r7")
    for project_sort in ("created_at", "updated_at", "name"):
        yield f"projects by {project_sort}", partial(projects.list_projects, sort=project_sort)
    yield "projects with a text", lambda: projects.list_projects(search="ject 3")
    yield "projects with a status", lambda: projects.list_projects(status="active")
    yield "project", lambda: projects.get_project(project_id="p0")
    yield "versions", lambda: projects.list_versions(prompt_id="t1")
    yield "runs of a prompt", lambda: projects.list_runs(prompt_id="t1")
    yield "ranked rare word", lambda: runs.search("rare", kinds=["run"])
    for name, search in (("common", "common"), ("deceptive", "commons")):
        text = RunFilters(search=search)
        for sort in ("created_at", "overall_score"):
            yield f"{name} text by {sort}", partial(runs.list_runs, filters=text, sort=sort)
            yield f"{name} text by {sort}, cursor", partial(runs.list_runs_after, "", filters=text, sort=sort)
            yield f"{name} text by {sort}, for people", partial(runs.browse_runs, filters=text, sort=sort)
        yield f"{name} text, everywhere", partial(runs.browse_runs, filters=text, everywhere=True)
    yield "export, first runs", lambda: list(islice(exported_rows(runs.runs, using).iterator(chunk_size=100), 100))


def steps_of(connection: BaseDatabaseWrapper, deed: Callable[[], Any]) -> int:
    """The steps of a second look, with what the first one may remember while nobody writes."""
    calls = 0

    def count() -> int:
        nonlocal calls
        calls += 1
        return 0

    with read_session(connection.alias):
        deed()
    with read_session(connection.alias):
        connection.connection.set_progress_handler(count, STEPS_A_CALL)
        try:
            deed()
        finally:
            connection.connection.set_progress_handler(None, 0)
    return calls * STEPS_A_CALL


@pytest.fixture(scope="module")
def steps(new_file: bytes, open_file: OpenFile, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """Of each read, the steps in each of the files."""
    found: dict[str, list[int]] = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, bound in (("FEW", FEW), ("LOOKED_THROUGH", LOOKED_THROUGH), ("WIDEST", WIDEST)):
            patch.setattr(queries, name, bound)
        patch.setattr(queries, "READ_FOR_ONE", 10)
        patch.setattr(windows, "WINDOW", FEW)
        patch.setattr(candidate_filter, "FEW", FEW)
        patch.setattr(table, "BITS", 7)
        patch.setattr(building, "NEWEST", 128)
        for size in SIZES:
            queries._routes.cache_clear()
            path = tmp_path_factory.mktemp("growth") / "growing.db"
            path.write_bytes(new_file)
            fill(path, size)
            with open_file(path) as connection:
                index_everything(connection.alias)
                while building.build_rollups(connection.alias).left:
                    pass
                for name, deed in reads(connection.alias, size):
                    found.setdefault(name, []).append(steps_of(connection, deed))
    queries._routes.cache_clear()
    return found


def test_no_read_costs_more_because_there_are_more_rows(steps: dict[str, list[int]]) -> None:
    """Or it has a bound; what grows is known, and that it still does shows that this test would see another."""
    assert len(steps) > 150
    growing = {name: taken for name, taken in steps.items() if taken[-1] > max(FLAT * taken[0], BOUND)}
    assert "page in the middle by score" in growing
    assert set(growing) <= set(GROWS), growing
