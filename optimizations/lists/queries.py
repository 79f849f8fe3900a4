"""The statements of lists, compiled once: Django takes longer to build one than the database to answer it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Q, QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import DEFAULT_SORT, EVERYTHING, KEY, KEY_SLOT, TIE, TIE_SLOT, RunOrder, Slot, SortKey
from optimizations.lists.plans import (
    FEW,
    LOOKED_THROUGH,
    WIDEST,
    along_the_order,
    first_rows,
    needs_route,
    passed_among_first,
    sorted_few,
)
from optimizations.models import Optimization
from projects.reach import row_limits
from promptadmin.db.raw import fetch_all
from promptadmin.db.row_numbers import RowNumber

#: Different filters and orders that are remembered.
STATEMENTS = 512
#: Pages that begin no further than this look at each run on their way; for others, what they pass is found at once.
NEAR = 1000
#: If 5,000 of a million runs have a text, there is one among so many.
READ_FOR_ONE = 200


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters, some of which may be slots for the values of a place."""

    sql: str
    params: tuple[Any, ...]

    @classmethod
    def compiled(cls, rows: QuerySet[Any, Any]) -> Statement:
        """The statement of a query."""
        sql, params = rows.query.get_compiler(rows.db).as_sql()
        return cls(sql, tuple(params))

    def rows(self, connection: Any, place: SortKey | None, select: str = "{}", *more: int) -> list[tuple[Any, ...]]:
        """Its rows after a place; `select` is SQL around it, which takes `more` parameters."""
        return fetch_all(connection, select.format(self.sql), [*self.params_after(place), *more])

    def params_after(self, place: SortKey | None) -> list[Any]:
        """Its parameters for a place."""
        values = {} if place is None else {KEY_SLOT: place.key, TIE_SLOT: place.tie}
        return [values[param] if type(param) is Slot else param for param in self.params]

    def count(self, connection: Any, place: SortKey | None = None) -> int:
        """How many rows it has after a place."""
        [(count,)] = self.rows(connection, place, "SELECT COUNT(*) FROM ({}) AS counted")
        return int(count)


def page_statements(  # noqa: PLR0917  # called from here alone
    using: str, filters: RunFilters, by: RunOrder, slots: SortKey | None, near: bool, narrowed: Q = EVERYTHING
) -> list[Statement]:
    """The statements whose rows, one after the other, are the places of a list, after a place or from its beginning.

    The runs that `narrowed` leaves are found first and sorted then, unless they are a period: other orders' indexes
    lead past all the others.
    """
    runs = filters.apply(Optimization.objects.using(using).order_by(), near=near).filter(narrowed)
    by_index = not narrowed or by.sort == DEFAULT_SORT
    return [
        Statement.compiled(by.sorted(runs, part, by_index=by_index).values_list(KEY, TIE))
        for part in by.parts_after(slots)
    ]


_remembered = functools.lru_cache(maxsize=STATEMENTS)(page_statements)


def statements_with_text(using: str, filters: RunFilters, by: RunOrder, slots: SortKey | None) -> list[Statement]:
    """The runs that pass all filters but the search, part by part of the order, each with whether it has the text."""
    runs = replace(filters, search=None).apply(Optimization.objects.using(using).order_by(), near=True)
    runs = runs.annotate(has_text=filters.has_text())
    return [
        Statement.compiled(by.sorted(runs, part).values_list(KEY, TIE, "has_text")) for part in by.parts_after(slots)
    ]


_remembered_with_text = functools.lru_cache(maxsize=STATEMENTS)(statements_with_text)


def fetch_full_page(
    using: str, filters: RunFilters, by: RunOrder, *, after: SortKey | None = None, offset: int = 0, limit: int
) -> list[SortKey] | None:
    """A page of runs with a text, as `fetch_keys` finds it, if the first runs of the order fill it; else None.

    They are read one after the other until it is full, up to READ_FOR_ONE for each run that is wanted. For an order
    that an index has, and for those who reach all runs.
    """
    connection, most = connections[using], READ_FOR_ONE * (offset + limit)
    passed, keys = 0, list[SortKey]()
    try:
        find = statements_with_text if filters.of_plugins else _remembered_with_text
        statements = find(using, filters, by, _slots(after))
    except EmptyResultSet:
        return []
    for statement in statements:
        read = 0
        with connection.cursor() as cursor:
            cursor.execute(f"{statement.sql} LIMIT %s", [*statement.params_after(after), most])
            for key, tie, has_text in cursor:
                read += 1
                passed += bool(has_text)  # it may be NULL
                if has_text and passed > offset:
                    keys.append(SortKey(key, tie))
                    if len(keys) == limit:
                        return keys
        if read == most:  # there may be more in this part
            return None
    return keys


