"""Lists of random runs, held against a plain statement of what filters, sorts and pages mean."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import pytest
from django.db import connection
from hypothesis import event, given
from hypothesis import strategies as st

from optimizations.lists.paging import SORTS
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, RunFilters
from projects.models import Project, Prompt
from promptadmin.db.sessions import read_session

pytestmark = pytest.mark.django_db(transaction=True)

SQLITE = connection.vendor == "sqlite"
START = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)
LETTERS = "aAß_%\\\"'ſKüÜıİσς日😀 "
PROJECTS = {"A": "active", "B": "archived", "C": "deleted", "a ": "active"}
#: Prompt id → its project's name.
PROMPTS = {"p1": "A", "p2": "B", "p3": "a "}

texts = st.none() | st.text(LETTERS, max_size=4)
names = st.sampled_from([None, "", "A", "B", "C", "a ", "nobody's"])
runs = st.fixed_dictionaries(
    {
        "created_at": st.integers(0, 5).map(lambda minutes: START + dt.timedelta(minutes=minutes)),
        "raw_prompt": st.text(LETTERS, max_size=4),
        "optimized_prompt": texts,
        "title": texts,
        "task_type": st.sampled_from([None, "coding", "Coding", ""]),
        "complexity": texts,
        "status": st.sampled_from(["completed", "error", "running"]),
        "overall_score": st.none() | st.sampled_from([0.0, 0.25, 1.0, 7.5, -1.0, 1e300]),
        "duration_ms": st.none() | st.integers(0, 3),
        "project": names,
        "prompt_id": st.none() | st.sampled_from(sorted(PROMPTS)),
        "tags": st.none()
        | st.sampled_from(["[]", "null", "{not json", '["a\\\\u00fc"]'])
        | st.builds(json.dumps, st.lists(st.text(LETTERS, max_size=3), max_size=2), ensure_ascii=st.booleans()),
    }
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "search": st.text(LETTERS, min_size=1, max_size=2),
        "project": names,
        "project_id": st.sampled_from(["id of A", "id of B", "id of C", "id of a ", "nope", ""]),
        "task_type": st.sampled_from(["coding", "Coding", "nope", ""]),
        "status": st.sampled_from(["completed", "nope"]),
        "min_score": st.sampled_from([0.0, 0.25, 0.3]),
        "include_archived": st.booleans(),
    },
)


def fold(text: str) -> str:
    return text.lower().upper()


def owner(run: dict[str, Any]) -> str | None:
    """The name of the project that a run belongs to."""
    if run["prompt_id"] is not None:
        return PROMPTS[run["prompt_id"]]
    return run["project"] if run["project"] in PROJECTS else None


def tag_texts(stored: str | None) -> list[str]:
    try:
        value = json.loads(stored or "")
    except ValueError:
        return []
    return value if isinstance(value, list) else []


def passes(run: dict[str, Any], wanted: dict[str, Any]) -> bool:
    for name in ("project", "task_type", "status"):
        if wanted.get(name) and run[name] != wanted[name]:
            return False
    if wanted.get("project_id") and f"id of {owner(run)}" != wanted["project_id"]:
        return False
    if "min_score" in wanted and (run["overall_score"] is None or run["overall_score"] < wanted["min_score"]):
        return False
    if not wanted.get("include_archived", True) and PROJECTS.get(owner(run) or "") in ("archived", "deleted"):
        return False
    if "search" in wanted:
        columns = ("raw_prompt", "optimized_prompt", "title", "tags", "project")
        places = [run[name] or "" for name in columns] + tag_texts(run["tags"])
        return any(fold(wanted["search"]) in fold(text) for text in places)
    return True


def in_order(found: list[dict[str, Any]], sort: str, order: str) -> list[str]:
    def place(run: dict[str, Any]) -> tuple[Any, ...]:
        value = run[sort]
        return value is not None, 0 if value is None else value, run["number"] if SQLITE else run["id"]

    return [run["id"] for run in sorted(found, key=place, reverse=order == "desc")]


def store(rows: list[dict[str, Any]]) -> None:
    Optimization.objects.all().delete()
    Project.objects.all().delete()
    Project.objects.bulk_create(Project(id=f"id of {name}", name=name, status=s) for name, s in PROJECTS.items())
    Prompt.objects.bulk_create(Prompt(id=key, content="x", project_id=f"id of {name}") for key, name in PROMPTS.items())
    Optimization.objects.bulk_create(
        Optimization(**{name: value for name, value in row.items() if name != "number"}) for row in rows
    )


@given(
    rows=st.lists(runs, max_size=12),
    wanted=filters,
    sort=st.sampled_from(SORTS),
    order=st.sampled_from(["asc", "desc"]),
    size=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_lists_hold_what_the_contract_says(
    rows: list[dict[str, Any]], wanted: dict[str, Any], sort: str, order: str, size: int, seed: int
) -> None:
    keys = [f"{number:02}" for number in range(len(rows))]
    random.Random(seed).shuffle(keys)
    numbered = [{**row, "id": key, "number": number} for number, (row, key) in enumerate(zip(rows, keys, strict=True))]
    store(numbered)
    expected = in_order([run for run in numbered if passes(run, wanted)], sort, order)
    event(f"finds {'none' if not expected else 'all' if len(expected) == len(rows) else 'some'}")
    repository = OptimizationRepository()
    asked: dict[str, Any] = {"filters": RunFilters(**wanted), "sort": sort, "order": order, "limit": size}

    by_number: list[str] = []
    with read_session():
        for offset in range(0, len(expected) + 1, size):
            page = repository.list_runs(offset=offset, **asked)
            assert page.total == len(expected)
            assert (page.next_cursor is not None) == (offset + size < len(expected))
            by_number += [item["id"] for item in page.items]
            if page.next_cursor:
                after = repository.list_runs_after(page.next_cursor, **asked)
                assert [item["id"] for item in after.items] == expected[offset + size : offset + 2 * size]
    assert by_number == expected

    by_cursor: list[str] = []
    cursor: str | None = ""
    with read_session():
        while cursor is not None:
            page = repository.list_runs_after(cursor, **asked)
            by_cursor += [item["id"] for item in page.items]
            cursor = page.next_cursor
    assert by_cursor == expected

    for item in page.items:
        run = numbered[keys.index(item["id"])]
        assert item["project_id"] == (f"id of {owner(run)}" if owner(run) else None)
        assert item["project_status"] == PROJECTS.get(owner(run) or "")
