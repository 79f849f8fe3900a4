"""What has happened to runs, as plugins are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptadmin.plugins.events import send

EVENTS = {
    "optimization_created": "a run was recorded, finished or not",
    "optimization_finished": "a run was completed, failed or was cancelled, now or when it was recorded",
    "optimization_updated": "a run, or its title, tags or project, was changed",
    "optimization_deleted": "a run was deleted",
    "optimizations_imported": "runs were imported, which are not told one by one",
    "optimizations_cleared": "every run was deleted",
}
TOLD = ("status", "project", "prompt_id", "strategy", "overall_score")


def run_changed(event: str, run: Mapping[str, Any], using: str) -> None:
    """Tell what became of a run. Events of runs of one prompt are told in the prompt's order."""
    told = {name: run[name] for name in TOLD if name in run}
    send(event, subject=run.get("prompt_id") or run["id"], using=using, optimization_id=run["id"], **told)


def runs_changed(event: str, count: int, using: str) -> None:
    """Tell what became of many runs at once."""
    send(event, subject="", using=using, count=count)
