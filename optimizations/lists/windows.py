"""How far a list for people looks, so that a page costs the same in a table of any size.

A list by time or score that an index has filtered and in order is exact. Any other looks through a window: the first
WINDOW runs that its indexed filter leaves. It says how far that is, and the filters `since` and `until` go on from
there. A filter that few runs pass needs no window: they are looked up, all of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Value

from optimizations.lists.filters import RunFilters
from optimizations.lists.indexes import NARROWEST, RANGES, has_index
from optimizations.lists.paging import DEFAULT_SORT, KEY, RunOrder
from optimizations.models import Optimization
from promptadmin.db.legacy_values import read_moment, read_text

#: How many runs a page may look at.
WINDOW = 10_000
#: Filters that an index answers, the narrowest first.
BY_INDEX = (
    ("prompt_id",),
    ("project_id",),
    ("has_prompt",),
    ("min_score", "max_score"),
    *((name,) for name in NARROWEST),
)


@dataclass(frozen=True, slots=True)
class Window:
    """A condition that the runs to look at pass and, if it is a period, the time of the last of them.

    Without a condition an index leads to the page, or the whole table is looked through.
    """

    condition: Q
    searched_to: dt.datetime | None = None


def find_window(runs: QuerySet[Optimization], filters: RunFilters, by: RunOrder, narrowed: Q) -> Window:
    """Where a list looks. `narrowed` is the condition of the few runs that may have the filters' text, if they are."""
    if narrowed or is_in_order(filters, by):
        return Window(narrowed)
    few = _few(runs, filters)
    if few is not None:
        return Window(few)
    backwards = by.descending or by.sort != DEFAULT_SORT
    name = window_filter(filters)
    base = RunFilters(since=filters.since, until=filters.until, **({name: getattr(filters, name)} if name else {}))
    by_time = RunOrder(DEFAULT_SORT, backwards, by.vendor)
    ends = by_time.sorted(base.apply(runs)).values_list(KEY, flat=True)[WINDOW - 1 : WINDOW + 1]
    if len(ends) < 2:  # there are no more than these
        return Window(Q())
    [end, _] = ends
    condition = Q(**{f"created_at__{'gte' if backwards else 'lte'}": Value(end)})
    return Window(condition, read_moment(end if isinstance(end, dt.datetime) else read_text(end)))


def is_in_order(filters: RunFilters, by: RunOrder) -> bool:
    """Whether an index has the runs that pass, in this order and without others between them."""
    given = filters.given().keys() - {"include_archived"} - RANGES.get(by.sort, set())
    return filters.include_archived and has_index(given, by.sort)


def window_filter(filters: RunFilters) -> str | None:
    """The filter whose runs a window is of; None where it is of all."""
    given = filters.given()
    return next((name for name in NARROWEST if name in given and has_index({name}, DEFAULT_SORT)), None)


def _few(runs: QuerySet[Optimization], filters: RunFilters) -> Q | None:
    """The runs that the narrowest of the indexed filters leaves, if these are WINDOW or fewer."""
    for names in BY_INDEX:
        given = {name: value for name, value in filters.given().items() if name in names}
        if not given or given == {"has_prompt": True}:
            continue
        passing = RunFilters(**given).apply(runs)
        if passing.values("id")[: WINDOW + 1].count() <= WINDOW:
            return Q(id__in=passing.values("id"))
    return None
