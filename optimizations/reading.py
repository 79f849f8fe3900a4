"""The part of the repository that reads runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count, QuerySet, Window

from optimizations.filters import RunFilters
from optimizations.models import Optimization
from optimizations.paging import DEFAULT_SORT, KEY, TIE, Place, RunOrder
from optimizations.queries import read_places
from optimizations.records import BEGINNING, COLUMNS, SUMMARY_COLUMNS, Page, Record, read_row, read_text
from promptadmin.errors import Missing
from promptadmin.unchanged import while_unchanged

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

        `sort` is one of `optimizations.paging.SORTS`, anything else means created_at; `order` is asc or desc.
        """
        by = self._order(sort, order)
        if filters.search:  # it reads every text, so once is enough
            runs = filters.apply(self.runs)
            page = by.sorted(runs).annotate(total=Window(Count("*")))[offset : offset + limit]
            counted = list(page.values_list(KEY, TIE, "id", "total"))
            places = [Place(*values[:-1]) for values in counted]
            total = counted[0][-1] if counted else filters.count(self.runs)
        else:
            total = while_unchanged(connections[self.using], ("runs", filters), lambda: filters.count(self.runs))
            places = self._page(filters, by, offset, min(limit, total - offset), total)
        is_last = not places or offset + len(places) >= total
        return Page(self._summaries(places), None if is_last else by.cursor(places[-1]), total)

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
        places = read_places(self.using, filters, by, after=after, limit=limit + 1)
        more, places = len(places) > limit, places[:limit]
        return Page(self._summaries(places), by.cursor(places[-1]) if more else None)

    def get_run(self, run_id: str) -> Record:
        """A run with all its columns. Raises Missing."""
        found = self._records(COLUMNS, [run_id])
        if not found:
            raise Missing(RUN_MISSING)
        return found[run_id]

    def get_runs(self, run_ids: Sequence[str]) -> list[Record]:
        """These runs with all their columns, in this order, without those that aren't there."""
        found = self._records(COLUMNS, run_ids) if run_ids else {}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def is_duplicate(self, *, title: str, project: str | None = None) -> bool:
        """Whether a run has this title, whatever the case; with a project, whether one of exactly this text has."""
        return RunFilters(project=project).apply(self.runs).filter(title__folded_exact=title).exists()

    def _order(self, sort: str, order: str) -> RunOrder:
        return RunOrder.named(sort, order, connections[self.using].vendor)

    def _page(self, filters: RunFilters, by: RunOrder, offset: int, limit: int, total: int) -> list[Place]:
        """A page by its number. Of the two ends of the list, the nearer one is where it is counted from."""
        if limit <= 0:
            return []
        if offset <= total // 2:
            return read_places(self.using, filters, by, offset=offset, limit=limit)
        backwards = replace(by, descending=not by.descending)
        return read_places(self.using, filters, backwards, offset=total - offset - limit, limit=limit)[::-1]

    def _renumbered(self, place: Place | None) -> Place | None:
        """The place with the number that SQLite's row has now, where the run is still there."""
        connection = connections[self.using]
        if place is None or connection.vendor != "sqlite":
            return place
        with connection.cursor() as cursor:
            cursor.execute("SELECT rowid FROM optimizations WHERE id = %s", [place.run_id])
            found = cursor.fetchone()
        return place if found is None else replace(place, tie=found[0])

    def _summaries(self, places: Sequence[Place]) -> list[Record]:
        """The runs at these places. Places are found first, so that nothing else is sorted and joined than a page."""
        run_ids = [place.run_id for place in places]
        records = self._records(SUMMARY_COLUMNS, run_ids) if run_ids else {}
        return [records[run_id] for run_id in run_ids if run_id in records]

    def _records(self, columns: tuple[str, ...], run_ids: Sequence[str]) -> dict[str, Record]:
        """The runs with these ids, each with its project."""
        connection = connections[self.using]
        marks = ", ".join(["%s"] * len(run_ids))
        found = {}
        with connection.cursor() as cursor:
            cursor.execute(f"{_select(columns, connection.vendor)} WHERE o.id IN ({marks})", run_ids)
            for row in cursor.fetchall():
                *values, project_id, project_status = row
                found[row[0]] = read_row(columns, values)
                found[row[0]] |= {"project_id": read_text(project_id), "project_status": read_text(project_status)}
        return found


@functools.cache
def _select(columns: tuple[str, ...], vendor: str) -> str:
    """The statement that reads runs with their project: the prompt's or, only of a run without one, that of the name.

    As text, because each request runs it: Django takes longer to build it than the database to answer it.
    """
    # sqlite3 would parse a bare DATETIME column itself, and fail or lose what it can't.
    written = {"created_at": "CAST(o.created_at AS TEXT)"} if vendor == "sqlite" else {}
    written[BEGINNING] = f"SUBSTR(o.raw_prompt, 1, {BEGINNING_LENGTH})"
    names = ", ".join(written.get(column, f"o.{column}") for column in columns)
    return (
        f"SELECT {names}, COALESCE(j.id, n.id), COALESCE(j.status, n.status) FROM optimizations o "
        "LEFT JOIN prompts p ON p.id = o.prompt_id LEFT JOIN projects j ON j.id = p.project_id "
        "LEFT JOIN projects n ON o.prompt_id IS NULL AND n.name = o.project"
    )
