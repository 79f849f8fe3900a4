"""The rows that an action of a list is for: those that were ticked, or all that the list's filters leave.

A page that asks before the action carries `select_across`, and its form goes to the address with the filters. So the
question, the confirmation and the action look for the same rows. `state` tells whether they still are the same.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from promptadmin.conf.limits import ACTION_ROWS, ACTION_SECONDS
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError, PreconditionFailed

#: Rows that one transaction changes.
ROWS_A_TRANSACTION = 200
ACROSS, AFTER, AGAIN = "select_across", "after", "again"
#: The state of ticked rows: their keys are in the form, so that no others can be meant.
TICKED = "yes"
CHANGED = "Meanwhile rows came or went there: look at the numbers once more."


@dataclass(frozen=True)
class Selection:
    """Some rows of a table, in the order of their keys."""

    rows: QuerySet[Any]
    ticked: Sequence[Any] = ()
    is_across: bool = False
    after: Any = None

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The form fields that select the same rows again."""
        if not self.is_across:
            return [(ACTION_CHECKBOX_NAME, str(key)) for key in self.ticked]
        # Django takes a form without any ticked row for a mistake.
        fields = [(ACROSS, "1"), (ACTION_CHECKBOX_NAME, str(next(iter(self.ticked), "")))]
        return fields if self.after is None else [*fields, (AFTER, str(self.after))]

    def only(self, **lookups: Any) -> Selection:
        """Those of the rows that pass."""
        return replace(self, rows=self.rows.filter(**lookups))

    def following(self, key: Any) -> Selection:
        """The rows after this one."""
        return replace(self, rows=self.rows.filter(pk__gt=key), after=key)

    def keys(self, most: int | None = None) -> list[Any]:
        """The first keys."""
        return list(self.rows.order_by("pk").values_list("pk", flat=True)[:most])

    def state(self) -> tuple[int, str]:
        """How many rows there are, and a text that is another one once they are others."""
        if not self.is_across:
            return self.rows.count(), TICKED
        count, digest = 0, hashlib.sha256()
        for key in self.rows.order_by("pk").values_list("pk", flat=True).iterator():
            count += 1
            digest.update(f"{key}\0".encode(errors="surrogatepass"))
        return count, digest.hexdigest()


def select(request: HttpRequest, model_admin: ModelAdmin[Any], queryset: QuerySet[Any]) -> Selection:
    """What the request selects of the rows that the list's filters leave."""
    ticked = storable_keys(model_admin, request.POST.getlist(ACTION_CHECKBOX_NAME))
    if request.POST.get(ACROSS) != "1":
        # By their keys alone: what an action changes of a row may take it out of the list.
        return Selection(_plain(model_admin.get_queryset(request).filter(pk__in=ticked)), ticked)
    selection = Selection(_plain(queryset), ticked[:1], is_across=True)
    after = storable_keys(model_admin, request.POST.getlist(AFTER))
    return selection.following(after[0]) if after else selection


def _plain(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows without what a list reads for its columns."""
    return rows.order_by().prefetch_related(None)


def storable_keys(model_admin: ModelAdmin[Any], given: Sequence[str]) -> list[Any]:
    """The given texts as keys of the table, without those that can be none."""
    field = model_admin.opts.pk
    keys: dict[Any, None] = {}
    for text in given:
        try:
            key = field.to_python(text)
            field.run_validators(key)
        except (ValidationError, OverflowError):
            continue
        if "\0" not in text:
            keys[key] = None
    return list(keys)


@dataclass(frozen=True)
class Outcome:
    """What has become of a selection: how many rows were changed, how many looked at, and what stopped it."""

    changed: int
    done: int
    rest: Selection | None
    problem: DomainError | None = None


def carry_out(
    selection: Selection, write: Callable[[list[Any]], int], is_expected: Callable[[], bool] | None = None
) -> Outcome:
    """Let `write` change the rows, ROWS_A_TRANSACTION in each transaction; it answers how many it changed.

    Raises what it refuses of the first rows, when nothing was done, and PreconditionFailed unless these are the rows
    expected.
    """
    ends, changed, done = time.monotonic() + ACTION_SECONDS, 0, 0
    keys: list[Any] = []
    while True:
        try:
            with write_session():
                if not done:
                    if is_expected is not None and not is_expected():
                        raise PreconditionFailed(CHANGED)
                    keys = selection.keys(ACTION_ROWS + 1)
                piece = keys[: min(ACTION_ROWS, len(keys))][done : done + ROWS_A_TRANSACTION]
                changed += write(piece) if piece else 0
        except DomainError as refused:
            if not done:
                raise
            return Outcome(changed, done, selection.following(keys[done - 1]), refused)
        done += len(piece)
        if done >= len(keys):
            return Outcome(changed, done, None)
        if done >= ACTION_ROWS or time.monotonic() > ends:
            return Outcome(changed, done, selection.following(keys[done - 1]))


def asked_again(request: HttpRequest) -> str:
    """The address of a page that asks about one row, once it has asked about other numbers: the second yes holds."""
    query = request.GET.copy()
    query[AGAIN] = "yes"
    return f"{request.path}?{query.urlencode()}"
