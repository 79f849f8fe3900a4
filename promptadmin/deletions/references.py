"""Rows of other tables that refer to ours: those of plugins, enabled or not, and of other programs.

Our own links are the database's (`promptadmin.db.fields.Link`). A plugin may have Django's ForeignKey: while it is
enabled, Django does what its `on_delete` says. Its table stays in the database when the plugin is switched off. Then
nobody says what becomes of its rows, and the database refuses the deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.deletion import DO_NOTHING, ProtectedError, RestrictedError

from promptadmin.db.fields import Link
from promptadmin.db.foreign_keys import Reference, restricting_references
from promptadmin.errors import Conflict


def references(connection: BaseDatabaseWrapper, targets: Sequence[str]) -> list[Reference]:
    """The foreign keys to these tables, in any table of the database, that say nothing of deletions."""
    return [reference for reference in restricting_references(connection) if reference.target in targets]


def unowned(connection: BaseDatabaseWrapper, targets: Sequence[str]) -> list[Reference]:
    """Those in tables that no installed application has a model of."""
    owned = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    return [reference for reference in references(connection, targets) if reference.table not in owned]


def related_models(model: type[models.Model]) -> list[Any]:
    """The relations to a model that Django itself has to look after when rows are deleted."""
    return [
        relation
        for relation in _relations(model)
        if not isinstance(relation.field, Link) and relation.on_delete is not DO_NOTHING
    ]


def links_set_null(model: type[models.Model]) -> list[Link]:
    """Our links to a model that become NULL when its row goes."""
    fields = (relation.field for relation in _relations(model))
    return [field for field in fields if isinstance(field, Link) and field.on_delete_sql == "SET NULL"]


def _relations(model: type[models.Model]) -> list[Any]:
    """Every field of another model that refers to this one, also those without a name here (`related_name="+"`)."""
    fields = model._meta.get_fields(include_hidden=True)
    return [field for field in fields if field.auto_created and not field.concrete]


def is_referred_to(connection: BaseDatabaseWrapper, some: Sequence[type[models.Model]]) -> bool:
    """Whether anybody but ourselves has foreign keys to these tables."""
    if any(related_models(model) for model in some):
        return True
    return bool(references(connection, [model._meta.db_table for model in some]))


def release(connection: BaseDatabaseWrapper, model: type[models.Model], keys: Sequence[Any]) -> Counter[str]:
    """Do what the models of plugins say of rows that are about to go; answers how many rows of theirs went, by table.

    The rows themselves may be gone afterwards, or not. Raises Conflict where a plugin, or the database, keeps them.
    """
    gone: Counter[str] = Counter()
    if related_models(model):
        try:
            _, by_model = model._base_manager.using(connection.alias).filter(pk__in=keys).delete()
        except (ProtectedError, RestrictedError) as error:
            rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
            tables = ", ".join(sorted({row._meta.db_table for row in rows}))
            raise Conflict(
                f"The table {tables} has rows that refer to what would be deleted, and its plugin protects it: "
                "delete those rows first."
            ) from error
        gone.update(
            {
                apps.get_model(label)._meta.db_table: count
                for label, count in by_model.items()
                if count and apps.get_model(label) is not model
            }
        )
    for reference in references(connection, [model._meta.db_table]):
        _expect_none(connection, reference, keys)
    return gone


def _expect_none(connection: BaseDatabaseWrapper, reference: Reference, keys: Sequence[Any]) -> None:
    quote = connection.ops.quote_name
    marks = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {quote(reference.table)} WHERE {quote(reference.column)} IN ({marks}) LIMIT 1", list(keys)
        )
        if cursor.fetchone() is None:
            return
    raise Conflict(
        f"The table {reference.table} has rows that refer to what would be deleted (column {reference.column}), and no "
        "enabled plugin says what becomes of them. Enable the plugin that made the table, in PROMPTADMIN_PLUGINS, or "
        "remove those rows or the table. `promptadmin doctor` names all such tables."
    )
