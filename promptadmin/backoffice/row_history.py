"""The page with a row's history: who changed what, before and after."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from promptadmin.compat import row_is_gone
from promptadmin.db.deadlines import reading_deadline
from promptadmin.models import LogEntry

ENTRIES_PER_PAGE = 50


def history_of(model: type[models.Model], key: str) -> QuerySet[LogEntry]:
    """The entries of one row in the change log, newest first."""
    content_type = ContentType.objects.get_for_model(model)
    entries: QuerySet[LogEntry] = LogEntry.objects.filter(content_type=content_type, object_pk=key)
    return entries.order_by("-timestamp", "-id")


class HistoryPage(ModelAdmin):
    """A ModelAdmin whose history is the change log's, where every door's changes are, not only the admin's own."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, which an action looks for its rows in, too: by POST, and within the same time."""
        with reading_deadline():
            return super().get_changelist_instance(request)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The values that an address gives to a new row's form, without those that their columns can't have."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        initial = {}
        for name, value in given.items():
            try:
                field: Any = self.opts.get_field(name)
                initial[name] = value if field.many_to_many else field.to_python(value)
            except (FieldDoesNotExist, ValidationError):
                continue
        return initial

    def gone(self, request: HttpRequest, key: str) -> HttpResponse:
        """Back to the start, with a message that there is no such row."""
        return row_is_gone(self, request, key)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show it to those who may see the row."""
        key = unquote(object_id)
        row = self.get_object(request, key)
        if row is None:
            return self.gone(request, key)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        page = Paginator(history_of(self.model, key), ENTRIES_PER_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {row}"[:100],
            "page": page,
            "object": row,
            "opts": self.opts,
            "module_name": str(self.opts.verbose_name_plural),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "promptadmin/history.html", context)

    def log_addition(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing: the change log has it."""

    def log_change(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing: the change log has it."""

    def log_deletions(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing: the change log has it."""
