"""PromptForge's databases: the sample files, and small ones of any age made from its own SQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import itertools
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

# Beside the repository, where there is such a directory.
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "legacy"
LAST_RELEASE_SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "exchanges" / "start.db.gz"
SAMPLE_NAMES = ("early", "full", "dirty")

Row = dict[str, Any]

OPTIMIZATION_COLUMNS = {
    "id": "TEXT NOT NULL",
    "created_at": "DATETIME NOT NULL",
    "raw_prompt": "TEXT NOT NULL",
    "optimized_prompt": "TEXT",
    "task_type": "TEXT",
    "complexity": "TEXT",
    "weaknesses": "TEXT",
    "strengths": "TEXT",
    "changes_made": "TEXT",
    "framework_applied": "TEXT",
    "optimization_notes": "TEXT",
    "clarity_score": "FLOAT",
    "specificity_score": "FLOAT",
    "structure_score": "FLOAT",
    "faithfulness_score": "FLOAT",
    "overall_score": "FLOAT",
    "is_improvement": "BOOLEAN",
    "verdict": "TEXT",
    "duration_ms": "INTEGER",
    "model_used": "TEXT",
    "status": "TEXT NOT NULL",
    "error_message": "TEXT",
    "project": "TEXT",
    "tags": "TEXT",
    "title": "TEXT",
}
FIRST_INDEXES = {
    "ix_optimizations_project": "optimizations (project)",
    "ix_optimizations_task_type": "optimizations (task_type)",
    "ix_optimizations_created_at": "optimizations (created_at)",
}
PROJECT_COLUMNS = {
    "id": "TEXT NOT NULL",
    "name": "TEXT NOT NULL",
    "description": "TEXT",
    "status": "TEXT NOT NULL",
    "created_at": "DATETIME NOT NULL",
    "updated_at": "DATETIME NOT NULL",
}
PROMPT_COLUMNS = {
    "id": "TEXT NOT NULL",
    "content": "TEXT NOT NULL",
    "version": "INTEGER NOT NULL",
    "project_id": "TEXT NOT NULL",
    "order_index": "INTEGER NOT NULL",
    "created_at": "DATETIME NOT NULL",
    "updated_at": "DATETIME NOT NULL",
}
VERSION_COLUMNS = {
    "id": "TEXT NOT NULL",
    "prompt_id": "TEXT NOT NULL",
    "version": "INTEGER NOT NULL",
    "content": "TEXT NOT NULL",
    "optimization_id": "TEXT",
    "created_at": "DATETIME NOT NULL",
}
PROJECT_NAME_UNIQUE = "CONSTRAINT uq_projects_name UNIQUE (name)"
PROMPT_KEYS = ("FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE",)
VERSION_KEYS = (
    "FOREIGN KEY(prompt_id) REFERENCES prompts (id) ON DELETE CASCADE",
    "FOREIGN KEY(optimization_id) REFERENCES optimizations (id) ON DELETE SET NULL",
)


def create_table(table: str, columns: Mapping[str, str], constraints: Iterable[str] = ()) -> str:
    """CREATE TABLE as SQLAlchemy writes it: the key as a constraint of its own."""
    parts = [f"{quote(name)} {kind}" for name, kind in columns.items()]
    return f"CREATE TABLE {table} ({', '.join([*parts, 'PRIMARY KEY (id)', *constraints])})"


def create_indexes(indexes: Mapping[str, str]) -> list[str]:
    """CREATE INDEX for each name → "table (columns)"."""
    return [f"CREATE INDEX {quote(name)} ON {on}" for name, on in indexes.items()]


def quote(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


#: What PromptForge's releases did one after the other, as 24 changes of one or more statements each.
CHANGES: tuple[tuple[str, ...], ...] = (
    ("ALTER TABLE optimizations ADD COLUMN strategy_reasoning TEXT",),
    (
        "ALTER TABLE optimizations ADD COLUMN input_tokens INTEGER",
        "ALTER TABLE optimizations ADD COLUMN output_tokens INTEGER",
    ),
    ("ALTER TABLE optimizations ADD COLUMN strategy_confidence REAL",),
    ("CREATE INDEX ix_optimizations_status ON optimizations (status)",),
    ("CREATE INDEX ix_optimizations_overall_score ON optimizations (overall_score)",),
    ("CREATE INDEX ix_optimizations_status_created_at ON optimizations (status, created_at)",),
    ("CREATE INDEX ix_optimizations_task_type_project ON optimizations (task_type, project)",),
    (create_table("projects", PROJECT_COLUMNS, [PROJECT_NAME_UNIQUE]),),
    (create_table("prompts", PROMPT_COLUMNS, PROMPT_KEYS),),
    ("CREATE INDEX ix_projects_status ON projects (status)",),
    (
        "CREATE INDEX ix_projects_created_at ON projects (created_at)",
        "CREATE INDEX ix_projects_updated_at ON projects (updated_at)",
    ),
    ("CREATE INDEX ix_prompts_project_id ON prompts (project_id)",),
    ("CREATE INDEX ix_prompts_order_index ON prompts (project_id, order_index)",),
    (create_table("prompt_versions", VERSION_COLUMNS, VERSION_KEYS),),
    (
        "CREATE INDEX ix_prompt_versions_prompt_id ON prompt_versions (prompt_id)",
        "CREATE INDEX ix_prompt_versions_prompt_version ON prompt_versions (prompt_id, version)",
    ),
    ("ALTER TABLE optimizations ADD COLUMN prompt_id TEXT REFERENCES prompts(id) ON DELETE SET NULL",),
    ("CREATE INDEX ix_optimizations_prompt_id ON optimizations (prompt_id)",),
    ("ALTER TABLE optimizations ADD COLUMN strategy TEXT",),
    ("ALTER TABLE optimizations ADD COLUMN secondary_frameworks TEXT",),
    ("ALTER TABLE optimizations ADD COLUMN version TEXT",),
    ("ALTER TABLE projects ADD COLUMN context_profile TEXT",),
    ("ALTER TABLE optimizations ADD COLUMN codebase_context_snapshot TEXT",),
    (
        "ALTER TABLE optimizations ADD COLUMN cache_creation_input_tokens INTEGER",
        "ALTER TABLE optimizations ADD COLUMN cache_read_input_tokens INTEGER",
    ),
    ("CREATE INDEX ix_optimizations_project_status ON optimizations (project, status)",),
)
#: The columns that the 24 changes add, as they stand in a table of the last release.
LATER_OPTIMIZATION_COLUMNS = {
    "strategy_reasoning": "TEXT",
    "input_tokens": "INTEGER",
    "output_tokens": "INTEGER",
    "strategy_confidence": "FLOAT",
    "prompt_id": "TEXT",
    "strategy": "TEXT",
    "secondary_frameworks": "TEXT",
    "version": "TEXT",
    "codebase_context_snapshot": "TEXT",
    "cache_creation_input_tokens": "INTEGER",
    "cache_read_input_tokens": "INTEGER",
}
LATER_PROJECT_COLUMNS = {"context_profile": "TEXT"}
OPTIMIZATION_KEYS = ("FOREIGN KEY(prompt_id) REFERENCES prompts (id) ON DELETE SET NULL",)

_numbers = itertools.count(1)


def statements(changes: int = len(CHANGES)) -> list[str]:
    """The SQL that makes a file of the first release and applies so many of the 24 changes."""
    first = [create_table("optimizations", OPTIMIZATION_COLUMNS), *create_indexes(FIRST_INDEXES)]
    return first + [statement for change in CHANGES[:changes] for statement in change]


def make_run(**kwargs: Any) -> Row:
    """A run as a row of `optimizations`; what isn't given is as in PromptForge's plainest rows."""
    number = next(_numbers)
    stamp = dt.datetime(2025, 1, 1) + dt.timedelta(minutes=number)
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "created_at": stamp.isoformat(" ", "microseconds"),
        "raw_prompt": f"prompt {number}",
        "status": "completed",
        **kwargs,
    }


def make_project(**kwargs: Any) -> Row:
    """A row of `projects`."""
    number = next(_numbers)
    stamp = "2025-01-01 00:00:00.000000"
    row = {"id": f"project-{number}", "name": f"project {number}", "status": "active"}
    return {**row, "created_at": stamp, "updated_at": stamp, **kwargs}


def make_prompt(**kwargs: Any) -> Row:
    """A row of `prompts`; `project_id` has no default."""
    number = next(_numbers)
    stamp = "2025-01-01 00:00:00.000000"
    row = {"id": f"prompt-{number}", "content": f"prompt {number}", "version": 1, "order_index": 0}
    return {**row, "created_at": stamp, "updated_at": stamp, **kwargs}


def make_version(**kwargs: Any) -> Row:
    """A row of `prompt_versions`; `prompt_id` has no default."""
    number = next(_numbers)
    row = {"id": f"version-{number}", "version": 1, "content": f"text {number}", "optimization_id": None}
    return {**row, "created_at": "2025-01-01 00:00:00.000000", **kwargs}


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, each with the columns that it names."""
    for row in rows:
        columns = ", ".join(quote(name) for name in row)
        values = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {quote(table)} ({columns}) VALUES ({values})", list(row.values()))


def make_file(
    path: Path, sql: Sequence[str], rows: Mapping[str, Iterable[Mapping[str, Any]]] | None = None, *, wal: bool = False
) -> Path:
    """A file with these tables and rows; foreign keys are not enforced, as with PromptForge's first releases."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
        for statement in sql:
            connection.execute(statement)
        for table, content in (rows or {}).items():
            insert(connection, table, content)
        connection.commit()
    return path


def unpack(name: str, target: Path) -> Path:
    """A sample file by its name: early, full or dirty."""
    return unpack_gzip(SAMPLES / f"promptforge-{name}.db.gz", target)


def unpack_gzip(packed: Path, target: Path) -> Path:
    """The content of a gzip file."""
    with gzip.open(packed) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return target


def compare(name: str, legacy: Path, adopted: Path) -> subprocess.CompletedProcess[str]:
    """Hold an adopted sample against the legacy file and the expected outcome, with the script beside the samples."""
    script = SAMPLES / "compare_adopted.py"
    expected = SAMPLES / f"promptforge-{name}.expected.json.gz"
    arguments = [sys.executable, str(script), "check", str(legacy), str(adopted), str(expected)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=200, check=False)
