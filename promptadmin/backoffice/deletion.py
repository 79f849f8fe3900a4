"""Django's action that deletes the selected rows, for a selection of any size."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from promptadmin.backoffice.selection import AGAIN, ROWS_A_TRANSACTION, Selection, carry_out, select
from promptadmin.db.deadlines import reading_deadline
from promptadmin.errors import DomainError, Forbidden, PreconditionFailed

MOST_NAMED = 20


@admin.action(description="Delete selected %(verbose_name_plural)s", permissions=["delete"])
def delete_selected(model_admin: ModelAdmin[Any], request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Ask, and then delete the rows that were asked about."""
    selection = select(request, model_admin, queryset)
    if "post" not in request.POST:
        return _question(model_admin, request, selection)
    expected = request.POST["post"]

    def delete(keys: list[Any]) -> int:
        rows = model_admin.get_queryset(request).filter(pk__in=keys)
        *_, lacking, protected = model_admin.get_deleted_objects(rows, request)
        if lacking:
            raise PermissionDenied
        if protected:
            raise Forbidden("Other rows need some of these: delete those first.")
        count = len(rows)
        model_admin.log_deletions(request, rows)
        model_admin.delete_queryset(request, rows)
        return count

    try:
        outcome = carry_out(selection, delete, lambda: AGAIN in request.POST or selection.state()[1] == expected)
    except PreconditionFailed as moved:
        messages.error(request, str(moved))
        return _question(model_admin, request, selection, again=True)
    except DomainError as refused:
        messages.error(request, f"Nothing was deleted. {refused}")
        return None
    messages.success(request, f"Deleted {outcome.changed:,} {model_ngettext(model_admin.opts, outcome.changed)}.")
    if outcome.problem:
        messages.error(request, f"The others are still there. {outcome.problem}")
    elif outcome.rest:
        return _question(model_admin, request, outcome.rest)
    return None


def _question(
    model_admin: ModelAdmin[Any], request: HttpRequest, selection: Selection, *, again: bool = False
) -> HttpResponse:
    summary: Counter[str] = Counter()
    lacking: set[str] = set()
    protected: list[Any] = []
    with reading_deadline():
        count, state = selection.state()
        names = [str(row) for row in selection.rows.order_by("pk")[:MOST_NAMED]]
        following: Selection | None = selection
        while following is not None:
            keys = following.keys(ROWS_A_TRANSACTION)
            rows = model_admin.get_queryset(request).filter(pk__in=keys)
            _, counts, more_lacking, more_protected = model_admin.get_deleted_objects(rows, request)
            summary.update(counts)
            lacking |= set(more_lacking)
            protected += more_protected[: MOST_NAMED - len(protected)]
            following = following.following(keys[-1]) if len(keys) == ROWS_A_TRANSACTION else None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Delete {count:,} {model_ngettext(model_admin.opts, count)}",
        "opts": model_admin.opts,
        "media": model_admin.media,
        "count": count,
        "names": names,
        "others": max(0, count - len(names)),
        "summary": sorted((str(name), number) for name, number in summary.items()),
        "lacking": sorted(map(str, lacking)),
        "protected": protected,
        "hidden": [("action", "delete_selected"), *selection.hidden, *([(AGAIN, "yes")] if again else [])],
        "state": state,
        "back": request.get_full_path(),
    }
    request.current_app = model_admin.admin_site.name
    template = model_admin.delete_selected_confirmation_template or "promptadmin/delete_selected.html"
    return TemplateResponse(request, template, context)
