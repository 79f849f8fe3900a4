"""What can be deleted and restored: the applications that own the rows register each kind here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.raw import fetch_all
from promptadmin.models import Deletion

BUSY = "It is being deleted or restored at this moment: nothing was changed. Try again in some seconds."


class Part(NamedTuple):
    """Rows of one table that a deletion takes: those with this condition, counted under this name of `Deletion`."""

    model: type[models.Model]
    where: str
    params: Sequence[Any]
    counted: str


@dataclass(frozen=True)
class Kind:
    """What can be deleted: which rows that takes, and, when all are back, what else makes it whole again.

    Rows come back in the reverse of the order in which the parts went. `finish` runs in the transaction that restores
    the last one. `permission` is what somebody needs to restore it: whoever may delete may undo it. `check` is asked
    before the first row comes back; it raises Conflict or Forbidden where they have no place any more.
    """

    parts: Callable[[Deletion, BaseDatabaseWrapper], list[Part]]
    finish: Callable[[Deletion, str], None]
    permission: str
    check: Callable[[Deletion, str], None] = lambda deletion, using: None


KINDS: dict[str, Kind] = {}


def count_rows(connection: BaseDatabaseWrapper, parts: Sequence[Part]) -> Counter[str]:
    """How many rows the parts have, by the names under which they count."""
    counts: Counter[str] = Counter()
    for part in parts:
        statement = f"SELECT COUNT(*) FROM {part.model._meta.db_table} WHERE {part.where}"
        counts[part.counted] += fetch_all(connection, statement, part.params)[0][0]
    return counts
