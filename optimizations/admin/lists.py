"""The list of runs: Django's change list, filled by the repository."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.core.paginator import Paginator
from django.db.models.functions import Substr
from django.http import HttpRequest

from optimizations.admin.filters import LINKED, OF_PLUGINS
from optimizations.admin.reading import known_project
from optimizations.lists import windows
from optimizations.lists.paging import SCORE
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, Page, RunFilters
from promptadmin.backoffice.columns import ListOfColumns
from promptadmin.backoffice.plugin_parts import fill_columns
from promptadmin.db.legacy_values import parse_moment, read_text
from promptadmin.db.sessions import read_session
from promptadmin.search.snippets import Snippet, parts, snippet

EVERYWHERE = "everywhere"
#: Stands for the cursor of a list that has none, but another page.
MORE = "more"
#: So many characters of a text are looked at for what was searched for.
LOOKED_AT = 50_000


class RunPaginator(Paginator):  # type: ignore[type-arg]  # generic only in the stubs
    """Where a page is among those within reach. Nothing is counted here."""

    template_name = "admin/optimizations/optimization/pagination.html"

    def __init__(self, number: int, per_page: int, found: Page) -> None:
        super().__init__(found.items, per_page)
        self.number, self.found = number, found

    @property
    def first(self) -> int:
        """The number of the page's first run, from 1."""
        return (self.number - 1) * self.per_page + 1

    @property
    def last(self) -> int:
        """The number of the page's last run."""
        return self.first + len(self.found.items) - 1

    @property
    def is_last_within_reach(self) -> bool:
        """Whether only another period has the runs that follow."""
        return self.number >= windows.WINDOW // self.per_page

    @property
    def counts_more(self) -> bool:
        """Whether there are more runs than anybody counted."""
        return self.found.total is not None and self.found.total >= windows.WINDOW


