"""What the indexes of runs serve, as the model's Meta has them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from optimizations.lists.filters import STRATEGY
from optimizations.models import Optimization

#: Filters by exact values, that of which a value has the fewest runs first.
NARROWEST = ("prompt_id", "project", "strategy", "task_type", "status")
#: The filters of `RunFilters` that are a range of a column.
RANGES = {"created_at": {"since", "until"}, "overall_score": {"min_score", "max_score"}}
#: What the filter by strategy asks for is an expression, not the column of this name.
EFFECTIVE_STRATEGY = "effective_strategy"


def _columns(index: Any) -> list[str]:
    if index.expressions:
        return [EFFECTIVE_STRATEGY if each == STRATEGY else each.name for each in index.expressions]
    return ["prompt_id" if name == "prompt" else name for name in index.fields]


INDEXES = [_columns(index) for index in Optimization._meta.indexes if index.condition is None]


def has_index(filters: AbstractSet[str], sort: str) -> bool:
    """Whether an index has the runs that pass these filters, which ask for exact values, in the order of a column."""
    given = {EFFECTIVE_STRATEGY if name == "strategy" else name for name in filters}
    return any(set(names[: len(given)]) == given and names[len(given) :][:1] == [sort] for names in INDEXES)
