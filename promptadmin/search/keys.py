"""Rows by any number of keys, in Django's queries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Lookup, Q

from promptadmin.db.fields import Text
from promptadmin.search.tables import SearchedTable


def among(table: SearchedTable, keys: Iterable[str]) -> Q:
    """The rows of a SQLite table that have one of these keys."""
    found = list(keys)
    by_json = not any("\0" in key for key in found)  # at a NUL, SQLite's JSON ends a text
    return Q(**{f"{table.key}__{Among.lookup_name if by_json else 'in'}": found})


@Text.register_lookup
class Among(Lookup):
    """`id__among=["a", "b"]`: as `in`, but one parameter, however many there are; SQLite only.

    By the rows' numbers, which the index of keys tells: with keys, the planner might walk all rows of another filter.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> str:
        """As one text."""
        return json.dumps(self.rhs)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Let SQLite read the list."""
        alias, key = compiler.quote_name_unless_alias(self.lhs.alias), self.lhs.target
        joined = (
            f"json_each(%s) wanted CROSS JOIN {key.model._meta.db_table} found ON found.{key.column} = wanted.value"
        )
        return f"{alias}.rowid IN (SELECT found.rowid FROM {joined})", [self.rhs]
