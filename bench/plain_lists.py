"""The yardstick's work for each list, search and statistic: the same rows by the best plain SQL we know, and the total.

A work is statements with their parameters, by the name that their rows get in the answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench import plain
from promptadmin.db.lookups import fold
from promptadmin.search.candidate_filter import parts_query, words_query
from promptadmin.search.index_file import index_path
from promptadmin.search.words import read_query

Work = Mapping[str, tuple[str, Sequence[Any]]]

PAGE = 20
#: An indexed project has these runs: linked to one of its prompts or, linked to none, with its name.
OF_PROJECT = (
    "(SELECT project_id FROM prompts WHERE id = o.prompt_id) = ? "
    "OR o.prompt_id IS NULL AND o.project = (SELECT name FROM projects WHERE id = ?)"
)
COUNT_PROJECT = (
    "SELECT (SELECT COUNT(*) FROM prompts p JOIN optimizations o ON o.prompt_id = p.id WHERE p.project_id = ?) + "
    "(SELECT COUNT(*) FROM optimizations WHERE prompt_id IS NULL "
    "AND project = (SELECT name FROM projects WHERE id = ?))"
)
HIDDEN = "(SELECT id FROM projects WHERE status IN ('archived', 'deleted'))"
HIDDEN_NAMES = "(SELECT name FROM projects WHERE status IN ('archived', 'deleted'))"
SHOWN = (
    f"NOT EXISTS (SELECT 1 FROM prompts p WHERE p.id = o.prompt_id AND p.project_id IN {HIDDEN}) "
    f"AND NOT (o.prompt_id IS NULL AND o.project IS NOT NULL AND o.project IN {HIDDEN_NAMES})"
)
COUNT_SHOWN = (
    "SELECT (SELECT COUNT(*) FROM optimizations) "
    f"- (SELECT COUNT(*) FROM prompts p JOIN optimizations o ON o.prompt_id = p.id WHERE p.project_id IN {HIDDEN}) "
    f"- (SELECT COUNT(*) FROM optimizations WHERE prompt_id IS NULL AND project IN {HIDDEN_NAMES})"
)
PROJECTS = (
    "SELECT j.*, (SELECT COUNT(*) FROM prompts p WHERE p.project_id = j.id) AS prompt_count FROM projects j "
    f"WHERE j.status <> 'deleted' ORDER BY j.created_at DESC, j.id DESC LIMIT {PAGE}"
)
#: One pass over all runs, with the sums that means are made of; the statistics count the items of two lists besides.
STATISTICS = (
    "SELECT strategy, framework_applied, task_type, complexity, status, COUNT(*) AS runs, COUNT(overall_score), "
    + ", ".join(
        f"SUM({name})"
        for name in (
            "overall_score", "overall_score * overall_score", "clarity_score", "specificity_score", "structure_score",
            "faithfulness_score", "strategy_confidence", "is_improvement", "input_tokens", "output_tokens",
            "duration_ms",
        )
    )
    + " FROM optimizations GROUP BY strategy, framework_applied, task_type, complexity, status"
)  # fmt: skip
SEARCHED = ("raw_prompt", "optimized_prompt", "title", "tags", "project")
STATISTICS_WORK: Work = {"groups": (STATISTICS, ())}


def connect(database: Path) -> sqlite3.Connection:
    """A connection with promptadmin's PRAGMAs, to which the search index is attached, if there is one."""
    connection = plain.connect(database)
    if index_path(database).exists():
        connection.execute("ATTACH ? AS found", [str(index_path(database))])
    return connection


def answer(connection: sqlite3.Connection, work: Work) -> bytes:
    """The JSON of a work."""
    return orjson.dumps({name: connection.execute(*statement).fetchall() for name, statement in work.items()})


def page(
    condition: str = "",
    parameters: Sequence[Any] = (),
    *,
    order: str = "o.created_at DESC, o.rowid DESC",
    offset: int = 0,
    walked: str = "",
    count: str = "",
) -> Work:
    """A page of runs, and how many there are in all.

    The page's rows are found first and joined then. `walked` is the index that has the order, where SQLite would take
    another one; `count` is the statement that counts, where it isn't the condition.
    """
    where = f"WHERE {condition}" if condition else ""
    index = f"INDEXED BY {walked}" if walked else ""
    found = f"SELECT o.rowid FROM optimizations o {index} {where} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}"
    # With a plus, an order of columns that no index has: so few rows are sorted, not walked to.
    items = f"SELECT {plain.LISTED} {plain.JOINS} WHERE o.rowid IN ({found}) ORDER BY {order.replace('o.', '+o.')}"
    total = count or f"SELECT COUNT(*) FROM optimizations o {where}"
    return {"items": (items, parameters), "total": (total, parameters)}


def ordered(sort: str, order: str) -> Work:
    """The first page by a column; among equals, rows as they stand in the file."""
    return page(order=f"o.{sort} {order}, o.rowid {order}")


