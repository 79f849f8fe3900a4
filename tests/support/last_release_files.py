"""Files of PromptForge's last release: projects in projects, prompts in none, and tables that are its own."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tests.support import legacy_files
from tests.support.legacy_files import (
    Row,
    create_indexes,
    create_table,
    make_project,
    make_prompt,
    make_run,
    make_version,
)

FOLDER_KEY = "FOREIGN KEY(parent_id) REFERENCES projects (id) ON DELETE CASCADE"
FOLDER_NAME_UNIQUE = "CONSTRAINT uq_projects_parent_name UNIQUE (parent_id, name)"
PROJECT_COLUMNS = {
    "id": "TEXT NOT NULL",
    "name": "TEXT NOT NULL",
    "description": "TEXT",
    "context_profile": "TEXT",
    "status": "TEXT NOT NULL",
    "parent_id": "TEXT",
    "depth": "INTEGER NOT NULL",
    "created_at": "DATETIME NOT NULL",
    "updated_at": "DATETIME NOT NULL",
}
PROMPT_COLUMNS = {**legacy_files.PROMPT_COLUMNS, "project_id": "TEXT"}
LATER_COLUMNS = {
    "conciseness_score": "FLOAT",
    "framework_adherence_score": "FLOAT",
    "detected_patterns": "TEXT",
    "retry_of": "TEXT",
}
OPTIMIZATION_COLUMNS = {
    **legacy_files.OPTIMIZATION_COLUMNS,
    **legacy_files.LATER_OPTIMIZATION_COLUMNS,
    **LATER_COLUMNS,
}
OTHER_TABLES = {
    "github_connections": "CREATE TABLE github_connections "
    "(id TEXT NOT NULL, login TEXT, token BLOB, PRIMARY KEY (id))",
    "github_repositories": "CREATE TABLE github_repositories (id TEXT NOT NULL, connection_id TEXT NOT NULL, "
    "name TEXT, PRIMARY KEY (id), "
    "FOREIGN KEY(connection_id) REFERENCES github_connections (id) ON DELETE CASCADE)",
    "project_sources": "CREATE TABLE project_sources (id TEXT NOT NULL, project_id TEXT NOT NULL, path TEXT, "
    "PRIMARY KEY (id), FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE)",
    "workspace_links": "CREATE TABLE workspace_links (id TEXT NOT NULL, project_id TEXT NOT NULL, "
    "repository_id TEXT, PRIMARY KEY (id), FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE)",
}
VERSION_TABLE = "CREATE TABLE _schema_version (version INTEGER NOT NULL, applied_at TEXT)"
INDEXES = {
    "ix_projects_status": "projects (status)",
    "ix_projects_parent_id": "projects (parent_id)",
    "ix_projects_created_at": "projects (created_at)",
    "ix_projects_updated_at": "projects (updated_at)",
    "ix_prompts_project_id": "prompts (project_id)",
    "ix_prompts_order_index": "prompts (project_id, order_index)",
    "ix_prompt_versions_prompt_id": "prompt_versions (prompt_id)",
    "ix_prompt_versions_prompt_version": "prompt_versions (prompt_id, version)",
    **legacy_files.FIRST_INDEXES,
    "ix_optimizations_status": "optimizations (status)",
    "ix_optimizations_prompt_id": "optimizations (prompt_id)",
    "ix_optimizations_retry_of": "optimizations (retry_of)",
}

#: A new file, table by table.
FRESH = [
    VERSION_TABLE,
    OTHER_TABLES["github_connections"],
    create_table("projects", PROJECT_COLUMNS, [FOLDER_KEY, FOLDER_NAME_UNIQUE]),
    OTHER_TABLES["github_repositories"],
    OTHER_TABLES["project_sources"],
    create_table("prompts", PROMPT_COLUMNS, ["FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE SET NULL"]),
    OTHER_TABLES["workspace_links"],
    create_table(
        "optimizations",
        OPTIMIZATION_COLUMNS,
        [
            *legacy_files.OPTIMIZATION_KEYS,
            "FOREIGN KEY(retry_of) REFERENCES optimizations (id) ON DELETE SET NULL",
        ],
    ),
    create_table("prompt_versions", legacy_files.VERSION_COLUMNS, legacy_files.VERSION_KEYS),
    *create_indexes(INDEXES),
]
#: A file of the release before, of which some tables were made anew, and the columns that were added to others.
UPGRADED = [
    create_table("optimizations", legacy_files.OPTIMIZATION_COLUMNS),
    *create_indexes(legacy_files.FIRST_INDEXES),
    *(sql for change in legacy_files.CHANGES[:7] for sql in change),
    create_table("projects", legacy_files.PROJECT_COLUMNS),
    create_table("prompts", PROMPT_COLUMNS, ["FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE SET NULL"]),
    *(sql for change in legacy_files.CHANGES[9:] for sql in change),
    "ALTER TABLE projects ADD COLUMN parent_id TEXT REFERENCES projects(id) ON DELETE CASCADE",
    "ALTER TABLE projects ADD COLUMN depth INTEGER NOT NULL DEFAULT 0",
    "CREATE UNIQUE INDEX uq_projects_parent_name ON projects (parent_id, name)",
    *(f"ALTER TABLE optimizations ADD COLUMN {name} {kind}" for name, kind in LATER_COLUMNS.items()),
    *OTHER_TABLES.values(),
    VERSION_TABLE,
]
KINDS = {"fresh": FRESH, "upgraded": UPGRADED}


def rows() -> dict[str, list[Row]]:
    """Namesakes in two folders, prompts in no project, and runs of all of them, by link, by name and by neither."""
    return {
        "_schema_version": [{"version": 45, "applied_at": "2026-01-01"}],
        "github_connections": [{"id": "g1", "login": "ann", "token": b"\xff\x00"}],
        "github_repositories": [{"id": "r1", "connection_id": "g1", "name": "repository"}],
        "projects": [
            make_project(id="alpha", name="alpha", parent_id=None, depth=0),
            make_project(id="beta", name="beta", parent_id=None, depth=0, status="archived"),
            make_project(
                id="notes-a", name="notes", parent_id="alpha", depth=1, created_at="2025-02-01 00:00:00.000000"
            ),
            make_project(
                id="notes-b", name="notes", parent_id="beta", depth=1, created_at="2025-01-31 00:00:00.000000"
            ),
            make_project(id="deep", name="deep", parent_id="notes-a", depth=2, context_profile='{"language": "Go"}'),
        ],
        "project_sources": [{"id": "s1", "project_id": "notes-a", "path": "docs/"}],
        "workspace_links": [{"id": "w1", "project_id": "deep", "repository_id": "r1"}],
        "prompts": [
            make_prompt(id="p-alpha", project_id="alpha", content="one"),
            make_prompt(id="p-a", project_id="notes-a", content="two", version=2),
            make_prompt(id="p-b", project_id="notes-b", content="three"),
            make_prompt(id="p-deep", project_id="deep", content="four"),
            make_prompt(id="p-none", project_id=None, content="unfiled text", version=2),
            make_prompt(id="p-none-2", project_id=None, content="another unfiled text"),
        ],
        "optimizations": [
            make_run(id="o-a", project="notes", raw_prompt="two", prompt_id="p-a", conciseness_score=0.5, strategy=""),
            make_run(id="o-none", project=None, raw_prompt="unfiled text", prompt_id="p-none", overall_score=0.5),
            make_run(id="o-by-name", project="notes", raw_prompt="three"),
            make_run(id="o-new-text", project="notes", raw_prompt="a text of no prompt", retry_of="o-a"),
            make_run(id="o-new-project", project="gamma", raw_prompt="five", detected_patterns='["x"]'),
            make_run(id="o-unfiled", project=None, raw_prompt="unfiled text", input_tokens=2**40),
            make_run(id="o-deep", project="deep", raw_prompt="four", status="running"),
        ],
        "prompt_versions": [
            make_version(id="v-a", prompt_id="p-a", optimization_id="o-a"),
            make_version(id="v-none", prompt_id="p-none", optimization_id="o-none"),
        ],
    }


def make_last_release(path: Path, kind: str, statements: int | None = None) -> Path:
    """A file of a kind, after so many of its statements, with rows of what is there by then."""
    legacy_files.make_file(path, KINDS[kind][:statements])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table, found in rows().items():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            known = [{name: value for name, value in row.items() if name in columns} for row in found]
            legacy_files.insert(connection, table, known if columns else [])
        connection.commit()
    return path
