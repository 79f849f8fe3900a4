"""Rows for tests, as plain functions: each takes what the test is about and fills in the rest."""

from __future__ import annotations

import itertools
from typing import Any

from django.db import connection

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion

_numbers = itertools.count(1)


#: What the form of a project sends where nobody is added to its members.
NO_MEMBERS = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}


def make_project(**values: Any) -> Project:
    return Project.objects.create(**{"name": f"project {next(_numbers)}", **values})


def make_prompt(project: Project, content: str = "", **values: Any) -> Prompt:
    number = next(_numbers)
    return Prompt.objects.create(
        **{"project_id": project.id, "content": content or f"prompt {number}", "order_index": number, **values}
    )


def make_version(prompt: Prompt, version: int, content: str = "earlier", **values: Any) -> PromptVersion:
    return PromptVersion.objects.create(**{"prompt_id": prompt.id, "version": version, "content": content, **values})


def make_run(prompt: Prompt | None = None, **values: Any) -> Optimization:
    return Optimization.objects.create(
        **{"prompt_id": prompt and prompt.id, "raw_prompt": "text", "status": "completed", **values}
    )


def stored(table: str, column: str, key: str) -> Any:
    """What a column holds, as the file has it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CAST({column} AS TEXT) FROM {table} WHERE id = %s", [key])
        return cursor.fetchone()[0]


def store(table: str, column: str, key: str, value: Any) -> None:
    """Put a value into a column, as another program might."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, key])
