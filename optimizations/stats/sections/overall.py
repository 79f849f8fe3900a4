"""The sections about all runs together: each a function from a scope to what the answer has under its name.

Means and shares have four digits, and are None of nothing. Each mean is over the runs that have the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from optimizations.models import RunStatus
from optimizations.stats.query import StatsQuery
from optimizations.stats.rounding import four, share
from projects.models import Project, ProjectStatus


def total_optimizations(scope: StatsQuery) -> int:
    """Completed runs."""
    return scope.total.runs


def average(measure: str) -> Callable[[StatsQuery], Any]:
    """The section that has the mean of a measure over all completed runs."""
    return lambda scope: four(scope.total.mean(measure))


average_overall_score = average("overall_score")
average_clarity_score = average("clarity_score")
average_specificity_score = average("specificity_score")
average_structure_score = average("structure_score")
average_faithfulness_score = average("faithfulness_score")


def improvement_rate(scope: StatsQuery) -> float | None:
    """The share of improvements among the validated runs."""
    return share(scope.total.improved, scope.total.validated)


def total_projects(scope: StatsQuery) -> int:
    """Active projects, or 1 for a single project; 0 where there are no runs."""
    if not scope.total.runs:
        return 0
    return 1 if scope.project else Project.objects.filter(status=ProjectStatus.ACTIVE).count()


def most_common_task_type(scope: StatsQuery) -> str | None:
    """The task type with most runs; of equals the first by name."""
    types = scope.by("task_type")
    return max(types, key=lambda name: types[name].runs, default=None)


def optimizations_today(scope: StatsQuery) -> int:
    """Completed runs since midnight in UTC."""
    return scope.recent["today"].count


def trend(period: Literal["7d", "30d"]) -> Callable[[StatsQuery], Any]:
    """The section that has the completed runs of the last days and their mean score."""

    def section(scope: StatsQuery) -> dict[str, Any]:
        recent = scope.recent[period]
        return {"count": recent.count, "avg_score": four(recent.score / recent.scored) if recent.scored else None}

    return section


trend_7d = trend("7d")
trend_30d = trend("30d")


def error_rate(scope: StatsQuery) -> float | None:
    """The share of failed runs among the runs of every status."""
    failed = sum(runs for (_, status), runs in scope.statuses.items() if status == RunStatus.ERROR)
    return share(failed, sum(scope.statuses.values()))


def failed_without_strategy(scope: StatsQuery) -> int:
    """Runs that failed before a strategy was chosen, which `error_rates` leaves out."""
    return scope.statuses.get((None, RunStatus.ERROR), 0)


def tokens(scope: StatsQuery) -> dict[str, int]:
    """Input and output tokens of all completed runs together."""
    return {measure: round(scope.total.sums[measure]) for measure in ("input_tokens", "output_tokens")}
