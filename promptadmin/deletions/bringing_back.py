"""Putting back what a deletion took, a few rows at a time."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.fields import Link
from promptadmin.db.kept_rows import pack, put_back, rows_in, unpack
from promptadmin.db.schema import table_exists
from promptadmin.deletions.kinds import KINDS
from promptadmin.deletions.references import links_set_null
from promptadmin.models import DeletedRows, Deletion


def bring_back(deletion: Deletion, connection: BaseDatabaseWrapper) -> int:
    """Put back some rows. When none is left, the deletion itself goes."""
    kept = DeletedRows.objects.using(connection.alias).filter(deletion=deletion).order_by("pk")
    order = models_of(deletion, connection)
    for model in order:
        some = kept.filter(table=model._meta.db_table).first()
        if some is not None:
            put_back(
                connection, some.table, str(model._meta.pk.column), _with_live_links(deletion, connection, model, some)
            )
            some.delete(using=connection.alias)
            return some.rows
    for link in (link for model in order for link in links_set_null(model)):
        some = kept.filter(table=table_of(link)).first()
        if some is not None:
            _link_again(connection, link, some.data)
            some.delete(using=connection.alias)
            return some.rows
    plugins = kept.filter(table__endswith=")").first()
    if plugins is not None:
        _bring_back_plugins(deletion, connection, plugins)
        plugins.delete(using=connection.alias)
        return plugins.rows
    KINDS[deletion.kind].finish(deletion, connection.alias)
    kept.delete()
    deletion.delete(using=connection.alias)
    return 0


def models_of(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[type[models.Model]]:
    """Those of the rows, in the order in which they can come back."""
    parts = KINDS[deletion.kind].parts(deletion, connection)
    return list(dict.fromkeys(part.model for part in reversed(parts)))


def table_of(link: Link) -> str:
    """The name under which what a link led to is kept."""
    return f"{link.model._meta.db_table}.{link.column}"


def _bring_back_plugins(deletion: Deletion, connection: BaseDatabaseWrapper, some: DeletedRows) -> None:
    """Put back rows of a plugin's table, if there still is one."""
    table, _, key = some.table.removesuffix(")").partition("(")
    if table_exists(connection, table):
        put_back(connection, table, key, bytes(some.data))
        return
    deletion.note += f" {some.rows} rows of {table} are lost: there is no such table any more."
    deletion.save(using=connection.alias, update_fields=["note"])


def _with_live_links(
    deletion: Deletion, connection: BaseDatabaseWrapper, model: type[models.Model], kept: DeletedRows
) -> bytes:
    """The same rows, without links to rows that were deleted meanwhile: those would have become NULL then."""
    data = bytes(kept.data)
    rows, emptied = unpack(data), 0
    for field in model._meta.concrete_fields:
        if isinstance(field, Link) and field.on_delete_sql == "SET NULL":
            target = field.remote_field.model._meta
            asked = {row[field.column] for row in rows if isinstance(row.get(field.column), str)}
            there = rows_in(
                connection, f"SELECT {target.pk.column} FROM {target.db_table} WHERE {target.pk.column} IN", [*asked]
            )
            dead = asked - {key for (key,) in there}
            for row in rows:
                if isinstance(row.get(field.column), str) and row[field.column] in dead:
                    row[field.column] = None
                    emptied += 1
    if not emptied:
        return data
    deletion.note += f" {emptied} rows of {kept.table} came back without a link to what was deleted meanwhile."
    deletion.save(using=connection.alias, update_fields=["note"])
    return pack(rows)


def _link_again(connection: BaseDatabaseWrapper, link: Link, data: Any) -> None:
    """Links that became NULL lead again to the rows that are back, unless they have got another target since."""
    owner, key, column = link.model._meta.db_table, str(link.model._meta.pk.column), link.column
    for row in unpack(bytes(data)):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {owner} SET {column} = %s WHERE {key} = %s AND {column} IS NULL", [row[column], row[key]]
            )