class RunChangeList(ListOfColumns):
    """Filters, search and order are the repository's; rows are runs with their `record`."""

    page_num: int
    result_list: list[Any]

    def get_filters(self, request: HttpRequest) -> tuple[Any, bool, Any, bool, bool]:
        """The filters, none of which is one of Django's lookups. An unknown parameter is refused."""
        params = self.get_filters_params()
        params.pop(EVERYWHERE, None)
        linked = {name: params.pop(name)[-1] for name in LINKED if name in params}
        specs = [kind(request, params, self.model, self.model_admin) for kind in self.list_filter]
        if params:
            raise IncorrectLookupParameters(f"no such filter: {', '.join(params)}")
        asked = [spec.given(request) for spec in specs]
        given = {name: value for each in asked for name, value in each.items()}
        given[OF_PLUGINS] = tuple(one for each in asked for one in each.get(OF_PLUGINS, ()))
        for name, text in linked.items():
            value: Any = parse_moment(text) if name in ("since", "until") else text
            given[LINKED[name]] = _narrower(name, given.get(LINKED[name]), value)
        self.linked = linked
        self.filters = RunFilters(search=self.query.strip() or None, **given)
        return specs, True, {}, False, any(value not in (None, ()) for value in given.values())

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """The runs that pass, for an export and for those actions that ask for some of them by id."""
        (self.filter_specs, self.has_filters, _, _, self.has_active_filters) = self.get_filters(request)
        self.clear_all_filters_qs = self.get_query_string(
            remove=[*self.linked, *(name for spec in self.filter_specs for name in spec.expected_parameters())]
        )
        runs = self.filters.apply(self.root_queryset.order_by())
        return runs.filter(overall_score__isnull=False) if self._first_order(request).endswith(SCORE) else runs

    def _first_order(self, request: HttpRequest) -> str:
        return str(next(iter(self.get_ordering(request, self.root_queryset)), "-created_at"))

    def get_results(self, request: HttpRequest) -> None:
        first = self._first_order(request)
        self.descending, self.by_score = first.startswith("-"), first.endswith(SCORE)
        self.page_num = max(1, min(self.page_num, windows.WINDOW // self.list_per_page))
        offset = (self.page_num - 1) * self.list_per_page
        with read_session():
            repository = OptimizationRepository()
            ranked = self._ranked(repository, offset)
            self.is_ranked = ranked is not None
            found = ranked or repository.browse_runs(
                filters=self.filters,
                sort=first.lstrip("-"),
                order="desc" if self.descending else "asc",
                limit=self.list_per_page,
                offset=offset,
                everywhere=EVERYWHERE in self.params,
            )
            snippets = found_texts(repository, [record["id"] for record in found.items], self.filters.search)
        self.paginator = RunPaginator(self.page_num, self.list_per_page, found)
        self.result_list = [_row(known_project(record, request), snippets.get(record["id"])) for record in found.items]
        fill_columns(request, "run_columns", self.result_list)
        # Equal counts keep the theme from telling how many runs there are, which nobody has counted.
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all, self.multi_page = False, True

    def _ranked(self, repository: OptimizationRepository, offset: int) -> Page | None:
        """The page of what was searched for, best first; None where that isn't asked for, or no words are found."""
        if not self.filters.search or ORDER_VAR in self.params or EVERYWHERE in self.params:
            return None
        if not repository.ranks_quickly(self.filters):
            return None
        ranked = repository.search(
            self.filters.search,
            kinds=["run"],
            filters=replace(self.filters, search=None),
            limit=self.list_per_page,
            offset=offset,
        )
        if not ranked.items and not offset:
            return None
        records = repository.summaries([item.id for item in ranked.items])
        return Page(records, MORE if ranked.has_more else None)

    @property
    def newest_first(self) -> str:
        """The address of the same list by time."""
        return str(self.get_query_string({ORDER_VAR: f"-{self.list_display.index('created') + 1}"}, [PAGE_VAR]))

    @property
    def has_other_pages(self) -> bool:
        """Whether the filters leave more runs than those on this page."""
        return (
            self.page_num > 1
            or self.paginator.found.next_cursor is not None
            or self.paginator.found.searched_to is not None
        )

    @property
    def exact_count(self) -> int | None:
        """How many runs the filters leave, where the list has counted them all."""
        return None if self.paginator.counts_more else self.paginator.found.total

    @property
    def previous_page(self) -> str | None:
        """The address of the page before this one."""
        return str(self.get_query_string({PAGE_VAR: self.page_num - 1})) if self.page_num > 1 else None

    @property
    def next_page(self) -> str | None:
        """The address of the page after this one; at the end of what is within reach, that of an earlier period."""
        if self.paginator.found.next_cursor is None:
            return None
        if not self.paginator.is_last_within_reach:
            return str(self.get_query_string({PAGE_VAR: self.page_num + 1}))
        last = self.result_list[-1].record["created_at"]
        return None if self.by_score or last is None else self._from_here(last + dt.timedelta(microseconds=1))

    @property
    def further(self) -> str | None:
        """The address of the list that goes on where this one's window ends."""
        end = self.paginator.found.searched_to
        return self._from_here(end) if end else None

    @property
    def everywhere(self) -> str:
        """The address of the list that looks through the whole table."""
        return str(self.get_query_string({EVERYWHERE: "1"}))

    @property
    def window_filter(self) -> str | None:
        """Which of the filters the window is of."""
        return windows.window_filter(self.filters)

    @property
    def without_links(self) -> str:
        """The address of the list without what only links ask for."""
        return str(self.get_query_string(remove=list(self.linked)))

    def _from_here(self, moment: dt.datetime) -> str:
        backwards = self.descending or self.by_score
        return str(self.get_query_string({"until" if backwards else "since": moment.isoformat()}))

    def get_ordering_field_columns(self) -> dict[int, str]:
        """Which column the list is sorted by, for the arrows in its head."""
        return super().get_ordering_field_columns() if ORDER_VAR in self.params else {}


def found_texts(repository: OptimizationRepository, keys: list[str], search: str | None) -> dict[str, Snippet]:
    """Of each run: the part of its texts that has what was searched for."""
    terms = parts(*(search or "").split())
    if not terms:
        return {}
    texts = repository.runs.filter(pk__in=keys).values_list(
        "pk", *(Substr(column, 1, LOOKED_AT) for column in ("optimized_prompt", "raw_prompt"))
    )
    return {key: snippet(terms, [read_text(text) or "" for text in found]) for key, *found in texts}


def _row(record: dict[str, Any], found: Snippet | None) -> Optimization:
    row = Optimization(id=record["id"], title=record["title"], raw_prompt=record["beginning"] or "")
    row.record, row.snippet = record, found  # type: ignore[attr-defined]  # the columns of the list read them
    return row


def _narrower(name: str, chosen: Any, linked: Any) -> Any:
    """Of two ends of a period, the one that leaves less."""
    if chosen is None or linked is None or name not in ("since", "until"):
        return chosen if linked is None else linked
    return max(chosen, linked) if name == "since" else min(chosen, linked)
