"""Where a far page of a list by time begins: what comes before it is known from stored summaries, not counted off.

A summary tells how many runs it has, and of which times. So a time is found that the page begins not far from. Nearly
all summaries lie before it or after it as a whole; of those that don't, as of runs recorded at the same time, an index
tells the runs before it. Where the rows' numbers and times are mixed throughout, runs are counted off. SQLite only.
"""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import gt, lt
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import DEFAULT_SORT, Place, RunOrder
from optimizations.stats.rollups import table
from optimizations.stats.rollups.counts import REPLACEMENT, in_transaction, is_told, sum_of
from optimizations.stats.rollups.reading import Rows, has_rollups
from optimizations.stats.rollups.table import FIRST_ROW, LAST_ROW, RUNS, TABLE, level_of, place, rows_of
from promptadmin.db.cache import while_unchanged
from promptadmin.db.chunks import in_chunks
from promptadmin.db.sqlite.connections import fetch_all

#: To count off so many runs in an index takes no longer.
NEAR = 40_000
#: So many rows are read, at most: those in no summary, and those whose times are mixed with all others'.
MOST_READ = 8_192
#: So many places of summaries are looked up, at most.
MOST_PLACES = 1_024
#: So many runs are looked through, at most, for those that come before a time while their neighbours don't.
MOST_WALKED = 5_000
#: Filters of which each one's runs a summary tells and an index has by time.
TOLD = ("task_type", "status")
BEGINNING: tuple[None, int] = (None, 0)


