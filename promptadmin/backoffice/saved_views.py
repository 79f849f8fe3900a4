"""Lists with their filters under a name: one's own, and those that others share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from promptadmin.db.sessions import read_session, write_session
from promptadmin.models import SavedView

MOST_SHOWN = 100


class SavedViewForm(forms.Form):
    """What a view is called, what its list is asked for, and whether others see it."""

    table = forms.CharField(max_length=100)
    query = forms.CharField(max_length=2000, required=False)
    name = forms.CharField(max_length=100)
    is_shared = forms.BooleanField(required=False)

    def clean_query(self) -> str:
        """Without the number of the page."""
        query = QueryDict(self.cleaned_data["query"], mutable=True)
        for name in (PAGE_VAR, ERROR_FLAG):
            query.pop(name, None)
        return query.urlencode()


def visible_views(request: HttpRequest) -> QuerySet[SavedView]:
    """One's own and the shared ones, of whichever list."""
    return SavedView.objects.filter(Q(owner=request.user.pk) | Q(is_shared=True)).order_by("name", "pk")


def address_of(view: SavedView) -> str:
    """The list as the view has it."""
    address = reverse(f"admin:{view.table.replace('.', '_')}_changelist")
    return f"{address}?{view.query}" if view.query else address


def may_see_list(request: HttpRequest, table: str) -> bool:
    """Whether there is such a list, and the user may see it."""
    try:
        model_admin: Any = admin.site.get_model_admin(apps.get_model(table))
    except (LookupError, ValueError, NotRegistered):
        return False
    return bool(model_admin.has_view_or_change_permission(request))


@require_safe
def saved_views(request: HttpRequest) -> HttpResponse:
    """The views of a list, and the form that saves the list as it is: a fragment for its page."""
    table, query = request.GET.get("table", ""), request.GET.get("query", "")
    _check(request, table)
    with read_session():
        views = list(visible_views(request).filter(table=table).select_related("owner")[:MOST_SHOWN])
    shown = [(view, address_of(view), _may_delete(request, view)) for view in views]
    answer = render(request, "promptadmin/saved_views.html", {"views": shown, "table": table, "query": query})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Save a list; another view of one's own with that name is replaced."""
    form = SavedViewForm(request.POST)
    table = request.POST.get("table", "")
    _check(request, table)
    if not form.is_valid():
        messages.error(request, "The view wasn't saved: give it a name of at most 100 characters.")
        return redirect(reverse(f"admin:{table.replace('.', '_')}_changelist"))
    given = form.cleaned_data
    with write_session():
        view, _ = SavedView.objects.update_or_create(
            owner_id=request.user.pk,
            table=table,
            name=given["name"],
            defaults={"query": given["query"], "is_shared": given["is_shared"]},
        )
    messages.success(request, f"Saved the view “{view.name}”{', which all see' if view.is_shared else ''}.")
    return redirect(address_of(view))


@require_POST
def delete_view(request: HttpRequest, key: int) -> HttpResponse:
    """Delete a view of one's own; superusers delete shared ones, too."""
    view = visible_views(request).filter(pk=key).first()
    if view is None:
        raise Http404("There is no such view.")
    if not _may_delete(request, view):
        raise PermissionDenied
    with write_session():
        view.delete()
    messages.success(request, f"Deleted the view “{view.name}”; what it showed is as it was.")
    return redirect(reverse(f"admin:{view.table.replace('.', '_')}_changelist"))


def _may_delete(request: HttpRequest, view: SavedView) -> bool:
    return bool(view.owner_id == request.user.pk or request.user.is_superuser)


def _check(request: HttpRequest, table: str) -> None:
    if not may_see_list(request, table):
        raise PermissionDenied
