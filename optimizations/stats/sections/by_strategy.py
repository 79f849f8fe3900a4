"""The sections by strategy: each a function from a StatsQuery to what the answer has under its name.

Runs without a strategy count nowhere here, except where a section says otherwise. A section with nothing to tell is
None. Means and shares have four digits. Each mean is over the runs that have the value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from optimizations.models import RunStatus
from optimizations.stats.aggregates import SCORE, Tally
from optimizations.stats.query import StatsQuery
from optimizations.stats.rounding import four, share
from optimizations.strategies import canonical

MOST_TAGS = 4


def cell(tally: Tally) -> dict[str, Any]:
    """The runs of one cell of a table, and their mean score."""
    return {"count": tally.runs, "avg_score": four(tally.mean())}


def strategy_distribution(query: StatsQuery) -> dict[str, int] | None:
    """Runs by strategy."""
    return {name: tally.runs for name, tally in query.strategies.items()} or None


def score_by_strategy(query: StatsQuery) -> dict[str, float | None] | None:
    """Mean score of each strategy that has one."""
    return {name: four(tally.mean()) for name, tally in query.strategies.items() if tally.counts[SCORE]} or None


def task_types_by_strategy(query: StatsQuery) -> dict[str, dict[str, int]] | None:
    """Runs by strategy and task type."""
    table = query.by_strategy_and("task_type")
    return {name: {task: tally.runs for task, tally in row.items()} for name, row in table.items()} or None


def secondary_strategy_distribution(query: StatsQuery) -> dict[str, int] | None:
    """How often each strategy was a secondary one, also of runs that name no first one."""
    counts: Counter[str] = Counter()
    for item in query.secondaries:
        if item.text is not None:
            counts[canonical(item.text)] += item.occurrences
    return dict(sorted(counts.items())) or None


def tags_by_strategy(query: StatsQuery) -> dict[str, dict[str, int]] | None:
    """The most frequent tags of each strategy that has a list of tags, even an empty one."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in query.tags:
        if item.strategy is not None:
            tags = counts[item.strategy]
            if item.text is not None:
                tags[item.text] += item.occurrences
    return {
        name: dict(sorted(tags.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_TAGS])
        for name, tags in sorted(counts.items())
    } or None


def score_matrix(query: StatsQuery) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Runs and mean score by strategy and task type."""
    table = query.by_strategy_and("task_type")
    return {name: {task: cell(tally) for task, tally in row.items()} for name, row in table.items()} or None


def score_variance(query: StatsQuery) -> dict[str, dict[str, Any]] | None:
    """How the scores of each strategy spread; `count` is all its runs, with or without a score."""
    return {
        name: {
            "min": four(tally.lowest),
            "max": four(tally.highest),
            "avg": four(tally.mean()),
            "stddev": four(tally.deviation()),
            "count": tally.runs,
        }
        for name, tally in query.strategies.items()
        if tally.counts[SCORE]
    } or None


def confidence_by_strategy(query: StatsQuery) -> dict[str, float | None] | None:
    """Mean confidence in each strategy, where some run tells it."""
    measure = "strategy_confidence"
    tallies = {name: tally for name, tally in query.strategies.items() if tally.counts[measure]}
    return {name: four(tally.mean(measure)) for name, tally in tallies.items()} or None


def combo_effectiveness(query: StatsQuery) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Occurrences and mean score by strategy and secondary strategy."""
    combos: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for item in query.secondaries:
        if item.strategy is not None and item.text is not None:
            combo = combos[item.strategy][canonical(item.text)]
            for position, number in enumerate((item.occurrences, item.scored, item.score)):
                combo[position] += number
    return {
        name: {
            secondary: {"count": count, "avg_score": four(score / scored) if scored else None}
            for secondary, (count, scored, score) in sorted(row.items())
        }
        for name, row in sorted(combos.items())
    } or None


def complexity_performance(query: StatsQuery) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Runs and mean score by strategy and complexity."""
    table = query.by_strategy_and("complexity")
    return {name: {level: cell(tally) for level, tally in row.items()} for name, row in table.items()} or None


def improvement_by_strategy(query: StatsQuery) -> dict[str, dict[str, Any]] | None:
    """Improvements and validated runs by strategy."""
    return {
        name: {
            "improved": tally.improved,
            "validated": tally.validated,
            "rate": share(tally.improved, tally.validated),
        }
        for name, tally in query.strategies.items()
    } or None


def error_rates(query: StatsQuery) -> dict[str, dict[str, Any]] | None:
    """Runs of every status, and failed ones, by strategy; nothing where no run was completed."""
    if not query.total.runs:
        return None
    totals: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for (strategy, status), runs in query.statuses.items():
        if strategy is not None:
            totals[strategy] += runs
            if status == RunStatus.ERROR:
                errors[strategy] += runs
    return {
        name: {"total": total, "errors": errors[name], "rate": share(errors[name], total)}
        for name, total in sorted(totals.items())
    } or None


def token_economics(query: StatsQuery) -> dict[str, dict[str, int]] | None:
    """Mean tokens and duration by strategy, in whole numbers; 0 where no run tells."""
    return {
        name: {
            "avg_input_tokens": round(tally.mean("input_tokens") or 0),
            "avg_output_tokens": round(tally.mean("output_tokens") or 0),
            "avg_duration_ms": round(tally.mean("duration_ms") or 0),
        }
        for name, tally in query.strategies.items()
    } or None


def win_rates(query: StatsQuery) -> dict[str, dict[str, Any]] | None:
    """The best strategy for each task type: by mean score, then by runs, then the last by name."""
    best: dict[str, tuple[float, int, str]] = {}
    for name, row in (score_matrix(query) or {}).items():
        for task, entry in row.items():
            if entry["avg_score"] is not None:
                candidate = (entry["avg_score"], entry["count"], name)
                best[task] = max(candidate, best.get(task, candidate))
    return {
        task: {"strategy": name, "avg_score": score, "count": count}
        for task, (score, count, name) in sorted(best.items())
    } or None
