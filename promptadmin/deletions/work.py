"""A deletion from its first row to its last, and back: at once where it is small, otherwise in short pieces.

On SQLite one transaction writes at a time, so a large deletion goes in pieces, each of which gives other writers their
turn. The transaction that begins it also notes it: whoever is killed in between leaves it to upkeep, or to the next
start. PostgreSQL locks rows, not the file: there, every deletion is one transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import OperationalError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from promptadmin.audit import Change, record
from promptadmin.context import current_actor
from promptadmin.db.chunks import in_chunks
from promptadmin.db.features import has_one_writer
from promptadmin.db.foreign_keys import cascades
from promptadmin.db.kept_rows import (
    ROWS_AT_ONCE,
    Found,
    columns_by_table,
    contents_of,
    find_rows,
    keys_of,
    pack,
    remove_rows,
    rows_in,
)
from promptadmin.db.sessions import write_session
from promptadmin.deletions.bringing_back import bring_back, expect_all_room, plugins_table, table_of
from promptadmin.deletions.kinds import BUSY, KINDS, Part, count_rows
from promptadmin.deletions.references import is_referred_to, links_set_null, release
from promptadmin.errors import Busy, DomainError, NotFound
from promptadmin.models import DeletedRows, Deletion, DeletionState

#: So many rows are written in one transaction, also on SQLite.
AT_ONCE = 2_000
#: Longer than a waiting writer of another process sleeps between two tries.
SECONDS_BETWEEN_PIECES = 0.02
#: A busy database is waited for so often, each time as long as any write waits.
TRIES = 6


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
    in_pieces = has_one_writer(connection) and counts.total() > AT_ONCE and not is_referred_to(connection, [*some])
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


def restore(deletion_id: int, using: str) -> Deletion:
    """Undo a deletion, in the caller's session or, of many rows, as soon as that is over.

    Raises NotFound; Busy while it is still being deleted; Conflict or Forbidden where something stands in the way.
    """
    connection = connections[using]
    rows = Deletion.objects.using(using).select_for_update().filter(pk=deletion_id, kind__in=KINDS)
    deletion = rows.first()
    if deletion is None:
        raise NotFound("There is no such deletion: it was restored already, or its time is over.")
    if deletion.state != DeletionState.KEPT:
        raise Busy(BUSY)
    KINDS[deletion.kind].check(deletion, using)
    kept = DeletedRows.objects.using(using).filter(deletion=deletion)
    in_pieces = has_one_writer(connection) and (kept.aggregate(rows=models.Sum("rows"))["rows"] or 0) > AT_ONCE
    if in_pieces:
        expect_all_room(deletion, connection)
        deletion.state = DeletionState.RESTORING
        deletion.save(using=using, update_fields=["state"])
        transaction.on_commit(partial(go_on, deletion.pk, using), using=using, robust=True)
        return deletion
    while bring_back(deletion, connection):
        pass
    return deletion


def purge(deletion_id: int, using: str) -> bool:
    """Forget what could be restored, now; answers whether it was there. Raises Busy while it is on its way."""
    deletion = Deletion.objects.using(using).filter(pk=deletion_id).first()
    if deletion is None:
        return False
    if deletion.state != DeletionState.KEPT:
        raise Busy(BUSY)
    change = Change(
        model=Deletion,
        key=str(deletion.pk),
        title=str(deletion),
        before={"kind": deletion.kind},
        note="can't be restored any more",
    )
    record(change, using=using)
    DeletedRows.objects.using(using).filter(deletion=deletion).delete()
    deletion.delete(using=using)
    return True


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
                    return bring_back(deletion, connection)
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
    """The deletions that are on their way, oldest first; not those of an application that is switched off."""
    rows = Deletion.objects.using(using).filter(kind__in=KINDS).exclude(state=DeletionState.KEPT)
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
                    deletion=deletion, table=table_of(field), rows=len(links), data=content
                )
        _keep_cascading(deletion, connection, part.model, keys)
    plugins.update(release(connection, part.model, keys))
    remove_rows(connection, part.model, rows)
    return len(rows)


def _keep(deletion: Deletion, using: str, model: type[models.Model], rows: Sequence[Found]) -> None:
    if rows and settings.KEEP_DELETED_DAYS:
        _store(deletion, using, model._meta.db_table, [row.content for row in rows])


def _keep_cascading(
    deletion: Deletion, connection: BaseDatabaseWrapper, model: type[models.Model], keys: Sequence[Any]
) -> None:
    """Keep the rows of plugins that the database deletes with these."""
    quote = connection.ops.quote_name
    found: dict[str, dict[str, Any]] = {}

    def collect(target: str, where: str, passed: set[str]) -> None:
        """Each table stands behind those that its rows refer to."""
        referring = [cascade for cascade in cascades(connection, target) if cascade.table not in passed]
        columns = columns_by_table(connection, [cascade.table for cascade in referring]) if referring else {}
        for table, column, _, target_column, key in referring:
            condition = f"{quote(column)} IN (SELECT {quote(target_column)} FROM {quote(target)} WHERE {where})"
            rows = contents_of(connection, table, columns[table], condition, keys)
            if rows:
                name = plugins_table(table, key)
                found[name] = {**found.pop(name, {}), **{str(row): row for row in rows}}
                collect(table, condition, {*passed, table})

    if keys:
        ours = {part.model._meta.db_table for part in KINDS[deletion.kind].parts(deletion, connection)}
        collect(model._meta.db_table, f"{model._meta.pk.column} IN ({', '.join(['%s'] * len(keys))})", ours)
    for name, contents in found.items():
        for some in in_chunks(contents.values(), ROWS_AT_ONCE):
            _store(deletion, connection.alias, name, some)


def _store(deletion: Deletion, using: str, table: str, contents: Sequence[Any]) -> None:
    DeletedRows.objects.using(using).create(deletion=deletion, table=table, rows=len(contents), data=pack(contents))
