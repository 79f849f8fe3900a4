"""Lines that name their project by its name, as people write it in a table: with the project's id instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from projects.models import Project, ProjectStatus
from projects.texts.forms import composed, spellings
from promptadmin.db.chunks import in_chunks
from promptadmin.exchange.lines import Line, LineError

KEYS_A_QUERY = 500


def named_projects(projects: QuerySet[Project], lines: Sequence[Line]) -> tuple[list[Line], list[LineError]]:
    """The lines with `project_id` and without `project`, and those that name a project that isn't there."""
    forms = {form for line in lines if (name := _name(line)) for form in spellings(name)}
    known: dict[str, str] = {}
    for chunk in in_chunks(sorted(forms), KEYS_A_QUERY):
        there = projects.filter(parent__isnull=True, name__in=chunk).exclude(status=ProjectStatus.DELETED)
        known.update((composed(name), key) for name, key in there.values_list("name", "id"))
    found: list[Line] = []
    errors: list[LineError] = []
    for line in lines:
        values: dict[str, Any] = {"project_id": None, **line.values}
        values.pop("project", None)
        if name := _name(line):
            key = known.get(composed(name))
            problem = _problem(name, key, values["project_id"])
            if problem:
                errors.append(LineError("value_error", problem, line.number, "project", values["id"]))
            values["project_id"] = key
        found.append(Line(line.number, values))
    return found, errors


def _name(line: Line) -> str:
    return (line.values.get("project") or "").strip()


def _problem(name: str, key: str | None, given: str | None) -> str:
    if key is None:
        return f"There is no project named {name}: make it or import the projects first"
    if given not in (None, key):
        return "project_id is another project than the one that project names: give one of the two"
    return ""
