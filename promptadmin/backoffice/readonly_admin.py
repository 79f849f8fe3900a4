"""An admin that shows rows and changes none."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.http.keys import row_page


class PlainChangeList(ChangeList):
    """A list that doesn't offer to show all rows where it does so already."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Tell the theme that all rows are found where nothing is looked for."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class WithoutChanges(ModelAdmin):
    """Lists and shows; nobody adds, changes or deletes rows here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(HistoryPage, WithoutChanges):
    """Lists, searches, filters and shows; every write goes through the API until the repositories have forms here."""

    show_full_result_count = False  # the count of all rows beside the count of those found costs a scan
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PlainChangeList


def link_to(row: models.Model | None, text: str = "") -> SafeString | str:
    """A link to a row's page in the admin; a dash where there is no row."""
    if row is None:
        return "-"
    return link_to_key(type(row), row.pk, text or str(row))


def link_to_key(model: type[models.Model], key: object, text: str) -> SafeString | str:
    """A link to the page of the row with this key, which nobody has to load for it; a dash where there is no key."""
    if key is None:
        return "-"
    return format_html('<a href="{}"><bdi>{}</bdi></a>', row_page(model, key), text)


def link_to_list(model: type[models.Model], text: str, **filters: str) -> SafeString:
    """A link to a model's list with some filters."""
    options = model._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', address, text)
