"""Which columns a list shows: those that its address asks for, so that a saved view and a link have them, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

COLUMNS = "columns"
#: What no longer holds with other columns: the order goes by their places.
OF_THE_COLUMNS = (COLUMNS, ORDER_VAR, PAGE_VAR, ERROR_FLAG)


class ListOfColumns(ChangeList):
    """Takes the choice of columns for no filter."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(COLUMNS, None)
        return found


class ChoosesColumns(ModelAdmin):
    """Shows the columns of `list_display` unless others are asked for; `more_columns` can be, too.

    The first one is always there: it leads to the row.
    """

    more_columns: Sequence[str] = ()

    def available_columns(self, request: HttpRequest) -> list[str]:
        """All columns that this user may see, in their order."""
        return [*self.list_display, *self.more_columns]

    def shown_by_default(self, request: HttpRequest) -> list[str]:
        """Those of them that stand in `list_display`."""
        return [name for name in self.available_columns(request) if name in self.list_display]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        available = self.available_columns(request)
        asked = set(request.GET.get(COLUMNS, "").split(","))
        chosen = [name for name in available[1:] if name in asked]
        return [available[0], *chosen] if chosen else self.shown_by_default(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the columns in one parameter, which all links of the list keep."""
        asked = request.GET.getlist(COLUMNS)
        if len(asked) > 1:
            query = request.GET.copy()
            query[COLUMNS] = ",".join(asked)
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    def column_form(self, request: HttpRequest) -> dict[str, Any]:
        """Of each column but the first: the name, the title, and whether it is shown; and the fields that stay."""
        shown = self.get_list_display(request)
        choices = [
            (name, str(label_for_field(name, self.model, self)), name in shown)
            for name in self.available_columns(request)[1:]
        ]
        kept = [(name, text) for name, texts in request.GET.lists() if name not in OF_THE_COLUMNS for text in texts]
        return {"choices": choices, "kept": kept}
