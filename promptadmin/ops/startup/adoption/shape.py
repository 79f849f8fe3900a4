"""Whether the tables of a legacy file that have our names can be ours."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from promptadmin.db.schema import AdoptModel
from promptadmin.ops.startup.adoption.errors import UnusableDatabaseError


def table_names(raw: sqlite3.Connection) -> list[str]:
    """The names of the file's ordinary tables."""
    rows = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|'")
    return [name for (name,) in rows]


@functools.cache
def _adoptions() -> dict[type[models.Model], set[str]]:
    """The models whose migrations adopt a table that a legacy file may have already, and the columns that it must have.

    These are the required ones of the migration, which can't add them: later ones may have let go of some.
    """
    migrations = MigrationLoader(None).disk_migrations
    found: dict[type[models.Model], set[str]] = {}
    for (label, _), migration in sorted(migrations.items()):
        for operation in migration.operations:
            if isinstance(operation, AdoptModel):
                model = apps.get_model(label, operation.name)
                required = (name for name, field in operation.fields if not field.null)
                found[model] = {str(model._meta.get_field(name).column) for name in required}
    return found


def adopted_models() -> list[type[models.Model]]:
    """The models whose migrations adopt a table that a legacy file may have already."""
    return list(_adoptions())


def check_shape(kinds: Mapping[str, str], columns: Callable[[str], list[Any]]) -> None:
    """Raise UnusableDatabaseError where a table has one of our names, but not the columns that make it ours.

    `kinds` has the names of tables and views, with which they are; `columns` answers as PRAGMA table_info does.
    """
    for model in adopted_models():
        table = model._meta.db_table
        if table not in kinds:
            named = next((name for name in kinds if name.lower() == table), None)
            if named is not None:
                raise UnusableDatabaseError(f"PromptForge has no table {named}, but {table}: name another file.")
            continue
        if kinds[table] != "table":
            raise UnusableDatabaseError(
                f"{table} is a {kinds[table]} in this file, not a table: name PromptForge's file."
            )
        problem = _problem(model, columns(table))
        if problem:
            raise UnusableDatabaseError(f"The table {table} is not one of PromptForge's: {problem}. Name another file.")


def _problem(model: type[models.Model], columns: list[Any]) -> str:
    """What keeps a table with these columns (rows of PRAGMA table_info) from being this model's; empty if nothing."""
    present = {name for _, name, *_ in columns}
    missing = sorted(_adoptions()[model] - present)
    if missing:
        return f"it has no column {', '.join(missing)}"
    key = [(name, kind) for _, name, kind, _, _, place in columns if place]
    if [name for name, _ in key] != [model._meta.pk.column]:
        return f"its key is ({', '.join(name for name, _ in key)}), not ({model._meta.pk.column})"
    if "INT" in key[0][1].upper():  # what SQLite itself goes by
        return f"its key is a number ({key[0][1]}), not a text"
    known = {field.column for field in model._meta.local_fields}
    blocking = sorted(
        name for _, name, _, required, default, _ in columns if required and default is None and name not in known
    )
    if blocking:
        return f"its column {', '.join(blocking)} must have a value that promptadmin doesn't know"
    return ""
