"""Counting the items of the JSON lists in a column, in the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connections
from django.db.models import Count, QuerySet, Sum

from optimizations.models import Optimization
from optimizations.stats.aggregates import SCORE, as_text, stored_strategy, usable
from promptadmin.db.json_lists import list_sql


class Item(NamedTuple):
    """How often a strategy's runs have a text in their lists; no text stands for the lists themselves.

    `scored` of the occurrences are in runs with an overall score; `score` is the sum of those scores.
    """

    strategy: str | None
    text: str | None
    occurrences: int
    scored: int
    score: float


# Equal texts are counted before they are read, so each distinct one is read once. Only texts in lists count, and no
# empty ones.
_SQL = """
    WITH grouped (strategy, framework, stored, runs, scored, score) AS ({grouped}),
    lists AS MATERIALIZED (SELECT strategy, framework, runs, scored, score, {of_stored} AS list FROM grouped)
    SELECT strategy, framework, {text} AS text, SUM(runs), SUM(scored), SUM(score)
    FROM lists {join} WHERE list IS NOT NULL GROUP BY 1, 2, 3
"""


def read_items(runs: QuerySet[Optimization], column: str) -> Iterator[Item]:
    """The items of the lists in a column, by strategy as it is stored; one strategy and text may come several times.

    A strategy whose lists are all without a text has one item, without text.
    """
    connection = connections[runs.db]
    grouped = (
        runs.filter(**{f"{column}__isnull": False})
        .order_by()
        .values_list("strategy", "framework_applied", column)
        .annotate(runs=Count("*"), scored=Count(SCORE, filter=usable(SCORE)), score=Sum(SCORE, filter=usable(SCORE)))
    )
    sql, params = grouped.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(grouped=sql, **list_sql(connection)._asdict()), params)
        for strategy, framework, text, count, scored, score in cursor.fetchall():
            try:
                item = text.decode() if isinstance(text, bytes) else as_text(text)
            except UnicodeDecodeError:
                continue
            yield Item(stored_strategy(strategy, framework), item, int(count), int(scored), float(score or 0))
