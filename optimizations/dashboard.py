"""The panels of the start page that runs contribute; every number comes from the statistics' functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from optimizations.columns import Record
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.scores import GREATEST
from optimizations.stats import StatsQuery
from optimizations.stats.sections import by_strategy, overall
from projects.models import ProjectStatus
from projects.repository import ProjectRepository
from promptadmin.backoffice.dashboard import Dashboard

#: As many strategies and task types are shown as fit a page; files of long use have stray names by the hundred.
MOST_ROWS = 12
MOST_RUNS = 8
MOST_PROJECTS = 500
WINDOWS: tuple[tuple[Literal["today", "7d", "30d"], str, int, str], ...] = (
    ("today", "Runs today", 1, "by this time yesterday"),
    ("7d", "Runs in 7 days", 7, "in the week before"),
    ("30d", "Runs in 30 days", 30, "in the 30 days before"),
)


def project_names() -> list[str]:
    """The projects to choose from, by name."""
    rows = ProjectRepository().projects.exclude(status=ProjectStatus.DELETED)
    return list(rows.order_by("name").values_list("name", flat=True)[:MOST_PROJECTS])


def query_of(dashboard: Dashboard) -> StatsQuery:
    """The runs that the dashboard is about."""
    return StatsQuery(project=dashboard.choices["project"] or None, since=dashboard.since, now=dashboard.now)


def numbers(dashboard: Dashboard) -> dict[str, Any]:
    """How many runs lately, against the time before and, of the period, what improved, failed and was spent."""
    query = dashboard.once(query_of)
    spent = overall.tokens(query)
    return {
        "windows": [_window(query, *window) for window in WINDOWS],
        "total": overall.total_optimizations(query),
        "mean": shown_mean(overall.average("overall_score")(query)),
        "improvement_rate": percent(overall.improvement_rate(query)),
        "error_rate": percent(overall.error_rate(query)),
        "tokens": sum(spent.values()),
        **spent,
    }


def _window(
    query: StatsQuery, name: Literal["today", "7d", "30d"], title: str, days: int, before: str
) -> dict[str, Any]:
    then = query.now - dt.timedelta(days=days)
    count = StatsQuery(project=query.project, now=query.now).recent[name].count
    earlier = StatsQuery(project=query.project, now=then, until=then).recent[name].count
    change = None if not earlier else round((count - earlier) / earlier * 100)
    return {"title": title, "count": count, "earlier": earlier, "before": before, "change": change}


def scores(dashboard: Dashboard) -> dict[str, Any] | None:
    """Mean, spread and number of the scores of each strategy, best first."""
    found = by_strategy.score_variance(dashboard.once(query_of))
    if not found:
        return None
    best = sorted(found.items(), key=lambda item: (-item[1]["avg"], item[0]))
    rows = [
        {
            "strategy": name,
            "mean": shown_mean(entry["avg"]),
            "low": shown_mean(max(entry["min"], entry["avg"] - entry["stddev"])),
            "high": shown_mean(min(entry["max"], entry["avg"] + entry["stddev"])),
            "least": shown_mean(entry["min"]),
            "greatest": shown_mean(entry["max"]),
            "count": entry["count"],
        }
        for name, entry in best[:MOST_ROWS]
    ]
    chart = {
        "labels": [row["strategy"] for row in rows],
        "bars": [[row["low"], row["high"]] for row in rows],
        "bars_label": "mean ± standard deviation",
        "points": [row["mean"] for row in rows],
        "points_label": "mean",
        "unit": "score, from 0 to 10",
        "min": 0,
        "max": GREATEST,
    }
    beyond = any(row["least"] < 0 or row["greatest"] > GREATEST for row in rows)
    return {"rows": rows, "left_out": len(best) - len(rows), "chart": chart, "beyond": beyond}


def matrix(dashboard: Dashboard) -> dict[str, Any] | None:
    """Mean score and number of runs by strategy and task type, as a heat map."""
    found = by_strategy.score_matrix(dashboard.once(query_of))
    if not found:
        return None
    strategies = _most_used({name: sum(cell["count"] for cell in row.values()) for name, row in found.items()})
    totals: dict[str, int] = {}
    for row in found.values():
        for task, cell in row.items():
            totals[task] = totals.get(task, 0) + cell["count"]
    tasks = _most_used(totals)
    means = [cell["avg_score"] for row in found.values() for cell in row.values() if cell["avg_score"] is not None]
    low, high = min(means, default=0), max(means, default=1)
    rows = [(name, [_heat(found[name].get(task), low, high) for task in tasks]) for name in strategies]
    return {
        "tasks": tasks,
        "rows": rows,
        "strategies_left_out": len(found) - len(strategies),
        "tasks_left_out": len(totals) - len(tasks),
    }


def _most_used(counts: Mapping[str, int]) -> list[str]:
    most = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ROWS]
    return sorted(most)


def _heat(cell: Mapping[str, Any] | None, low: float, high: float) -> dict[str, Any] | None:
    """A cell of the heat map; `heat` is from 0 (the worst mean of all) to 100."""
    if cell is None:
        return None
    mean = cell["avg_score"]
    heat = None if mean is None else round((mean - low) / (high - low) * 100) if high > low else 50
    return {"mean": shown_mean(mean), "count": cell["count"], "heat": heat}


def best_strategies(dashboard: Dashboard) -> dict[str, Any] | None:
    """The strategy with the best mean for each task type."""
    found = by_strategy.win_rates(dashboard.once(query_of))
    if not found:
        return None
    most = sorted(found.items(), key=lambda item: (-item[1]["count"], item[0]))[:MOST_ROWS]
    rows = [{"task": task, **entry, "mean": shown_mean(entry["avg_score"])} for task, entry in sorted(most)]
    return {"rows": rows, "left_out": len(found) - len(rows)}


def failures_by_strategy(dashboard: Dashboard) -> dict[str, Any] | None:
    """The share of failed runs of each strategy, worst first."""
    found = by_strategy.error_rates(dashboard.once(query_of))
    if not found:
        return None
    worst = sorted(found.items(), key=lambda item: (-(item[1]["rate"] or 0), -item[1]["total"], item[0]))
    rows = [{"strategy": name, **entry, "percent": percent(entry["rate"])} for name, entry in worst[:MOST_ROWS]]
    unnamed = overall.failed_without_strategy(dashboard.once(query_of))
    return {"rows": rows, "left_out": len(worst) - len(rows), "unnamed": unnamed}


def running(dashboard: Dashboard) -> dict[str, Any]:
    """The runs that are running, newest first."""
    return {"runs": _newest(dashboard, "running"), "status": "running"}


def recent_failures(dashboard: Dashboard) -> dict[str, Any]:
    """The newest runs that failed."""
    return {"runs": _newest(dashboard, "error"), "status": "error"}


def _newest(dashboard: Dashboard, status: str) -> list[Record]:
    filters = RunFilters(project=dashboard.choices["project"], status=status, since=dashboard.since)
    return OptimizationRepository().list_runs_after("", filters=filters, limit=MOST_RUNS).items


def shown_mean(score: float | None) -> float | None:
    """A stored mean from 0.0 to 1.0 on the scale that people see, with one digit after the point."""
    return None if score is None else round(score * 10, 1)


def percent(rate: float | None) -> float | None:
    """A share in percent, with one digit after the point."""
    return None if rate is None else round(rate * 100, 1)
