"""The demo in a database that is in use: projects of its own, which go again as they came."""

from __future__ import annotations

import json
import random
from typing import Any

from optimizations.repository import OptimizationRepository
from optimizations.tools.demo import COLUMNS, JSON_COLUMNS, PROMPTS, SEED, made_runs
from projects.models import ProjectStatus
from projects.repository import ProjectRepository
from promptadmin.db.legacy_values import parse_moment

#: What a project of the demo is known by, with its name: somebody may have a project of such a name.
DESCRIPTION = "A part of the demo, which can be taken away on the dashboard."
NAMES = {name: f"Demo: {name}" for name in PROMPTS}
DEMO_PERMISSIONS = ("projects.add_project", "projects.delete_project", "optimizations.add_optimization")


def demo_projects() -> list[str]:
    """The ids of the demo's projects, where it is loaded."""
    rows = ProjectRepository().projects.filter(name__in=NAMES.values(), description=DESCRIPTION)
    return list(rows.exclude(status=ProjectStatus.DELETED).order_by("name").values_list("id", flat=True))


def load_demo() -> int:
    """Make the projects and their runs, in the caller's session; answers how many runs.

    Raises Conflict where somebody has a project of such a name.
    """
    projects, runs = ProjectRepository(), OptimizationRepository()
    for name in NAMES.values():
        projects.create_project(name=name, description=DESCRIPTION)
    made = [dict(zip(COLUMNS, row, strict=True)) for row in made_runs(random.Random(SEED))]  # noqa: S311
    finished = [values for values in made if values["project"] in NAMES and values["status"] != "running"]
    for values in finished:
        runs.record_run(_recorded(values))
    return len(finished)


def _recorded(values: dict[str, Any]) -> dict[str, Any]:
    """A row of the demo's file as the repository takes it, under an id of its own."""
    lists = {name: values[name] and json.loads(values[name]) for name in JSON_COLUMNS}
    own = {"id": None, "project": NAMES[values["project"]], "created_at": parse_moment(values["created_at"])}
    return values | lists | own


def take_demo_away() -> int:
    """Delete the projects of the demo, as any others; answers how many runs went. They can be restored."""
    return sum(ProjectRepository().delete_project(project_id=key, force=True) for key in demo_projects())
