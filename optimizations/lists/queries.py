"""The statements of lists, compiled once: Django takes longer to build one than the database to answer it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Q, QuerySet

from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import EVERYTHING, KEY, KEY_SLOT, TIE, TIE_SLOT, RunOrder, SortKey
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
from promptadmin.db.raw import fetch_all
from promptadmin.db.row_numbers import RowNumber

#: Different filters and orders that are remembered.
STATEMENTS = 512
#: Pages that begin no further than this look at each run on their way; for others, what they pass is found at once.
NEAR = 1000


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters, some of which may be slots for the values of a place."""

    sql: str
    params: tuple[Any, ...]

    def with_place(self, place: SortKey | None) -> tuple[Any, ...]:
        """The parameters, with the values of a place in its slots."""
        if place is None:
            return self.params
        return tuple(
            place.key if param is KEY_SLOT else place.tie if param is TIE_SLOT else param for param in self.params
        )


@functools.lru_cache(maxsize=STATEMENTS)
def _page_statements(
    using: str, filters: RunFilters, by: RunOrder, slots: SortKey | None, near: bool
) -> list[Statement]:
    """The statements whose rows, one after the other, are the places of a list, after a place or from its beginning."""
    return _compile_page(using, filters, by, slots, near, Q())


def _compile_page(  # noqa: PLR0917  # called from here alone
    using: str, filters: RunFilters, by: RunOrder, slots: SortKey | None, near: bool, narrowed: Q
) -> list[Statement]:
    """The same for one condition more, which needn't be remembered."""
    runs = filters.apply(Optimization.objects.using(using).order_by(), near=near).filter(narrowed)
    parts = by.parts_after(slots)
    return [_compiled(by.sorted(runs, part).values_list(KEY, TIE)) for part in parts]


def _compiled(rows: QuerySet[Any, Any]) -> Statement:
    sql, params = rows.query.get_compiler(rows.db).as_sql()
    return Statement(sql, tuple(params))


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
    slots = after and SortKey(None if after.key is None else KEY_SLOT, None if after.tie is None else TIE_SLOT)
    try:
        if not narrowed and needs_route(filters, by):
            return _read_by_route(using, filters, by, after, offset, limit)
        if narrowed:
            statements = _compile_page(using, filters, by, slots, False, narrowed)
        else:
            statements = _page_statements(using, filters, by, slots, offset <= NEAR)
    except EmptyResultSet:  # a filter that Django knows nothing to pass
        return []
    return _read_parts(using, statements, after, offset, limit)


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

    def compiled(rows: Iterable[QuerySet[Optimization]]) -> list[Statement]:
        return [_compiled(each.values_list(KEY, TIE)) for each in rows]

    return Routes(
        [_compiled(first_rows(runs, filters, by, part, width)) for part in parts],
        compiled(passed_among_first(runs, filters, by, part, width) for part in parts),
        _compiled(filters.apply(runs).values_list(RowNumber("id"))[: FEW + 1]),
        compiled(sorted_few(runs, filters, by, place)),
        compiled(along_the_order(runs, filters, by, part) for part in parts),
    )


def _read_by_route(  # noqa: PLR0917  # called from here alone
    using: str, filters: RunFilters, by: RunOrder, after: SortKey | None, offset: int, limit: int
) -> list[SortKey]:
    """What `fetch_keys` answers, where no index has it.

    The first runs of the order have a page of those that pass, unless these are rare there: few, or a part of many.
    """
    slots = None if after is None else SortKey(None if after.key is None else KEY_SLOT, TIE_SLOT)
    connection = connections[using]
    for each in LOOKED_THROUGH:
        width = min(WIDEST, (offset + limit) * each)
        routes = _routes(using, filters, by, slots, width)
        if 2 * (offset + limit) <= width:
            found = _among_firsts(connection, routes, after, offset, limit, width)
            if found is not None:
                return found
    statements = routes.of_few if _count(connection, routes.whether_few) <= FEW else routes.along
    return _read_parts(using, statements, after, offset, limit)


def _among_firsts(  # noqa: PLR0917  # called from here alone
    connection: Any, routes: Routes, after: SortKey | None, offset: int, limit: int, width: int
) -> list[SortKey] | None:
    """A page of those that pass among the first `width` runs; None where there may be more of them further on."""
    found: list[SortKey] = []
    for firsts, among in zip(routes.firsts, routes.among_firsts, strict=True):
        found += _places(connection, among.sql, among.with_place(after), limit - len(found), offset)
        if len(found) == limit:
            return found
        # With as many as were looked through there may be more in this part.
        if _count(connection, firsts, after) == width:
            return None
    return found


def _read_parts(
    using: str, statements: Sequence[Statement], after: SortKey | None, offset: int, limit: int
) -> list[SortKey]:
    """Rows of statements, one after the other, from `offset` in all of them on."""
    found: list[SortKey] = []
    connection = connections[using]
    for number, statement in enumerate(statements):
        if len(found) == limit:
            break
        params = statement.with_place(after)
        found += _places(connection, statement.sql, params, limit - len(found), 0 if found else offset)
        if not found and number + 1 < len(statements):
            offset = max(0, offset - _count(connection, statement, after))
    return found


def _places(connection: Any, sql: str, params: Sequence[Any], limit: int, offset: int) -> list[SortKey]:
    return [SortKey(*row) for row in fetch_all(connection, f"{sql} LIMIT %s OFFSET %s", (*params, limit, offset))]


def _count(connection: Any, statement: Statement, after: SortKey | None = None) -> int:
    sql = f"SELECT COUNT(*) FROM ({statement.sql}) AS counted"
    count: int = fetch_all(connection, sql, statement.with_place(after))[0][0]
    return count
