"""The pages of notes."""

from __future__ import annotations

from django.contrib import admin

from named_notes.models import Note
from promptadmin.plugins import ModelAdmin


@admin.register(Note)
class NoteAdmin(ModelAdmin):
    """Lists and changes them."""

    list_display = ("name", "mark", "prompt")
    list_filter = ("mark",)
    raw_id_fields = ("prompt",)
