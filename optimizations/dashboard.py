"""The panels of the start page that runs contribute; every number comes from the statistics' functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

from django.urls import reverse

from optimizations.models import RunStatus
from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.scores import GREATEST
from optimizations.stats import StatsQuery
from optimizations.stats.sections import by_strategy, overall
from optimizations.tools.loaded_demo import DEMO_PERMISSIONS, demo_projects
from optimizations.winners import ENOUGH_RUNS, Contender, contests
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

SEND_A_RUN = """\
curl --fail --silent --show-error \\
  --header "Authorization: Bearer $TOKEN" \\
  --header "Content-Type: application/json" \\
  --data '{{"project": "Support", "title": "Refund reply", "raw_prompt": "Answer the customer.",
           "optimized_prompt": "Answer the customer in three sentences.", "overall_score": 0.8}}' \\
  "{address}"
"""


def project_names() -> list[str]:
    """The projects to choose from, by name."""
    rows = ProjectRepository().projects.exclude(status=ProjectStatus.DELETED)
    return list(rows.order_by("name").values_list("name", flat=True)[:MOST_PROJECTS])


def query_of(dashboard: Dashboard) -> StatsQuery:
    """The runs that the dashboard is about."""
    return StatsQuery(
        project=dashboard.choices["project"] or None, since=dashboard.since, until=dashboard.until, now=dashboard.now
    )


def runs_link(
    dashboard: Dashboard, *, since: dt.datetime | None = None, until: dt.datetime | None = None, **filters: str
) -> str:
    """The address of the list with the runs behind a number: those of the dashboard or of a period, narrowed."""
    begin, end = (since, until) if since else (dashboard.since, dashboard.until)
    period = {"since": begin and begin.isoformat(), "until": end and end.isoformat()}
    given = {"project": dashboard.choices["project"], **period, **filters}
    query = {name: str(value) for name, value in given.items() if value}
    return reverse("admin:optimizations_optimization_changelist", query=query)


def has_runs(dashboard: Dashboard) -> bool:
    """Whether anybody has recorded a run; until then there is nothing to count."""
    return OptimizationRepository().runs.exists()


def begin(dashboard: Dashboard) -> dict[str, Any] | None:
    """The ways in, while there are no runs, and the demo: to load, or to take away again."""
    is_empty, is_loaded = not dashboard.once(has_runs), bool(demo_projects())
    may = dashboard.user.has_perms
    if not is_empty and not (is_loaded and may(DEMO_PERMISSIONS)):
        return None
    return {
        "is_empty": is_empty,
        "is_loaded": is_loaded,
        "may_add": may(["projects.add_project"]),
        "may_import": may(["optimizations.add_optimization", "optimizations.change_optimization"]),
        "may_make_tokens": may(["promptadmin.add_apitoken"]),
        "may_load": may(DEMO_PERMISSIONS),
        "command": SEND_A_RUN.format(address=f"{dashboard.address}/api/optimizations"),
    }


def numbers(dashboard: Dashboard) -> dict[str, Any] | None:
    """How many runs lately, against the time before and, of the period, what improved, failed and was spent."""
    if not dashboard.once(has_runs):
        return None
    query = dashboard.once(query_of)
    spent = overall.tokens(query)
    return {
        "windows": [_window(dashboard, *window) for window in WINDOWS],
        "completed_link": runs_link(dashboard, status=RunStatus.COMPLETED),
        "error_link": runs_link(dashboard, status=RunStatus.ERROR),
        "improved_link": runs_link(dashboard, status=RunStatus.COMPLETED, improvement="yes"),
        "total": overall.total_optimizations(query),
        "mean": shown_mean(overall.average("overall_score")(query)),
        "improvement_rate": percent(overall.improvement_rate(query)),
        "error_rate": percent(overall.error_rate(query)),
        "tokens": sum(spent.values()),
        **spent,
    }


def _window(
    dashboard: Dashboard,
    name: Literal["today", "7d", "30d"],
    title: str,
    days: int,
    before: str,
) -> dict[str, Any]:
    query = dashboard.once(query_of)
    then = query.now - dt.timedelta(days=days)
    count = StatsQuery(project=query.project, now=query.now).recent[name].count
    earlier = StatsQuery(project=query.project, now=then, until=then).recent[name].count
    change = None if not earlier else round((count - earlier) / earlier * 100)
    midnight = query.now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    link = runs_link(dashboard, status=RunStatus.COMPLETED, since=midnight if name == "today" else then)
    return {"title": title, "count": count, "earlier": earlier, "before": before, "change": change, "link": link}


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
            "link": runs_link(dashboard, status=RunStatus.COMPLETED, strategy=name),
        }
        for name, entry in best[:MOST_ROWS]
    ]
    chart = {
        "labels": [row["strategy"] for row in rows],
        "links": [row["link"] for row in rows],
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
    rows = [
        (
            name,
            [
                _heat(found[name].get(task), low, high)
                | {"link": runs_link(dashboard, status=RunStatus.COMPLETED, strategy=name, task_type=task)}
                for task in tasks
            ],
        )
        for name in strategies
    ]
    return {
        "tasks": tasks,
        "rows": rows,
        "strategies_left_out": len(found) - len(strategies),
        "tasks_left_out": len(totals) - len(tasks),
    }


def _most_used(counts: Mapping[str, int]) -> list[str]:
    most = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ROWS]
    return sorted(most)


def _heat(cell: Mapping[str, Any] | None, low: float, high: float) -> dict[str, Any]:
    """A cell of the heat map; `heat` is from 0 (the worst mean of all) to 100."""
    if cell is None:
        return {"count": 0}
    mean = cell["avg_score"]
    heat = None if mean is None else round((mean - low) / (high - low) * 100) if high > low else 50
    return {"mean": shown_mean(mean), "count": cell["count"], "heat": heat}


def best_strategies(dashboard: Dashboard) -> dict[str, Any] | None:
    """The strategy with the best mean for each task type, where enough runs tell it, and the next one."""
    found = contests(dashboard.once(query_of).by_strategy_and("task_type"))
    if not found:
        return None
    most = sorted(found.items(), key=lambda item: (-item[1].most_used.runs, item[0]))[:MOST_ROWS]
    rows = [
        {
            "task": task,
            "best": _shown_contender(dashboard, task, contest.best),
            "runner_up": _shown_contender(dashboard, task, contest.runner_up),
            "most_used": _shown_contender(dashboard, task, contest.most_used),
            "is_clear": contest.is_clear,
        }
        for task, contest in sorted(most)
    ]
    return {"rows": rows, "left_out": len(found) - len(rows), "enough": ENOUGH_RUNS}


def _shown_contender(dashboard: Dashboard, task: str, contender: Contender | None) -> dict[str, Any] | None:
    """A strategy on the scale that people see, with a link to its runs."""
    if contender is None:
        return None
    return {
        "strategy": contender.strategy,
        "runs": contender.runs,
        "mean": shown_mean(contender.mean),
        "low": shown_mean(max(0.0, contender.low)),
        "high": shown_mean(min(1.0, contender.high)),
        "link": runs_link(dashboard, status=RunStatus.COMPLETED, strategy=contender.strategy, task_type=task),
    }


def failures_by_strategy(dashboard: Dashboard) -> dict[str, Any] | None:
    """The share of failed runs of each strategy, worst first."""
    found = by_strategy.error_rates(dashboard.once(query_of))
    if not found:
        return None
    worst = sorted(found.items(), key=lambda item: (-(item[1]["rate"] or 0), -item[1]["total"], item[0]))
    rows = [
        {
            "strategy": name,
            **entry,
            "percent": percent(entry["rate"]),
            "link": runs_link(dashboard, status=RunStatus.ERROR, strategy=name),
            "all_link": runs_link(dashboard, strategy=name),
        }
        for name, entry in worst[:MOST_ROWS]
    ]
    unnamed = overall.failed_without_strategy(dashboard.once(query_of))
    return {"rows": rows, "left_out": len(worst) - len(rows), "unnamed": unnamed}


def running(dashboard: Dashboard) -> dict[str, Any] | None:
    """The runs that are running, newest first."""
    return _newest(dashboard, RunStatus.RUNNING)


def recent_failures(dashboard: Dashboard) -> dict[str, Any] | None:
    """The newest runs that failed."""
    return _newest(dashboard, RunStatus.ERROR)


def _newest(dashboard: Dashboard, status: RunStatus) -> dict[str, Any] | None:
    if not dashboard.once(has_runs):
        return None
    filters = RunFilters(
        project=dashboard.choices["project"], status=status, since=dashboard.since, until=dashboard.until
    )
    found = OptimizationRepository().list_runs_after("", filters=filters, limit=MOST_RUNS)
    return {"runs": found.items, "link": runs_link(dashboard, status=status)}


def shown_mean(score: float | None) -> float | None:
    """A stored mean from 0.0 to 1.0 on the scale that people see, with one digit after the point."""
    return None if score is None else round(score * 10, 1)


def percent(rate: float | None) -> float | None:
    """A share in percent, with one digit after the point."""
    return None if rate is None else round(rate * 100, 1)