class _UntoldError(Exception):
    """Where the page begins can't be told, or not at this price."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """The runs of a range of rows: how many pass, and the first and the last time in the list's order, as stored.

    `level` is that of the summary that tells it, and 0 where the rows were read.
    """

    rows: Rows
    runs: int
    first: str
    last: str
    level: int


def leap(connection: BaseDatabaseWrapper, filters: RunFilters, by: RunOrder, offset: int) -> tuple[Place | None, int]:
    """A place that `offset` runs of the list come before, or fewer, and how many: (None, 0) at the beginning."""
    if offset < NEAR or by.vendor != "sqlite" or by.sort != DEFAULT_SORT or not in_transaction(connection):
        return BEGINNING
    if not is_told(filters, TOLD) or len(filters.given()) > 1:
        return BEGINNING

    def make_pieces() -> _Pieces | None:
        return _Pieces(connection, filters, by.descending) if has_rollups(connection) else None

    pieces = while_unchanged(connection, (__name__, filters, by.descending), make_pieces)
    if pieces is None:
        return BEGINNING
    try:
        time, passed = pieces.find(offset)
    except _UntoldError:
        return BEGINNING
    return Place(time, None), passed


class _Pieces:
    """The runs of a list, in pieces that are made smaller where a page begins, until few runs are left to count off.

    For one moment of the database: what it found out for a page serves the next one.
    """

    def __init__(self, connection: BaseDatabaseWrapper, filters: RunFilters, descending: bool) -> None:
        self.connection = connection
        self.filters = filters
        self.descending = descending
        self.is_before = gt if descending else lt
        self.pieces: list[_Piece] = []
        self.looked_up = self.read = 0

    def find(self, offset: int) -> tuple[str, int]:
        """A time, and how many runs come before all that have it: `offset`, or not many less."""
        self.looked_up = self.read = 0
        if not self.pieces or len(self.pieces) > MOST_PLACES:
            self.pieces = self._in_order(self._of_level(len(table.LEVELS) - 1, self._rows()))
        while True:
            sums = list(itertools.accumulate(piece.runs for piece in self.pieces))
            number = bisect.bisect_right(sums, offset)
            if number == len(self.pieces):
                raise _UntoldError
            # No run of this piece and of the following ones comes before its first one.
            time, earlier = self.pieces[number].first, self.pieces[:number]
            mixed = [piece for piece in earlier if not self.is_before(piece.last, time)]
            wide = [piece for piece in (*mixed, self.pieces[number]) if piece.level]
            if not wide:
                passed = sum(piece.runs for piece in earlier if self.is_before(piece.last, time))
                return time, passed + (self._count(mixed, time) if mixed else 0)
            below = [found for piece in wide for found in self._of_level(piece.level - 1, piece.rows)]
            self.pieces = self._in_order([*(piece for piece in self.pieces if piece not in wide), *below])

    def _in_order(self, pieces: Iterable[_Piece]) -> list[_Piece]:
        return sorted(pieces, key=lambda piece: piece.first, reverse=self.descending)

    def _rows(self) -> Rows:
        """The numbers of all rows."""
        sql = (
            f"SELECT (SELECT MIN(rowid) FROM {RUNS}), (SELECT MAX(rowid) FROM {RUNS}), "
            f"EXISTS(SELECT 1 FROM {RUNS} WHERE created_at IS NULL)"
        )
        [(least, greatest, is_time_missing)] = fetch_all(self.connection, sql, [])
        if least is None or is_time_missing or least < FIRST_ROW or greatest > LAST_ROW:
            raise _UntoldError
        return least, greatest

    def _count(self, pieces: Sequence[_Piece], time: str) -> int:
        """How many runs of some pieces come before a time: by the index for those that begin not far before it.

        Of others, as where old runs were imported, the rows are read. The first piece is the first in the order.
        """
        told, passes = self._told()
        sign, until, turn = (">", "<=", "ASC") if self.descending else ("<", ">=", "DESC")
        before = f"FROM {RUNS} WHERE {passes} AND created_at {sign} %s"
        sql = f"SELECT CAST(created_at AS TEXT) {before} ORDER BY created_at {turn} LIMIT 1 OFFSET {MOST_WALKED}"
        edge = fetch_all(self.connection, sql, [*told, time])
        near = [piece for piece in pieces if not edge or not self.is_before(piece.first, edge[0][0])]
        found = sum(self._read_before(piece.rows, time) for piece in pieces if piece not in near)
        if near:
            rows = " OR ".join(f"+rowid BETWEEN {first} AND {last}" for first, last in (piece.rows for piece in near))
            sql = f"SELECT COUNT(*) {before} AND created_at {until} %s AND ({rows})"
            found += fetch_all(self.connection, sql, [*told, time, near[0].first])[0][0]
        return found

    def _of_level(self, level: int, rows: Rows) -> Iterator[_Piece]:
        """The pieces of some rows: by the summaries of a level or, where one is missing, of those below it."""
        (first, last), size = rows, 1 << table.LEVELS[level]
        self.looked_up += (last - first) // size + 1
        if self.looked_up > MOST_PLACES:
            raise _UntoldError
        places = [place(level, row) for row in range(first & -size, last + 1, size)]
        stored = self._stored(places)
        yield from (piece for piece in stored.values() if piece)
        missing = [rows_of(at) for at in places if at not in stored]
        for start, end in _joined((max(start, first), min(end, last)) for start, end in missing):
            if level:
                yield from self._of_level(level - 1, (start, end))
            else:
                yield from filter(None, [self._read((start, end))])

    def _stored(self, places: Sequence[int]) -> dict[int, _Piece | None]:
        """What summaries tell, by their places; None of one without runs that pass."""
        found: dict[int, _Piece | None] = {}
        for some in in_chunks(places, 100):
            marks = ", ".join(["%s"] * len(some))
            sql = (
                f"SELECT place, first_at, last_at, kinds FROM {TABLE} "
                f"WHERE project = '' AND place IN ({marks}) AND data IS NOT NULL"
            )
            for at, least, greatest, kinds in fetch_all(self.connection, sql, some):
                if kinds is None:
                    raise _UntoldError
                runs = sum_of(json.loads(kinds), self.filters)
                found[at] = self._piece(rows_of(at), runs, least, greatest, level_of(at))
        return found

    def _read(self, rows: Rows) -> _Piece | None:
        """What rows tell that no summary has."""
        told, passes = self._told()
        sql = f"SELECT COUNT(*), SUM({passes}), MIN(created_at), MAX(created_at) FROM ({{}})"
        runs, least, greatest = self._look(sql, told, rows)
        return self._piece(rows, runs, least, greatest, 0)

    def _read_before(self, rows: Rows, time: str) -> int:
        """How many runs of some rows come before a time."""
        told, passes = self._told()
        sql = f"SELECT COUNT(*), SUM({passes} AND created_at {'>' if self.descending else '<'} %s) FROM ({{}})"
        return int(self._look(sql, [*told, time], rows)[0] or 0)

    def _look(self, sql: str, params: Sequence[str], rows: Rows) -> tuple[Any, ...]:
        """What a statement answers of some rows, besides their number; once while nobody writes."""
        within = f"SELECT created_at, task_type, status FROM {RUNS} WHERE rowid BETWEEN %s AND %s LIMIT {MOST_READ + 1}"
        sql = sql.format(within)
        [(read, *found)] = while_unchanged(
            self.connection, (sql, *params, *rows), lambda: fetch_all(self.connection, sql, [*params, *rows])
        )
        self.read += read
        if self.read > MOST_READ:
            raise _UntoldError
        return tuple(found)

    def _told(self) -> tuple[list[str], str]:
        """The values of the filters, and the condition."""
        told = self.filters.given()
        return list(told.values()), " AND ".join(f"{name} = %s" for name in told) or "1"

    def _piece(self, rows: Rows, runs: int | None, least: object, greatest: object, level: int) -> _Piece | None:
        if not runs:
            return None
        # What is no text sorts by rules of SQLite's own, and of what is no UTF-8 the text isn't known.
        if not isinstance(least, str) or not isinstance(greatest, str) or REPLACEMENT in least + greatest:
            raise _UntoldError
        first, last = (greatest, least) if self.descending else (least, greatest)
        return _Piece(rows, runs, first, last, level)


def _joined(ranges: Iterable[Rows]) -> list[Rows]:
    """Ranges in ascending order, those that follow each other as one."""
    joined: list[Rows] = []
    for first, last in ranges:
        if joined and joined[-1][1] == first - 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
