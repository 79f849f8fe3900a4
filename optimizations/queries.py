"""The statements of lists, compiled once: Django takes longer to build one than the database to answer it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from optimizations.filters import RunFilters
from optimizations.models import Optimization
from optimizations.paging import KEY, KEY_SLOT, TIE, TIE_SLOT, Place, RunOrder

#: Different filters and orders that are remembered.
STATEMENTS = 512


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters, some of which may be slots for the values of a place."""

    sql: str
    params: tuple[Any, ...]

    def with_place(self, place: Place | None) -> tuple[Any, ...]:
        """The parameters, with the values of a place in its slots."""
        if place is None:
            return self.params
        return tuple(
            place.key if param is KEY_SLOT else place.tie if param is TIE_SLOT else param for param in self.params
        )


@functools.lru_cache(maxsize=STATEMENTS)
def _page_statements(using: str, filters: RunFilters, by: RunOrder, has_place: bool, has_key: bool) -> list[Statement]:
    """The statements whose rows, one after the other, are the places of a list, after a place or from its beginning."""
    runs = filters.apply(Optimization.objects.using(using).order_by())
    place = Place(KEY_SLOT if has_key else None, TIE_SLOT, "") if has_place else None
    parts = by.parts_after(place)
    return [_compiled(by.sorted(runs, part).values_list(KEY, TIE, "id")) for part in parts]


def _compiled(rows: QuerySet[Any, Any]) -> Statement:
    sql, params = rows.query.get_compiler(rows.db).as_sql()
    return Statement(sql, tuple(params))


def read_places(
    using: str, filters: RunFilters, by: RunOrder, *, after: Place | None = None, offset: int = 0, limit: int
) -> list[Place]:
    """The places of up to `limit` runs of a list, from `offset`, or after a place."""
    try:
        statements = _page_statements(
            using, filters, by, after is not None, after is not None and after.key is not None
        )
    except EmptyResultSet:  # a filter that Django knows nothing to pass
        return []
    found: list[Place] = []
    with connections[using].cursor() as cursor:
        for number, statement in enumerate(statements):
            if len(found) == limit:
                break
            params = statement.with_place(after)
            rows = _rows(cursor, statement.sql, params, limit - len(found), 0 if found else offset)
            found += [Place(*row) for row in rows]
            if not found and number + 1 < len(statements):
                cursor.execute(f"SELECT COUNT(*) FROM ({statement.sql}) AS part", params)
                offset = max(0, offset - cursor.fetchone()[0])
    return found


def _rows(cursor: Any, sql: str, params: Sequence[Any], limit: int, offset: int) -> list[tuple[Any, ...]]:
    cursor.execute(f"{sql} LIMIT %s OFFSET %s", (*params, limit, offset))
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
