"""Projects, prompts and versions to and from files. To move all: projects, prompts, runs, then versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet

from projects.files.lines import read_projects, read_prompts, read_versions
from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository
from projects.repository.rows import moment
from promptadmin.db import json_text
from promptadmin.exchange.base_formats import Columns, Record
from promptadmin.exchange.lines import Imported, Line
from promptadmin.exchange.tables import Table

MOMENTS = ("created_at", "updated_at")


class ColumnsTable(Table):
    """A table whose files have its columns as they are."""

    #: The repository's method that imports lines.
    store: ClassVar[Callable[[ProjectRepository, list[Line]], Imported]]

    def write(self, lines: list[Line]) -> Imported:
        """By the repository."""
        return type(self).store(ProjectRepository(), lines)

    def values(self, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
        """Oldest first."""
        return rows.order_by("created_at", "id").values_list(*self.columns)

    def record(self, values: Any) -> Record:
        """What can't be read is null."""
        record = dict(zip(self.columns, values, strict=True))
        record |= {name: moment(record[name]) for name in MOMENTS if name in record}
        if "context_profile" in record:
            where = f"projects {record['id']} context_profile"
            record["context_profile"] = json_text.read_object(record["context_profile"], where)
        return record


class ProjectTable(ColumnsTable):
    """Projects, without their prompts."""

    model = Project
    columns: ClassVar[Columns] = {
        "id": "text",
        "name": "text",
        "description": "text",
        "status": "text",
        "context_profile": "json",
        "created_at": "moment",
        "updated_at": "moment",
    }
    shown = ("id", "name", "status", "description")
    note = "A row needs a name; no two projects have the same name."
    check = staticmethod(read_projects)
    store = ProjectRepository.import_projects


class PromptTable(ColumnsTable):
    """Prompts: their current texts."""

    model = Prompt
    columns: ClassVar[Columns] = {
        "id": "text",
        "project_id": "text",
        "content": "text",
        "version": "count",
        "order_index": "count",
        "created_at": "moment",
        "updated_at": "moment",
    }
    shown = ("id", "project_id", "content", "version")
    also: ClassVar[Columns] = {"project": "text"}
    note = (
        "A row needs content and project_id, or the project's name in a column project. The projects must be there, "
        "and be active."
    )
    check = staticmethod(read_prompts)
    store = ProjectRepository.import_prompts


class VersionTable(ColumnsTable):
    """Versions: earlier texts of prompts."""

    model = PromptVersion
    columns: ClassVar[Columns] = {
        "id": "text",
        "prompt_id": "text",
        "version": "count",
        "content": "text",
        "optimization_id": "text",
        "created_at": "moment",
    }
    shown = ("id", "prompt_id", "version", "content")
    also: ClassVar[Columns] = {"project": "text", "prompt": "text"}
    note = (
        "A row needs version, content and prompt_id, or the prompt's project and current text in columns "
        "project and prompt. The prompts must be there, and the runs that a row names."
    )
    check = staticmethod(read_versions)
    store = ProjectRepository.import_versions
