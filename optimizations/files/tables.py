"""Runs to and from files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet

from optimizations.columns import ALL, Kind
from optimizations.files.export import exported_record, exported_rows
from optimizations.files.lines import DERIVED, read_runs
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from promptadmin.exchange.base_formats import Columns, Record
from promptadmin.exchange.cells import Kind as CellKind
from promptadmin.exchange.lines import Imported, Line, LineError, Numbered
from promptadmin.exchange.tables import Table

CELLS: dict[Kind, CellKind] = {
    "text": "text",
    "list": "json",
    "object": "json",
    "score": "number",
    "count": "count",
    "flag": "flag",
    "moment": "moment",
}


class RunTable(Table):
    """Runs, by the rules of the API's import and export."""

    model = Optimization
    columns: ClassVar[Columns] = {column.name: CELLS[column.kind] for column in ALL} | {"prompt_project": "text"}
    shown = ("id", "created_at", "title", "raw_prompt", "status", "project")
    ignored = DERIVED
    note = (
        "A row needs raw_prompt. Scores are from 0 to 1, durations in milliseconds. The project is found or "
        "made by its name; without a column prompt_id, the prompt by its text."
    )

    def check(self, rows: Iterable[Numbered]) -> tuple[list[Line], list[LineError]]:
        """By the type of a line; an empty cell for the status is none."""
        return read_runs((number, _without_empty_status(row)) for number, row in rows)

    def write(self, lines: list[Line]) -> Imported:
        """By the repository."""
        return OptimizationRepository().import_runs(lines)

    def values(self, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
        """Oldest first."""
        return exported_rows(rows, rows.db)

    def record(self, values: Any) -> Record:
        """As the API's export has it."""
        return exported_record(values)


def _without_empty_status(row: Any) -> Any:
    if isinstance(row, dict) and row.get("status", "") is None:
        return {name: value for name, value in row.items() if name != "status"}
    return row
