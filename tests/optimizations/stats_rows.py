"""Runs and projects for the tests of the statistics: quickly stored, whatever the engine's columns take."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from promptadmin.db.fields import stored_moment

NOW = dt.datetime(2026, 3, 20, 15, 30, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
COLUMNS = (
    "created_at",
    "status",
    "project",
    "strategy",
    "framework_applied",
    "task_type",
    "complexity",
    "overall_score",
    "clarity_score",
    "specificity_score",
    "structure_score",
    "faithfulness_score",
    "strategy_confidence",
    "is_improvement",
    "input_tokens",
    "output_tokens",
    "duration_ms",
    "model_used",
    "secondary_frameworks",
    "tags",
)
EMPTY: Mapping[str, Any] = {**dict.fromkeys(COLUMNS), "created_at": LONG_AGO, "status": "completed"}

_numbers = itertools.count(1)


def make_run(**values: Any) -> dict[str, Any]:
    """A completed run of long ago, with nothing but what is given."""
    assert values.keys() <= EMPTY.keys()
    return {**EMPTY, **values}


def store(runs: Iterable[Mapping[str, Any]], project_statuses: Iterable[str] = ()) -> None:
    """Make these the only runs and projects. A `created_at` that is a text is stored as it is."""
    columns = ("id", "raw_prompt", *COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM optimizations")
        cursor.execute("DELETE FROM projects")
        cursor.executemany(
            f"INSERT INTO optimizations ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
            [(f"run-{next(_numbers)}", "text", *map(_stored, map(run.__getitem__, COLUMNS))) for run in runs],
        )
        cursor.executemany(
            "INSERT INTO projects (id, name, status, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)",
            [
                (f"project-{number}", f"name-{number}", status, _stored(LONG_AGO), _stored(LONG_AGO))
                for number, status in enumerate(project_statuses)
            ],
        )


def _stored(value: Any) -> Any:
    return stored_moment(value, connection) if isinstance(value, dt.datetime) else value