def fetch_keys(
    using: str,
    filters: RunFilters,
    by: RunOrder,
    *,
    after: SortKey | None = None,
    offset: int = 0,
    limit: int,
    narrowed: Q = EVERYTHING,
) -> list[SortKey]:
    """The places of up to `limit` runs of a list, from `offset`, or after a place.

    `narrowed` is a condition that all of them pass anyway.
    """
    connection = connections[using]
    slots = _slots(after)
    try:
        # What these say needn't be remembered, or can't.
        if narrowed or filters.of_plugins or row_limits() is not None:
            statements = page_statements(using, filters, by, slots, False, narrowed)
        elif needs_route(filters, by):
            found, routes = _among_firsts(using, filters, by, after, offset, limit)
            if found is not None:
                return found
            statements = routes.of_few if routes.whether_few.count(connection) <= FEW else routes.along
        else:
            statements = _remembered(using, filters, by, slots, by.is_indexed and offset <= NEAR)
    except EmptyResultSet:  # a filter that Django knows nothing to pass
        return []
    keys: list[SortKey] = []
    for number, statement in enumerate(statements):
        if len(keys) == limit:
            break
        bounds = limit - len(keys), 0 if keys else offset
        keys += [SortKey(*row) for row in statement.rows(connection, after, PAGE, *bounds)]
        if not keys and number + 1 < len(statements):
            offset = max(0, offset - statement.count(connection, after))
    return keys


def _slots(after: SortKey | None) -> SortKey | None:
    return after and SortKey(None if after.key is None else KEY_SLOT, None if after.tie is None else TIE_SLOT)


PAGE = "{} LIMIT %s OFFSET %s"


@dataclass(frozen=True, slots=True)
class Routes:
    """The statements of a list that needs a route, part by part, and the one that finds out whether few runs pass."""

    firsts: list[Statement]
    among_firsts: list[Statement]
    whether_few: Statement
    of_few: list[Statement]
    along: list[Statement]


@functools.lru_cache(maxsize=STATEMENTS)
def _routes(using: str, filters: RunFilters, by: RunOrder, place: SortKey | None, width: int) -> Routes:
    runs = Optimization.objects.using(using).order_by()
    parts = by.parts_after(place)
    among, of_few, along = (
        [Statement.compiled(each.values_list(KEY, TIE)) for each in rows]
        for rows in (
            [passed_among_first(runs, filters, by, part, width) for part in parts],
            sorted_few(runs, filters, by, place),
            [along_the_order(runs, filters, by, part) for part in parts],
        )
    )
    firsts = [Statement.compiled(first_rows(runs, filters, by, part, width)) for part in parts]
    whether_few = Statement.compiled(filters.apply(runs).values_list(RowNumber("id"))[: FEW + 1])
    return Routes(firsts, among, whether_few, of_few, along)


def _among_firsts(  # noqa: PLR0917  # called from here alone
    using: str, filters: RunFilters, by: RunOrder, after: SortKey | None, offset: int, limit: int
) -> tuple[list[SortKey] | None, Routes]:
    """A page of those that pass among the first runs of the order; None where there may be more of them further on.

    The first runs have a page, unless those that pass are rare there: few, or a part of many.
    """
    slots = after and SortKey(None if after.key is None else KEY_SLOT, TIE_SLOT)
    connection = connections[using]
    for each in LOOKED_THROUGH:
        width = min(WIDEST, (offset + limit) * each)
        routes = _routes(using, filters, by, slots, width)
        found: list[SortKey] | None = [] if 2 * (offset + limit) <= width else None
        for firsts, among in zip(routes.firsts, routes.among_firsts, strict=True):
            if found is None or len(found) == limit:
                break
            found += [SortKey(*row) for row in among.rows(connection, after, PAGE, limit - len(found), offset)]
            # With as many as were looked through there may be more in this part.
            if len(found) < limit and firsts.count(connection, after) == width:
                found = None
        if found is not None:
            break
    return found, routes
