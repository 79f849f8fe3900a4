"""Days in UTC, in Django's queries."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, TextField


class UtcDay(Func):
    """The day of a moment's column in UTC, as in "2026-03-20"; whatever a SQLite file has in the place of a moment."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """The beginning of the text, without a call into Python for each row."""
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 10)", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Whatever the session's time zone."""
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        return self.as_sql(compiler, connection, template=template, **extra)
