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
    return Q(**{f"{table.key}__{Among.lookup_name}": list(keys)})


@Text.register_lookup
class Among(Lookup):
    """`id__among=["a", "b"]`: as `in`, but one parameter, however many there are."""

    lookup_name = "among"

    def get_prep_lookup(self) -> str:
        """As one text."""
        return json.dumps(self.rhs)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Let SQLite read the list."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, self.rhs]
