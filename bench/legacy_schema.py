"""The tables of a PromptForge file, as its first release (`early`) and a late one (`full`) made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Age = Literal["early", "full"]
AGES: Sequence[Age] = ("early", "full")

_BEFORE_STRATEGY = (
    "id TEXT NOT NULL", "created_at DATETIME NOT NULL", "raw_prompt TEXT NOT NULL", "optimized_prompt TEXT",
    "task_type TEXT", "complexity TEXT", "weaknesses TEXT", "strengths TEXT", "changes_made TEXT",
    "framework_applied TEXT", "optimization_notes TEXT", "clarity_score FLOAT", "specificity_score FLOAT",
    "structure_score FLOAT", "faithfulness_score FLOAT", "overall_score FLOAT", "is_improvement BOOLEAN",
    "verdict TEXT",
)  # fmt: skip
_STRATEGY = (
    "strategy TEXT", "strategy_reasoning TEXT", "strategy_confidence FLOAT", "secondary_frameworks TEXT",
)  # fmt: skip
_TOKENS = (
    "input_tokens INTEGER", "output_tokens INTEGER", "cache_creation_input_tokens INTEGER",
    "cache_read_input_tokens INTEGER",
)  # fmt: skip
_AFTER_TOKENS = ("status TEXT NOT NULL", "error_message TEXT", "project TEXT", "tags TEXT", "title TEXT")

RUN_COLUMNS: dict[Age, Sequence[str]] = {
    "early": (*_BEFORE_STRATEGY, "duration_ms INTEGER", "model_used TEXT", *_AFTER_TOKENS),
    "full": (
        *_BEFORE_STRATEGY, *_STRATEGY, "duration_ms INTEGER", "model_used TEXT", *_TOKENS, *_AFTER_TOKENS,
        "version TEXT", "prompt_id TEXT", "codebase_context_snapshot TEXT",
    ),
}  # fmt: skip

_RUN_INDEXES = (
    "CREATE INDEX ix_optimizations_project ON optimizations (project)",
    "CREATE INDEX ix_optimizations_task_type ON optimizations (task_type)",
    "CREATE INDEX ix_optimizations_created_at ON optimizations (created_at)",
)
#: A late file, of a release before the last: some of today's indexes are still missing.
_MORE_RUN_INDEXES = (
    "CREATE INDEX ix_optimizations_status ON optimizations (status)",
    "CREATE INDEX ix_optimizations_status_created_at ON optimizations (status, created_at)",
)
_PROJECT_TABLES = (
    """CREATE TABLE projects (
    id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, context_profile TEXT, status TEXT NOT NULL,
    created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    PRIMARY KEY (id), CONSTRAINT uq_projects_name UNIQUE (name))""",
    "CREATE INDEX ix_projects_status ON projects (status)",
    "CREATE INDEX ix_projects_created_at ON projects (created_at)",
    "CREATE INDEX ix_projects_updated_at ON projects (updated_at)",
    """CREATE TABLE prompts (
    id TEXT NOT NULL, content TEXT NOT NULL, version INTEGER NOT NULL, project_id TEXT NOT NULL,
    order_index INTEGER NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE)""",
    "CREATE INDEX ix_prompts_project_id ON prompts (project_id)",
    "CREATE INDEX ix_prompts_order_index ON prompts (project_id, order_index)",
)
_VERSION_TABLE = (
    """CREATE TABLE prompt_versions (
    id TEXT NOT NULL, prompt_id TEXT NOT NULL, version INTEGER NOT NULL, content TEXT NOT NULL,
    optimization_id TEXT, created_at DATETIME NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(prompt_id) REFERENCES prompts (id) ON DELETE CASCADE,
    FOREIGN KEY(optimization_id) REFERENCES optimizations (id) ON DELETE SET NULL)""",
    "CREATE INDEX ix_prompt_versions_prompt_id ON prompt_versions (prompt_id)",
    "CREATE INDEX ix_prompt_versions_prompt_version ON prompt_versions (prompt_id, version)",
)


def schema(age: Age) -> list[str]:
    """The statements that make an empty file of this age."""
    columns = ",\n    ".join(RUN_COLUMNS[age])
    if age == "early":
        return [f"CREATE TABLE optimizations (\n    {columns},\n    PRIMARY KEY (id))", *_RUN_INDEXES]
    runs = (
        f"CREATE TABLE optimizations (\n    {columns},\n    PRIMARY KEY (id),\n"
        "    FOREIGN KEY(prompt_id) REFERENCES prompts (id) ON DELETE SET NULL)"
    )
    return [*_PROJECT_TABLES, runs, *_RUN_INDEXES, *_MORE_RUN_INDEXES, *_VERSION_TABLE]


def column_names(age: Age) -> list[str]:
    """The columns of `optimizations`, in the table's order."""
    return [column.split()[0] for column in RUN_COLUMNS[age]]
