"""The table of notes."""

from __future__ import annotations

from django.db import models

from promptadmin.plugins import Link


class Note(models.Model):
    """A row is a note on a prompt, under a name that no other note on the prompt has."""

    prompt = Link("projects.Prompt", on_delete_sql="CASCADE", related_name="+")
    name = models.CharField(max_length=80)
    text = models.TextField(blank=True)
    mark = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = (models.Index(fields=["prompt"], name="named_notes_prompt"),)
        constraints = (models.UniqueConstraint(fields=["prompt", "name"], name="named_notes_name"),)

    def __str__(self) -> str:
        return self.name
