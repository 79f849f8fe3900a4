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
from optimizations.records import BEGINNING, COLUMNS, SUMMARY_COLUMNS, Page, Record, read_row, read_text
from promptadmin.errors import Missing

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
        runs = filters.apply(self.runs)
        if filters.search:  # it reads every text, so once is enough
            page = by.sorted(runs).annotate(total=Window(Count("*")))[offset : offset + limit]
            counted = list(page.values_list(KEY, TIE, "id", "total"))
            places = [Place(*values[:-1]) for values in counted]
            total = counted[0][-1] if counted else filters.count(self.runs)
        else:
            total = filters.count(self.runs)
            places = self._places(by, runs, offset, limit) if offset < total else []
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
        runs = filters.apply(self.runs)
        places: list[Place] = []
        for part in by.parts_after(self._renumbered(by, by.place(cursor))):
            if len(places) <= limit:
                places += _places(by.sorted(runs, part)[: limit + 1 - len(places)])
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

    def _renumbered(self, by: RunOrder, place: Place | None) -> Place | None:
        """The place with the number that SQLite's row has now, where the run is still there."""
        if place is None or by.vendor != "sqlite":
            return place
        number = by.placed(self.runs).filter(id=place.run_id).values_list(TIE, flat=True).first()
        return place if number is None else replace(place, tie=number)

    def _places(self, by: RunOrder, runs: QuerySet[Optimization], offset: int, limit: int) -> list[Place]:
        """A page by its number; of the parts of the order only those that it reaches are touched."""
        first, *rest = (by.sorted(runs, part) for part in by.parts_after(None))
        found = _places(first[offset : offset + limit])
        if rest and len(found) < limit:
            start = 0 if found else max(0, offset - first.count())
            found += _places(rest[0][start : start + limit - len(found)])
        return found

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


def _places(page: QuerySet[Optimization]) -> list[Place]:
    return [Place(*values) for values in page.values_list(KEY, TIE, "id")]


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
