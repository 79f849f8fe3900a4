"""The plans of the statements that a deed sends, and whether they read a whole table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from promptadmin.db.sessions import read_session

BIG = ("optimizations", "prompts", "prompt_versions")
WAYS_OF_SMALL_TABLES = ("seqscan", "hashjoin", "mergejoin")


def sqlite_plans(deed: Callable[[], Any], using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """The steps of the plan of every statement that a deed sends."""
    steps = []
    with connections[using].cursor() as cursor:
        for sql, params in _sent(deed, using):
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            steps += [row[3] for row in cursor.fetchall()]
    return steps


def sqlite_work(deed: Callable[[], Any], using: str = DEFAULT_DB_ALIAS) -> int:
    """About how many steps SQLite's machine takes for a deed, in hundreds."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    with read_session(using) as connection:
        connection.connection.set_progress_handler(count, 100)
        try:
            deed()
        finally:
            connection.connection.set_progress_handler(None, 0)
    return done


def reads_everything(step: str) -> Any:
    """Whether a step of SQLite reads a whole table, whatever name the statement gives it."""
    words = step.split()
    return words[0] == "SCAN" and "USING" not in words and (words[1] in BIG or re.fullmatch(r"[a-zA-Z]\d*", words[1]))


def postgresql_scans(
    deed: Callable[[], Any],
    using: str = DEFAULT_DB_ALIAS,
    *,
    big: Sequence[str] = BIG,
    avoided: Sequence[str] = WAYS_OF_SMALL_TABLES,
) -> list[str]:
    """The statements of a deed that PostgreSQL answers by reading a whole big table, even if that is the last resort.

    Small tables are always read whole; here each way of reading by an index counts as cheaper than those `avoided`.
    """
    found = []
    with transaction.atomic(using), connections[using].cursor() as cursor:
        for way in avoided:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for sql, params in _sent(deed, using):
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            answer = cursor.fetchone()[0]
            plan = json.loads(answer) if isinstance(answer, str) else answer
            if _reads_everything(plan[0]["Plan"], big):
                found.append(sql)
    return found


def _reads_everything(node: dict[str, Any], big: Sequence[str], *, all_wanted: bool = False) -> bool:
    """Whether a step, or one below it, reads a big table without a condition, and not just until a page is full."""
    kind = node["Node Type"]
    if node.get("Index Name", "").endswith("_escaped"):  # it has only rows with escapes: that is its condition
        return False
    if node.get("Relation Name") in big and "Bitmap" not in kind and "Index Cond" not in node:
        return all_wanted or kind == "Seq Scan"
    all_wanted = all_wanted or kind in ("Sort", "WindowAgg") or "Aggregate" in kind  # an incremental sort stops, too
    return any(_reads_everything(child, big, all_wanted=all_wanted) for child in node.get("Plans", ()))


def _sent(deed: Callable[[], Any], using: str) -> list[tuple[str, Any]]:
    """The statements that read rows, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            sent.append((sql, params))
        return execute(sql, params, many, context)

    connection = connections[using]
    with read_session(using), connection.execute_wrapper(keep):
        deed()
    return sent
