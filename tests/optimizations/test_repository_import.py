"""Import and export of random runs, and prompts found or made for many runs at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from optimizations.columns import COUNTS, LISTS, SCORES
from optimizations.files.export import exported_lines
from optimizations.files.lines import read_lines, write_line
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.repository.bulk_get_or_create import BulkGetOrCreate
from projects.models import Project, Prompt
from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session, write_session

pytestmark = pytest.mark.django_db(transaction=True)

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=8)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
moments = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))
project_names = st.sampled_from(["P", " P ", "Q", "", "  "]) | texts
optional_columns: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        (
            "optimized_prompt", "task_type", "complexity", "framework_applied", "optimization_notes", "strategy",
            "strategy_reasoning", "verdict", "model_used", "error_message", "title", "version",
        ),
        st.none() | texts,
    ),
    **dict.fromkeys(LISTS, st.none() | st.lists(texts, max_size=2)),
    **dict.fromkeys(SCORES, st.none() | st.floats(0, 1)),
    **dict.fromkeys(COUNTS, st.none() | st.integers(0, 2**31 - 1)),
    "is_improvement": st.none() | st.booleans(),
    "codebase_context_snapshot": st.none() | st.dictionaries(texts, json_values, max_size=2),
    "project": st.none() | project_names,
    "status": st.sampled_from(["pending", "running", "completed", "error", "cancelled"]),
    "created_at": moments,
    "prompt_id": st.none() | st.sampled_from(["p1", "p2", "p3"]),
}  # fmt: skip
lines = st.fixed_dictionaries({"raw_prompt": texts}, optional=optional_columns)


def clear() -> None:
    Optimization.objects.all().delete()
    Project.objects.all().delete()


def import_text(text: bytes) -> tuple[int, int]:
    read, errors = read_lines(text)
    assert errors == []
    with write_session():
        done = OptimizationRepository().import_runs(read)
    return done.imported, done.unchanged


def export_text() -> bytes:
    return b"".join(exported_lines(RunFilters()))


@given(st.lists(lines, max_size=5))
def test_what_is_exported_can_be_imported_and_is_the_same(rows: list[dict[str, Any]]) -> None:
    clear()
    place = {"p1": "P", "p2": "P", "p3": "Q"}
    numbered = [
        {"id": f"run {number}", **row, "prompt_project": place.get(row.get("prompt_id") or "")}
        for number, row in enumerate(rows)
    ]
    text = b"".join(write_line(row) for row in numbered)
    assert import_text(text) == (len(rows), 0)
    repository = OptimizationRepository()
    with read_session():
        stored = [repository.get_run(row["id"]) for row in numbered]
    for row, run in zip(numbered, stored, strict=True):
        named = {name: value for name, value in row.items() if name != "prompt_project"}
        assert {name: run[name] for name in named} == named
    assert import_text(text) == (0, len(rows))

    exported = export_text()
    assert import_text(exported) == (0, len(rows))
    clear()
    assert import_text(exported) == (len(rows), 0)
    assert sorted(export_text().splitlines()) == sorted(exported.splitlines())
    assert import_text(exported) == (0, len(rows))


blank_texts = st.lists(st.sampled_from(["a", "b", " ", "  ", "\n", "\t", "\N{NO-BREAK SPACE}"]), max_size=4).map(
    "".join
)


@given(there=st.lists(blank_texts, max_size=4), wanted=st.lists(blank_texts, max_size=6))
def test_prompts_of_many_runs_are_those_that_one_run_after_the_other_gets(there: list[str], wanted: list[str]) -> None:
    clear()
    project = Project.objects.create(name="P")
    Prompt.objects.bulk_create(
        Prompt(id=f"{number}", content=text, project=project, order_index=number)
        for number, text in enumerate(there)
        if text.strip()
    )
    repository = ProjectRepository()

    def contents(ids: dict[str, str | None]) -> dict[str, str | None]:
        texts_by_id = dict(Prompt.objects.values_list("id", "content"))
        return {text: texts_by_id.get(key or "") for text, key in ids.items()}

    with write_session():
        expected = contents({text: repository.ensure_prompt_in_project(project.id, text) for text in wanted})
        prompts = list(Prompt.objects.order_by("order_index").values_list("content", flat=True))
        transaction.set_rollback(True)
    with write_session():
        linking = BulkGetOrCreate("default")
        project_info = linking.ensure_projects(["P"])["P"]
        found = linking.ensure_prompts({project_info: wanted})[project_info]
    assert contents({text: found.get(text) for text in wanted}) == expected
    assert list(Prompt.objects.order_by("order_index").values_list("content", flat=True)) == prompts


def test_projects_of_many_runs_are_found_made_and_brought_back() -> None:
    Project.objects.create(id="active", name="A")
    Project.objects.create(id="archived", name="B", status="archived")
    Project.objects.create(id="deleted", name="C", status="deleted")
    with write_session():
        found = BulkGetOrCreate("default").ensure_projects(["D", "C", "B", "A", "D"])
    assert {name: project.status for name, project in found.items()} == {
        "A": "active", "B": "archived", "C": "active", "D": "active",
    }  # fmt: skip
    assert [found[name].id for name in "ABC"] == ["active", "archived", "deleted"]
    assert Project.objects.get(name="C").status == "active"
    assert Project.objects.count() == 4
