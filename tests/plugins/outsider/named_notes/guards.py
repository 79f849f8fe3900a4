"""What notes keep from happening."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from named_notes.models import Note
from projects.declarations import NewText
from projects.models import Prompt
from promptadmin.plugins import Conflict


def expect_none_kept(prompts: QuerySet[Prompt], force: bool) -> None:
    """Raises Conflict where a prompt has a note that keeps it, with force or without."""
    note = Note.objects.using(prompts.db).filter(prompt__in=prompts, mark="keep").first()
    if note is not None:
        raise Conflict(f"The note {note.name!r} keeps prompt {note.prompt_id}: take the note away first.")


def count(prompts: QuerySet[Prompt]) -> int:
    """How many notes go with prompts."""
    return Note.objects.using(prompts.db).filter(prompt__in=prompts).count()


def expect_allowed(new: NewText) -> None:
    """Raises Conflict for a text with the forbidden word."""
    word = settings.NAMED_NOTES_FORBIDDEN
    if word and word in new.text:
        raise Conflict(f"No prompt may say {word!r}: take it out.")
