"""The statistics of random runs, held against the plain statement of what they mean."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import event, given
from hypothesis import strategies as st

from optimizations.api.stats_schemas import StatisticsOut
from optimizations.stats import statistics
from promptadmin.db.sessions import read_session
from tests.optimizations.plain_statistics import plain_statistics
from tests.optimizations.stats_rows import LONG_AGO, NOW, store

SQLITE = connection.vendor == "sqlite"
BOUNDS = [NOW.replace(hour=0, minute=0), NOW - dt.timedelta(days=7), NOW - dt.timedelta(days=30)]
STEPS = [dt.timedelta(microseconds=step) for step in (-1, 0, 1)]

names = st.sampled_from(
    [None, "co-star", "risen", "few-shot", "few-shot-scaffolding", "role-based", "persona-assignment", "Role-Based", ""]
)
scores: st.SearchStrategy[Any] = st.sampled_from([None, 0.0, 1.0, 0.5, 0.85, 0.12345]) | st.integers(0, 10_000).map(
    lambda number: number / 10_000
)
odd_numbers: st.SearchStrategy[Any] = st.sampled_from([7.5, -0.3, 1e300, math.inf, -math.inf, math.nan])
whole_numbers: st.SearchStrategy[Any] = st.none() | st.integers(0, 50) | st.sampled_from([2**31, -(2**40)])
flags: st.SearchStrategy[Any] = st.sampled_from([None, True, False])
if SQLITE:
    no_numbers: st.SearchStrategy[Any] = st.sampled_from(["", "n/a", "0.5 or so", b"1"])
    odd_numbers |= no_numbers
    whole_numbers |= no_numbers
    flags |= no_numbers | st.just(2)
numbers = st.one_of(scores, scores, scores, odd_numbers)

items = st.sampled_from(
    ["co-star", "few-shot", "role-based", "persona-assignment", "draft", "é", "😀", "", "\\", '"', "\x7f"]
) | st.sampled_from([None, True, 0, 1.5, [], ["draft"], {}, {"draft": "draft"}])
values = st.lists(items, max_size=4) | st.none() | st.integers() | st.text(max_size=3) | st.just({"draft": ["draft"]})
lists = st.one_of(
    st.none(),
    st.builds(json.dumps, values, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 2])).filter(
        lambda text: "\\u0000" not in text and "\\ud" not in text.replace("\\ud83d\\ude00", "")
    ),
    st.builds(json.dumps, st.lists(st.sampled_from(["co-star", "few-shot", *"abcdef"]), max_size=8)),
    st.sampled_from(["", "[", "[]", "[1,]", '["draft"', "draft", "NaN", "[NaN]", "[-Infinity]", '["\\u0000"]', "[01]"]),
)
if SQLITE:
    lists |= st.sampled_from(['["draft"]\x00', "\x00", b'["draft"]'])

runs = st.fixed_dictionaries(
    {
        "created_at": st.builds(lambda bound, step: bound + step, st.sampled_from(BOUNDS), st.sampled_from(STEPS))
        | st.just(LONG_AGO),
        "status": st.sampled_from(["completed"] * 8 + ["error", "running", "pending", "cancelled"]),
        "project": st.sampled_from([None, "", "p", "q"]),
        "strategy": names,
        "framework_applied": names,
        "task_type": st.sampled_from([None, "coding", "writing", "Coding", ""]),
        "complexity": st.sampled_from([None, "simple", "complex"]),
        "overall_score": numbers,
        "clarity_score": numbers,
        "specificity_score": scores,
        "structure_score": scores,
        "faithfulness_score": scores,
        "strategy_confidence": numbers,
        "is_improvement": flags,
        "input_tokens": whole_numbers,
        "output_tokens": whole_numbers,
        "duration_ms": whole_numbers,
        "model_used": st.sampled_from([None, "model-a", "model-b", ""]),
        "secondary_frameworks": lists,
        "tags": lists,
    }
)


def differences(got: Any, plain: Any, path: str = "") -> Iterator[str]:
    """Where an answer is not the plain statement's, correctly rounded; on a half, either side is right."""
    if isinstance(got, dict) and isinstance(plain, dict):
        for key in got.keys() | plain.keys():
            if key in got and key in plain:
                yield from differences(got[key], plain[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is only in the {'answer' if key in got else 'plain statement'}"
    elif isinstance(plain, float) and isinstance(got, float | int):
        if got != round(got, 4) or not math.isclose(got, plain, rel_tol=0, abs_tol=0.5e-4 + 1e-8):
            yield f"{path} is {got}, not {plain}"
    elif got != plain or type(got) is not type(plain):
        yield f"{path} is {got!r}, not {plain!r}"


@pytest.mark.django_db
@pytest.mark.timeout(600)  # hypothesis takes up to five minutes to make a failing example small
@given(
    rows=st.lists(runs, max_size=20),
    statuses=st.lists(st.sampled_from(["active", "archived", "deleted"]), max_size=4),
    project=st.sampled_from([None, None, None, None, "", "p", "p", "Q"]),
)
def test_equals_the_plain_statement(rows: list[dict[str, Any]], statuses: list[str], project: str | None) -> None:
    store(rows, statuses)
    with read_session():
        answer = statistics(project, now=NOW)
    plain = plain_statistics(rows, statuses, project, NOW)
    event(f"runs that count: {min(plain['total_optimizations'], 3)}")
    assert list(differences(answer, plain)) == []
    assert StatisticsOut.model_validate(answer).model_dump() == answer