def after(stamp: str) -> Work:
    """The page after a moment, which nobody counts."""
    return {"items": page("o.created_at < ?", [stamp])["items"]}


def of_project(key: str) -> Work:
    """The newest runs of a project: all runs are walked by time until there are enough of them."""
    return page(OF_PROJECT, [key, key], walked="ix_optimizations_created_at", count=COUNT_PROJECT)


def shown() -> Work:
    """The newest runs, without those of archived and deleted projects."""
    return page(SHOWN, walked="ix_optimizations_created_at", count=COUNT_SHOWN)


def run(key: str) -> Work:
    """One run."""
    return {"items": (plain.RUN, [key])}


def projects() -> Work:
    """The newest projects."""
    return {
        "items": (PROJECTS, ()),
        "total": ("SELECT COUNT(*) FROM projects WHERE status <> 'deleted'", ()),
    }


def project(key: str) -> Work:
    """A project with its prompts, and the newest completed run of each."""
    return {
        "project": (plain.PROJECT, [key]),
        "prompts": (plain.PROMPTS, [key]),
        "latest": (plain.LATEST, [key]),
    }


def search(text: str, name: str = "", key: str = "") -> Work:
    """The newest rows of each kind that have these words, as the index of words finds them: whole, and not ranked."""
    terms = read_query(text)
    runs = words_query(terms, {"project": name} if name else {})
    prompts = words_query(terms, {"project_id": key} if key else {})
    of_versions = "AND p.project_id = ?" if key else ""
    return {
        "runs": (
            "SELECT o.id, o.created_at, o.title, o.raw_prompt, o.optimized_prompt, o.status, o.prompt_id, o.project "
            "FROM optimizations o WHERE o.id IN (SELECT d.key FROM found.optimizations_words f "
            "JOIN found.optimizations_documents d ON d.number = f.rowid "
            f"WHERE optimizations_words MATCH ? ORDER BY f.rowid DESC LIMIT {PAGE})",
            [runs],
        ),
        "prompts": (
            "SELECT p.id, p.created_at, p.content, p.version, p.project_id FROM prompts p WHERE p.id IN "
            "(SELECT d.key FROM found.prompts_words f JOIN found.prompts_documents d ON d.number = f.rowid "
            f"WHERE prompts_words MATCH ? ORDER BY f.rowid DESC LIMIT {PAGE})",
            [prompts],
        ),
        "versions": (
            "SELECT v.id, v.created_at, v.content, v.version, v.prompt_id FROM found.prompt_versions_words f "
            "JOIN found.prompt_versions_documents d ON d.number = f.rowid "
            "JOIN prompt_versions v ON v.id = d.key JOIN prompts p ON p.id = v.prompt_id "
            f"WHERE prompt_versions_words MATCH ? {of_versions} ORDER BY f.rowid DESC LIMIT {PAGE}",
            [words_query(terms, {}), *([key] if key else [])],
        ),
    }


def containing(text: str) -> Work:
    """The newest runs with a part of a text: those that the index of trigrams finds, by LIKE."""
    like = " OR ".join(f"{column} LIKE ?" for column in SEARCHED)
    matched = (
        "WITH matched AS MATERIALIZED (SELECT rowid AS number, created_at FROM optimizations WHERE id IN "
        "(SELECT d.key FROM found.optimizations_parts f JOIN found.optimizations_documents d ON d.number = f.rowid "
        f"WHERE optimizations_parts MATCH ?) AND ({like}))"
    )
    items = (
        f"{matched} SELECT {plain.LISTED}, (SELECT COUNT(*) FROM matched) AS matches {plain.JOINS} WHERE o.rowid IN "
        f"(SELECT number FROM matched ORDER BY created_at DESC, number DESC LIMIT {PAGE}) "
        "ORDER BY +o.created_at DESC, +o.rowid DESC"
    )
    return {"items": (items, [parts_query(fold(text)), *[f"%{text}%"] * len(SEARCHED)])}


def is_alike(ours: Any, theirs: Mapping[str, list[Any]]) -> bool:
    """Whether an answer of the API has the yardstick's rows in their order, and its total, as far as both tell.

    A ranked search has other rows, and statistics have none: of these, the completed runs are compared.
    """
    if "items" in theirs:
        ids = [row["id"] for row in theirs["items"]]
        mine = [row["id"] for row in ours.get("items", [ours])]
        totals = {next(iter(row.values())) for row in theirs.get("total", ())}
        totals |= {row["matches"] for row in theirs["items"] if "matches" in row}
        return ids == mine and totals <= {ours.get("total")}
    if "prompts" in theirs and "project" in theirs:
        return [row["id"] for row in theirs["prompts"]] == [row["id"] for row in ours["prompts"]]
    if "groups" in theirs:
        completed = sum(row["runs"] for row in theirs["groups"] if row["status"] == "completed")
        return bool(completed == ours["total_optimizations"])
    return bool(ours["items"]) == any(theirs.values())
