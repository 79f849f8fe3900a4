"""What is searched of runs."""

from __future__ import annotations

from promptadmin.plugins.steps import JobResult
from promptadmin.search.building import index_piece
from promptadmin.search.tables import SearchedTable

RUNS = SearchedTable(
    "optimizations",
    texts=("title", "raw_prompt", "optimized_prompt", "project"),
    json_texts=("tags",),
    facets={
        "project": ("project",),
        "status": ("status",),
        "task_type": ("task_type",),
        "strategy": ("strategy", "framework_applied"),
    },
)


def index_runs(using: str) -> JobResult:
    """Upkeep: the texts of runs."""
    return index_piece(using, RUNS)
