"""How many runs pass filters. Of a text, the search index is sure of some, and the rows say it of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.models import Optimization
from optimizations.search_index import RUNS
from projects.reach import row_limits
from promptadmin.search import keys
from promptadmin.search.candidate_filter import count_candidates, narrow_for_count

ROWS_A_COUNT = 20_000
#: Where so few runs pass, they are known by their keys once they are counted.
FEW = 2_000


class Total(NamedTuple):
    """How many runs pass filters and, where these turned out to be few, a condition that all of them pass."""

    runs: int
    narrowed: Q = Q()


def count_runs(filters: RunFilters, runs: QuerySet[Optimization]) -> Total:
    """How many of all runs pass the filters: to read all that may have a text would take seconds."""
    if not filters.search:
        return Total(filters.count(runs))
    others = filters.given().keys() - {"search"}
    facets = {name: getattr(filters, name) for name in RUNS.facets if getattr(filters, name)}
    connection = connections[runs.db]
    found = None
    if connection.vendor == "sqlite" and row_limits() is None:
        known = facets if others <= set(facets) else None
        found = count_candidates(connection, RUNS, filters.search, known, few=FEW)
    if found is None:
        return Total(filters.count(runs.filter(narrow_for_count(connection, RUNS, filters.search))))
    everything = replace(filters, include_archived=True).apply(runs)
    total, passing = found.certain, found.few_certain
    for start in range(0, len(found.uncertain), ROWS_A_COUNT):
        rows = everything.filter(keys.among(RUNS, found.uncertain[start : start + ROWS_A_COUNT]))
        if passing is None:
            total += rows.count()
        else:
            more = list(rows.values_list(RUNS.key, flat=True))
            total += len(more)
            passing = passing + more if len(passing) + len(more) <= FEW else None
        if not filters.include_archived:
            total -= rows.filter(filters.hidden(runs.db)).count()
    return Total(total, Q() if passing is None else keys.among(RUNS, passing))
