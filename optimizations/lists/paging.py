"""The order of runs, and places in it: a cursor names the last run of a page, and the next page begins after it.

No two runs share a place. Among runs with equal keys, PostgreSQL's order is that of their ids. SQLite's is that of the
rows in the file, which PromptForge's clients know, and which every index has. Both turn with the direction. Runs
without a value come first in an ascending order and last in a descending one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import F, Func, Q, QuerySet, Value

from optimizations.columns import COUNTS, SCORES
from optimizations.lists.indexes import has_index
from optimizations.models import Optimization
from promptadmin.conf.limits import SORTED_ROWS
from promptadmin.db.fields import Text
from promptadmin.db.legacy_values import parse_moment
from promptadmin.db.row_numbers import RowNumber
from promptadmin.errors import Invalid

SORTS = ("created_at", "overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project")
#: Those whose order of all runs an index has.
INDEXED_SORTS = tuple(sort for sort in SORTS if has_index(set(), sort))
DEFAULT_SORT, SCORE = "created_at", "overall_score"
LARGEST = 2**63 - 1
#: The names under which a query answers what a run is sorted by, as it is stored, and what decides among equal ones.
KEY, TIE = "sort_key", "sort_tie"


EVERYTHING = Q()
_encode = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make such an encoder for each cursor


class Slot(str):
    """Stands in a compiled statement for a value of a place, which differs from page to page."""

    __slots__ = ()


KEY_SLOT, TIE_SLOT = Slot("key"), Slot("tie")


class BrokenCursor(Invalid):
    """A cursor that no page of this order has named."""


class TooManyToSort(Invalid):
    """More runs than may be sorted by a column that has no index."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """Where a run is in an order: what it is sorted by, as it is stored, and what decides among equal ones.

    A cursor's place has the run's id besides: what decides may be another number by then. Without a `tie` it is the
    place before all runs that have the key; there is none of that kind but in the order of times.
    """

    key: Any
    tie: Any
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """A column of SORTS and a direction, perhaps of those runs alone that have a value. `vendor` is the engine's."""

    sort: str
    descending: bool
    vendor: str
    values_only: bool = False

    @classmethod
    def named(cls, sort: str, order: str, using: str) -> RunOrder:
        """By the names that clients use; an unknown column means created_at."""
        return cls(sort if sort in SORTS else DEFAULT_SORT, order != "asc", connections[using].vendor)

    @property
    def is_indexed(self) -> bool:
        """Whether an index has all runs in this order; else the runs of a list are read and sorted for each page."""
        return self.sort in INDEXED_SORTS

    def check_sortable(self, runs: int) -> None:
        """Raise TooManyToSort where so many runs had to be sorted."""
        if runs > SORTED_ROWS and not self.is_indexed:
            raise TooManyToSort(
                f"sort={self.sort} is for lists of at most {SORTED_ROWS:,} runs, and this one has {runs:,}: "
                "add a filter, such as project or task_type, or choose another sort"
            )

    def sorted(
        self, runs: QuerySet[Optimization], part: Q = EVERYTHING, *, by_index: bool = True
    ) -> QuerySet[Optimization]:
        """The runs in this order, each with its KEY and TIE; all, or those of one of its parts.

        `by_index` False is for a few runs that are to be found first and sorted then: no index has such an expression.
        """
        # Wrapped, or Django would sort by what it selects, which for a time in SQLite is a text that no index has.
        bare = by_index or self.vendor != "sqlite"
        column = Func(F(self.sort), template="%(expressions)s" if bare else "+%(expressions)s")
        ends = {}
        if self.vendor == "postgresql" and self._may_be_null and not (part and self.is_indexed):
            # Against PostgreSQL's own order, and so that of its indexes: only where there is no other way.
            ends = {"nulls_last": True} if self.descending else {"nulls_first": True}
        key = column.desc(**ends) if self.descending else column.asc(**ends)
        stored: Any = F(self.sort)
        if self.sort == "created_at" and self.vendor == "sqlite":
            # What is stored: a legacy file's times sort as their texts do, and a text may not even be a time.
            stored = Func(stored, template="+%(expressions)s", output_field=Text())
        runs = runs.annotate(**{TIE: RowNumber("id") if self.vendor == "sqlite" else F("id"), KEY: stored})
        return runs.filter(part).order_by(key, f"-{TIE}" if self.descending else TIE)

    def parts_after(self, place: SortKey | None, column: str = "") -> Sequence[Q]:
        """The runs after a place (None: all), in parts that follow each other: of the same key, of others, of none.

        Where nothing speaks for parts, it is one, an empty condition: it alone mixes runs with a key and without.
        Each part is one range of an index, however deep the place is and however many runs have the same key.

        Of the place only whether it has a key matters: KEY_SLOT and TIE_SLOT stand for its values. `column` names what
        the runs are sorted by, where that isn't the column itself.
        """
        column = column or self.sort
        nulls, values = Q(**{f"{column}__isnull": True}), Q(**{f"{column}__isnull": False})
        if place is None:
            if self.values_only:
                parts = [values]
            elif self.vendor == "sqlite" or not (self._may_be_null and self.is_indexed):
                parts = [Q()]  # the engine's own order is the one wanted, or it has to sort anyway
            else:
                parts = [values, nulls] if self.descending else [nulls, values]
            return parts
        sign = "lt" if self.descending else "gt"
        later = Q(**{f"{TIE}__{sign}": Value(TIE_SLOT)})
        if place.key is None:
            parts = [nulls & later] if self.descending else [nulls & later, values]
            return parts if self.is_indexed else [reduce(or_, parts)]
        key = Value(KEY_SLOT)
        if place.tie is None:
            return [Q(**{f"{column}__{sign}e": key})]
        same, others = Q(**{column: key}) & later, Q(**{f"{column}__{sign}": key})
        if self.sort == DEFAULT_SORT:  # hardly two runs have the same time
            return [Q(**{f"{column}__{sign}e": key}) & (same | others)]
        parts = [same, others] if not (self._may_be_null and self.descending) else [same, others, nulls]
        return parts if self.is_indexed else [reduce(or_, parts)]

    def cursor(self, place: SortKey, run_id: str) -> str:
        """The place of a run as a text for clients, who needn't understand it."""
        key = place.key
        if isinstance(key, bytes):
            key = {"hex": key.hex()}
        elif key is not None and not isinstance(key, int | float | str):
            key = key.isoformat()
        parts = [self.sort, "desc" if self.descending else "asc", key, place.tie, run_id]
        return base64.urlsafe_b64encode(_encode(parts).encode()).decode().rstrip("=")

    def place(self, cursor: str) -> SortKey | None:
        """The place that a cursor names; None, before the first run, for an empty one. Raises BrokenCursor."""
        if not cursor:
            return None
        direction = "desc" if self.descending else "asc"
        try:
            packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            sort, order, key, tie, run_id = json.loads(packed)
            if sort in SORTS and (sort, order) != (self.sort, direction):
                raise BrokenCursor(f"This cursor goes with sort={sort} and order={order}: send both with it")
            if (sort, order) != (self.sort, direction) or not self._is_tie(tie) or not _is_text(run_id):
                raise ValueError("no place")
            return SortKey(self._key(key), tie, run_id)
        except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
            raise BrokenCursor("This is no cursor of a page of runs: begin with an empty one") from None

    @property
    def _may_be_null(self) -> bool:
        return bool(Optimization._meta.get_field(self.sort).null)

    def _is_tie(self, tie: Any) -> bool:
        if self.vendor == "sqlite":
            return type(tie) is int and abs(tie) <= LARGEST
        return _is_text(tie)

    def _key(self, key: Any) -> Any:
        """A sort key from a cursor. Raises ValueError, TypeError or KeyError for what can't be one in this database."""
        if key is None and self._may_be_null:
            return None
        strict = self.vendor != "sqlite"  # in a SQLite file any column may hold anything
        if self.sort == "created_at" and strict:
            moment = parse_moment(key) if isinstance(key, str) else None
            if moment is None:
                raise ValueError("no time")
            return moment
        is_of_numbers = self.sort in (*SCORES, *COUNTS)
        if _is_text(key) and not (strict and is_of_numbers):
            return key
        is_number = type(key) is float or (type(key) is int and abs(key) <= LARGEST)
        if is_number and (not strict or is_of_numbers):
            return key
        if strict:
            raise ValueError("no such key")
        return bytes.fromhex(key["hex"])


def _is_text(value: Any) -> bool:
    """Whether it is a text that a database could hold."""
    return isinstance(value, str) and "\x00" not in value and value.encode(errors="ignore").decode() == value
