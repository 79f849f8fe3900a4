"""A deletion from its first row to its last, and back: at once where it is small, otherwise in short pieces.

On SQLite one transaction writes at a time, so a large deletion goes in pieces, each of which gives other writers their
turn. The transaction that begins it also notes it: whoever is killed in between leaves it to upkeep, or to the next
start. PostgreSQL locks rows, not the file: there, every deletion is one transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import OperationalError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from promptadmin.context import current_actor
from promptadmin.db.fields import Link
from promptadmin.db.raw import fetch_all
from promptadmin.db.sessions import write_session
from promptadmin.deletions.kept_rows import (
    ROWS_AT_ONCE,
    Found,
    expect_room,
    find_rows,
    keys_of,
    pack,
    put_back,
    remove_rows,
    rows_in,
    unpack,
)
from promptadmin.deletions.references import is_referred_to, links_set_null, release
from promptadmin.errors import Busy, DomainError, NotFound
from promptadmin.models import DeletedRows, Deletion, DeletionState

#: So many rows are written in one transaction, also on SQLite.
AT_ONCE = 2_000
#: Longer than a waiting writer of another process sleeps between two tries (`turns.LONGEST_PAUSE`).
SECONDS_BETWEEN_PIECES = 0.02
#: A busy database is waited for so often, each time as long as any write waits.
TRIES = 6
BUSY = "It is being deleted or restored at this moment: nothing was changed. Try again in some seconds."


class Part(NamedTuple):
    """Rows of one table that a deletion takes: those with this condition, counted under this name of `Deletion`."""

    model: type[models.Model]
    where: str
    params: Sequence[Any]
    counted: str


@dataclass(frozen=True)
class Kind:
    """What can be deleted: which rows that takes, and, when all are back, what else makes it whole again.

    Rows come back in the reverse of the order in which the parts went. `finish` runs in the transaction that restores
    the last one. `permission` is what somebody needs to restore it: whoever may delete may undo it.
    """

    parts: Callable[[Deletion, BaseDatabaseWrapper], list[Part]]
    finish: Callable[[Deletion, str], None]
    permission: str


KINDS: dict[str, Kind] = {}


def count_rows(connection: BaseDatabaseWrapper, parts: Sequence[Part]) -> Counter[str]:
    """How many rows the parts have, by the names under which they count."""
    counts: Counter[str] = Counter()
    for part in parts:
        statement = f"SELECT COUNT(*) FROM {part.model._meta.db_table} WHERE {part.where}"
        counts[part.counted] += fetch_all(connection, statement, part.params)[0][0]
    return counts


def begin(deletion: Deletion, using: str, *, keep: Sequence[tuple[type[models.Model], Any]] = ()) -> Counter[str]:
    """Delete what a deletion is of, in the caller's session, or, of many rows, as soon as that session is over.

    `keep` are rows that stay, but are kept as they are now. Answers how many rows go, by the names under which they
    count. Raises Conflict where other tables' rows refer to them.
    """
    connection, actor = connections[using], current_actor()
    deletion.by, deletion.door = actor.name[:300], actor.door
    deletion.deleted_at = timezone.now()
    deletion.expires_at = deletion.deleted_at + timedelta(days=settings.KEEP_DELETED_DAYS)
    parts = KINDS[deletion.kind].parts(deletion, connection)
    some = {part.model for part in parts}
    counts = count_rows(connection, parts)
    in_pieces = connection.vendor == "sqlite" and counts.total() > AT_ONCE and not is_referred_to(connection, [*some])
    deletion.state = DeletionState.GOING if in_pieces else DeletionState.KEPT
    deletion.save(using=using, force_insert=True)
    for model, key in keep:
        _keep(deletion, using, model, find_rows(connection, model, f"{model._meta.pk.column} = %s", [key], 1))
    if in_pieces:
        transaction.on_commit(partial(go_on, deletion.pk, using), using=using, robust=True)
        return counts
    plugins: Counter[str] = Counter()
    for part in parts:
        taken = ROWS_AT_ONCE
        while taken == ROWS_AT_ONCE:
            taken = _take(deletion, connection, part, plugins)
    for name, count in counts.items():
        setattr(deletion, name, count)
    if plugins:
        told = ", ".join(f"{count} of {table}" for table, count in sorted(plugins.items()))
        deletion.note = f"Rows of plugins went along and can't be restored: {told}."
    if settings.KEEP_DELETED_DAYS:
        deletion.save(using=using)
    else:
        deletion.delete(using=using)
    return counts


def restore(deletion_id: int, using: str, *, check: Callable[[Deletion], None]) -> Deletion:
    """Put back what a deletion took, in the caller's session or, of many rows, as soon as that is over.

    `check` is asked first. Raises NotFound, Busy; Conflict where something stands in the way.
    """
    connection = connections[using]
    deletion = Deletion.objects.using(using).select_for_update().filter(pk=deletion_id).first()
    if deletion is None:
        raise NotFound("There is no such deletion: it was restored already, or its time is over.")
    if deletion.state != DeletionState.KEPT:
        raise Busy(BUSY)
    check(deletion)
    kept = DeletedRows.objects.using(using).filter(deletion=deletion)
    in_pieces = connection.vendor == "sqlite" and (kept.aggregate(rows=models.Sum("rows"))["rows"] or 0) > AT_ONCE
    if in_pieces:
        tables = {model._meta.db_table: str(model._meta.pk.column) for model in _models(deletion, connection)}
        for some in kept.filter(table__in=tables):
            expect_room(connection, some.table, tables[some.table], bytes(some.data))  # before the first row is back
        deletion.state = DeletionState.RESTORING
        deletion.save(using=using, update_fields=["state"])
        transaction.on_commit(partial(go_on, deletion.pk, using), using=using, robust=True)
        return deletion
    while _bring_back(deletion, connection):
        pass
    return deletion


def go_on(deletion_id: int, using: str) -> None:
    """Do what is left of a deletion or of restoring one, piece by piece.

    Waits while others have the database. What fails otherwise is left to upkeep, which tries again.
    """
    tries = 0
    while tries < TRIES:
        try:
            if not do_piece(deletion_id, using):
                return
            tries = 0
        except OperationalError:
            tries += 1
            if tries == TRIES:
                raise
        time.sleep(SECONDS_BETWEEN_PIECES)


def do_piece(deletion_id: int, using: str) -> int:
    """One piece of what is left of a deletion, in a transaction of its own; answers how many rows that were."""
    with write_session(using) as connection:
        deletion = Deletion.objects.using(using).select_for_update().filter(pk=deletion_id).first()
        if deletion is None or deletion.state == DeletionState.KEPT:
            return 0
        if deletion.state == DeletionState.RESTORING:
            try:
                with transaction.atomic(using=using):
                    return _bring_back(deletion, connection)
            except DomainError as refused:
                deletion.state, deletion.note = DeletionState.KEPT, f"Restoring stopped midway: {refused}"
                deletion.save(using=using, update_fields=["state", "note"])
                return 0
        plugins: Counter[str] = Counter()
        for part in KINDS[deletion.kind].parts(deletion, connection):
            taken = _take(deletion, connection, part, plugins)
            if taken:
                setattr(deletion, part.counted, getattr(deletion, part.counted) + taken)
                deletion.save(using=using, update_fields=[part.counted])
                return taken
        deletion.state = DeletionState.KEPT
        deletion.save(using=using, update_fields=["state"])
        if not settings.KEEP_DELETED_DAYS:
            deletion.delete(using=using)
    return 0


def unfinished(using: str) -> list[int]:
    """The deletions that are on their way, oldest first."""
    rows = Deletion.objects.using(using).exclude(state=DeletionState.KEPT)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def expect_settled(using: str, kind: str, key: str) -> None:
    """Raises Busy while what has this key is being deleted or restored."""
    rows = Deletion.objects.using(using).filter(kind=kind, key=key).exclude(state=DeletionState.KEPT)
    if rows.exists():
        raise Busy(BUSY)


def _take(deletion: Deletion, connection: BaseDatabaseWrapper, part: Part, plugins: Counter[str]) -> int:
    rows = find_rows(connection, part.model, part.where, part.params, ROWS_AT_ONCE)
    if not rows:
        return 0
    keys = keys_of(rows)
    if settings.KEEP_DELETED_DAYS:
        _keep(deletion, connection.alias, part.model, rows)
        for field in links_set_null(part.model):
            owner, column, key = field.model._meta.db_table, field.column, field.model._meta.pk.column
            links = rows_in(connection, f"SELECT {key}, {column} FROM {owner} WHERE {column} IN", keys)
            if links:
                content = pack([{key: link[0], column: link[1]} for link in links])
                DeletedRows.objects.using(connection.alias).create(
                    deletion=deletion, table=_table_of(field), rows=len(links), data=content
                )
    plugins.update(release(connection, part.model, keys))
    remove_rows(connection, part.model, rows)
    return len(rows)


def _keep(deletion: Deletion, using: str, model: type[models.Model], rows: Sequence[Found]) -> None:
    if rows and settings.KEEP_DELETED_DAYS:
        DeletedRows.objects.using(using).create(
            deletion=deletion,
            table=model._meta.db_table,
            rows=len(rows),
            data=pack([row.content for row in rows]),
        )


def _bring_back(deletion: Deletion, connection: BaseDatabaseWrapper) -> int:
    """Put back some rows. When none is left, the deletion itself goes."""
    kept = DeletedRows.objects.using(connection.alias).filter(deletion=deletion).order_by("pk")
    order = _models(deletion, connection)
    for model in order:
        some = kept.filter(table=model._meta.db_table).first()
        if some is not None:
            put_back(
                connection, some.table, str(model._meta.pk.column), _with_live_links(deletion, connection, model, some)
            )
            some.delete(using=connection.alias)
            return some.rows
    for link in (link for model in order for link in links_set_null(model)):
        some = kept.filter(table=_table_of(link)).first()
        if some is not None:
            _link_again(connection, link, some.data)
            some.delete(using=connection.alias)
            return some.rows
    KINDS[deletion.kind].finish(deletion, connection.alias)
    kept.delete()
    deletion.delete(using=connection.alias)
    return 0


def _models(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[type[models.Model]]:
    """Those of the rows, in the order in which they can come back."""
    parts = KINDS[deletion.kind].parts(deletion, connection)
    return list(dict.fromkeys(part.model for part in reversed(parts)))


def _table_of(link: Link) -> str:
    """The name under which what a link led to is kept."""
    return f"{link.model._meta.db_table}.{link.column}"


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
