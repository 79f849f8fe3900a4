"""What the search over the whole back-office finds: prompts and runs by their words, projects by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from optimizations.repository.searching import Found
from projects.admin.plugin_boxes import names_of
from projects.models import Project, ProjectStatus, Prompt
from promptadmin.http.keys import row_page
from promptadmin.plugins.declarations import Hit

MOST_PROJECTS, MOST_TEXTS, MOST_RECENT = 5, 25, 5
SYMBOLS = {"prompt": "edit_note", "run": "auto_awesome", "project": "folder"}
TITLE = 90
#: A project whose name has the text stands before prompts and runs that have its words somewhere.
NAMED = 1000.0
#: The last word of a text is still being typed, unless a quotation mark or a sign ends it.
STILL_TYPED = re.compile(r"[^\W_]$")


def find(user: Any, text: str) -> list[Hit]:
    """A finder, as plugins declare it."""
    sees_projects = user.has_perm("projects.view_project") or user.has_perm("projects.change_project")
    kinds = [
        kind
        for kind, permission in (("prompt", "projects.view_prompt"), ("run", "optimizations.view_optimization"))
        if user.has_perm(permission)
    ]
    hits = list(_projects(text)) if sees_projects else []
    if not text:
        return [
            *hits,
            *(_recent_prompts(user) if "prompt" in kinds else ()),
            *(_recent_runs() if "run" in kinds else ()),
        ]
    query = f"{text}*" if STILL_TYPED.search(text) and text.count('"') % 2 == 0 else text
    found = OptimizationRepository().search(query, kinds=kinds, limit=MOST_TEXTS)
    names = names_of(user, [item.id for item in found.items if item.kind == "prompt"])
    return [*hits, *(_hit(item, names.get(item.id), with_project=sees_projects) for item in found.items)]


def _projects(text: str) -> Iterator[Hit]:
    projects = Project.objects.exclude(status=ProjectStatus.DELETED)
    if text:
        projects = projects.filter(name__folded_contains=text).order_by("name")[:MOST_PROJECTS]
    else:
        projects = projects.order_by("-updated_at")[:MOST_RECENT]
    for project in projects:
        details = "" if project.status == ProjectStatus.ACTIVE else str(project.status)
        yield Hit(
            title=project.name or "(no name)",
            address=row_page(Project, project.pk),
            kind="project",
            symbol=SYMBOLS["project"],
            details=details,
            score=NAMED,
            changed_at=project.updated_at,
        )


def _hit(item: Found, name: str | None, *, with_project: bool) -> Hit:
    model = Prompt if item.kind == "prompt" else Optimization
    version = f"version {item.version}" if item.version else ""
    parts = [item.project if with_project else "", version, item.status if item.kind == "run" else ""]
    return Hit(
        title=name or item.title or _beginning(item.snippet.text),
        address=row_page(model, item.id),
        kind=item.kind,
        symbol=SYMBOLS[item.kind],
        details=", ".join(part for part in parts if part),
        snippet=item.snippet.html,
        score=item.score,
    )


def _recent_prompts(user: Any) -> Iterator[Hit]:
    changed = Prompt.objects.exclude(project__status=ProjectStatus.DELETED).order_by("-updated_at", "-id")
    rows = list(changed.values_list("id", "content", "updated_at")[:MOST_RECENT])
    names = names_of(user, [key for key, *_ in rows])
    for key, text, when in rows:
        yield Hit(
            names.get(key) or _beginning(text), row_page(Prompt, key), "prompt", SYMBOLS["prompt"], changed_at=when
        )


def _recent_runs() -> Iterator[Hit]:
    for record in OptimizationRepository().list_runs_after("", limit=MOST_RECENT).items:
        title = record["title"] or record["raw_prompt"] or "(empty)"
        yield Hit(
            title=_beginning(title),
            address=row_page(Optimization, record["id"]),
            kind="run",
            symbol=SYMBOLS["run"],
            details=str(record["status"]),
            changed_at=record["created_at"],
        )


def _beginning(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if len(words) <= TITLE else f"{words[:TITLE]}…"
