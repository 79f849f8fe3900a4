"""After `move_to`, the API answers from PostgreSQL what it answers from the file: every row of a sample.

That is the one with the most damage, and all of them where PROMPTADMIN_ALL_SAMPLES is set, as `make proof` does. Lists
and the export have every row; there each is asked for alone too, here every tenth, and each list in one direction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.requests_to import JsonClient
from tests.conftest import Command
from tests.support.processes import Scratch
from tests.support.rounds import ROWS_APART, SAMPLES, WHOLE
from tests.support.servers import Site, serving
from tests.support.services import needs_legacy_files, needs_postgresql, postgresql_database

TOKEN = "compared"
PER_PAGE = 100
LEAST = 2000  # answers that a sample has
SORTS = ("created_at", "overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project")


def get(site: JsonClient, path: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    answer = site.send("GET", path)
    return answer.status, answer.json


def items(site: JsonClient, path: str) -> list[Any]:
    """All items of a list that is paged by number or, where it says `next_cursor`, by cursor."""
    found: list[Any] = []
    page, cursor = 1, None
    while True:
        place = f"cursor={cursor}" if cursor else f"page={page}"
        status, answer = get(site, f"{path}{'&' if '?' in path else '?'}per_page={PER_PAGE}&{place}")
        assert status == 200, answer
        found += answer["items"]
        cursor, page = answer.get("next_cursor"), page + 1
        if not cursor and (not answer["items"] or len(found) >= (answer["total"] or 0)):
            return found


def answers(site: JsonClient) -> Iterator[tuple[str, Any]]:
    """All that can be read of projects, prompts, versions and runs, each by a name; lists as they are ordered."""
    runs = items(site, "/api/history")
    exported = [json.loads(line) for line in site.send("GET", "/api/optimizations/export").content.splitlines()]
    whole_runs = {run["id"]: run for run in exported}
    yield "the order of the export", grouped(exported, "created_at")
    for run in runs:
        yield f"run {run['id']} in the list", run
        yield f"run {run['id']} in the export", whole_runs[run["id"]]
    for run in sorted(runs, key=lambda run: str(run["id"]))[::ROWS_APART]:
        path = f"/api/optimize/{quote(run['id'], safe='')}"
        yield path, get(site, path)
    yield "the order of runs", grouped(runs, "created_at")
    for number, sort in enumerate(SORTS):
        for order in ("asc", "desc") if WHOLE else (("asc", "desc")[number % 2],):
            chosen = items(site, f"/api/history?sort={sort}&order={order}")
            yield f"runs by {sort} {order}", grouped([whole_runs[run["id"]] for run in chosen], sort)
    for column in ("project", "status", "task_type"):
        for value in sorted({run[column] for run in runs if run[column]}):
            chosen = items(site, f"/api/history?{column}={quote(value)}")
            yield f"runs with {column} {value}", grouped(chosen, "created_at")
    yield "runs that aren't hidden", grouped(items(site, "/api/history?include_archived=false"), "created_at")
    for name in ("", *sorted({run["project"] for run in runs if run["project"]})):
        path = f"/api/history/stats?project={quote(name)}"
        yield path, get(site, path)
    projects = items(site, "/api/projects") + items(site, "/api/projects?status=deleted")
    yield "projects", projects
    for project in projects:
        path = f"/api/projects/{quote(project['id'], safe='')}"
        status, whole = get(site, path)
        yield path, (status, whole)
        chosen = items(site, f"/api/history?project_id={quote(project['id'])}")
        yield f"runs of project {project['id']}", grouped(chosen, "created_at")
        for prompt in whole.get("prompts", ())[::ROWS_APART]:
            place = f"{path}/prompts/{quote(prompt['id'], safe='')}"
            yield f"{place}/forges", get(site, f"{place}/forges?limit=100")
            if prompt["version"] != 1:
                yield f"{place}/versions", get(site, f"{place}/versions?limit=100")


def all_answers(site: Site) -> dict[str, Any]:
    """All of these of a site."""
    with JsonClient(site.address, TOKEN) as client:
        return dict(answers(client))


def grouped(runs: list[Any], key: str) -> list[tuple[Any, list[str]]]:
    """The ids of runs in their order, those with equal keys sorted: of these, each engine has an order of its own."""
    found: list[tuple[Any, list[str]]] = []
    for run in runs:
        if not found or found[-1][0] != run.get(key):
            found.append((run.get(key), []))
        found[-1][1].append(run["id"])
    return [(value, sorted(ids)) for value, ids in found]


def in_order_of_id(answer: Any) -> Any:
    """What a list by time has, whatever its order; any other answer as it is."""
    match answer:
        case [(str() | None, [*_]), *_] if all(is_time(key) for key, _ in answer):
            return sorted((run_id, key) for key, ids in answer for run_id in ids)
        case (status, {"items": [{"created_at": _}, *_] as items}):
            return status, sorted(items, key=lambda item: str(item["id"]))
    return answer


def is_time(key: Any) -> bool:
    """Whether this is when something was made, as the API writes it."""
    return key is None or str(key).startswith("20")


def differences(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Where two answers differ, and how; a NUL, which PostgreSQL shows as ␀, is none."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in dict.fromkeys((*ours, *theirs)):
            yield from differences(ours.get(key), theirs.get(key), f"{place} {key}".strip())
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{place} {number}")
    elif (ours.replace("\0", "␀") if isinstance(ours, str) else ours) != theirs:
        yield f"{place}: {ours!r:.200} / {theirs!r:.200}"


@needs_postgresql
@needs_legacy_files
@pytest.mark.parametrize("name", SAMPLES)
def test_every_answer_is_the_same(
    tmp_path: Path, scratch: Scratch, command: Command, adopted_sample: Callable[[str], bytes], name: str
) -> None:
    """Damaged rows too; what differs is listed in docs/scaling.md."""
    scratch.database.write_bytes(adopted_sample(name))
    with postgresql_database() as url:
        moved = command("move_to", url)
        assert moved.returncode == 0, moved.stderr
        for place in ("file", "server"):
            (tmp_path / place).mkdir()
        with (
            serving(tmp_path / "file", f"sqlite:///{scratch.database}", "--no-upkeep", AUTH_TOKEN=TOKEN) as file,
            serving(tmp_path / "server", url, "--no-upkeep", AUTH_TOKEN=TOKEN) as server,
            ThreadPoolExecutor(2) as threads,
        ):
            ours, theirs = threads.map(all_answers, (file, server))
    assert len(ours) > LEAST
    if name == "dirty":  # in the file, times sort as the texts that they are, and these have several forms
        ours, theirs = ({key: in_order_of_id(answer) for key, answer in each.items()} for each in (ours, theirs))
    assert list(differences(ours, theirs)) == []
