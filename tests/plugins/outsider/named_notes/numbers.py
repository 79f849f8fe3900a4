"""Numbers of notes."""

from __future__ import annotations

from named_notes.models import Note


def count_notes() -> int:
    """How many notes there are."""
    return Note.objects.count()


def count_kept() -> int:
    """How many prompts notes keep."""
    return Note.objects.filter(mark="keep").values("prompt_id").distinct().count()
