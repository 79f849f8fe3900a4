"""Rows that don't hold together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections, models
from django.db.models import Exists, OuterRef
from django.utils.translation import ngettext

from promptadmin.conf.counted import counted
from promptadmin.db import json_text
from promptadmin.db.deadlines import is_over
from promptadmin.db.fields import JSONText
from promptadmin.db.sqlite.connections import is_file
from promptadmin.deletions.references import unowned
from promptadmin.ops.plugin_removal import leftovers
from promptadmin.plugins.declarations import enabled_plugins

SHOWN = 3
ROWS_A_FETCH = 2000


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_links(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D202: Links between rows.

    Each must point to a row that exists. PromptForge's first releases didn't enforce foreign keys, and a program that
    switches them off can still delete what others point to. PostgreSQL always enforces them.
    """
    for alias in databases or ():
        connection = connections[alias]
        if not is_file(connection):
            yield checks.Debug("PostgreSQL enforces every link", id="D202")
            continue
        links = list(_links())
        found = False
        for field in links:
            orphans = _orphans(field, alias)
            count = orphans.count()
            if count:
                found = True
                keys = orphans.values_list("pk", flat=True)[:SHOWN]
                yield _broken(f"{field.model._meta.db_table}.{field.column}", count, keys)
        known = {field.model._meta.db_table for field in links}
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table not in known:  # tables that no model describes
                    cursor.execute("SELECT COUNT(*) FROM pragma_foreign_key_check(%s)", [table])
                    count = cursor.fetchone()[0]
                    if count:
                        found = True
                        yield _broken(table, count)
        if not found:
            yield checks.Debug(f"looked at {len(links)} kinds of links", id="D202")


def _links() -> Iterator[models.ForeignKey[Any, Any]]:
    """Every link of every model."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from (field for field in model._meta.local_fields if isinstance(field, models.ForeignKey))


def _orphans(field: models.ForeignKey[Any, Any], using: str) -> models.QuerySet[Any]:
    """The rows whose link points to no row."""
    target = field.related_model._base_manager.using(using)
    exists = Exists(target.filter(**{field.target_field.attname: OuterRef(field.attname)}))
    return field.model._base_manager.using(using).filter(~exists, **{f"{field.attname}__isnull": False})


def _broken(what: str, count: int, keys: Iterable[Any] = ()) -> checks.CheckMessage:
    links = ngettext("%d link to a row that doesn't exist", "%d links to rows that don't exist", count) % count
    shown = ", ".join(map(str, keys))
    return checks.Error(
        f"{what}: {links}{', among them ' if shown else ''}{shown}",
        hint="Back up, then set them to NULL or to a row that exists with the sqlite3 shell; the next "
        "`promptadmin startup` that has migrations to apply lists them, and --repair-orphans sets those to NULL that "
        "may be.",
        id="D202",
    )


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_json(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D203: Texts that should be JSON.

    Text that isn't reads as null through the API, shows as it is in the back-office, and stays until somebody edits
    that field. Nothing is lost; whoever reads the field gets nothing.
    """
    for alias in databases or ():
        is_fine, looked_at = True, 0
        for model in _models_with_json():
            columns = {field.attname: field.column for field in model._meta.local_fields if isinstance(field, JSONText)}
            invalid = dict.fromkeys(columns, 0)
            looked_at += len(columns)
            try:
                for row in model._base_manager.using(alias).values_list(*columns).iterator(ROWS_A_FETCH):
                    if is_over():
                        raise TimeoutError
                    for name, text in zip(columns, row, strict=True):
                        invalid[name] += bool(text) and text != "null" and json_text.parse(text) is None
            finally:  # what was counted when the time was up is a finding too
                for name in filter(invalid.get, columns):
                    is_fine = False
                    texts = ngettext("%d text that isn't JSON", "%d texts that aren't JSON", invalid[name])
                    yield checks.Warning(
                        f"{model._meta.db_table}.{columns[name]}: {texts % invalid[name]}",
                        hint="They read as null. Correct them in the back-office, or leave them as they are.",
                        id="D203",
                    )
        if is_fine:
            yield checks.Debug(f"looked at {looked_at} columns", id="D203")


def _models_with_json() -> list[type[models.Model]]:
    found = [model for plugin in enabled_plugins() for model in plugin.get_models()]
    return [model for model in found if any(isinstance(field, JSONText) for field in model._meta.local_fields)]


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_foreign_tables(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D206: Tables of plugins that are switched off.

    A plugin's table stays in the database when the plugin is switched off, until `promptadmin plugins --remove` drops
    it. Where it has a foreign key without ON DELETE to a table of ours, the database refuses to delete the rows that it
    refers to: such a deletion is answered with 409.
    """
    for alias in databases or ():
        targets = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
        found = unowned(connections[alias], targets)
        for table in sorted({reference.table for reference in found}):
            columns = ", ".join(f"{item.column} to {item.target}" for item in found if item.table == table)
            yield checks.Warning(
                f"no enabled plugin has the table {table}, which refers to ours without ON DELETE: {columns}",
                hint="Enable its plugin in PROMPTADMIN_PLUGINS, or remove the table: what it refers to can't be "
                "deleted.",
                id="D206",
            )
        for label, left in leftovers(connections[alias]).items():
            if left.tables:
                tables = ", ".join(f"{table} ({counted(rows, 'row')})" for table, rows in left.tables.items())
                yield checks.Info(
                    f"the plugin {label} is off, and its tables are still there: {tables}",
                    hint=f"Leave them, and switch it on when you like; or `promptadmin plugins --remove {label}`.",
                    id="D206",
                )
        if not found:
            yield checks.Debug("none stands in the way of deletions", id="D206")
