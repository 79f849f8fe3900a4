"""Entries of projects and prompts in the change log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projects.models import Project, Prompt
from promptadmin.audit import Change

Columns = Mapping[str, Any] | None

#: How an entry calls the run that a new text came from, and the earlier version whose text a prompt got back.
RUN, RESTORED = "run", "restored version"


def project_change(row: Project, *, before: Columns = None, after: Columns = None, note: str = "") -> Change:
    """What happened to a project, under the name that it had before."""
    return Change(model=Project, key=row.id, title=row.name, before=before, after=after, note=note)


def prompt_change(row: Prompt, *, before: Columns = None, after: Columns = None, note: str = "") -> Change:
    """What happened to a prompt."""
    return Change(model=Prompt, key=row.id, title=str(row), before=before, after=after, note=note)


def reordering(project: Project, positions: Mapping[str, int], prompt_ids: Sequence[str]) -> Change:
    """A project's prompts, known by their old positions, get a new order."""
    before = sorted(positions, key=lambda key: positions[key])
    return project_change(
        project,
        before={"order of prompts": ", ".join(before)},
        after={"order of prompts": ", ".join(prompt_ids)},
    )
