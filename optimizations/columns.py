"""Runs as plain values: which columns there are, and how each reads, whatever a legacy program has stored in it.

Nothing that is stored makes reading fail: what its column can't mean reads as None.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from projects.api.inputs import PROMPT_ID, RUN_ID, TIME
from promptadmin.db import json_text
from promptadmin.db.legacy_values import read_count, read_flag, read_moment, read_number, read_text

Kind = Literal["text", "list", "object", "score", "count", "flag", "moment"]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a run is, and where it shows.

    It stands in every answer about one run, in what records and changes one, and in files. `listed` is its place in
    lists, from 1; without one, lists don't load it. `page_label` is its name among the facts on the run's page in the
    back-office. Statistics add up `summed` columns, and group or count by `counted` ones.
    """

    name: str
    kind: Kind = "text"
    _: KW_ONLY
    example: Any
    description: str | None = None
    listed: int = 0
    page_label: str = ""
    summed: bool = False
    counted: bool = False
    is_never_null: bool = False


#: In the order in which PromptForge's clients know them. What is particular to one for those who write it stands in
#: `optimizations.api.inputs`.
ALL = (
    Column("id", example=RUN_ID, listed=1, is_never_null=True),
    Column("created_at", "moment", example=TIME, listed=2, counted=True),
    Column("raw_prompt", example="Summarise this text in three sentences.", listed=3, is_never_null=True),
    Column("optimized_prompt", example="Summarise the text below in exactly 3 sentences."),
    Column("task_type", example="writing", listed=6, page_label="Task type", counted=True),
    Column("complexity", example="simple", listed=7, page_label="Complexity", counted=True),
    Column("weaknesses", "list", example=["vague audience"]),
    Column("strengths", "list", example=["clear role"]),
    Column("changes_made", "list", example=["stated the role"]),
    Column("framework_applied", example="chain-of-thought", listed=13, counted=True),
    Column("optimization_notes", example="Shortened twice."),
    Column("strategy", example="chain-of-thought", listed=11, counted=True),
    Column("strategy_reasoning", example="Chosen for the task type."),
    Column("strategy_confidence", "score", example=0.9, summed=True),
    Column("secondary_frameworks", "list", example=["persona-assignment"], listed=12, counted=True),
    Column("clarity_score", "score", example=0.8, summed=True),
    Column("specificity_score", "score", example=0.7, summed=True),
    Column("structure_score", "score", example=0.6, summed=True),
    Column("faithfulness_score", "score", example=0.9, summed=True),
    Column("overall_score", "score", example=0.7179, listed=10, summed=True),
    Column("is_improvement", "flag", example=True, counted=True),
    Column("verdict", example="Clearer than the original."),
    Column("duration_ms", "count", example=23201, summed=True),
    Column("model_used", example="model-a", listed=14, page_label="Model", counted=True),
    Column("input_tokens", "count", example=2014, summed=True),
    Column("output_tokens", "count", example=2025, summed=True),
    Column("cache_creation_input_tokens", "count", example=485),
    Column("cache_read_input_tokens", "count", example=1297),
    Column(
        "status",
        example="completed",
        description="pending, running, completed, error or cancelled.",
        listed=15,
        counted=True,
        is_never_null=True,
    ),
    Column("error_message", example="The model did not answer", listed=16),
    Column(
        "project",
        example="Support",
        description="The project's name when the run was made.",
        listed=8,
        page_label="Project",
        counted=True,
    ),
    Column("tags", "list", example=["short"], listed=9, counted=True),
    Column("title", example="Shorter summaries", listed=4),
    Column("version", example="v2", listed=5, page_label="Version"),
    Column("prompt_id", example=PROMPT_ID, listed=17),
    Column("codebase_context_snapshot", "object", example={"language": "Python"}),
)
BY_NAME = {column.name: column for column in ALL}
COLUMNS = tuple(BY_NAME)


def of_kind(*kinds: Kind) -> tuple[str, ...]:
    """The names of the columns of these kinds."""
    return tuple(column.name for column in ALL if column.kind in kinds)


LISTS = of_kind("list")
SCORES = of_kind("score")
COUNTS = of_kind("count")
JSON_COLUMNS = of_kind("list", "object")
#: What may still change of a finished run.
LABELS = ("title", "tags", "project", "version")
SUMMARY_COLUMNS = tuple(column.name for column in sorted(ALL, key=lambda column: column.listed) if column.listed)
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

    Where nobody counted, `total` is None. Where the list looks through a window, `searched_to` is the time of the last
    run in it: the oldest or, in a list that begins with the oldest, the newest.
    """

    items: list[Record]
    next_cursor: str | None
    total: int | None = None
    searched_to: dt.datetime | None = None


_READERS: Mapping[Kind, Callable[[Any], Any]] = {
    "text": read_text,
    "moment": read_moment,
    "flag": read_flag,
    "score": read_number,
    "count": read_count,
}


@functools.cache
def row_reader(columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Record]:
    """What makes a run of the values that the database answers for these columns; more values are ignored."""
    kinds: dict[str, Kind] = {name: BY_NAME[name].kind if name in BY_NAME else "text" for name in columns}
    texts, lists, objects = (
        [name for name, kind in kinds.items() if kind == wanted] for wanted in ("text", "list", "object")
    )
    values = [(name, _READERS[kind]) for name, kind in kinds.items() if kind not in ("text", "list", "object")]

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
