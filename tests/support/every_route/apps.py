"""Lowers the thresholds of this process, and notes which ways are taken in the file that TAKEN_ROUTES names."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig

#: Ways that the recorded reads take on SQLite, each for another kind of list, search or statistic.
ON_SQLITE = frozenset({
    "among the first of the order",
    "few, sorted",
    "along the order",
    "not near the beginning",
    "from the other end",
    "stored summaries",
    "stored summaries of a project",
    "few rows by the index",
    "common text, counted by the index",
})  # fmt: skip
#: On PostgreSQL most ways are its planner's own.
ON_POSTGRESQL = frozenset({"from the other end", "few rows by the trigrams", "common text, counted by the trigrams"})

_noted: set[str] = set()


def note(way: str) -> None:
    """A way was taken."""
    if way not in _noted:
        _noted.add(way)
        place = os.open(os.environ["TAKEN_ROUTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(place, f"{way}\n".encode())  # at once: several processes write
        os.close(place)


def watch(owner: Any, name: str, way: Callable[..., str]) -> None:
    """Note the way that `way` tells from the answer and the arguments of each call, unless it tells none."""
    function = getattr(owner, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        taken = way(answer, *args, **kwargs)
        if taken:
            note(taken)
        return answer

    setattr(owner, name, watched)


class EveryRouteConfig(AppConfig):
    """The last application: all others are there."""

    name = "tests.support.every_route"

    def ready(self) -> None:
        """Lower the thresholds, then watch the ways."""
        lower_thresholds()
        watch_ways()


def lower_thresholds() -> None:
    """What decides between ways to the same answer; what an answer itself depends on stays."""
    from optimizations.lists import counting, queries
    from optimizations.stats.rollups import building as rollup_building
    from optimizations.stats.rollups import reading as rollups
    from optimizations.stats.rollups import table
    from promptadmin.db import bulk_insert
    from promptadmin.search import building, candidate_filter, postgresql, ranking

    counting.ROWS_A_COUNT = 2
    counting.FEW = 10
    queries.NEAR, queries.READ_FOR_ONE = -1, 2
    for name, value in {"FEW": 30, "LOOKED_THROUGH": (2,)}.items():
        setattr(queries, name, value)  # as it has them from another module
    table.BITS = 4
    rollup_building.NEWEST, rollup_building.RUNS_OF_A_PART = 8, 2
    rollups.ROWS_OF_A_QUERY, rollups.MOST_PARTIAL = 2, 10_000
    candidate_filter.FEW = 40
    ranking.GROUPS = (2, 3, 5)
    building.CHANGES_A_PIECE = 500
    postgresql.ROWS_A_FETCH, postgresql.FEW = 2, 20
    bulk_insert.ROWS_AT_ONCE = 3


def watch_ways() -> None:
    """Note each way where it is chosen."""
    from optimizations.lists import counting, filters, queries
    from optimizations.repository import reading
    from optimizations.stats import query
    from promptadmin.search import postgresql

    known: dict[int, str] = {}

    def remember(answer: Any, *args: Any) -> str:
        ways = {"few, sorted": answer.of_few, "along the order": answer.along}
        known.update({id(statement): way for way, statements in ways.items() for statement in statements})
        return ""

    watch(queries, "_routes", remember)
    watch(queries.Statement, "rows", lambda answer, statement, *args: known.get(id(statement), ""))
    watch(queries, "_among_firsts", lambda answer, *args: "" if answer[0] is None else "among the first of the order")
    watch(filters.RunFilters, "_shown", lambda *args: "not near the beginning")
    watch(
        reading.Reading,
        "_keys",
        lambda answer, reader, filters, by, offset, limit, total, narrowed: (
            "from the other end" if offset > total // 2 and not narrowed else ""
        ),
    )
    watch(query, "find_cover", _cover)
    watch(
        reading,
        "narrow",
        lambda found, connection, *args: (
            "few rows by the index" if connection.vendor == "sqlite" and found.condition else ""
        ),
    )
    watch(
        counting,
        "count_candidates",
        lambda found, *args, **kwargs: "common text, counted by the index" if found else "",
    )
    watch(postgresql, "few_that_may_contain", lambda keys, *args: "few rows by the trigrams" if keys else "")
    watch(counting, "narrow_for_count", lambda answer, *args: "common text, counted by the trigrams" if answer else "")


def _cover(cover: Any, connection: Any, project: str | None, **bounds: Any) -> str:
    if not cover.stored:
        return ""
    return "stored summaries of a project" if project else "stored summaries"
