"""Rows that other programs may have written, where one that can't be read may not keep the others from being used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet

logger = logging.getLogger(__name__)
Row = TypeVar("Row")
#: What a driver or a field says of a value that it can't read; the first two also of a database that is away.
UNREADABLE = (OperationalError, InterfaceError, ValueError, TypeError, OverflowError)


def readable_rows(
    rows: QuerySet[Any, Row], on_unreadable: Callable[[Any, Exception], None] | None = None
) -> Iterator[Row]:
    """The rows of a query; one by one where they can't be read together.

    A row that can't be read is logged and left out; `on_unreadable` is called with its key instead, if it is given.
    """
    try:
        found = list(rows)
    except UNREADABLE:
        keys = list(rows.values_list("pk", flat=True))  # where it is the database that fails, this does too
    else:
        yield from found
        return
    single = rows.all()
    single.query.clear_limits()
    for key in keys:
        try:
            found = list(single.filter(pk=key))
        except UNREADABLE as error:
            logger.warning("The row %r of %s can't be read: %s", key, rows.model._meta.db_table, error)
            if on_unreadable is not None:
                on_unreadable(key, error)
        else:
            yield from found
