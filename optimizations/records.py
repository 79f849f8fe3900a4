"""Runs as plain values: which columns there are, and how each reads, whatever a legacy program has stored in it.

Nothing that is stored makes reading fail: what its column can't mean reads as None.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from promptadmin import jsontext
from promptadmin.fields import parse_moment

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
#: The same for people, who see the beginning of the prompt only.
BEGINNING = "beginning"
BROWSED_COLUMNS = (
    "id",
    BEGINNING,
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


def read_text(value: Any) -> str | None:
    """A stored text; of a BLOB, what it says in UTF-8."""
    if value is None or type(value) is str:
        return value
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def read_number(value: Any) -> float | None:
    """A finite stored number, also from a text that says one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_count(value: Any) -> int | None:
    """A stored integer; a fraction is rounded."""
    if type(value) is int:
        return value
    number = read_number(value)
    return None if number is None or abs(number) >= 2**63 else round(number)


def read_flag(value: Any) -> bool | None:
    """A stored truth value: any number but 0 is true, as is the word."""
    if value is None or isinstance(value, bool):
        return value
    number = read_number(value)
    if number is not None:
        return number != 0
    return {"true": True, "false": False}.get(str(value).strip().lower())


def read_moment(value: Any) -> dt.datetime | None:
    """A stored time, in UTC."""
    return value if value is None or isinstance(value, dt.datetime) else parse_moment(str(value))


def read_list(value: Any, where: str) -> list[str] | None:
    """The texts of a stored JSON list."""
    if value is None or value == "[]":
        return None if value is None else []
    try:
        items = jsontext.read_list(value, where)
    except RecursionError:
        return None
    if items is not None and "\\u" in (value if isinstance(value, str) else read_text(value) or ""):
        return [_encodable(item) for item in items]
    return items


def read_object(value: Any, where: str) -> dict[str, Any] | None:
    """A stored JSON object, if it can be sent as JSON."""
    try:
        found = jsontext.read_object(value, where) if value is not None else None
        orjson.dumps(found)
    except (TypeError, RecursionError):  # an integer, a depth or half a character that the answer couldn't hold
        return None
    return found


def _encodable(text: str) -> str:
    """The text without halves of characters, which a JSON escape can name."""
    return text.encode(errors="replace").decode()


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "created_at": read_moment,
    "is_improvement": read_flag,
    **dict.fromkeys((*TEXTS, BEGINNING), read_text),
    **dict.fromkeys(SCORES, read_number),
    **dict.fromkeys(COUNTS, read_count),
}
_JSON_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(LISTS, read_list),
    **dict.fromkeys(OBJECTS, read_object),
}


@functools.cache
def _readers(columns: Sequence[str]) -> list[tuple[str, Callable[[Any], Any], Callable[[Any, str], Any] | None]]:
    """Each column with how it reads, and how a list or an object in it does."""
    return [(column, _READERS.get(column, read_text), _JSON_READERS.get(column)) for column in columns]


def read_row(columns: Sequence[str], values: Sequence[Any]) -> Record:
    """A run from what the database answers for these columns; more values than columns are ignored."""
    record: Record = {}
    for (column, read, read_json), value in zip(_readers(tuple(columns)), values, strict=False):
        if value is None or (read is read_text and read_json is None and type(value) is str):
            record[column] = value
        elif read_json is None:
            record[column] = read(value)
        else:
            record[column] = read_json(value, f"optimizations {record.get('id')} {column}")
    return record


def stored_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a run as its columns hold them: lists and objects as JSON text."""
    return {column: jsontext.write(value) if column in _JSON_READERS else value for column, value in values.items()}
