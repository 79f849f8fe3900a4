"""Runs as JSON Lines: any number of them in constant memory, all as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from optimizations.columns import COLUMNS, Record, read_row
from optimizations.files.lines import write_line
from optimizations.lists.filters import RunFilters
from optimizations.lists.paging import RunOrder
from optimizations.models import Optimization
from promptadmin.exchange.downloads import ROWS_A_CHUNK, read_in_chunks

PROMPTS_PROJECT = "prompt__project__name"


def exported_lines(filters: RunFilters, using: str = DEFAULT_DB_ALIAS) -> Iterator[bytes]:
    """The lines of the runs that pass the filters, oldest first, in chunks."""
    lines: list[bytes] = []
    for values in read_in_chunks(exported_rows(filters.apply(Optimization.objects.using(using)), using), using):
        lines.append(write_line(exported_record(values)))
        if len(lines) == ROWS_A_CHUNK:
            yield b"".join(lines)
            lines.clear()
    yield b"".join(lines)


def exported_rows(runs: QuerySet[Optimization], using: str = DEFAULT_DB_ALIAS) -> QuerySet[Optimization, Any]:
    """What an export reads of runs, oldest first; `exported_record` reads each."""
    oldest_first = RunOrder.named("created_at", "asc", using)
    return oldest_first.sorted(runs).values_list(*COLUMNS, PROMPTS_PROJECT)


def exported_record(values: Any) -> Record:
    """A run's columns, and the name of the project that its prompt belongs to, None where it belongs to none."""
    return read_row(COLUMNS, values) | {"prompt_project": values[-1] or None}
