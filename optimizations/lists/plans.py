"""Ways to a page of runs that no index has both filtered and in order, on SQLite: each at a bounded cost.

Its planner knows no numbers of rows. It would read and sort all runs that pass, or walk an order through a million runs
of which a handful pass.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, Q, QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.lists.indexes import NARROWEST, has_index
from optimizations.lists.paging import RunOrder, SortKey
from optimizations.models import Optimization
from promptadmin.db.row_numbers import RowNumber

#: Filters whose runs indexes tell; with any other one, the planner has to do.
BY_INDEX = frozenset({"project", "project_id", "task_type", "status", "prompt_id"})
COLUMNS = BY_INDEX - {"project_id"}
#: So many runs are sorted, as quickly as any other way would find a page of them.
FEW = 4_000
#: So many of the first runs in the order are looked through for each run that is wanted, and no more than these at all.
#: Where most runs pass, the first of these numbers is enough.
LOOKED_THROUGH, WIDEST = (4, 50), 8_000
ROW, PLAIN = "run_row", "plain_key"


def needs_route(filters: RunFilters, by: RunOrder) -> bool:
    """Whether no index has the runs that pass in this order."""
    given = filters.given().keys() - {"include_archived"}
    if by.vendor != "sqlite" or not by.is_indexed or not given or not given <= BY_INDEX:
        return False
    return not (given <= COLUMNS and (by.sort in given or has_index(given, by.sort)))


def narrowed(runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder) -> QuerySet[Optimization]:
    """The runs that pass one of the filters, where an index has these in order; else all, whose order one has."""
    for column in NARROWEST:
        value = getattr(filters, column)
        if value and has_index({column}, by.sort):
            return runs.filter(**{column: value})
    return runs


def first_rows(
    runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder, part: Q, width: int
) -> QuerySet[Any, Any]:
    """The rows of the first runs of a part of the order, which an index tells."""
    return by.sorted(narrowed(runs, filters, by), part).values_list(RowNumber("id"))[:width]


def passed_among_first(
    runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder, part: Q, width: int
) -> QuerySet[Optimization]:
    """Those of them that pass, in order."""
    firsts = first_rows(runs, filters, by, part, width)
    return by.sorted(_rows_in(filters.apply(runs, near=True), RowNumber("id"), firsts), by_index=False)


def sorted_few(
    runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder, after: SortKey | None
) -> list[QuerySet[Optimization]]:
    """Those that pass after a place, in parts, read by the filter's index and sorted."""
    # An expression that no index has, or the planner might walk the runs with the place's key.
    runs = runs.alias(**{PLAIN: Func(F(by.sort), template="+%(expressions)s")})
    found = _rows_in(runs, RowNumber("id"), _passed(runs, filters))
    return [by.sorted(found, part) for part in by.parts_after(after, PLAIN)]


def along_the_order(runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder, part: Q) -> QuerySet[Optimization]:
    """Those of a part of the order that pass: its index is walked past the others, without reading these."""
    unindexed = Func(RowNumber("id"), template="+%(expressions)s")
    return by.sorted(_rows_in(narrowed(runs, filters, by), unindexed, _passed(runs, filters)), part)


def _passed(runs: QuerySet[Optimization], filters: RunFilters) -> QuerySet[Any, Any]:
    return filters.apply(runs).values_list(RowNumber("id"))


def _rows_in(runs: QuerySet[Optimization], row: Func, found: QuerySet[Any, Any]) -> QuerySet[Optimization]:
    return runs.alias(**{ROW: row}).filter(**{f"{ROW}__in": found})
