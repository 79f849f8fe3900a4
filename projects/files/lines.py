"""Rows of projects, prompts and versions as files have them: what import reads and export writes.

They hold what a table may hold, not only what the API takes today: texts of any length.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from projects.api.inputs import shown_content, storable
from promptadmin.conf.limits import PROJECT_NAME_LENGTH
from promptadmin.db.fields import LARGEST_INTEGER, moment_of_text
from promptadmin.exchange.lines import Line, LineError, Numbered, read_rows, whole
from promptadmin.http.keys import Key, NewKey

Moment = Annotated[dt.datetime | None, BeforeValidator(moment_of_text)]
Content = Annotated[str, AfterValidator(shown_content)]
Name = Annotated[str, Field(min_length=1, max_length=PROJECT_NAME_LENGTH), AfterValidator(shown_content)]
CONFIG = ConfigDict(extra="forbid", strict=True)


class ProjectLine(TypedDict, total=False):
    """A project."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]  # how pydantic is told

    id: Required[NewKey]
    name: Required[Name]
    description: str | None
    status: Literal["active", "archived", "deleted"] | None
    context_profile: dict[str, Any] | None
    created_at: Moment
    updated_at: Moment


class PromptLine(TypedDict, total=False):
    """A prompt's current text."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]  # how pydantic is told

    id: Required[NewKey]
    project_id: Key | None
    #: The project's name, instead of its id.
    project: str | None
    content: Required[Content]
    version: Annotated[int, Field(ge=1, le=LARGEST_INTEGER), BeforeValidator(whole)] | None
    order_index: Annotated[int, Field(ge=0, le=LARGEST_INTEGER), BeforeValidator(whole)] | None
    created_at: Moment
    updated_at: Moment


class VersionLine(TypedDict, total=False):
    """A superseded text of a prompt."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]  # how pydantic is told

    id: Required[NewKey]
    prompt_id: Key | None
    #: The name of the prompt's project and the prompt's current text, instead of its id.
    project: str | None
    prompt: str | None
    version: Required[Annotated[int, Field(ge=1, le=LARGEST_INTEGER), BeforeValidator(whole)]]
    content: Required[str]
    optimization_id: Key | None
    created_at: Moment


_PROJECTS, _PROMPTS, _VERSIONS = (TypeAdapter(kind) for kind in (ProjectLine, PromptLine, VersionLine))
Read = tuple[list[Line], list[LineError]]


def read_projects(rows: Iterable[Numbered]) -> Read:
    """The projects among the rows, and what is wrong with the others."""
    return read_rows(rows, _PROJECTS, check=_check)


def read_prompts(rows: Iterable[Numbered]) -> Read:
    """The prompts among the rows, and what is wrong with the others."""
    return read_rows(rows, _PROMPTS, check=_check_prompt)


def read_versions(rows: Iterable[Numbered]) -> Read:
    """The versions among the rows, and what is wrong with the others."""
    return read_rows(rows, _VERSIONS, check=_check)


def _check(values: Any, text: bytes | None) -> None:
    storable(values)


def _check_prompt(values: Any, text: bytes | None) -> None:
    _check(values, text)
    if isinstance(values, dict) and len(values) > 1 and not {"project_id", "project"} & values.keys():
        raise ValueError("A prompt needs project_id, or the project's name in project")
