"""Putting back what a deletion took, a few rows at a time."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.conf.counted import counted
from promptadmin.db.fields import Link
from promptadmin.db.kept_rows import expect_room, pack, put_back, rows_in, unpack
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
    some = kept.filter(table__endswith=")").first()
    if some is not None:
        _bring_back_plugins(deletion, connection, some)
        some.delete(using=connection.alias)
        return some.rows
    KINDS[deletion.kind].finish(deletion, connection.alias)
    kept.delete()
    deletion.delete(using=connection.alias)
    return 0


def expect_all_room(deletion: Deletion, connection: BaseDatabaseWrapper) -> None:
    """Raises Conflict where some row can't come back, before the first one does."""
    keys = {model._meta.db_table: str(model._meta.pk.column) for model in models_of(deletion, connection)}
    for some in DeletedRows.objects.using(connection.alias).filter(deletion=deletion):
        if some.table in keys:
            expect_room(connection, some.table, keys[some.table], bytes(some.data))
        elif some.table.endswith(")"):
            table, key = _of_plugin(some.table)
            if table_exists(connection, table):
                expect_room(connection, table, key, bytes(some.data))


def models_of(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[type[models.Model]]:
    """Those of the rows, in the order in which they can come back."""
    parts = KINDS[deletion.kind].parts(deletion, connection)
    return list(dict.fromkeys(part.model for part in reversed(parts)))


def table_of(link: Link) -> str:
    """The name under which what a link led to is kept."""
    return f"{link.model._meta.db_table}.{link.column}"


def plugins_table(table: str, key: str | None) -> str:
    """The name under which rows of a plugin's table are kept, with its key, if that is one column, and fits in."""
    name = f"{table}({key or ''})"
    return name if len(name) <= 100 else f"{table}()"


def _of_plugin(name: str) -> tuple[str, str | None]:
    table, _, key = name.removesuffix(")").partition("(")
    return table, key or None


def _bring_back_plugins(deletion: Deletion, connection: BaseDatabaseWrapper, some: DeletedRows) -> None:
    """Put back rows of a plugin's table, if there still is one."""
    table, key = _of_plugin(some.table)
    if table_exists(connection, table):
        put_back(connection, table, key, bytes(some.data))
        return
    deletion.note += f" Lost: {counted(some.rows, 'row')} of {table}, because there is no such table any more."
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
    deletion.note += (
        f" {counted(emptied, 'row')} of {kept.table} came back without a link to what was deleted meanwhile."
    )
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
