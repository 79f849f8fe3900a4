"""What the API answers of runs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from optimizations.columns import BY_NAME, COLUMNS, SUMMARY_COLUMNS, Kind
from projects.api.inputs import PROJECT_ID, RUN_ID
from projects.api.schemas import EXTENSIONS

TYPES: dict[Kind, Any] = {
    "text": str,
    "list": list[str],
    "object": dict[str, Any],
    "score": float,
    "count": int,
    "flag": bool,
    "moment": dt.datetime,
}
#: What an answer has of a run beside its columns.
PROJECT: dict[str, Any] = {
    "project_id": (
        str | None,
        Field(
            examples=[PROJECT_ID], description="The project of the run's prompt; without a prompt, the one of its name."
        ),
    ),
    "project_status": (str | None, Field(examples=["active"])),
}


def _answered(name: str, description: str | None = None) -> tuple[Any, Any]:
    column = BY_NAME[name]
    kind = TYPES[column.kind] if column.is_never_null else TYPES[column.kind] | None
    return kind, Field(examples=[column.example], description=description or column.description)


RunSummaryOut = create_model(  # type: ignore[call-overload]  # mypy can't see the names in a dictionary
    "RunSummaryOut",
    __doc__="A run in a list.",
    **{name: _answered(name, "From 0 to 1." if name == "overall_score" else None) for name in SUMMARY_COLUMNS},
    **PROJECT,
)
SNAPSHOT = "codebase_context_snapshot"  # comes last, as clients know it
RunOut = create_model(  # type: ignore[call-overload]  # the same
    "RunOut",
    __doc__="A run. Scores are from 0 to 1, durations in milliseconds; null is what nobody knows.",
    **{name: _answered(name) for name in COLUMNS if name != SNAPSHOT},
    **PROJECT,
    **{SNAPSHOT: _answered(SNAPSHOT)},
    extensions=(dict[str, dict[str, Any]] | None, EXTENSIONS),
)


class RunListOut(BaseModel):
    """A page of runs. A page by number says `total` and `page`; one by cursor counts nothing, both are null."""

    items: list[RunSummaryOut]  # type: ignore[valid-type]  # made of the columns
    total: int | None = Field(examples=[1])
    page: int | None = Field(examples=[1])
    per_page: int = Field(examples=[20])
    next_cursor: str | None = Field(
        examples=["WyJjcmVhdGVkX2F0Il0"], description="Names the page after this one; null on the last."
    )


class RunDeletedOut(BaseModel):
    """What was deleted."""

    message: str = Field(examples=["Optimization deleted"])
    id: str = Field(examples=[RUN_ID])


class HistoryClearedOut(BaseModel):
    """How many runs were deleted."""

    message: str = Field(examples=["Deleted 12 records"])
    deleted_count: int = Field(examples=[12])


class RunsDeletedOut(BaseModel):
    """Which runs were deleted, each once, in the order of the request."""

    deleted_count: int = Field(examples=[1])
    deleted_ids: list[str] = Field(examples=[[RUN_ID]])
    not_found_ids: list[str] = Field(examples=[[]])


class RunCancelledOut(BaseModel):
    """A run's new status."""

    id: str = Field(examples=[RUN_ID])
    status: Literal["cancelled"]


class DuplicateOut(BaseModel):
    """Whether a run has the title."""

    duplicate: bool = Field(examples=[False])


class RunTagsOut(BaseModel):
    """A run's labels, and whether this request changed any."""

    id: str = Field(examples=[RUN_ID])
    tags: list[str] = Field(examples=[["short"]])
    project: str | None = Field(examples=["Support"])
    project_id: str | None = Field(examples=[PROJECT_ID])
    title: str | None = Field(examples=["Shorter summaries"])
    updated: bool = Field(examples=[True])


class ImportedOut(BaseModel):
    """What became of the lines."""

    lines: int = Field(examples=[2])
    imported: int = Field(examples=[1])
    unchanged: int = Field(examples=[1], description="Lines whose run was there already, with the same content.")


class LineErrorOut(BaseModel):
    """Why a line can't be imported."""

    type: str = Field(examples=["conflict"], description="`conflict`: there is a run with this id and other content.")
    loc: list[str | int] = Field(examples=[["body", 2, "id"]], description="body, the line from 1, the field.")
    msg: str = Field(examples=["A run with this id and other content exists"])
    line: int = Field(examples=[2])
    id: str | None = Field(examples=[RUN_ID], description="The run's id, where the line says one.")


class ImportRefusedOut(BaseModel):
    """Why nothing was imported: the first hundred of the errors."""

    detail: list[LineErrorOut]
    error_count: int = Field(examples=[1])


class StrategyOut(BaseModel):
    """A strategy."""

    name: str = Field(examples=["persona-assignment"])
    description: str = Field(examples=["Gives the model an expert's identity and point of view."])
    aliases: list[str] = Field(examples=[["role-based"]], description="Names that older releases wrote.")


class StrategiesOut(BaseModel):
    """All strategies."""

    items: list[StrategyOut]
    total: int = Field(examples=[10])
