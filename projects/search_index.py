"""What is searched of projects' prompts."""

from __future__ import annotations

from promptadmin.plugins.steps import JobResult
from promptadmin.search.building import index_piece
from promptadmin.search.tables import SearchedTable

PROMPTS = SearchedTable("prompts", texts=("content",), facets={"project_id": ("project_id",)})
VERSIONS = SearchedTable("prompt_versions", texts=("content",))


def index_prompts(using: str) -> JobResult:
    """Upkeep: the texts of prompts."""
    return index_piece(using, PROMPTS)


def index_versions(using: str) -> JobResult:
    """Upkeep: the earlier texts of prompts."""
    return index_piece(using, VERSIONS)
