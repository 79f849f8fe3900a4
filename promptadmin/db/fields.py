"""Model fields for tables that another program made and may still write to.

They read whatever is stored without failing, write one form, and hand a value that they can't read back unchanged.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.legacy_values import parse_moment, read_count, read_text

UTC = dt.UTC
#: What an integer column of PostgreSQL holds.
LARGEST_INTEGER = 2_147_483_647
#: What a column of SQLite, and one of PostgreSQL for large integers, holds.
LARGEST_COUNT = 2**63 - 1


class Unreadable(str):
    """A stored value that its column's kind can't read, shown as text; saving the row writes `stored`, as it was."""

    stored: Any

    def __new__(cls, stored: Any) -> Self:
        """Keep the value beside its text."""
        text = super().__new__(cls, stored)
        text.stored = stored
        return text


def new_id() -> str:
    """A new row's key: a random UUID (version 4) as text with dashes."""
    return str(uuid.uuid4())


def moment_of_text(value: Any) -> Any:
    """For pydantic: the moment that a text in ISO 8601 means, in UTC; None and moments as they are."""
    if value is None or isinstance(value, dt.datetime):
        return value
    moment = parse_moment(value) if isinstance(value, str) else None
    if moment is None:
        raise ValueError("Input should be a time in ISO 8601, as in 2026-03-20T09:30:00Z")
    return moment


def moment_text(moment: dt.datetime) -> str:
    """The text of a moment in a SQLite file: UTC, no offset, always six digits, so that text order is time order."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def stored_moment(moment: dt.datetime, connection: BaseDatabaseWrapper) -> dt.datetime | str:
    """A moment as a parameter of SQL: SQLite's one text form, and itself on other engines."""
    return moment_text(moment) if connection.vendor == "sqlite" else moment


class Text(models.TextField):  # type: ignore[type-arg]  # generic only in the stubs
    """Text of any length, compared and sorted by code point on every engine."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """`TEXT`; in capitals also because Django adds a second index to each unique `text` column of PostgreSQL."""
        return "TEXT"

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """PostgreSQL gets the collation that SQLite has anyway."""
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Only SQLite stores anything else than texts in a text column."""
        return super().get_db_converters(connection) if connection.vendor == "sqlite" else []

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        """A text. A BLOB says one; NULL where there must be a text is an empty one, but for a key, which has no row."""
        if type(value) is str:
            return value
        text = read_text(value)
        return "" if text is None and not self.null and not self.primary_key else text


class JSONText(Text):
    """Text that should hold JSON. The attribute is the text itself: `promptadmin.db.json_text` reads it."""


class Count(models.IntegerField):  # type: ignore[type-arg]  # generic only in the stubs
    """An integer. What SQLite keeps of another type reads as the number that it says; 0 where there must be one."""

    def deconstruct(self) -> Any:
        """Django's integer, for migrations: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.IntegerField", args, kwargs

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Only SQLite stores anything else than numbers in a column of numbers."""
        return super().get_db_converters(connection) if connection.vendor == "sqlite" else []

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> int | None:
        number = read_count(value)
        return 0 if number is None and not self.null else number


class Moment(models.DateTimeField):  # type: ignore[type-arg]  # generic only in the stubs
    """A moment in UTC, stored in SQLite as PromptForge does; an unreadable legacy value comes as `Unreadable`."""

    def get_internal_type(self) -> str:
        """Not DateTimeField: Django's own converter for that one fails on, or drops, what it can't parse."""
        return "Moment"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """`DATETIME` on SQLite, `timestamp with time zone` elsewhere."""
        return "DATETIME" if connection.vendor == "sqlite" else "timestamp with time zone"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """Parse a text; a number or bytes, which SQLite keeps too, mean no moment."""
        if value is None or isinstance(value, dt.datetime):
            return value
        return (parse_moment(value) if isinstance(value, str) else None) or Unreadable(value)

    def to_python(self, value: Any) -> Any:
        """Leave an unreadable legacy value alone."""
        return value if isinstance(value, Unreadable) else super().to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        """Leave an unreadable legacy value alone."""
        return value if isinstance(value, Unreadable) else super().get_prep_value(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Write the one form that sorts."""
        if not prepared:
            value = self.get_prep_value(value)
        if isinstance(value, Unreadable):
            return value.stored
        return stored_moment(value, connection) if isinstance(value, dt.datetime) else value


class Link(models.ForeignKey):  # type: ignore[type-arg]  # generic only in the stubs
    """A foreign key whose ON DELETE is the database's own, as in PromptForge's tables.

    Django's `on_delete` is DO_NOTHING: no door has to load the rows that the database deletes or unlinks.
    An index, where wanted, is declared by name in `Meta.indexes`.
    """

    def __init__(self, to: Any, *, on_delete_sql: str, **kwargs: Any) -> None:
        self.on_delete_sql = on_delete_sql
        kwargs.update(on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
        super().__init__(to, **kwargs)

    def deconstruct(self) -> Any:
        """Name the arguments that a migration needs, and the class where plugins may import it from."""
        name, _, args, kwargs = super().deconstruct()
        for key in ("on_delete", "db_constraint", "db_index"):
            kwargs.pop(key, None)
        return name, "promptadmin.plugins.Link", args, {**kwargs, "on_delete_sql": self.on_delete_sql}

    def db_type_suffix(self, connection: BaseDatabaseWrapper) -> str:
        """The constraint, written inline: the form that both a new table and an added column take on both engines."""
        target = self.remote_field.model._meta
        quote = connection.ops.quote_name
        column = quote(str(self.target_field.column))
        return f"REFERENCES {quote(target.db_table)} ({column}) ON DELETE {self.on_delete_sql}"


class NamedIndex(models.Index):
    """An index with one of PromptForge's names, some of which are longer than Django's portable 30 characters."""

    max_name_length = 63
