"""JSON Lines of runs: the form of a line, which import reads and export writes.

A line has a run's columns. It holds what a table may hold, not only what the API takes today: texts of any length, any
strategy. `prompt_project` is the name of the project that the run's prompt belongs to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Required

import orjson
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from optimizations.api.inputs import Count, Flag, Score, Status
from optimizations.columns import Record
from projects.api.inputs import storable
from promptadmin.conf.limits import INDEXED_LENGTH
from promptadmin.db.exact_json import dumps
from promptadmin.db.fields import moment_of_text
from promptadmin.exchange.lines import TOO_MANY_VALUES, Line, LineError, Numbered, read_rows, too_many_values, whole
from promptadmin.http.keys import Key, NewKey

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: Indexed columns: PostgreSQL can't index a long text.
IndexedText = Annotated[str, Field(max_length=INDEXED_LENGTH)]
WholeCount = Annotated[Count, BeforeValidator(whole)]


class RunLine(TypedDict, total=False):
    """A line. A column that it doesn't name gets its default."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]  # how pydantic is told

    id: Required[NewKey]
    created_at: Annotated[dt.datetime | None, BeforeValidator(moment_of_text)]
    raw_prompt: Required[str]
    optimized_prompt: str | None
    task_type: IndexedText | None
    complexity: str | None
    weaknesses: list[str] | None
    strengths: list[str] | None
    changes_made: list[str] | None
    framework_applied: IndexedText | None
    optimization_notes: str | None
    strategy: IndexedText | None
    strategy_reasoning: str | None
    strategy_confidence: Score | None
    secondary_frameworks: list[str] | None
    clarity_score: Score | None
    specificity_score: Score | None
    structure_score: Score | None
    faithfulness_score: Score | None
    overall_score: Score | None
    is_improvement: Flag | None
    verdict: str | None
    duration_ms: WholeCount | None
    model_used: str | None
    input_tokens: WholeCount | None
    output_tokens: WholeCount | None
    cache_creation_input_tokens: WholeCount | None
    cache_read_input_tokens: WholeCount | None
    status: Status
    error_message: str | None
    project: IndexedText | None
    tags: list[str] | None
    title: str | None
    version: str | None
    prompt_id: Key | None
    codebase_context_snapshot: dict[str, Any] | None
    prompt_project: IndexedText | None
    # What the API answers of a run beside its columns says nothing new: it is taken, and not looked at.
    project_id: Any
    project_status: Any


_ADAPTER = TypeAdapter(RunLine)
DERIVED = ("project_id", "project_status")


def read_lines(body: bytes) -> tuple[list[Line], list[LineError]]:
    """The runs of a JSON Lines text, and what is wrong with the other lines; blank lines are none."""
    if too_many_values(body):
        return [], [LineError("too_long", TOO_MANY_VALUES, 1)]
    return read_runs(_numbered(body))


def read_runs(rows: Iterable[Numbered]) -> tuple[list[Line], list[LineError]]:
    """The same for the rows of any file."""
    return read_rows(rows, _ADAPTER, ignored=DERIVED, check=_check)


def _check(run: Any, text: bytes | None) -> None:
    """Refuse what the type lets through: NUL characters and, in the context, values that are nested too deep."""
    if text is None or b"\\u0000" in text:
        storable(run)
    elif isinstance(run, dict) and run.get("codebase_context_snapshot"):
        storable(run["codebase_context_snapshot"])


def _numbered(body: bytes) -> Iterator[Numbered]:
    for number, text in enumerate(body.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        if text.strip():
            yield number, text


def write_line(run: Record) -> bytes:
    """A line; times are in UTC."""
    return dumps(run, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
