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
from optimizations.columns import ALL, Kind, Record
from projects.api.inputs import storable
from promptadmin.conf.limits import INDEXED_LENGTH
from promptadmin.db.exact_json import dumps
from promptadmin.db.fields import moment_of_text
from promptadmin.exchange.lines import TOO_MANY_VALUES, Line, LineError, Numbered, read_rows, too_many_values, whole
from promptadmin.http.keys import Key, NewKey

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: Indexed columns: PostgreSQL can't index a long text.
IndexedText = Annotated[str, Field(max_length=INDEXED_LENGTH)]
INDEXED = ("task_type", "framework_applied", "strategy", "project", "prompt_project")
TYPES: dict[Kind, Any] = {
    "text": str,
    "list": list[str],
    "object": dict[str, Any],
    "score": Score,
    "count": Annotated[Count, BeforeValidator(whole)],
    "flag": Flag,
    "moment": Annotated[dt.datetime, BeforeValidator(moment_of_text)],
}
DERIVED = ("project_id", "project_status")
#: A column that a line doesn't name gets its default.
RunLine = TypedDict(
    "RunLine",
    {
        **{column.name: TYPES[column.kind] | None for column in ALL},  # type: ignore[misc]  # mypy wants literals
        "id": Required[NewKey],
        "raw_prompt": Required[str],
        "status": Status,
        "prompt_id": Key | None,
        **dict.fromkeys(INDEXED, IndexedText | None),
        # What the API answers of a run beside its columns says nothing new: it is taken, and not looked at.
        **dict.fromkeys(DERIVED, Any),
    },
    total=False,
)
RunLine.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
_ADAPTER = TypeAdapter(RunLine)


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
