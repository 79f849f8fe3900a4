"""Lines that name their project, and their prompt by its text, as people write it in a table: with ids instead."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from projects.models import ProjectStatus
from projects.repository.matching import find_prompt
from projects.repository.rows import Rows
from promptadmin.exchange.lines import Line, LineError

Values = dict[str, Any]


class _Unknown(Exception):
    """A name that means no row: the column, and what to do."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def named_projects(rows: Rows, lines: Sequence[Line], errors: list[LineError]) -> list[Line]:
    """The lines with `project_id` and without `project`; those that name a project that isn't there are left out.

    A name means the project that it means everywhere, but for a deleted one.
    """
    find = _project_finder(rows)
    return _resolved(lines, errors, ("project",), "project_id", lambda values: find(_text(values, "project")))


def named_prompts(rows: Rows, lines: Sequence[Line], errors: list[LineError]) -> list[Line]:
    """The lines with `prompt_id` and without `project` and `prompt`, in the same way."""
    find_project = _project_finder(rows)

    @functools.cache
    def find(project: str, text: str) -> str:
        key = find_project(project)
        found = find_prompt(rows.using, key, text) if key else None
        if found is None:
            raise _Unknown("prompt", f"The project {project} has no prompt with this text: import the prompts first")
        return found

    def prompt_of(values: Values) -> str | None:
        project, text = _text(values, "project"), values.get("prompt") or ""
        if bool(project) != bool(text):
            missing = "prompt" if project else "project"
            raise _Unknown(missing, "project and prompt name a prompt together: fill in both, or neither")
        return find(project, text) if project else None

    return _resolved(lines, errors, ("project", "prompt"), "prompt_id", prompt_of)


def _project_finder(rows: Rows) -> Callable[[str], str | None]:
    @functools.cache
    def find(name: str) -> str | None:
        if not name:
            return None
        row = rows.projects_named(name).first()
        if row is None or row.status == ProjectStatus.DELETED:
            raise _Unknown("project", f"There is no project named {name}: make it or import the projects first")
        return str(row.id)

    return find


def _text(values: Values, column: str) -> str:
    return (values.get(column) or "").strip()


def _resolved(
    lines: Sequence[Line],
    errors: list[LineError],
    names: tuple[str, ...],
    column: str,
    find: Callable[[Values], str | None],
) -> list[Line]:
    found = []
    for line in lines:
        values = {name: value for name, value in line.values.items() if name not in names}
        try:
            key = find(line.values)
            if key is not None and values.get(column) not in (None, key):
                raise _Unknown(
                    names[-1], f"{column} is another one than {' and '.join(names)} says: give one of the two"
                )
        except _Unknown as error:
            errors.append(LineError("value_error", str(error), line.number, error.column, values["id"]))
            continue
        found.append(replace(line, values=values if key is None else {**values, column: key}))
    return found
