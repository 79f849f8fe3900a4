"""The columns of a run that depend neither on its text nor on its time: made once in a pool, shared by runs."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from bench import vocabulary as words
from bench.legacy_schema import Age, column_names

COMPLETED_POOL = 4096
OTHER_POOL = 256
#: One entry for each percent, and one more: 87 completed, 6 error, 3 running, 2 pending, 1 cancelled of 99.
STATUSES: Sequence[str] = (
    *("completed",) * 87,
    *("error",) * 6,
    *("running",) * 3,
    *("pending",) * 2,
    "cancelled",
)
LEGACY_NAMES = 0.2  # share of runs with one of the four strategy names of old releases
JSON_NULLS = 0.02  # share of runs of old releases that hold the JSON text `null`


def analyses(rng: random.Random, age: Age) -> dict[str, list[list[Any]]]:
    """For each status a pool of rows of `optimizations` that lack their text, key and time."""
    columns = column_names(age)
    pools: dict[str, list[list[Any]]] = {}
    for status in sorted(set(STATUSES)):
        rows = [_analysis(rng, status) for _ in range(COMPLETED_POOL if status == "completed" else OTHER_POOL)]
        pools[status] = [[row.get(column) for column in columns] for row in rows]
    return pools


def _analysis(rng: random.Random, status: str) -> dict[str, Any]:
    common = {"status": status, "tags": None if rng.random() < 0.3 else _some(rng, words.TAGS, 3)}
    if status == "error":
        return common | {"error_message": rng.choice(words.ERRORS), "duration_ms": 120_000}
    if status != "completed":
        return common
    strategy = rng.choice(words.ALIASES if rng.random() < LEGACY_NAMES else words.STRATEGIES)
    scores = [round(0.35 + 0.65 * rng.random(), 4) for _ in range(4)]
    overall = round(sum(scores) / 4, 4)
    return common | {
        "task_type": rng.choice(words.TASK_TYPES),
        "complexity": rng.choice(words.COMPLEXITIES),
        "weaknesses": _some(rng, words.WEAKNESSES, 3),
        "strengths": _some(rng, words.STRENGTHS, 2),
        "changes_made": "null" if rng.random() < JSON_NULLS else _some(rng, words.CHANGES, 3),
        "framework_applied": strategy,
        "optimization_notes": rng.choice(words.NOTES),
        "clarity_score": scores[0],
        "specificity_score": scores[1],
        "structure_score": scores[2],
        "faithfulness_score": scores[3],
        "overall_score": overall,
        "is_improvement": int(overall > 0.5),
        "verdict": rng.choice(words.VERDICTS),
        "strategy": strategy if rng.random() < 0.8 else None,
        "strategy_reasoning": rng.choice(words.REASONS),
        "strategy_confidence": round(0.5 + rng.random() / 2, 3),
        "secondary_frameworks": _some(rng, (*words.STRATEGIES, *words.ALIASES), 2),
        "model_used": rng.choice(words.MODELS),
        "output_tokens": rng.randint(90, 1400),
        "cache_creation_input_tokens": rng.choice((0, 485, 910)),
        "cache_read_input_tokens": rng.choice((0, 1297, 2048)),
        "version": rng.choice(("v1", "v2")),
    }


def _some(rng: random.Random, values: Sequence[str], most: int) -> str:
    """A JSON list of one to `most` of the values."""
    return json.dumps(rng.sample(values, rng.randint(1, most)), ensure_ascii=False)
