"""The part of the repository that reads runs."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Q, QuerySet

from optimizations.columns import (
    BEGINNING,
    BROWSED_COLUMNS,
    COLUMNS,
    JSON_COLUMNS,
    PROJECT_NAME,
    SUMMARY_COLUMNS,
    Page,
    Record,
    row_reader,
)
from optimizations.lists import windows
from optimizations.lists.counting import Total, count_runs
from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import DEFAULT_SORT, LARGEST, SCORE, RunOrder, SortKey
from optimizations.lists.queries import fetch_full_page, fetch_keys
from optimizations.models import Optimization
from optimizations.search_index import RUNS
from projects.models import PromptVersion
from projects.namesakes import id_of_name
from projects.reach import row_limits
from promptadmin.db.cache import cached_until_write
from promptadmin.db.features import has_row_numbers, row_place
from promptadmin.db.json_text import read_plain_list
from promptadmin.db.legacy_values import read_text
from promptadmin.db.raw import fetch_all
from promptadmin.errors import NotFound
from promptadmin.search.candidate_filter import narrow

RUN_MISSING = "Optimization not found"
EVERYTHING = RunFilters()
BEGINNING_LENGTH = 200
#: Of so many runs are values suggested that no index tells.
MOST_RECENT = 2000
#: How many different values of a column are worth a list of choices.
MOST_CHOICES = 50


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
        Raises TooManyToSort where a column has no index and many runs pass.
        """
        by = RunOrder.named(sort, order, self.using)
        narrowed = narrow(connections[self.using], RUNS, filters.search).condition
        if narrowed:  # of few runs, whose texts are all read: once is enough
            keys = fetch_keys(self.using, filters, by, limit=LARGEST, narrowed=narrowed)
            total, keys = len(keys), keys[offset : offset + limit]
        else:
            total, narrowed = self._total(filters)
            by.check_sortable(total)
            keys = self._keys(filters, by, offset, min(limit, total - offset), total, narrowed)
        return self._page(by, keys, offset + len(keys) < total, total)

    def browse_runs(
        self,
        *,
        filters: RunFilters = EVERYTHING,
        sort: str = DEFAULT_SORT,
        order: str = "desc",
        limit: int = 50,
        offset: int = 0,
        everywhere: bool = False,
    ) -> Page:
        """What BROWSED_COLUMNS say of the runs that pass: of `optimizations.lists.windows`, or `everywhere`.

        No page begins further than WINDOW runs from the first, and `total` counts up to WINDOW; it is None where
        counting costs more than the page. `sort` is created_at or overall_score, which leaves out runs without a score;
        anything else means created_at.
        """
        by = RunOrder.named(sort if sort == SCORE else DEFAULT_SORT, order, self.using)
        by = replace(by, values_only=by.sort == SCORE)
        offset = max(0, min(offset, windows.WINDOW - limit))
        if everywhere:
            window = windows.Window(Q())
            keys = self._keys_uncounted(filters, by, offset=offset, limit=limit + 1)
        else:
            narrowed = narrow(connections[self.using], RUNS, filters.search).condition
            window = windows.find_window(self.runs, filters, by, narrowed)
            keys = fetch_keys(self.using, filters, by, offset=offset, limit=limit + 1, narrowed=window.condition)
        total = None
        if windows.is_in_order(filters, by):
            # Counted by the index that has the order, or SQLite might count rows of the table.
            [part] = by.parts_after(None)
            some = filters.apply(self.runs).filter(part).order_by(by.sort).values(by.sort)
            total = some[: windows.WINDOW].count()
        page = self._page(by, keys[:limit], len(keys) > limit, total, BROWSED_COLUMNS)
        return replace(page, searched_to=window.searched_to)

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

        Runs that others add or delete meanwhile move no other run to another page. Raises BrokenCursor; and
        TooManyToSort, as `list_runs` does.
        """
        by = RunOrder.named(sort, order, self.using)
        after = self._renumbered(by.place(cursor))
        keys = self._keys_uncounted(filters, by, after=after, limit=limit + 1)
        return self._page(by, keys[:limit], len(keys) > limit)

    def get_run(self, run_id: str) -> Record:
        """A run with all its columns. Raises NotFound."""
        return self._run(COLUMNS, run_id)

    def get_runs(self, run_ids: Sequence[str]) -> list[Record]:
        """These runs with all their columns, in this order, without those that aren't there."""
        return self._found(COLUMNS, run_ids)

    def summaries(self, run_ids: Sequence[str]) -> list[Record]:
        """What BROWSED_COLUMNS say of these runs, in this order; those that aren't there are left out."""
        return self._found(BROWSED_COLUMNS, list(dict.fromkeys(run_ids)))

    def count_versions(self, run_ids: Sequence[str] | QuerySet[Any, Any]) -> int:
        """How many versions of prompts these runs led to; their ids may be a query."""
        return PromptVersion.objects.using(self.using).filter(optimization_id__in=run_ids).count()

    def get_run_as_stored(self, run_id: str) -> tuple[Record, dict[str, str]]:
        """A run with its project's name, and the stored text of each column that holds what it shouldn't.

        Raises NotFound.
        """
        record = self._run((*COLUMNS, PROJECT_NAME), run_id)
        silent = [name for name in JSON_COLUMNS if record[name] is None]
        stored = self.runs.filter(id=run_id).values_list(*silent).first() if silent else None
        texts = {name: read_text(value) for name, value in zip(silent, stored or (), strict=False)}
        return record, {name: text for name, text in texts.items() if text and text != "null"}

    def choices(self, column: str) -> list[str]:
        """The first MOST_CHOICES values of an indexed text column, one of COLUMNS; its index tells them."""
        if row_limits() is not None:
            values = self.runs.filter(**{f"{column}__gt": ""}).order_by(column).values_list(column, flat=True)
            return list(values.distinct()[:MOST_CHOICES])
        table = Optimization._meta.db_table
        with connections[self.using].cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE known(name) AS (SELECT MIN({column}) FROM {table} WHERE {column} > %s UNION ALL "
                f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > known.name) FROM known "
                "WHERE known.name IS NOT NULL) SELECT name FROM known WHERE name IS NOT NULL LIMIT %s",
                ["", MOST_CHOICES],
            )
            return [read_text(name) or "" for (name,) in cursor.fetchall()]

    def recent_values(self, name: str) -> list[str]:
        """The tags ("tag") or the models ("model") of the newest MOST_RECENT runs, those of most runs first."""
        newest = self.runs.order_by("-created_at")[:MOST_RECENT]
        if name == "model":
            values: Iterable[Any] = newest.values_list("model_used", flat=True)
        else:
            lists = newest.values_list("tags", flat=True)
            values = (tag for tags in lists for tag in read_plain_list(tags) or ())
        counted = Counter(value for value in values if isinstance(value, str) and value)
        return [value for value, _ in counted.most_common(MOST_CHOICES)]

    def is_duplicate(self, *, title: str, project: str | None = None) -> bool:
        """Whether a run has this title, whatever the case; with a project, whether one of exactly this text has.

        The search index tells which runs have the title anywhere. Where that are many, each run is looked at.
        """
        candidates = narrow(connections[self.using], RUNS, title).condition
        return RunFilters(project=project).apply(self.runs).filter(candidates, title__folded_exact=title).exists()

    def _found(self, columns: tuple[str, ...], run_ids: Sequence[str]) -> list[Record]:
        """These runs in this order; those that aren't there are left out."""
        records = self._records(columns, run_ids) if run_ids else {}
        return [records[run_id] for run_id in run_ids if run_id in records]

    def _run(self, columns: tuple[str, ...], run_id: str) -> Record:
        found = self._records(columns, [run_id])
        if not found:
            raise NotFound(RUN_MISSING)
        return found[run_id]

    def _total(self, filters: RunFilters) -> Total:
        """How many runs pass, remembered until somebody writes."""
        return cached_until_write(connections[self.using], ("runs", filters), lambda: count_runs(filters, self.runs))

    def _keys(  # noqa: PLR0917  # called from here alone
        self, filters: RunFilters, by: RunOrder, offset: int, limit: int, total: int, narrowed: Q
    ) -> list[SortKey]:
        """A page by its number. Of the two ends of the list, the nearer one is where it is counted from."""
        if limit <= 0:
            return []
        if offset <= total // 2:
            return fetch_keys(self.using, filters, by, offset=offset, limit=limit, narrowed=narrowed)
        backwards, left = replace(by, descending=not by.descending), total - offset - limit
        return fetch_keys(self.using, filters, backwards, offset=left, limit=limit, narrowed=narrowed)[::-1]

    def _keys_uncounted(
        self, filters: RunFilters, by: RunOrder, *, after: SortKey | None = None, offset: int = 0, limit: int
    ) -> list[SortKey]:
        """A page whose list is counted only where that finds it sooner: if many runs may have a text, and few do."""
        narrowed, may_be_common = narrow(connections[self.using], RUNS, filters.search)
        if may_be_common and by.is_indexed and row_limits() is None:
            keys = fetch_full_page(self.using, filters, by, after=after, offset=offset, limit=limit)
            if keys is not None:
                return keys
            narrowed = self._total(filters).narrowed
        elif not narrowed and not by.is_indexed:
            total, narrowed = self._total(filters)
            by.check_sortable(total)
        return fetch_keys(self.using, filters, by, after=after, offset=offset, limit=limit, narrowed=narrowed)

    def _renumbered(self, place: SortKey | None) -> SortKey | None:
        """The place with the number that SQLite's row has now, where the run is still there."""
        connection = connections[self.using]
        if place is None or not has_row_numbers(connection):
            return place
        found = fetch_all(connection, "SELECT rowid FROM optimizations WHERE id = %s", [place.run_id])
        return replace(place, tie=found[0][0]) if found else place

    def _page(  # called from here alone
        self,
        by: RunOrder,
        keys: Sequence[SortKey],
        has_more: bool,
        total: int | None = None,
        columns: tuple[str, ...] = SUMMARY_COLUMNS,
    ) -> Page:
        """The runs at these places. Places are found first, so that nothing else is sorted and joined than a page."""
        if not keys:
            return Page([], None, total)
        ties = [key.tie for key in keys]
        records = self._records(columns, ties, by_tie=True)
        cursor = by.cursor(keys[-1], records[ties[-1]]["id"]) if has_more else None
        return Page([records[tie] for tie in ties], cursor, total)

    def _records(self, columns: tuple[str, ...], keys: Sequence[Any], *, by_tie: bool = False) -> dict[Any, Record]:
        """The runs with these ids, each with its project; or with these TIEs, by which SQLite finds them at once."""
        connection = connections[self.using]
        if not by_tie and row_limits() is not None:  # ties come from a query that was narrowed
            keys = list(self.runs.filter(id__in=keys).values_list("id", flat=True))
            if not keys:
                return {}
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
