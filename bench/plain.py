"""The yardstick's own work: the same rows fetched by `sqlite3` and dumped by orjson, and nothing else.

`python -m bench.plain FILE.db` prints the first page of the history: the whole of a cold start without a server.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

LISTED = (
    "o.id, o.created_at, o.raw_prompt, o.title, o.version, o.task_type, o.complexity, o.project, o.tags, "
    "o.overall_score, o.strategy, o.secondary_frameworks, o.framework_applied, o.model_used, o.status, "
    "o.error_message, o.prompt_id, p.project_id, j.status AS project_status"
)
JOINS = "FROM optimizations o LEFT JOIN prompts p ON p.id = o.prompt_id LEFT JOIN projects j ON j.id = p.project_id"
# What is skipped is counted in the index, and not joined; a unary plus keeps SQLite from walking all completed runs.
HISTORY = (
    f"SELECT {LISTED} {JOINS} WHERE o.rowid IN "
    "(SELECT rowid FROM optimizations ORDER BY created_at DESC LIMIT 20 OFFSET ?) ORDER BY o.created_at DESC"
)
AFTER = f"SELECT {LISTED} {JOINS} WHERE o.created_at < ? ORDER BY o.created_at DESC LIMIT 20"
RUN = "SELECT o.*, p.project_id, j.status AS project_status " + JOINS + " WHERE o.id = ?"
PROJECT = "SELECT * FROM projects WHERE id = ?"
PROMPTS = (
    "SELECT p.*, (SELECT COUNT(*) FROM optimizations o WHERE o.prompt_id = p.id) AS forge_count "
    "FROM prompts p WHERE p.project_id = ? ORDER BY p.order_index"
)
LATEST = (
    "SELECT o.prompt_id, o.id, o.title, o.task_type, o.complexity, o.framework_applied, o.overall_score, "
    "o.is_improvement, o.tags, o.version, MAX(o.created_at) FROM optimizations o JOIN prompts p ON p.id = o.prompt_id "
    "WHERE p.project_id = ? AND +o.status = 'completed' GROUP BY o.prompt_id"
)
NAMED = (
    "SELECT n.prompt_id, n.name, n.kind, n.template_format, n.description, n.tags, l.version, v.content, "
    "d.config, d.variables, d.author, d.reason, d.sha256, d.created_at FROM prompt_names n "
    "JOIN labels l ON l.prompt_id = n.prompt_id AND l.label = 'production' "
    "JOIN prompt_versions v ON v.prompt_id = n.prompt_id AND v.version = l.version "
    "LEFT JOIN version_details d ON d.prompt_id = n.prompt_id AND d.version = l.version WHERE n.key = ?"
)
COLUMNS = ("id", "created_at", "raw_prompt", "optimized_prompt", "project", "title", "task_type", "status")
INSERT = f"INSERT INTO optimizations ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
PRAGMAS = (
    "foreign_keys=ON", "synchronous=NORMAL", "cache_size=-65536", "mmap_size=268435456", "temp_store=MEMORY",
    "busy_timeout=5000",
)  # fmt: skip


#: A page cache that holds next to nothing.
FEW_PAGES = 16


def connect(database: Path) -> sqlite3.Connection:
    """A connection with promptadmin's PRAGMAs; BENCH_CACHE_SIZE is another size of its page cache."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if "BENCH_CACHE_SIZE" in os.environ:
        connection.execute(f"PRAGMA cache_size={int(os.environ['BENCH_CACHE_SIZE'])}").fetchall()
    connection.row_factory = lambda cursor, row: dict(zip([name[0] for name in cursor.description], row, strict=True))
    return connection


def answer(connection: sqlite3.Connection, work: str, argument: Any) -> bytes:
    """The JSON of a piece of work: history (from an offset), after (a time), run, project or named (by id or key)."""
    if work == "project":
        project = connection.execute(PROJECT, [argument]).fetchone()
        project["prompts"] = connection.execute(PROMPTS, [argument]).fetchall()
        project["latest"] = connection.execute(LATEST, [argument]).fetchall()
        return orjson.dumps(project)
    statement = {"history": HISTORY, "after": AFTER, "run": RUN, "named": NAMED}[work]
    return orjson.dumps(connection.execute(statement, [argument]).fetchall())


def record(connection: sqlite3.Connection, body: bytes) -> bytes:
    """Store one run, committed."""
    run = orjson.loads(body)
    values = [run.get(column) for column in COLUMNS]
    values[0], values[1] = str(uuid.uuid4()), "2026-01-01 00:00:00.000000"
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(INSERT, values)
    connection.execute("COMMIT")
    return orjson.dumps(dict(zip(COLUMNS, values, strict=True)))


if __name__ == "__main__":
    with closing(connect(Path(sys.argv[1]))) as opened:
        sys.stdout.buffer.write(answer(opened, "history", 0))
