"""The pages that ask before whole projects are archived, restored or deleted, and that then do it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from projects.admin.confirming import FORCE, Question, ask, is_typed
from projects.admin.project_actions import ARCHIVE, DELETE, RESTORE, ProjectAction
from projects.models import Project, paths_of
from projects.records import Contents
from projects.repository import ProjectRepository
from projects.templatetags.prompt_texts import beginning
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.repository_admin import RepositoryAdmin
from promptadmin.backoffice.selection import (
    AGAIN,
    ROWS_A_TRANSACTION,
    Outcome,
    Selection,
    asked_again,
    carry_out,
    select,
)
from promptadmin.conf.counted import counted
from promptadmin.db.chunks import in_chunks
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError, PreconditionFailed

#: Names that a question lists before it counts the rest.
MOST_NAMED = 200


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
        key = unquote(object_id)
        selection = Selection(ProjectRepository().projects.filter(id=key), [key])
        return self._confirm(request, action, selection, of_one=key)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.action_view(request, object_id, action=DELETE)

    @admin.action(description="Archive…", permissions=["change"])
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._confirm(request, ARCHIVE, select(request, self, queryset))

    @admin.action(description="Restore…", permissions=["change"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._confirm(request, RESTORE, select(request, self, queryset))

    @admin.action(description="Delete…", permissions=["delete"])
    def delete_selected_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._confirm(request, DELETE, select(request, self, queryset))

    def _confirm(
        self, request: HttpRequest, action: ProjectAction, selection: Selection, *, of_one: str | None = None
    ) -> HttpResponse:
        """Ask; once it is confirmed, do it to those of the projects that it is for."""
        if not self.may(request, action):
            raise PermissionDenied
        meant = selection.only(status__in=action.statuses)
        if request.method != "POST" or "confirmed" not in request.POST:
            return self._question(request, action, selection, meant, of_one=of_one)
        to_type = _word(meant) if action is DELETE else ""
        if to_type and not is_typed(request, to_type):
            typed = request.POST.get("typed", "")
            return self._question(request, action, selection, meant, of_one=of_one, typed=typed)
        expected = request.POST["confirmed"]

        def write(keys: list[str]) -> int:
            for key in keys:
                action.run(ProjectRepository(), key, FORCE in request.POST)
            return len(keys)

        try:
            outcome = carry_out(meant, write, lambda: AGAIN in request.POST or _state(action, meant) == expected)
        except PreconditionFailed as moved:
            self.message_user(request, f"Nothing was done. {moved}", messages.ERROR)
            if of_one is not None:
                return HttpResponseRedirect(asked_again(request))
            return self._question(request, action, selection, meant, again=True)
        except DomainError as refused:
            self.message_user(request, f"Nothing was done. {refused}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return self._done(request, action, outcome, of_one) if outcome.done else self._nothing(request, action)

    def _done(self, request: HttpRequest, action: ProjectAction, outcome: Outcome, of_one: str | None) -> HttpResponse:
        done = counted(outcome.changed, "project")
        if of_one is not None:
            [name] = paths_of(ProjectRepository().projects.filter(id=of_one), ProjectRepository().using).values()
            done = f"“{beginning(name)}”"
        self.message_user(request, f"{action.done} {done}.", messages.SUCCESS)
        if outcome.problem:
            self.message_user(request, f"The others are as they were. {outcome.problem}", messages.ERROR)
        elif outcome.rest:
            return self._question(request, action, outcome.rest, outcome.rest)
        stays = of_one is not None and action is not DELETE
        return HttpResponseRedirect(self.page_of(of_one or "") if stays else self.list_page())

    def _question(  # called from here alone
        self,
        request: HttpRequest,
        action: ProjectAction,
        selection: Selection,
        meant: Selection,
        *,
        of_one: str | None = None,
        again: bool = False,
        typed: str | None = None,
    ) -> HttpResponse:
        with reading_deadline(), read_session():
            count = meant.rows.count()
            left_out = selection.rows.count() - count
            found = meant.rows.order_by("name")[:MOST_NAMED]
            names = [*paths_of(found, found.db).values()]
            to_type = _word(meant) if action is DELETE else ""
            state = _state(action, meant)
            contents = _contents(meant) if action is DELETE else None
            along = dict(_along(meant)) if action is DELETE else {}
        if not count:
            return self._nothing(request, action)
        if count > len(names):
            names.append(f"and {count - len(names):,} more")
        is_one = len(selection.ticked) == 1 and not selection.is_across
        question = Question(
            title=f"{action.verb.capitalize()} {'project' if is_one else 'projects'}",
            names=names,
            consequence=action.consequence,
            button=action.verb.capitalize() if is_one else f"{action.verb.capitalize()} {count:,}",
            back=keep_filters(request, self.page_of(of_one) if of_one is not None else self.list_page()),
            confirmed=state,
            contents=contents,
            along=along,
            is_danger=action is DELETE,
            may_force=action is DELETE,
            is_forced=FORCE in request.POST,
            to_type=to_type,
            typed=typed,
            note=f"{left_out:,} more were selected: nothing happens to them, their status is another."
            if left_out
            else "",
            hidden=[
                *(("action", value) for value in request.POST.getlist("action")[:1]),
                *(selection.hidden if of_one is None else ()),
                *([(AGAIN, "yes")] if again or AGAIN in request.GET else ()),
            ],
        )
        return ask(request, self, question)

    def _nothing(self, request: HttpRequest, action: ProjectAction) -> HttpResponseRedirect:
        self.message_user(request, f"There is nothing to {action.verb} any more.", messages.ERROR)
        return HttpResponseRedirect(self.list_page())


def _state(action: ProjectAction, meant: Selection) -> str:
    """What the user confirms: the projects and, where it goes with them, what is in them."""
    state = meant.state()[1]
    return f"{state} {_contents(meant)}" if action is DELETE else state


def _word(meant: Selection) -> str:
    """What has to be typed before one project is deleted: its name, with the folders that it is in."""
    if meant.is_across or meant.rows.count() != 1:
        return ""
    [name] = paths_of(meant.rows, meant.rows.db).values()
    return name if name.strip() else "1"


def _contents(selection: Selection) -> Contents:
    repository = ProjectRepository()
    counts = [repository.project_contents(keys) for keys in in_chunks(selection.keys(), ROWS_A_TRANSACTION)]
    return Contents(**{name: sum(getattr(each, name) for each in counts) for name in ("prompts", "versions", "runs")})


def _along(selection: Selection) -> Counter[str]:
    along: Counter[str] = Counter()
    for keys in in_chunks(selection.keys(), ROWS_A_TRANSACTION):
        along.update(ProjectRepository().what_goes_along(project_ids=keys))
    return along
