"""The statistics in plain Python, run by run: slow and obvious, to hold the real ones against.

Written from the contract alone (sections 2, 7 and 11), not from the code. A run is a dict of what the database stores,
but `created_at` is a moment. Numbers that the answer has with four digits are exact here, so that whoever compares
decides what rounding may do; they are floats, and all whole numbers are ints.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

Run = dict[str, Any]

ALIASES = {
    "few-shot": "few-shot-scaffolding",
    "role-based": "persona-assignment",
    "constraint-focused": "constraint-injection",
    "structured-enhancement": "role-task-format",
}


def plain_statistics(
    all_runs: Sequence[Run], project_statuses: Iterable[str], project: str | None, now: dt.datetime
) -> dict[str, Any]:
    """The whole answer."""
    runs = [run for run in all_runs if not project or run["project"] == project]
    done = [run for run in runs if run["status"] == "completed"]
    if not done:
        return answer_of_nothing()
    used = by_strategy(done)
    with_task = {name: split(group, "task_type") for name, group in used.items()}
    with_complexity = {name: split(group, "complexity") for name, group in used.items()}
    validated = [run for run in done if run["is_improvement"] in (True, False)]
    midnight = dt.datetime.combine(now.date(), dt.time(), dt.UTC)
    tasks = Counter(run["task_type"] for run in done if run["task_type"] is not None)
    return {
        "total_optimizations": len(done),
        "average_overall_score": mean(done, "overall_score"),
        "average_clarity_score": mean(done, "clarity_score"),
        "average_specificity_score": mean(done, "specificity_score"),
        "average_structure_score": mean(done, "structure_score"),
        "average_faithfulness_score": mean(done, "faithfulness_score"),
        "improvement_rate": len([run for run in validated if run["is_improvement"]]) / len(validated)
        if validated
        else None,
        "total_projects": 1 if project else list(project_statuses).count("active"),
        "most_common_task_type": min(tasks, key=lambda task: (-tasks[task], task)) if tasks else None,
        "optimizations_today": len([run for run in done if run["created_at"] >= midnight]),
        "strategy_distribution": {name: len(group) for name, group in used.items()} or None,
        "score_by_strategy": present({name: mean(group, "overall_score") for name, group in used.items()}),
        "task_types_by_strategy": tables(with_task, len),
        "secondary_strategy_distribution": dict(Counter(name for run in done for name in secondaries(run))) or None,
        "tags_by_strategy": present({name: top_tags(group) for name, group in used.items()}),
        "score_matrix": tables(with_task, cell),
        "score_variance": present({name: spread(group) for name, group in used.items()}),
        "confidence_by_strategy": present({name: mean(group, "strategy_confidence") for name, group in used.items()}),
        "combo_effectiveness": tables({name: combos(group) for name, group in used.items()}, cell),
        "complexity_performance": tables(with_complexity, cell),
        "improvement_by_strategy": {name: improvement(group) for name, group in used.items()} or None,
        "error_rates": {name: errors(group) for name, group in by_strategy(runs).items()} or None,
        "trend_7d": cell([run for run in done if run["created_at"] >= now - dt.timedelta(days=7)]),
        "trend_30d": cell([run for run in done if run["created_at"] >= now - dt.timedelta(days=30)]),
        "token_economics": {
            name: {
                "avg_input_tokens": whole_mean(group, "input_tokens"),
                "avg_output_tokens": whole_mean(group, "output_tokens"),
                "avg_duration_ms": whole_mean(group, "duration_ms"),
            }
            for name, group in used.items()
        }
        or None,
        "win_rates": wins(with_task),
    }


def answer_of_nothing() -> dict[str, Any]:
    """What the contract says for no completed runs."""
    zeros = ("total_optimizations", "total_projects", "optimizations_today")
    nulls = """
        average_overall_score average_clarity_score average_specificity_score average_structure_score
        average_faithfulness_score improvement_rate most_common_task_type strategy_distribution score_by_strategy
        task_types_by_strategy secondary_strategy_distribution tags_by_strategy score_matrix score_variance
        confidence_by_strategy combo_effectiveness complexity_performance improvement_by_strategy error_rates
        token_economics win_rates
    """
    trend = {"count": 0, "avg_score": None}
    return {**dict.fromkeys(zeros, 0), **dict.fromkeys(nulls.split()), "trend_7d": trend, "trend_30d": trend}


def strategy(run: Run) -> str | None:
    """S of the contract."""
    name = run["strategy"] if run["strategy"] is not None else run["framework_applied"]
    return ALIASES.get(name, name) or None  # an empty text is no strategy


def by_strategy(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs that have a strategy, by it."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        name = strategy(run)
        if name is not None:
            groups[name].append(run)
    return groups


def split(runs: Iterable[Run], column: str) -> dict[str, list[Run]]:
    """The runs that have a value there, by it."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run[column] is not None:
            groups[run[column]].append(run)
    return groups


