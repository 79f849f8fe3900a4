"""The part of the repository that reads runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count, QuerySet, Window

from optimizations.columns import BEGINNING, COLUMNS, PROJECT_NAME, SUMMARY_COLUMNS, Page, Record, row_reader
from optimizations.lists.counting import count_runs
from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import DEFAULT_SORT, KEY, TIE, RunOrder, SortKey
from optimizations.lists.queries import fetch_keys
from optimizations.models import Optimization
from optimizations.search_index import RUNS
from projects.namesakes import id_of_name
from promptadmin.db.cache import cached_until_write
from promptadmin.db.engine import has_row_numbers, row_place
from promptadmin.db.raw import fetch_all
from promptadmin.errors import NotFound
from promptadmin.search.candidate_filter import narrow

RUN_MISSING = "Optimization not found"
EVERYTHING = RunFilters()
BEGINNING_LENGTH = 200


class Reading:
    """Lists and single runs."""

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using

    @property
    def runs(self) -> QuerySet[Optimization]:
        """All runs, in no order."""
        return Optimization.objects.using(self.using).order_by()

    def list_runs(
        self,
        *,
        filters: RunFilters = EVERYTHING,
        sort: str = DEFAULT_SORT,
        order: str = "desc",
        limit: int = 20,
        offset: int = 0,
    ) -> Page:
        """Summaries of the runs that pass the filters, and their number.

        `sort` is one of `optimizations.lists.paging.SORTS`, anything else means created_at; `order` is asc or desc.
        """
        by = self._order(sort, order)
        narrowed = narrow(connections[self.using], RUNS, filters.search)
        if filters.search and not narrowed.is_common:  # it reads every text that may be meant, so once is enough
            runs = filters.apply(self.runs).filter(narrowed.condition)
            page = by.sorted(runs).annotate(total=Window(Count("*")))[offset : offset + limit]
            counted = list(page.values_list(KEY, TIE, "total"))
            places = [SortKey(*values[:-1]) for values in counted]
            if counted or not offset:
                total = counted[0][-1] if counted else 0
            else:
                total = filters.count(self.runs.filter(narrowed.condition))
        else:
            total = cached_until_write(
                connections[self.using], ("runs", filters), lambda: count_runs(filters, self.runs)
            )
            places = self._page(filters, by, offset, min(limit, total - offset), total)
        return self._page_of(by, places, bool(places) and offset + len(places) < total, total)

    def list_runs_after(
        self,
        cursor: str,
        *,
        filters: RunFilters = EVERYTHING,
        sort: str = DEFAULT_SORT,
        order: str = "desc",
        limit: int = 20,
    ) -> Page:
        """Summaries of the runs after a cursor, at the same cost at any depth; an empty one names the beginning.

        Runs that others add or delete meanwhile move no other run to another page. Raises BrokenCursor.
        """
        by = self._order(sort, order)
        after = self._renumbered(by.place(cursor))
        narrowed = narrow(connections[self.using], RUNS, filters.search).condition
        places = fetch_keys(self.using, filters, by, after=after, limit=limit + 1, narrowed=narrowed)
        return self._page_of(by, places[:limit], len(places) > limit)

    def get_run(self, run_id: str) -> Record:
        """A run with all its columns. Raises NotFound."""
        return self._run(COLUMNS, run_id)

    def get_runs(self, run_ids: Sequence[str]) -> list[Record]:
        """These runs with all their columns, in this order, without those that aren't there."""
        found = self._records(COLUMNS, run_ids) if run_ids else {}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def is_duplicate(self, *, title: str, project: str | None = None) -> bool:
        """Whether a run has this title, whatever the case; with a project, whether one of exactly this text has."""
        return RunFilters(project=project).apply(self.runs).filter(title__folded_exact=title).exists()

    def _run(self, columns: tuple[str, ...], run_id: str) -> Record:
        found = self._records(columns, [run_id])
        if not found:
            raise NotFound(RUN_MISSING)
        return found[run_id]

    def _order(self, sort: str, order: str) -> RunOrder:
        return RunOrder.named(sort, order, self.using)

    def _page(self, filters: RunFilters, by: RunOrder, offset: int, limit: int, total: int) -> list[SortKey]:
        """A page by its number. Of the two ends of the list, the nearer one is where it is counted from."""
        if limit <= 0:
            return []
        if offset <= total // 2:
            return fetch_keys(self.using, filters, by, offset=offset, limit=limit)
        backwards = replace(by, descending=not by.descending)
        return fetch_keys(self.using, filters, backwards, offset=total - offset - limit, limit=limit)[::-1]

    def _renumbered(self, place: SortKey | None) -> SortKey | None:
        """The place with the number that SQLite's row has now, where the run is still there."""
        connection = connections[self.using]
        if place is None or not has_row_numbers(connection):
            return place
        found = fetch_all(connection, "SELECT rowid FROM optimizations WHERE id = %s", [place.run_id])
        return replace(place, tie=found[0][0]) if found else place

    def _page_of(self, by: RunOrder, places: Sequence[SortKey], more: bool, total: int | None = None) -> Page:
        """The runs at these places. Places are found first, so that nothing else is sorted and joined than a page."""
        if not places:
            return Page([], None, total)
        ties = [place.tie for place in places]
        records = self._records(SUMMARY_COLUMNS, ties, by_tie=True)
        cursor = by.cursor(places[-1], records[ties[-1]]["id"]) if more else None
        return Page([records[tie] for tie in ties], cursor, total)

    def _records(self, columns: tuple[str, ...], keys: Sequence[Any], *, by_tie: bool = False) -> dict[Any, Record]:
        """The runs with these ids, each with its project; or with these TIEs, by which SQLite finds them at once."""
        connection = connections[self.using]
        column = row_place(connection, "id") if by_tie else "id"
        read = row_reader((*columns, "project_id", "project_status"))
        rows = fetch_all(connection, _select(columns, column, len(keys)), keys)
        return {row[-1]: read(row) for row in rows}


@functools.lru_cache(maxsize=512)
def _select(columns: tuple[str, ...], key: str, count: int) -> str:
    """The statement that reads runs with their project: the prompt's or, only of a run without one, that of the name.

    So many runs, by a key of the table, which stands last in a row. As text, because each request runs it: Django takes
    longer to build it than the database to answer it.
    """
    written = {
        PROJECT_NAME: "COALESCE(j.name, n.name)",
        BEGINNING: f"SUBSTR(o.raw_prompt, 1, {BEGINNING_LENGTH})",
    }
    names = ", ".join(written.get(column, f"o.{column}") for column in columns)
    return (
        f"SELECT {names}, COALESCE(j.id, n.id), COALESCE(j.status, n.status), o.{key} FROM optimizations o "
        "LEFT JOIN prompts p ON p.id = o.prompt_id LEFT JOIN projects j ON j.id = p.project_id "
        f"LEFT JOIN projects n ON o.prompt_id IS NULL AND n.id = {id_of_name('o.project')} "
        f"WHERE o.{key} IN ({', '.join(['%s'] * count)})"
    )
