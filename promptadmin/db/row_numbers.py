"""SQLite's numbers of rows, in Django's queries."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField


class RowNumber(Func):
    """SQLite's number of the row of a column. VACUUM may change the numbers, but not their order."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        (column,) = self.get_source_expressions()
        return f"{compiler.quote_name_unless_alias(column.alias)}.rowid", []