def numbers(runs: Iterable[Run], column: str) -> list[float]:
    """The values there that are numbers to reckon with."""
    values = [run[column] for run in runs]
    return [x for x in values if isinstance(x, int | float) and math.isfinite(x) and abs(x) <= 10**12]


def mean(runs: Iterable[Run], column: str) -> float | None:
    """The mean over the runs that have a number there."""
    values = numbers(runs, column)
    return statistics.fmean(values) if values else None


def whole_mean(runs: Iterable[Run], column: str) -> int:
    """The mean of whole numbers as one; 0 of nothing."""
    found = [run[column] for run in runs]
    values = [x for x in found if isinstance(x, int | float) and math.isfinite(x) and -(2**63) <= x < 2**63]
    return round(float(sum(map(Fraction, values))) / len(values)) if values else 0


def cell(runs: Sequence[Run]) -> dict[str, Any]:
    """Count and mean score."""
    return {"count": len(runs), "avg_score": mean(runs, "overall_score")}


def spread(runs: Sequence[Run]) -> dict[str, Any] | None:
    """A strategy's entry in score_variance."""
    scores = numbers(runs, "overall_score")
    if not scores:
        return None
    return {
        "min": float(min(scores)),
        "max": float(max(scores)),
        "avg": statistics.fmean(scores),
        "stddev": float(statistics.pstdev(scores)),
        "count": len(runs),
    }


def improvement(runs: Sequence[Run]) -> dict[str, Any]:
    """A strategy's entry in improvement_by_strategy."""
    said = [run["is_improvement"] for run in runs if run["is_improvement"] in (True, False)]
    improved = len([value for value in said if value])
    return {"improved": improved, "validated": len(said), "rate": improved / len(said) if said else None}


def errors(runs: Sequence[Run]) -> dict[str, Any]:
    """A strategy's entry in error_rates."""
    failed = len([run for run in runs if run["status"] == "error"])
    return {"total": len(runs), "errors": failed, "rate": failed / len(runs)}


def read_list(stored: Any) -> list[Any] | None:
    """The JSON list that a text holds; None for whatever else, and where there is a NUL."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    if not isinstance(stored, str) or "\\u0000" in stored:
        return None
    try:
        value = json.loads(stored, parse_constant=refuse)
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def texts(stored: Any) -> list[str]:
    """The texts, not empty ones, in the list that a text holds."""
    return [item for item in read_list(stored) or [] if isinstance(item, str) and item]


def secondaries(run: Run) -> list[str]:
    """The secondary strategies of a run, each as often as it is named."""
    return [ALIASES.get(name, name) for name in texts(run["secondary_frameworks"])]


def combos(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs by secondary strategy, each as often as it names it."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        for name in secondaries(run):
            groups[name].append(run)
    return groups


def top_tags(runs: Sequence[Run]) -> dict[str, int] | None:
    """The four most frequent tags; None where no run has a list of them."""
    if all(read_list(run["tags"]) is None for run in runs):
        return None
    counts = Counter(tag for run in runs for tag in texts(run["tags"]))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:4])


def wins(matrix: dict[str, dict[str, list[Run]]]) -> dict[str, Any] | None:
    """The best strategy for each task type, compared by the scores as the answer shows them."""
    best: dict[str, Any] = {}
    for name, row in matrix.items():
        for task, runs in row.items():
            score = mean(runs, "overall_score")
            if score is not None:
                # Twelve digits first: in what order a mean was added up decides no tie.
                rank = (round(round(score, 12), 4), len(runs), name)
                if task not in best or rank > best[task][0]:
                    best[task] = (rank, {"strategy": name, "avg_score": score, "count": len(runs)})
    return {task: entry for task, (_, entry) in best.items()} or None


def tables(groups: dict[str, dict[str, list[Run]]], show: Any) -> dict[str, Any] | None:
    """A table by strategy and something else; strategies without a cell are absent."""
    table = {name: {key: show(runs) for key, runs in row.items()} for name, row in groups.items() if row}
    return table or None


def present(values: dict[str, Any]) -> dict[str, Any] | None:
    """The entries that are there."""
    return {name: value for name, value in values.items() if value is not None} or None
