"""SQLite's numbers of rows, in Django's queries."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Func, IntegerField, Lookup

from promptadmin.db.fields import Text
from promptadmin.search.tracking import CHANGES


class RowNumber(Func):
    """SQLite's number of the row of a column. VACUUM may change the numbers, but not their order."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Name it by the table's alias."""
        (column,) = self.get_source_expressions()
        return f"{compiler.quote_name_unless_alias(column.alias)}.rowid", []


class RowLookup(Lookup):
    """The base of conditions on the number of the row that a column belongs to; SQLite only."""

    condition = ""

    def get_prep_lookup(self) -> Any:
        """As it is."""
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Compare the number."""
        value = self.rhs if isinstance(self.rhs, int) else json.dumps(self.rhs)
        return f"{compiler.quote_name_unless_alias(self.lhs.alias)}.rowid {self.condition}", [value]


@Text.register_lookup
class RowIn(RowLookup):
    """`id__row_in=[1, 5]`: any number of them."""

    lookup_name = "row_in"
    condition = "IN (SELECT value FROM json_each(%s))"


@Text.register_lookup
class RowAfter(RowLookup):
    """`id__row_after=17`."""

    lookup_name = "row_after"
    condition = "> %s"


@Text.register_lookup
class RowChanged(RowLookup):
    """`id__row_changed=("runs", 17)`: rows of a table with changes after one, as many as these are."""

    lookup_name = "row_changed"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Let SQLite look, instead of a list here."""
        name, number = self.rhs
        alias = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{alias}.rowid IN (SELECT row FROM {CHANGES} WHERE number > %s AND name = %s)", [number, name]
