"""How many runs pass: by what is stored beside summaries, by what the search index is sure of, and by the rows."""

from __future__ import annotations

from dataclasses import replace

from django.db import connections
from django.db.models import QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.models import Optimization
from optimizations.search_index import RUNS
from optimizations.stats.rollups.counts import count_stored
from promptadmin.search import keys
from promptadmin.search.candidate_filter import count_candidates, narrow_for_count

ROWS_A_COUNT = 20_000


def count_runs(filters: RunFilters, runs: QuerySet[Optimization]) -> int:
    """How many of all runs pass the filters."""
    if filters.search:
        return count_searched(filters, runs)
    connection = connections[runs.db]
    stored = count_stored(connection, filters) if connection.vendor == "sqlite" and not runs.query.where else None
    return filters.count(runs) if stored is None else stored


def count_searched(filters: RunFilters, runs: QuerySet[Optimization]) -> int:
    """How many of the runs pass the filters, one of which is a search."""
    others = filters.given().keys() - {"search"}
    facets = {name: getattr(filters, name) for name in RUNS.facets if getattr(filters, name)}
    connection = connections[runs.db]
    found = None
    if connection.vendor == "sqlite":
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
