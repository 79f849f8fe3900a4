"""The change log for operators: every row's changes, newest first."""

from __future__ import annotations

from typing import Any

from auditlog import admin as auditlog_pages
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display

from promptadmin.admin.activity import activity_view
from promptadmin.audit import reached_entries
from promptadmin.backoffice.readonly_admin import WithoutChanges
from promptadmin.http.keys import row_page
from promptadmin.models import LogEntry
from promptadmin.templatetags import times

assert auditlog_pages  # noqa: S101  # its import registers the page that this one replaces
admin.site.unregister(LogEntry)


MOST_COLUMNS = 3


class TableFilter(admin.SimpleListFilter):
    """The tables that have entries."""

    title = "table"
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tables = LogEntry.objects.order_by().values_list("content_type", flat=True).distinct()
        return sorted(
            ((str(table.pk), str(table.name).capitalize()) for table in ContentType.objects.filter(pk__in=tables)),
            key=lambda choice: choice[1],
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        value = self.value() or ""
        return queryset.filter(content_type_id=value) if value.isdecimal() else queryset


@admin.register(LogEntry)
class LogEntryAdmin(WithoutChanges):
    """Lists and shows; the log is written by the code that makes the changes. `promptadmin auditlogflush` deletes."""

    how_rows_come = "An entry comes with each change, whichever way it is made."
    list_display = ["when", "kind", "row", "columns", "by", "door"]
    list_display_links = ["when"]
    list_filter = ["action", TableFilter, "door", ("timestamp", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["content_type"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["object_repr", "by", "object_pk"]
    search_help_text = "Title or id of the row, or who changed it"
    ordering = ["-timestamp", "-id"]
    fields = ["when", "kind", "row", "by", "door", "remote_addr", "cid", "note", "before_and_after"]
    readonly_fields = fields

    actions_list = ["activity"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        return reached_entries(super().get_queryset(request))

    @action(description="By person, bulk changes as one", url_path="activity", permissions=["view"])  # type: ignore[untyped-decorator]  # the theme's
    def activity(self, request: HttpRequest) -> HttpResponse:
        return activity_view(request)

    @admin.display(description="when", ordering="timestamp")
    def when(self, entry: LogEntry) -> SafeString:
        return times.when(entry.timestamp)

    @display(description="what", ordering="action", label={"create": "success", "update": "info", "delete": "danger"})  # type: ignore[untyped-decorator]  # the theme's
    def kind(self, entry: LogEntry) -> str:
        return str(entry.get_action_display())

    @admin.display(description="row")
    def row(self, entry: LogEntry) -> SafeString:
        """The table and the row's title, with a link to its page where it may still be there."""
        title, table = entry.object_repr[:80], str(entry.content_type.name)
        try:
            model = entry.content_type.model_class()
            address = row_page(model, entry.object_pk) if model else ""
        except NoReverseMatch:
            address = ""
        if entry.action == LogEntry.Action.DELETE or not address:
            return format_html("{} <bdi>{}</bdi>", table, title)
        return format_html('{} <a class="pa-link" href="{}"><bdi>{}</bdi></a>', table, address, title)

    @admin.display(description="columns")
    def columns(self, entry: LogEntry) -> str:
        names = list(entry.changes or ())
        more = f" and {len(names) - MOST_COLUMNS} more" if len(names) > MOST_COLUMNS else ""
        return ", ".join(names[:MOST_COLUMNS]) + more or entry.note or "-"

    @admin.display(description="before and after")
    def before_and_after(self, entry: LogEntry) -> SafeString:
        """A table of the columns that changed."""
        return render_to_string("promptadmin/change.html", {"entry": entry})
