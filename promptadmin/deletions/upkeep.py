"""Upkeep of deletions: what was left midway is finished, and what nobody restored in time goes for good."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.utils import timezone

from promptadmin.conf.counted import counted
from promptadmin.db.sessions import write_session
from promptadmin.deletions.work import do_piece, go_on, unfinished
from promptadmin.models import DeletedRows, Deletion, DeletionState
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.steps import JobResult, StepContext, StepResult

#: Of `DeletedRows`, each of which has up to some hundred rows.
ROWS_IN_A_PIECE = 20


def finish_one(using: str) -> JobResult:
    """One piece of the oldest deletion that is on its way and can go on, whoever began it."""
    waiting = unfinished(using)
    for place, deletion_id in enumerate(waiting):
        with _isolated(deletion_id, using):
            done = do_piece(deletion_id, using)
            return JobResult(done, len(waiting) - place if done else len(waiting) - place - 1)
    return JobResult(0, 0)


def finish_all(context: StepContext) -> StepResult:
    """Before a server starts: nobody may see the rows of a deletion that was interrupted, nor link anything to them."""
    if Deletion._meta.db_table not in context.connection.introspection.table_names():
        return StepResult(0, "nothing to do")
    using = context.connection.alias
    waiting = unfinished(using)
    for deletion_id in waiting:
        with _isolated(deletion_id, using):
            go_on(deletion_id, using)
    stuck = Deletion.objects.using(using).filter(pk__in=unfinished(using))
    warnings = [f"{deletion} couldn't be finished, see the log: upkeep tries again." for deletion in stuck]
    done = len(waiting) - len(warnings)
    return StepResult(done, f"finished {counted(done, 'deletion')}" if done else "nothing to do", warnings)


def _isolated(deletion_id: int, using: str) -> AbstractContextManager[None]:
    """Whatever keeps one deletion from being finished keeps no other one, and no server, from it."""
    return isolate_plugin_errors("promptadmin", f"finishing the deletion {deletion_id}", using=using)


def forget_expired(using: str) -> JobResult:
    """Remove some of the rows that can't be restored any more."""
    expired = Deletion.objects.using(using).filter(expires_at__lte=timezone.now(), state=DeletionState.KEPT)
    first = expired.order_by("expires_at").first()
    if first is None:
        return JobResult(0, 0)
    with write_session(using):
        kept = DeletedRows.objects.using(using).filter(deletion=first)
        keys = list(kept.values_list("pk", flat=True)[:ROWS_IN_A_PIECE])
        kept.filter(pk__in=keys).delete()
        if len(keys) < ROWS_IN_A_PIECE:
            Deletion.objects.using(using).filter(pk=first.pk).delete()
    return JobResult(max(1, len(keys)), expired.count())
