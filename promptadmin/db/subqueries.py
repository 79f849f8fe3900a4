"""Subqueries that Django has no name for."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField, Subquery


class BoundedCount(Subquery):
    """How many rows a sliced query has; the database stops where the slice ends."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = IntegerField()


class Newest(Subquery):
    """The greatest value of a column. As a plain function, MAX needs no GROUP BY: an index's end is read."""

    def __init__(self, rows: Any, column: str) -> None:
        super().__init__(rows.order_by().annotate(newest=Func(column, function="MAX")).values("newest"))
