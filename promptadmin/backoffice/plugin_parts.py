"""What plugins add to lists and pages of rows that aren't theirs: columns, filters, actions, boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.module_loading import import_string
from unfold.admin import ModelAdmin

from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.plugin_boxes import parts_for, rendered_boxes
from promptadmin.backoffice.selection import AGAIN, Selection, carry_out, select
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError, PreconditionFailed
from promptadmin.http.keys import row_page
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.page_parts import Action, Column, Filter

MOST_NAMED = 20
NOTHING = "-"


class PluginParts(ModelAdmin):
    """`declared_for` is how the declarations for these rows begin: "prompt", as in `prompt_columns`."""

    declared_for: ClassVar[str]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """With the columns of plugins."""
        columns = parts_for(request, f"{self.declared_for}_columns")
        return [*super().get_list_display(request), *(_shown(column) for _, column in columns)]

    def get_actions(self, request: HttpRequest) -> Any:
        """With the actions of plugins."""
        actions = super().get_actions(request)
        for _, action in parts_for(request, f"{self.declared_for}_actions"):
            name = name_of(action)
            actions[name] = (_carried_out(action), name, action.title.replace("%", "%%"))
        return actions

    def plugin_actions(self, request: HttpRequest, row: models.Model) -> dict[str, Any]:
        """What the template `promptadmin/plugin_actions.html` shows on a row's page."""
        actions = parts_for(request, f"{self.declared_for}_actions")
        return {
            "plugin_actions": [(name_of(action), action.title) for _, action in actions],
            "plugin_actions_key": row.pk,
            "plugin_actions_address": keep_filters(
                request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            ),
        }

    def plugin_context(self, request: HttpRequest, row: models.Model, **more: Any) -> dict[str, Any]:
        """The same, and what `promptadmin/plugin_boxes.html` shows."""
        boxes = rendered_boxes(request, f"{self.declared_for}_boxes", row, **more)
        return {**self.plugin_actions(request, row), "boxes": boxes}


def fill_columns(request: HttpRequest, attribute: str, rows: Sequence[Any]) -> None:
    """Put what the columns of plugins show into the rows of a page; one that fails is logged, and shows nothing."""
    keys = [row.pk for row in rows]
    for row in rows:
        row.plugin_columns = {}
    for label, column in parts_for(request, attribute) if keys else ():
        found: Mapping[Any, Any] = {}
        with isolate_plugin_errors(label, f"the column {column.name}"), read_session():
            found = import_string(column.function)(request.user, keys)
        for row in rows:
            row.plugin_columns[column.name] = found.get(row.pk, NOTHING)


def choices_of(label: str, declared: Filter) -> list[tuple[str, str]]:
    """What can be chosen in a filter: value and label. One that fails is logged, and offers nothing."""
    found: dict[Any, Any] = {}
    with isolate_plugin_errors(label, f"the choices of the filter {declared.name}"), read_session():
        found = dict(import_string(declared.choices)())
    return [(str(value), str(text)) for value, text in found.items()]


def condition_of(request: HttpRequest, label: str, declared: Filter, value: str) -> Q | None:
    """Which rows pass a filter; where it fails, that is logged and told, and all do."""
    condition: Q | None = None
    with isolate_plugin_errors(label, f"the filter {declared.name}"), read_session():
        condition = import_string(declared.function)(value)
    if condition is None:
        messages.error(request, f"The filter “{declared.title}” failed, and was left out: the log tells why.")
    return condition


def list_filters(request: HttpRequest, attribute: str) -> list[type[admin.SimpleListFilter]]:
    """The filters of plugins, for a list whose filters are Django's."""
    return [_simple_filter(label, declared) for label, declared in parts_for(request, attribute)]


def _simple_filter(label: str, declared: Filter) -> type[admin.SimpleListFilter]:
    class OfPlugin(admin.SimpleListFilter):
        title = declared.title
        parameter_name = declared.name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return choices_of(label, declared)

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if value is None or value not in dict(self.lookup_choices):
                return queryset
            condition = condition_of(request, label, declared, value)
            return queryset if condition is None else queryset.filter(condition)

    return OfPlugin


def name_of(action: Action) -> str:
    """What a form calls an action of a plugin."""
    return f"plugin_{action.name}"


def _shown(column: Column) -> Callable[[Any], Any]:
    @admin.display(description=column.title)
    def shown(row: Any) -> Any:
        return getattr(row, "plugin_columns", {}).get(column.name, NOTHING)

    shown.__name__ = f"plugin_{column.name}"
    return shown


def _carried_out(action: Action) -> Callable[..., HttpResponse]:
    def carried_out(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        if action.permission and not request.user.has_perm(action.permission):
            raise PermissionDenied
        selection = select(request, model_admin, queryset)
        expected = request.POST.get("confirmed")
        if action.question and expected is None:
            return _question(model_admin, request, action, selection)
        function = import_string(action.function)
        try:
            outcome = carry_out(
                selection,
                function,
                lambda: expected is None or AGAIN in request.POST or selection.state()[1] == expected,
            )
        except PreconditionFailed as moved:
            messages.error(request, str(moved))
            return _question(model_admin, request, action, selection, again=True)
        except DomainError as refused:
            messages.error(request, f"{action.title}: nothing was done. {refused}")
            return HttpResponseRedirect(_back(model_admin, request, selection))
        messages.success(request, f"{action.title}: {outcome.changed:,} changed.")
        if outcome.problem:
            messages.error(request, f"The others are as they were. {outcome.problem}")
        elif outcome.rest:
            return _question(model_admin, request, action, outcome.rest)
        return HttpResponseRedirect(_back(model_admin, request, selection))

    return carried_out


def _back(model_admin: ModelAdmin, request: HttpRequest, selection: Selection) -> str:
    """The page that the action was chosen on: the list, or the row's."""
    if request.POST.get("back") == "row" and len(selection.ticked) == 1:
        return keep_filters(request, row_page(model_admin.model, selection.ticked[0]))
    return request.get_full_path()


def _question(
    model_admin: ModelAdmin, request: HttpRequest, action: Action, selection: Selection, *, again: bool = False
) -> HttpResponse:
    with reading_deadline(), read_session():
        count, state = selection.state()
        names = [str(row) for row in selection.rows.order_by("pk")[:MOST_NAMED]]
    back = [("back", value) for value in request.POST.getlist("back")[:1]]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": action.title,
        "question": action.question or "There are more of them. Shall it go on?",
        "opts": model_admin.opts,
        "media": model_admin.media,
        "count": count,
        "names": names,
        "others": max(0, count - len(names)),
        "hidden": [("action", name_of(action)), *back, *selection.hidden, *([(AGAIN, "yes")] if again else [])],
        "state": state,
        "back": _back(model_admin, request, selection),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "promptadmin/plugin_question.html", context)
