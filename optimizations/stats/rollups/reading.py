"""Reading statistics from stored summaries, and from rows where there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet

from optimizations.models import Optimization
from optimizations.stats.rollups.summaries import Recent, Summary, read_summary, unpacked
from optimizations.stats.rollups.table import TABLE, is_trustworthy, rows_of
from promptadmin.db.chunks import in_chunks
from promptadmin.db.features import has_row_numbers
from promptadmin.db.fields import stored_moment
from promptadmin.db.row_numbers import RowNumber

Rows = tuple[int, int]

LEAST, GREATEST = -(2**63), 2**63 - 1
ROWS_OF_A_QUERY = 30
#: With more ranges than these to read, of which a period holds some runs, an index by time is quicker.
MOST_PARTIAL = 12


@dataclass(frozen=True)
class Cover:
    """How to read some runs: from the stored summaries with these keys, and from the rows in these ranges."""

    stored: Sequence[int] = ()
    rows: Sequence[Rows] = ((LEAST, GREATEST),)

    def of(self, runs: QuerySet[Optimization]) -> Iterator[QuerySet[Optimization]]:
        """Those of the runs that must be read."""
        if self.rows == ((LEAST, GREATEST),):
            yield runs
            return
        runs = runs.alias(row=RowNumber("id"))
        for ranges in in_chunks(self.rows, ROWS_OF_A_QUERY):
            condition = Q()
            for bounds in ranges:
                condition |= Q(row__range=bounds)
            yield runs.filter(condition)


def find_cover(
    connection: BaseDatabaseWrapper,
    project: str | None,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Cover:
    """How to read the runs of a project, or of all, of a period, each once.

    That stored summaries can be trusted is for the caller to see to.
    """
    inside, outside, bounds = "1", "0", []
    for bound, is_inside, is_outside in (
        (since, "first_at >= %s", "last_at < %s"),
        (until, "last_at < %s", "first_at >= %s"),
    ):
        if bound is not None:
            inside, outside = f"{inside} AND {is_inside}", f"{outside} OR {is_outside}"
            bounds.append(stored_moment(bound, connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, place, {inside}, {outside} FROM {TABLE} WHERE project = %s AND data IS NOT NULL "
            "ORDER BY place",
            [*bounds, *bounds, project or ""],
        )
        found = cursor.fetchall()
    known = [at for _, at, is_inside, is_outside in found if is_inside or is_outside]
    if len(found) - len(known) > MOST_PARTIAL:
        return Cover()
    return Cover([key for key, _, is_inside, _ in found if is_inside], list(_gaps(map(rows_of, known))))


def find_days_cover(
    connection: BaseDatabaseWrapper,
    project: str | None,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> Cover:
    """The same for what is added up by day: where a period begins or ends inside of a summary, its days tell the part.

    So both moments must be the beginning of a day in UTC.
    """
    outside, bounds = "0", []
    for bound, is_outside in ((since, "last_at < %s"), (until, "first_at >= %s")):
        if bound is not None:
            outside = f"{outside} OR {is_outside}"
            bounds.append(stored_moment(bound, connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, place, {outside} FROM {TABLE} WHERE project = %s AND data IS NOT NULL ORDER BY place",
            [*bounds, project or ""],
        )
        found = cursor.fetchall()
    return Cover(
        [key for key, _, is_outside in found if not is_outside], list(_gaps(rows_of(at) for _, at, _ in found))
    )


def _gaps(passed: Iterable[Rows]) -> Iterator[Rows]:
    start = LEAST
    for first, last in passed:
        if first > start:
            yield start, first - 1
        start = last + 1
    if start <= GREATEST:
        yield start, GREATEST


def summarize(cover: Cover, runs: QuerySet[Optimization]) -> Summary:
    """The summary of these runs, which the cover is of."""
    summary = Summary()
    for keys in in_chunks(cover.stored, 100):
        with connections[runs.db].cursor() as cursor:
            cursor.execute(f"SELECT data FROM {TABLE} WHERE id IN ({', '.join(['%s'] * len(keys))})", keys)
            for (data,) in cursor.fetchall():
                summary.add(unpacked(data))
    for part in cover.of(runs):
        summary.add(read_summary(part))
    return summary


def stored_completed(connection: BaseDatabaseWrapper, cover: Cover) -> Recent:
    """What the stored summaries of a cover say of their completed runs."""
    total = Recent()
    for keys in in_chunks(cover.stored, 500):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT SUM(completed), SUM(scored), SUM(score) FROM {TABLE} "
                f"WHERE id IN ({', '.join(['%s'] * len(keys))})",
                keys,
            )
            total = total.plus(Recent(*(number or 0 for number in cursor.fetchone())))
    return total


def has_rollups(connection: BaseDatabaseWrapper) -> bool:
    """Whether there may be stored summaries, and they can be trusted."""
    return has_row_numbers(connection) and is_trustworthy(connection)
