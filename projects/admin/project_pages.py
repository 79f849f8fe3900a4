"""The pages that ask before whole projects are archived, restored or deleted, and that then do it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from projects.admin.confirming import Question, ask, is_typed
from projects.admin.project_actions import ARCHIVE, DELETE, RESTORE, ProjectAction
from projects.models import Project, paths_of
from projects.repository import ProjectRepository
from projects.templatetags.prompt_texts import beginning
from promptadmin.deadlines import reading_deadline
from promptadmin.errors import Moved, Refused
from promptadmin.repository_admin import RepositoryAdmin
from promptadmin.sessions import read_session, write_session


class ProjectActionPages(RepositoryAdmin):
    """The part of the admin of projects that does things to whole projects, one or several."""

    actions = ["archive_selected", "restore_selected", "delete_selected_projects"]

    def get_urls(self) -> Any:
        """A page of one project for each action; Django has one for deletion already."""
        return [
            *(
                path(
                    f"<path:object_id>/{action.verb}/",
                    self.admin_site.admin_view(partial(self.action_view, action=action)),
                    name=f"projects_project_{action.verb}",
                )
                for action in (ARCHIVE, RESTORE)
            ),
            *super().get_urls(),
        ]

    def may(self, request: HttpRequest, action: ProjectAction) -> bool:
        """Whether the user may do this to projects at all."""
        return bool(request.user.has_perm(f"projects.{action.permission}_project"))

    def action_view(self, request: HttpRequest, object_id: str, *, action: ProjectAction) -> HttpResponse:
        """Ask about one project, and then do it."""
        return self._confirm(request, action, [unquote(object_id)])

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, and then delete."""
        return self.action_view(request, object_id, action=DELETE)

    @admin.action(description="Archive…", permissions=["change"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        """Archive several."""
        return self._confirm(request, ARCHIVE, list(queryset.values_list("pk", flat=True)))

    @admin.action(description="Restore…", permissions=["change"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        """Make several active again."""
        return self._confirm(request, RESTORE, list(queryset.values_list("pk", flat=True)))

    @admin.action(description="Delete…", permissions=["delete"])
    def delete_selected_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        """Delete several."""
        return self._confirm(request, DELETE, list(queryset.values_list("pk", flat=True)))

    def _confirm(self, request: HttpRequest, action: ProjectAction, project_ids: Sequence[str]) -> HttpResponse:
        """Ask; once it is confirmed, do it to those of the projects that it is for, to all or to none."""
        if not self.may(request, action):
            raise PermissionDenied
        repository = ProjectRepository()
        with reading_deadline(), read_session():
            found = repository.projects.filter(id__in=project_ids, status__in=action.statuses).order_by("name")
            names = paths_of(found, repository.using)
            contents = repository.project_contents(list(names))
        is_one = len(project_ids) == 1
        if not names:
            self.message_user(request, f"There is nothing to {action.verb} any more.", messages.ERROR)
            return HttpResponseRedirect(self.list_page())
        to_type = _word(names) if action is DELETE else ""
        typed = None
        if request.method == "POST" and "confirmed" in request.POST:
            if action is not DELETE or is_typed(request, to_type):
                return self._do(request, action, names, is_one=is_one)
            typed = request.POST.get("typed", "")
        left_out = len(project_ids) - len(names)
        question = Question(
            title=f"{action.verb.capitalize()} {'project' if is_one else 'projects'}",
            names=[*names.values()],
            consequence=action.consequence,
            button=action.verb.capitalize(),
            back=self.page_of(project_ids[0]) if is_one else self.list_page(),
            confirmed=str(contents),
            contents=contents if action is DELETE else None,
            is_danger=action is DELETE,
            to_type=to_type,
            typed=typed,
            note=f"{left_out} more were selected: nothing happens to them, their status is another."
            if left_out
            else "",
            hidden=[(name, value) for name in ("action", "_selected_action") for value in request.POST.getlist(name)],
        )
        return ask(request, self, question)

    def _do(
        self, request: HttpRequest, action: ProjectAction, names: dict[str, str], *, is_one: bool
    ) -> HttpResponseRedirect:
        repository = ProjectRepository()
        try:
            with write_session():
                if request.POST["confirmed"] != str(repository.project_contents(list(names))):
                    raise Moved("Meanwhile something came or went there: look at the numbers once more.")
                for key in names:
                    action.run(repository, key)
        except Refused as refused:
            self.message_user(request, f"Nothing was done. {refused}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        [(key, name), *_] = names.items()
        done = f"“{beginning(name)}”" if is_one else f"{len(names)} projects"
        self.message_user(request, f"{action.done} {done}.", messages.SUCCESS)
        return HttpResponseRedirect(self.page_of(key) if is_one and action is not DELETE else self.list_page())


def _word(names: dict[str, str]) -> str:
    """What has to be typed before projects are deleted: the name of one, the number of several."""
    [name, *others] = names.values()
    return name if name.strip() and not others else str(len(names))
