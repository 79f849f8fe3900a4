"""What notes show in the back-office."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from named_notes.models import Note
from named_notes.notes import names_of, names_of_runs
from optimizations.models import Optimization
from projects.models import Project, Prompt


def box(request: HttpRequest, prompt: Prompt) -> dict[str, Any] | None:
    """The notes on a prompt."""
    notes = list(Note.objects.filter(prompt_id=prompt.pk).order_by("name"))
    return {"notes": notes} if notes else None


def project_box(request: HttpRequest, project: Project) -> dict[str, Any]:
    """The notes on a project's prompts."""
    return {"notes": list(Note.objects.filter(prompt__project_id=project.pk).order_by("name")[:20])}


def run_box(request: HttpRequest, run: Optimization) -> dict[str, Any]:
    """The notes on the prompt that a run is of."""
    prompts = Optimization.objects.filter(pk=run.pk).values("prompt_id")
    return {"notes": list(Note.objects.filter(prompt_id__in=prompts).order_by("name"))}


def column(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """The names of the notes on prompts."""
    return {key: ", ".join(names) for key, names in names_of(keys).items()}


def project_column(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """How many notes the prompts of projects have."""
    projects = list(Note.objects.filter(prompt__project_id__in=keys).values_list("prompt__project_id", flat=True))
    return {key: f"{projects.count(key)} notes" for key in projects}


def run_column(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """The names of the notes on the prompts that runs are of."""
    return {key: ", ".join(names) for key, names in names_of_runs(keys).items()}


def marks() -> dict[str, str]:
    """The marks to choose from."""
    return {mark: mark.capitalize() for mark in settings.NAMED_NOTES_MARKS}


def of_prompts(mark: str) -> Q:
    """The prompts that have a note with a mark."""
    return Q(id__in=Note.objects.filter(mark=mark).values("prompt_id"))


def of_runs(mark: str) -> Q:
    """The runs of such prompts."""
    return Q(prompt_id__in=Note.objects.filter(mark=mark).values("prompt_id"))


def map_view(request: HttpRequest) -> HttpResponse:
    """All notes on one page."""
    if not request.user.has_perm("named_notes.view_note"):
        raise PermissionDenied
    context = {**site.each_context(request), "title": "Map of notes", "notes": Note.objects.order_by("name")[:100]}
    return TemplateResponse(request, "named_notes/map.html", context)


URLS = [path("map/", map_view, name="named_notes_map")]
