"""The sections about all runs together: each a function from a StatsQuery to what the answer has under its name.

Means and shares have four digits, and are None of nothing. Each mean is over the runs that have the value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from optimizations.models import RunStatus
from optimizations.stats.query import StatsQuery
from optimizations.stats.rounding import four, share
from projects.models import Project, ProjectStatus


def total_optimizations(query: StatsQuery) -> int:
    """Completed runs."""
    return query.total.runs


def average(measure: str) -> Callable[[StatsQuery], Any]:
    """The section that has the mean of a measure over all completed runs."""
    return lambda query: four(query.total.mean(measure))


average_overall_score = average("overall_score")
average_clarity_score = average("clarity_score")
average_specificity_score = average("specificity_score")
average_structure_score = average("structure_score")
average_faithfulness_score = average("faithfulness_score")


def improvement_rate(query: StatsQuery) -> float | None:
    """The share of improvements among the validated runs."""
    return share(query.total.improved, query.total.validated)


def total_projects(query: StatsQuery) -> int:
    """Active projects, or 1 for a single project; 0 where there are no runs."""
    if not query.total.runs:
        return 0
    return 1 if query.project else Project.objects.filter(status=ProjectStatus.ACTIVE).count()


def most_common_task_type(query: StatsQuery) -> str | None:
    """The task type with most runs; of equals the first by name."""
    types = query.by("task_type")
    return max(types, key=lambda name: types[name].runs, default=None)


def optimizations_today(query: StatsQuery) -> int:
    """Completed runs since midnight in UTC."""
    return query.recent["today"].count


def trend(period: Literal["7d", "30d"]) -> Callable[[StatsQuery], Any]:
    """The section that has the completed runs of the last days and their mean score."""

    def section(query: StatsQuery) -> dict[str, Any]:
        recent = query.recent[period]
        return {"count": recent.count, "avg_score": four(recent.score / recent.scored) if recent.scored else None}

    return section


trend_7d = trend("7d")
trend_30d = trend("30d")


def error_rate(query: StatsQuery) -> float | None:
    """The share of failed runs among the runs of every status."""
    failed = sum(runs for (_, status), runs in query.statuses.items() if status == RunStatus.ERROR)
    return share(failed, sum(query.statuses.values()))


def failed_without_strategy(query: StatsQuery) -> int:
    """Runs that failed before a strategy was chosen, which `error_rates` leaves out."""
    return query.statuses.get((None, RunStatus.ERROR), 0)


def tokens(query: StatsQuery) -> dict[str, int]:
    """Input and output tokens of all completed runs together."""
    return {measure: round(query.total.sums[measure]) for measure in ("input_tokens", "output_tokens")}
