"""Runs as plain values: which columns there are, and how each reads, whatever a legacy program has stored in it.

Nothing that is stored makes reading fail: what its column can't mean reads as None.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptadmin.db import json_text
from promptadmin.db.legacy_values import read_count, read_flag, read_moment, read_number, read_text

TEXTS = (
    "id",
    "raw_prompt",
    "optimized_prompt",
    "task_type",
    "complexity",
    "framework_applied",
    "optimization_notes",
    "strategy",
    "strategy_reasoning",
    "verdict",
    "model_used",
    "status",
    "error_message",
    "project",
    "title",
    "version",
    "prompt_id",
)
LISTS = ("weaknesses", "strengths", "changes_made", "secondary_frameworks", "tags")
OBJECTS = ("codebase_context_snapshot",)
SCORES = (
    "strategy_confidence",
    "clarity_score",
    "specificity_score",
    "structure_score",
    "faithfulness_score",
    "overall_score",
)
COUNTS = (
    "duration_ms",
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)

JSON_COLUMNS = frozenset((*LISTS, *OBJECTS))

#: The columns of a run, in the order in which PromptForge's clients know them.
COLUMNS = (
    "id",
    "created_at",
    "raw_prompt",
    "optimized_prompt",
    "task_type",
    "complexity",
    "weaknesses",
    "strengths",
    "changes_made",
    "framework_applied",
    "optimization_notes",
    "strategy",
    "strategy_reasoning",
    "strategy_confidence",
    "secondary_frameworks",
    "clarity_score",
    "specificity_score",
    "structure_score",
    "faithfulness_score",
    "overall_score",
    "is_improvement",
    "verdict",
    "duration_ms",
    "model_used",
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "status",
    "error_message",
    "project",
    "tags",
    "title",
    "version",
    "prompt_id",
    "codebase_context_snapshot",
)
#: The columns of a run in a list; the rest isn't loaded for one.
SUMMARY_COLUMNS = (
    "id",
    "created_at",
    "raw_prompt",
    "title",
    "version",
    "task_type",
    "complexity",
    "project",
    "tags",
    "overall_score",
    "strategy",
    "secondary_frameworks",
    "framework_applied",
    "model_used",
    "status",
    "error_message",
    "prompt_id",
)
#: The same for people, who see the beginning of the prompt only, and the name of the project that the run belongs to:
#: `project` is the run's own text, which may be null, or an earlier name.
BEGINNING, PROJECT_NAME = "beginning", "project_name"
BROWSED_COLUMNS = (
    "id",
    BEGINNING,
    PROJECT_NAME,
    *(column for column in SUMMARY_COLUMNS if column not in ("id", "raw_prompt")),
    "duration_ms",
    "input_tokens",
    "output_tokens",
)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs of a list, the cursor of those after them (None if there are none), and how many the whole list has.

    Where nobody counted, `total` is None.
    """

    items: list[Record]
    next_cursor: str | None
    total: int | None = None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "created_at": read_moment,
    "is_improvement": read_flag,
    **dict.fromkeys((*TEXTS, BEGINNING), read_text),
    **dict.fromkeys(SCORES, read_number),
    **dict.fromkeys(COUNTS, read_count),
}


@functools.cache
def row_reader(columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Record]:
    """What makes a run of the values that the database answers for these columns; more values are ignored."""
    readers = {column: _READERS.get(column, read_text) for column in columns if column not in JSON_COLUMNS}
    texts = [column for column, read in readers.items() if read is read_text]
    values: list[tuple[str, Callable[[Any], Any]]] = [
        (column, read) for column, read in readers.items() if read is not read_text
    ]
    lists = [column for column in columns if column in LISTS]
    objects = [column for column in columns if column in OBJECTS]

    def read_row(row: Sequence[Any]) -> Record:
        record: Record = dict(zip(columns, row, strict=False))
        for column in texts:
            value = record[column]
            if value is not None and type(value) is not str:
                record[column] = read_text(value)
        for column, read in values:
            value = record[column]
            if value is not None:
                record[column] = read(value)
        for column in lists:
            value = record[column]
            if value is not None:
                plain = json_text.read_plain_list(value)
                record[column] = json_text.read_list(value, _where(record, column)) if plain is None else plain
        for column in objects:
            value = record[column]
            if value is not None:
                record[column] = json_text.read_object(value, _where(record, column))
        return record

    return read_row


def _where(record: Record, column: str) -> str:
    return f"optimizations {record.get('id')} {column}"


def read_row(columns: Sequence[str], values: Sequence[Any]) -> Record:
    """A run from what the database answers for these columns; more values than columns are ignored."""
    return row_reader(tuple(columns))(values)


def stored_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a run as its columns hold them: lists and objects as JSON text."""
    return {column: json_text.write(value) if column in JSON_COLUMNS else value for column, value in values.items()}
