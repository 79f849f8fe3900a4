"""How many runs have a common text: by what the search index is sure of, and by the rows for the others."""

from __future__ import annotations

from dataclasses import replace

from django.db import connections
from django.db.models import QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.models import Optimization
from optimizations.search_index import RUNS
from projects.reach import row_limits
from promptadmin.search import keys
from promptadmin.search.candidate_filter import count_candidates, narrow_for_count

ROWS_A_COUNT = 20_000


def count_searched(filters: RunFilters, runs: QuerySet[Optimization]) -> int:
    """How many of all runs pass the filters, one of which is a search: to read all that have it would take seconds."""
    others = filters.given().keys() - {"search"}
    facets = {name: getattr(filters, name) for name in RUNS.facets if getattr(filters, name)}
    connection = connections[runs.db]
    found = None
    if connection.vendor == "sqlite" and row_limits() is None:
        found = count_candidates(connection, RUNS, filters.search or "", facets if others <= set(facets) else None)
    if found is None:
        return filters.count(runs.filter(narrow_for_count(connection, RUNS, filters.search or "")))
    total, uncertain = found
    everything = replace(filters, include_archived=True).apply(runs)
    for start in range(0, len(uncertain), ROWS_A_COUNT):
        rows = everything.filter(keys.among(RUNS, uncertain[start : start + ROWS_A_COUNT]))
        total += rows.count()
        if not filters.include_archived:
            total -= rows.filter(filters.hidden(runs.db)).count()
    return total
