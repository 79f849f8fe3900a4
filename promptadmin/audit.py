"""The change log: who changed what, before and after, at every door.

The repositories call `record` inside the session of the change, so that both are kept or neither is. They write with
`update()` and SQL, which send no signals: nothing would come into the log by itself. The table is django-auditlog's,
which also enters what is saved through Django's models (users, groups, tokens); those entries get the same actor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditlog.registry import auditlog
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, QuerySet

from promptadmin.context import current_actor, current_request_id
from promptadmin.models import LogEntry

#: Texts are kept up to this many characters: versions keep every text of a prompt whole.
LONGEST = 4000
LONGEST_TITLE = 120
#: What the log keeps of a secret: that it was there.
MASK = "********"
#: The names of columns with secrets or what could be compared with them, whichever application they belong to.
SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|digest|session_key|session_data|(?:api|private)_?key)$"
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row's columns before (None: it was made) and after (None: it was deleted).

    `title` is what the row is called, `note` what happened besides, in words.
    """

    model: type[models.Model]
    key: str
    title: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    note: str = ""


def record(*changes: Change, using: str) -> None:
    """Enter changes, each of one row. Columns that are the same before and after are left out.

    A change of nothing is not entered. To be called inside the session that makes the changes.
    """
    entries = [entry for entry in (_entry(change, using) for change in changes) if entry is not None]
    for entry in entries:
        sign(entry)
    if entries:
        LogEntry.objects.using(using).bulk_create(entries, batch_size=200)


def _entry(change: Change, using: str) -> LogEntry | None:
    old, new = change.before or {}, change.after or {}
    changes = {
        name: [_kept(old.get(name)), _kept(new.get(name))] for name in {**old, **new} if old.get(name) != new.get(name)
    }
    if change.before is None:
        action = LogEntry.Action.CREATE
    elif change.after is None:
        action = LogEntry.Action.DELETE
    elif changes:
        action = LogEntry.Action.UPDATE
    else:
        return None
    return LogEntry(
        content_type=ContentType.objects.db_manager(using).get_for_model(change.model),
        object_pk=change.key[:255],
        object_repr=_short(change.title or change.key, LONGEST_TITLE),
        action=action,
        changes=changes,
        note=change.note,
    )


def log_saves(model: type[models.Model], *, secrets: Sequence[str] = ()) -> None:
    """Enter what is saved and deleted through Django's model, as a ModelAdmin does; to be called in an app's `ready`.

    Of the columns that `secrets` names, the log keeps that there was something, and no more.
    """
    auditlog.register(model, mask_fields=list(secrets))


def reached_entries(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    """The entries about rows that whoever acts reaches; of rows that are gone, or go by no key of text, none.

    Models whose rows not everybody reaches have a method `within`. Whoever reaches all rows sees all entries.
    """
    reach = current_actor().reach
    if reach is None or not reach.limits_rows:
        return entries
    for model in apps.get_models():
        if hasattr(model, "within"):
            own = Q(content_type=ContentType.objects.get_for_model(model))
            if isinstance(model._meta.pk, models.TextField):
                own &= ~Q(object_pk__in=model._default_manager.values("pk"))
            entries = entries.exclude(own)
    return entries


def sign(entry: LogEntry) -> None:
    """Put into an entry who made the change, through which door, and during which request; take out secrets."""
    if entry.changes:
        entry.changes = {
            name: [masked(value) for value in values]
            if SECRET.search(name) and isinstance(values, list | tuple)
            else values
            for name, values in entry.changes.items()
        }
    actor = current_actor()
    entry.actor = actor.user
    entry.remote_addr = actor.address
    request_id = current_request_id.get()
    entry.cid = None if request_id == "-" else request_id
    entry.by, entry.door = actor.name[:300], actor.door


def sign_on_save(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    """Sign what django-auditlog enters itself. A receiver of `pre_save`."""
    if instance._state.adding:
        sign(instance)


def masked(value: Any) -> Any:
    """What the log keeps of a value in a secret's column: if there was one. django-auditlog makes None a text."""
    return MASK if value not in (None, "", "None") else value


def _kept(value: Any) -> Any:
    """A value as the log keeps it: numbers and truths as they are, everything else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return _short(value if isinstance(value, str) else str(value), LONGEST)


def _short(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters in all)"
