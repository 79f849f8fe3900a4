"""The pages on which prompts are moved to another project, or copied there, one or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from unfold.widgets import UnfoldAdminSelectWidget

from projects.admin.lists import may_see_projects, with_beginnings
from projects.models import Project, ProjectStatus, Prompt, paths_of
from projects.repository import ProjectRepository
from projects.templatetags.prompt_texts import beginning
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.repository_admin import RepositoryAdmin
from promptadmin.backoffice.selection import AGAIN, Outcome, Selection, carry_out, select
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError, PreconditionFailed

#: Projects to choose from, those that changed last; texts that a page lists before it counts the rest.
MOST_PROJECTS, MOST_NAMED = 2000, 20


@dataclass(frozen=True)
class Placement:
    """What is done. `permission` is Django's on prompts."""

    verb: str
    done: str
    permission: str
    consequence: str
    run: Callable[[ProjectRepository, Sequence[str], str], int]

    @property
    def label(self) -> str:
        """What its button says; the dots promise a question."""
        return f"{self.verb.capitalize()} to a project…"


MOVE = Placement(
    verb="move",
    done="Moved",
    permission="change",
    consequence="They are put behind the last prompt of the project, in their order. Names, labels, versions and "
    "linked runs go with them; runs that are known by their text alone stay with the former project.",
    run=lambda repository, keys, project: repository.move_prompts(keys, project_id=project),
)
COPY = Placement(
    verb="copy",
    done="Copied",
    permission="add",
    consequence="The copies are put behind the last prompt of the project, as new prompts with version 1: without "
    "names, labels, earlier versions and runs. A text that the project has already isn't copied.",
    run=lambda repository, keys, project: repository.copy_prompts(keys, project_id=project),
)
PLACEMENTS = (MOVE, COPY)


class TargetForm(forms.Form):
    """The project to put prompts into."""

    project = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, without: str | None = None) -> None:
        super().__init__(data)
        active = Project.objects.filter(status=ProjectStatus.ACTIVE).exclude(pk=without or "")
        paths = paths_of(active.order_by("-updated_at")[:MOST_PROJECTS], active.db)
        choices = sorted(paths.items(), key=lambda item: (item[1].casefold(), item[0]))
        self.fields["project"].choices = [("", "Choose…"), *choices]  # type: ignore[attr-defined]


class PlacingPages(RepositoryAdmin):
    """The part of the admin of prompts that puts them into other projects."""

    actions = ["move_selected", "copy_selected"]

    def get_urls(self) -> Any:
        """A page of one prompt for each."""
        return [
            *(
                path(
                    f"<path:object_id>/{placement.verb}/",
                    self.admin_site.admin_view(partial(self.place_view, placement=placement)),
                    name=f"projects_prompt_{placement.verb}",
                )
                for placement in PLACEMENTS
            ),
            *super().get_urls(),
        ]

    def placements(self, request: HttpRequest) -> list[Placement]:
        """Those that the user may do: whoever chooses a project has to see projects."""
        return [
            placement
            for placement in PLACEMENTS
            if may_see_projects(request) and request.user.has_perm(f"projects.{placement.permission}_prompt")
        ]

    def has_place_permission(self, request: HttpRequest) -> bool:
        return bool(self.placements(request))

    def place_view(self, request: HttpRequest, object_id: str, *, placement: Placement) -> HttpResponse:
        """Ask about one prompt, and then do it."""
        key = unquote(object_id)
        selection = Selection(ProjectRepository().prompts.filter(id=key), [key])
        return self._place(request, placement, selection, of_one=key)

    @admin.action(description=MOVE.label, permissions=["place"])
    def move_selected(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> HttpResponse:
        return self._place(request, MOVE, select(request, self, queryset))

    @admin.action(description=COPY.label, permissions=["place"])
    def copy_selected(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> HttpResponse:
        return self._place(request, COPY, select(request, self, queryset))

    def _place(
        self, request: HttpRequest, placement: Placement, selection: Selection, *, of_one: str | None = None
    ) -> HttpResponse:
        """Ask for the project; once it is given, put the prompts there."""
        if placement not in self.placements(request):
            raise PermissionDenied
        if request.method != "POST" or "confirmed" not in request.POST:
            return self._target_page(request, placement, selection, of_one=of_one)
        form, expected = TargetForm(request.POST), request.POST["confirmed"]
        if not form.is_valid():
            return self._target_page(request, placement, selection, form, of_one=of_one)
        project = form.cleaned_data["project"]
        try:
            outcome = carry_out(
                selection,
                lambda keys: placement.run(ProjectRepository(), keys, project),
                lambda: AGAIN in request.POST or selection.state()[1] == expected,
            )
        except DomainError as refused:
            form.add_error(None, f"Nothing was done. {refused}")
            again = isinstance(refused, PreconditionFailed)
            return self._target_page(request, placement, selection, form, of_one=of_one, again=again)
        self._tell(request, placement, outcome, dict(form.fields["project"].choices)[project])  # type: ignore[attr-defined]
        if outcome.rest is not None:
            if outcome.problem:
                form.add_error(None, f"The prompts that follow are as they were. {outcome.problem}")
            return self._target_page(request, placement, outcome.rest, form)
        stays = of_one is not None and placement is MOVE
        return HttpResponseRedirect(self.page_of(of_one or "") if stays else self.list_page())

    def _tell(self, request: HttpRequest, placement: Placement, outcome: Outcome, name: str) -> None:
        count, left = outcome.changed, outcome.done - outcome.changed
        told = f"{placement.done} {count:,} {'prompt' if count == 1 else 'prompts'} to “{beginning(name, 80)}”."
        if left:
            told += f" {left:,} {'was' if left == 1 else 'were'} there already."
        self.message_user(request, told, messages.SUCCESS if count else messages.INFO)

    def _target_page(  # called from here alone
        self,
        request: HttpRequest,
        placement: Placement,
        selection: Selection,
        form: TargetForm | None = None,
        *,
        of_one: str | None = None,
        again: bool = False,
    ) -> HttpResponse:
        with reading_deadline(), read_session():
            count, state = selection.state()
            found = with_beginnings(selection.rows).order_by("pk")[:MOST_NAMED]
            names = [(row.pk, beginning(str(getattr(row, "start", "")), 120)) for row in found]
            project = selection.rows.values_list("project_id", flat=True).first() if of_one is not None else None
        if not count:
            return self.gone(request, of_one) if of_one is not None else HttpResponseRedirect(request.get_full_path())
        hidden = [
            *(("action", value) for value in request.POST.getlist("action")[:1]),
            *(selection.hidden if of_one is None else ()),
            *([(AGAIN, "yes")] if again else ()),
        ]
        noun = "prompt" if count == 1 else "prompts"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{placement.verb.capitalize()} {noun} to a project",
            "opts": self.opts,
            "form": form or TargetForm(without=project),
            "consequence": placement.consequence,
            "names": names,
            "others": count - len(names),
            "state": state,
            "hidden": hidden,
            "button": f"{placement.verb.capitalize()} {count:,} {noun}",
            "back": keep_filters(request, self.page_of(of_one) if of_one is not None else self.list_page()),
        }
        return TemplateResponse(request, "projects/place.html", context)
