"""Counting the items of the JSON lists in a column, in the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connections
from django.db.models import Count, QuerySet, Sum

from optimizations.models import Optimization
from optimizations.stats.aggregates import SCORE, as_text, stored_strategy, usable


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
# empty ones. What isn't a JSON list, or has a NUL (escaped or not), which neither engine can hold in a text, counts
# nowhere.
_SQL = {
    # A value goes out as a blob: a lone surrogate, which JSON can escape and UTF-8 can't hold, would fail the query.
    "sqlite": r"""
        WITH grouped (strategy, framework, stored, runs, scored, score) AS ({grouped}),
        lists AS MATERIALIZED (
            SELECT strategy, framework, runs, scored, score,
                CASE WHEN typeof(stored) = 'text' AND instr(stored, char(0)) = 0 AND instr(stored, '\u0000') = 0 THEN
                    CASE WHEN json_valid(stored) THEN CASE WHEN json_type(stored) = 'array' THEN stored END END
                END AS list
            FROM grouped
        )
        SELECT strategy, framework, CAST(item.value AS BLOB) AS text, SUM(runs), SUM(scored), SUM(score)
        FROM lists LEFT JOIN json_each(lists.list) AS item ON item.type = 'text' AND item.value <> ''
        WHERE lists.list IS NOT NULL
        GROUP BY 1, 2, 3
    """,
    "postgresql": """
        WITH grouped (strategy, framework, stored, runs, scored, score) AS ({grouped}),
        lists AS MATERIALIZED (
            SELECT strategy, framework, runs, scored, score, promptadmin_json_list(stored) AS list FROM grouped
        )
        SELECT strategy, framework, item #>> '{{}}' AS text, SUM(runs), SUM(scored), SUM(score)
        FROM lists LEFT JOIN LATERAL jsonb_array_elements(list) AS items (item)
            ON jsonb_typeof(item) = 'string' AND item <> '""'
        WHERE list IS NOT NULL
        GROUP BY 1, 2, 3
    """,
}


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
        cursor.execute(_SQL[connection.vendor].format(grouped=sql), params)
        for strategy, framework, text, count, scored, score in cursor.fetchall():
            try:
                item = text.decode() if isinstance(text, bytes) else as_text(text)
            except UnicodeDecodeError:
                continue
            yield Item(stored_strategy(strategy, framework), item, int(count), int(scored), float(score or 0))
