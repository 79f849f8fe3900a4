"""Notes for agents."""

from __future__ import annotations

from typing import Any

from named_notes import notes
from projects.repository import ProjectRepository


def add_note(prompt_id: str, name: str, text: str = "", mark: str = "") -> dict[str, Any]:
    """Keep a note on a prompt, under a name of its own."""
    note = notes.add(prompt_id, name, text, mark)
    return {"id": note.pk, "name": note.name}


def list_notes(prompt_id: str) -> dict[str, Any]:
    """The names of the notes on a prompt."""
    return {"names": notes.names_of([prompt_id]).get(prompt_id, [])}


def retire_prompt(prompt_id: str) -> dict[str, Any]:
    """Delete a prompt with its versions and runs."""
    return {"deleted_optimizations": ProjectRepository().delete_prompt(prompt_id=prompt_id)}
