"""Comments: read, write, edit and delete, with the rules that hold at every door."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils import timezone

from projects.contrib.comments.mentions import mentioned
from projects.contrib.comments.models import Comment
from projects.repository import ProjectRepository
from projects.repository.rows import moment, not_blank
from promptadmin.audit import Change, record
from promptadmin.conf.limits import COMMENT_LENGTH
from promptadmin.context import current_actor
from promptadmin.errors import Forbidden, Invalid, NotFound
from promptadmin.plugins.events import send

MISSING = "There is no such comment"


class CommentRecord(NamedTuple):
    """A comment; without a `version` it is about the prompt. `is_own` tells whether whoever asks wrote it."""

    id: int
    prompt_id: str
    version: int | None
    text: str
    by: str
    mentions: list[str]
    created_at: dt.datetime | None
    edited_at: dt.datetime | None
    is_own: bool


class CommentRepository:
    """A door opens a `write_session()` or a `read_session()` around each call."""

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        self.prompts = ProjectRepository(using)

    @property
    def comments(self) -> QuerySet[Comment]:
        """All comments."""
        return Comment.objects.using(self.using)

    def get(self, comment_id: int) -> CommentRecord:
        """One comment. Raises NotFound."""
        return self._record(self._row(comment_id))

    def list_comments(
        self,
        *,
        prompt_id: str,
        project_id: str | None = None,
        version: int | None = None,
        limit: int = 20,
        before: int | None = None,
    ) -> list[CommentRecord]:
        """The comments on a prompt, or on a version of it, newest first, from before the one with the id `before` on.

        Raises NotFound for a prompt that isn't there.
        """
        prompt = self.prompts.readable_prompt(prompt_id, project_id)
        rows = self.comments.filter(prompt_id=prompt.id, **({} if version is None else {"version": version}))
        if before is not None:
            rows = rows.filter(id__lt=before)
        return [self._record(row) for row in rows.order_by("-id")[:limit]]

    def add(
        self, *, prompt_id: str, text: str, version: int | None = None, project_id: str | None = None
    ) -> CommentRecord:
        """A new comment. Whom it mentions, and who has subscribed to the prompt or its project, is told.

        Raises Invalid for a blank or too long text, NotFound for a prompt or version that isn't there, Forbidden in an
        archived project.
        """
        _check(text)
        _, prompt = self.prompts.prompt_to_change(prompt_id, project_id)
        if version is not None:
            self.prompts.get_version(prompt_id=prompt.id, version=version)
        actor = current_actor()
        row = Comment(prompt_id=prompt.id, version=version, text=text, author=actor.person, by=actor.name)
        row.save(using=self.using, force_insert=True)
        record(_change(row, after={"text": text, "version": version, "prompt": prompt.id}), using=self.using)
        made = self._record(row)
        send(
            "comment_added",
            subject=prompt.id,
            using=self.using,
            comment_id=row.pk,
            prompt_id=prompt.id,
            project_id=prompt.project_id,
            version=version,
            by=row.by,
            mentions=made.mentions,
        )
        return made

    def edit(self, comment_id: int, *, text: str) -> CommentRecord:
        """Give one's own comment another text. Nobody is told again. Raises as `add`, and Forbidden for another's."""
        _check(text)
        row = self._own(comment_id)
        before, row.text, row.edited_at = row.text, text, timezone.now()
        row.save(using=self.using, update_fields=["text", "edited_at"])
        record(_change(row, before={"text": before}, after={"text": text}), using=self.using)
        return self._record(row)

    def delete(self, comment_id: int) -> None:
        """Delete one's own comment; superusers may delete any. Raises Forbidden and NotFound."""
        row = self._own(comment_id, is_any=bool(getattr(current_actor().user, "is_superuser", False)))
        record(_change(row, before={"text": row.text, "version": row.version}), using=self.using)
        self.comments.filter(pk=row.pk).delete()

    def _own(self, comment_id: int, *, is_any: bool = False) -> Comment:
        row = self._row(comment_id)
        self.prompts.prompt_to_change(row.prompt_id)
        row = self._row(comment_id)  # again: the lock of its project may have taken time
        if not is_any and row.author != current_actor().person:
            raise Forbidden("Only whoever wrote a comment may change it")
        return row

    def _row(self, comment_id: int) -> Comment:
        row = self.comments.filter(pk=comment_id).first()
        if row is None:
            raise NotFound(MISSING)
        return row

    def _record(self, row: Comment) -> CommentRecord:
        return CommentRecord(
            id=row.pk,
            prompt_id=row.prompt_id,
            version=row.version,
            text=row.text,
            by=row.by,
            mentions=mentioned(row.text, self.using),
            created_at=moment(row.created_at),
            edited_at=moment(row.edited_at),
            is_own=row.author == current_actor().person,
        )


def _check(text: str) -> None:
    not_blank(text, "A comment")
    if len(text) > COMMENT_LENGTH:
        raise Invalid(f"A comment may have {COMMENT_LENGTH:,} characters; this one has {len(text):,}. Shorten it.")


def _change(row: Comment, *, before: object = None, after: object = None) -> Change:
    return Change(model=Comment, key=str(row.pk), title=str(row), before=before, after=after)  # type: ignore[arg-type]
