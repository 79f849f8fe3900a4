"""Orders that no index has, of lists that are short enough to be sorted in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest

from promptadmin.backoffice.columns import ListOfColumns
from promptadmin.backoffice.readonly_admin import PlainChangeList
from promptadmin.db.sessions import read_session

#: A list with more rows has such an order only once a filter leaves fewer.
MOST_SORTED = 1_000


class KeyedChangeList(ListOfColumns, PlainChangeList):
    """Finds the keys of a page first: what is sorted and skipped on the way to a far page is nothing but keys.

    Columns that name one of `sorts` as their order are sorted by what that makes of a row, as `rows` has it.
    """

    sorts: Mapping[str, Callable[[Any], Any]] = {}
    sorted_by: tuple[str, bool] | None = None

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[str]:
        """What the database is asked for; what it isn't is remembered as `sorted_by`."""
        ordering = [str(name) for name in super().get_ordering(request, queryset)]
        asked = next((name for name in ordering if name.lstrip("-") in self.sorts), None)
        self.sorted_by = asked and (asked.lstrip("-"), asked.startswith("-"))  # type: ignore[assignment]
        if asked is None:
            return ordering
        return [*self.model_admin.get_ordering(request)]

    def get_results(self, request: HttpRequest) -> None:
        """Fill the page."""
        super().get_results(request)
        first = (self.page_num - 1) * self.list_per_page
        size = self.result_count if self.show_all else self.list_per_page
        keys = self.keys_in_order(request, 0 if self.show_all else first, size)
        if keys is None:
            keys = list(self.result_list.values_list("pk", flat=True))
        with read_session():
            found = {row.pk: row for row in self.rows(keys)}
        self.result_list = [found[key] for key in keys if key in found]

    def keys_in_order(self, request: HttpRequest, first: int, size: int) -> list[Any] | None:
        """The keys of a page in an order that the database wasn't asked for; None where it was."""
        if self.sorted_by is None:
            return None
        name, is_descending = self.sorted_by
        keys = list(self.queryset.values_list("pk", flat=True)[: MOST_SORTED + 1])
        if len(keys) > MOST_SORTED:
            messages.warning(
                request, f"Only lists of up to {MOST_SORTED:,} rows are sorted by this column: add a filter."
            )
            return None
        key_of = self.sorts[name]
        # Of equal ones, those that come first otherwise stay first.
        with read_session():
            rows = {row.pk: row for row in self.rows(keys)}
        known = [rows[key] for key in keys if key in rows and key_of(rows[key]) is not None]
        unknown = [key for key in keys if key in rows and key_of(rows[key]) is None]
        ordered = [row.pk for row in sorted(known, key=key_of, reverse=is_descending)]
        return [*ordered, *unknown][first : first + size]

    @property
    def is_ordered(self) -> bool:
        """Whether somebody chose an order."""
        return ORDER_VAR in self.params

    def rows(self, keys: Sequence[str]) -> Any:
        """The rows with these keys, with all that the list shows of them."""
        raise NotImplementedError
