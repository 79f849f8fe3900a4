"""The part of the repository that people page through: each page costs the same in a table of any size.

A list by time that at most one indexed filter narrows is exact, because an index has it in order. Any other list looks
through a window: the first WINDOW runs that its indexed filter leaves. It says how far that is, and the filters `since`
and `until` go on from there. A filter that few runs pass needs no window: they are looked up, all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.models import F, Q, QuerySet, Value

from optimizations.columns import BROWSED_COLUMNS, COLUMNS, JSON_COLUMNS, PROJECT_NAME, Record
from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import DEFAULT_SORT, KEY, RunOrder
from optimizations.models import Optimization
from optimizations.repository.reading import EVERYTHING, Reading
from optimizations.search_index import RUNS
from projects.models import PromptVersion
from promptadmin.db.legacy_values import read_moment, read_text
from promptadmin.search.candidate_filter import narrow

#: How many runs a page may look at.
WINDOW = 10_000
#: Filters that an index answers by time.
BY_TIME = ("project", "strategy", "task_type", "status")
#: Filters that an index answers in some order, alone.
INDEXED = (("prompt_id",), ("project_id",), ("has_prompt",), ("min_score", "max_score"), *((name,) for name in BY_TIME))
PERIOD = ("since", "until")
SCORE = "overall_score"
#: How many different values of a column are worth a list of choices.
MOST_CHOICES = 50


@dataclass(frozen=True, slots=True)
class Browsed:
    """A page of runs.

    `has_more` tells whether there is a next page within reach. `total` counts up to WINDOW, and is None where counting
    costs more than the page. Where the list looks through a window, `searched_to` is the time of the last run in
    it: the oldest or, in a list that begins with the oldest, the newest.
    """

    items: list[Record]
    has_more: bool
    total: int | None
    searched_to: dt.datetime | None = None


class Browsing(Reading):
    """Pages of runs for people."""

    def browse_runs(
        self,
        *,
        filters: RunFilters = EVERYTHING,
        sort: str = DEFAULT_SORT,
        order: str = "desc",
        limit: int = 50,
        offset: int = 0,
        everywhere: bool = False,
    ) -> Browsed:
        """What BROWSED_COLUMNS say of the runs that pass; no page begins further than WINDOW runs from the first.

        `sort` is created_at or overall_score, which leaves out runs without a score; anything else means created_at.
        `everywhere` looks through the whole table instead of a window, however long that takes.
        """
        by = self._order(SCORE if sort == SCORE else DEFAULT_SORT, order)
        offset = max(0, min(offset, WINDOW - limit))
        is_in_order = _is_in_order(filters, by)
        narrowed = narrow(connections[self.using], RUNS, filters.search)
        # A text that many runs have is soon found on the way along an index.
        is_soon_full = narrowed.is_common and _is_in_order(replace(filters, search=None), by)
        window, end = narrowed.condition, None
        if not window and not is_in_order and not is_soon_full and not everywhere:
            window = self._few(filters) or Q()
            if not window:
                backwards = by.sort == SCORE or by.descending
                end = self._window_end(filters, "desc" if backwards else "asc")
                if end is not None:
                    window = Q(**{f"created_at__{'gte' if backwards else 'lte'}": Value(end)})
        runs = filters.apply(self.runs).filter(window)
        scored = Q(overall_score__isnull=False) if by.sort == SCORE else Q()
        found = by.sorted(runs, scored) if not window or by.sort != SCORE else _sorted_by_score(by, runs.filter(scored))
        run_ids = list(found.values_list("id", flat=True)[offset : offset + limit + 1])
        # Counted by the index that has the order, or the engine might count rows of the table instead.
        total = runs.filter(scored).order_by(by.sort).values(by.sort)[:WINDOW].count() if is_in_order else None
        searched_to = None if end is None else read_moment(end if isinstance(end, dt.datetime) else read_text(end))
        return Browsed(self._items(run_ids[:limit]), len(run_ids) > limit, total, searched_to)

    def summaries(self, run_ids: Sequence[str]) -> list[Record]:
        """What BROWSED_COLUMNS say of these runs, in this order; those that aren't there are left out."""
        return self._items(list(dict.fromkeys(run_ids)))

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
        table = Optimization._meta.db_table
        with connections[self.using].cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE known(name) AS (SELECT MIN({column}) FROM {table} WHERE {column} > %s UNION ALL "
                f"SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > known.name) FROM known "
                "WHERE known.name IS NOT NULL) SELECT name FROM known WHERE name IS NOT NULL LIMIT %s",
                ["", MOST_CHOICES],
            )
            return [read_text(name) or "" for (name,) in cursor.fetchall()]

    def _few(self, filters: RunFilters) -> Q | None:
        """The runs that the narrowest of the indexed filters leaves, if these are WINDOW or fewer."""
        for names in INDEXED:
            given = {name: value for name, value in filters.given().items() if name in names}
            if not given or given == {"has_prompt": True}:
                continue
            runs = RunFilters(**given).apply(self.runs)
            if runs.values("id")[: WINDOW + 1].count() <= WINDOW:
                return Q(id__in=runs.values("id"))
        return None

    def _window_end(self, filters: RunFilters, order: str) -> object:
        """The time, as it is stored, of the last of the first WINDOW runs; None if there are no more than these."""
        name = window_filter(filters)
        base = RunFilters(since=filters.since, until=filters.until, **({name: getattr(filters, name)} if name else {}))
        by = self._order(DEFAULT_SORT, order)
        ends = by.sorted(base.apply(self.runs)).values_list(KEY, flat=True)[WINDOW - 1 : WINDOW + 1]
        return next(iter(ends), None) if len(ends) > 1 else None

    def _items(self, run_ids: list[str]) -> list[Record]:
        records = self._records(BROWSED_COLUMNS, run_ids) if run_ids else {}
        return [records[run_id] for run_id in run_ids if run_id in records]


def window_filter(filters: RunFilters) -> str | None:
    """The filter whose runs a window is of; None where it is of all."""
    return next((name for name in BY_TIME if name in filters.given()), None)


def _is_in_order(filters: RunFilters, by: RunOrder) -> bool:
    """Whether an index has the runs that pass, in this order and without others between them."""
    given = filters.given().keys() - {"include_archived"}
    if not filters.include_archived:
        return False
    if by.sort == SCORE:
        return given <= {"status", "min_score", "max_score"}
    return len(given - set(PERIOD)) <= 1 and given <= {*PERIOD, *BY_TIME}


def _sorted_by_score(by: RunOrder, runs: QuerySet[Optimization]) -> QuerySet[Optimization]:
    """By score without its index, which has all the runs outside the window too."""
    score = F(SCORE) + 0.0
    return by.placed(runs).order_by(score.desc() if by.descending else score.asc(), "id")
