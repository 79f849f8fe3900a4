"""The boxes with comments on the pages of prompts and of their earlier versions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from projects.contrib.comments.mentions import staff
from projects.contrib.comments.notifications import Notifications
from projects.contrib.comments.pages.access import may
from projects.contrib.comments.pages.forms import CommentForm
from projects.contrib.comments.repository import CommentRepository
from projects.models import ProjectStatus, Prompt
from projects.repository import ProjectRepository

SHOWN = 20
#: Versions that a comment can be about, and colleagues who are named below the form.
VERSIONS_OFFERED, COLLEAGUES_NAMED = 20, 50


def box(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    """Those on a prompt and all of its versions."""
    return _box(request, prompt, None)


def box_of_version(request: HttpRequest, prompt: Prompt, version: int) -> dict[str, Any]:
    """Those on one version."""
    return _box(request, prompt, version)


def _box(request: HttpRequest, prompt: Prompt, version: int | None) -> dict[str, Any]:
    before = request.GET.get("comments_before", "")
    found = CommentRepository().list_comments(
        prompt_id=prompt.pk,
        version=version,
        limit=SHOWN + 1,
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
    )
    project = ProjectRepository().projects.filter(id=prompt.project_id).first()
    may_write = may(request.user, "write") and (project is None or project.status == ProjectStatus.ACTIVE)
    own = Notifications(request.user.pk or 0)
    numbers = [version] if version is not None else list(range(prompt.version, 0, -1)[:VERSIONS_OFFERED])
    names = staff(own.using).exclude(pk=own.user_id).values_list("username", flat=True)
    return {
        "comments": found[:SHOWN],
        "last": found[SHOWN - 1].id if len(found) > SHOWN else None,
        "is_first": not before,
        "version": version,
        "may_write": may_write,
        "may_delete_any": request.user.is_superuser,
        "form": CommentForm(initial={"version": version}, versions=numbers, current=prompt.version),
        "colleagues": list(names[:COLLEAGUES_NAMED]),
        "project": project,
        "follows_prompt": own.is_subscribed(prompt_id=prompt.pk),
        "follows_project": project is not None and own.is_subscribed(project_id=project.pk),
    }
