"""Putting a project's prompts in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import path

from projects.repository import ProjectRepository
from promptadmin.backoffice.repository_admin import RepositoryAdmin
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError


class PromptOrderPage(RepositoryAdmin):
    """The part of the admin of projects that takes an order."""

    def get_urls(self) -> Any:
        """Where the page of a project posts it."""
        view = self.admin_site.admin_view(self.reorder_view)
        return [path("<path:object_id>/reorder/", view, name="projects_project_reorder"), *super().get_urls()]

    def reorder_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put prompts in the order of `prompt_ids`, once `move`, as in `ID:up` and `ID:down`, has changed it.

        Answers with the outcome alone where the page's script asks, else with the page.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("projects.change_prompt"):
            raise PermissionDenied
        project_id = unquote(object_id)
        order = moved(request.POST.getlist("prompt_ids"), request.POST.get("move", ""))
        problem: DomainError | None = None
        try:
            with write_session():
                ProjectRepository().reorder_some(project_id=project_id, prompt_ids=order)
        except DomainError as refused:
            problem = refused
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"detail": str(problem or "")}, status=problem.status if problem else 200)
        if problem:
            self.message_user(request, str(problem), messages.ERROR)
        return HttpResponseRedirect(f"{self.page_of(project_id)}#prompts")


def moved(order: Sequence[str], move: str) -> list[str]:
    """The order with one of its ids a place up or down; as it is where that can't be."""
    key, _, direction = move.rpartition(":")
    answer = list(order)
    if key in answer:
        at = answer.index(key)
        to = min(max(at + {"up": -1, "down": 1}.get(direction, 0), 0), len(answer) - 1)
        answer.insert(to, answer.pop(at))
    return answer
