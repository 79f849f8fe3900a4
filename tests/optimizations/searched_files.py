"""What the search answers for a SQLite file, and what reading every row plainly says that it should."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.search_index import index_runs
from projects.search_index import index_prompts, index_versions
from promptadmin.db.lookups import fold
from promptadmin.db.sessions import read_session

WORD = re.compile(r"[^\W_]+")
#: How the names of letters begin that are words of their own.
SINGLE = (
    "CJK UNIFIED", "HIRAGANA LETTER", "KATAKANA LETTER", "KATAKANA-HIRAGANA", "COMBINING KATAKANA-HIRAGANA",
    "HANGUL", "THAI CHARACTER",
)  # fmt: skip
TEXTS = ("title", "raw_prompt", "optimized_prompt", "project", "tags")


def index_everything(using: str) -> int:
    """Finish the index. Answers how many rows that were."""
    done = 0
    for job in (index_runs, index_prompts, index_versions):
        while True:
            piece = job(using)
            done += piece.done
            if not piece.left:
                break
    return done


def write(path: Path, sql: str, parameters: Any = ()) -> None:
    """Change the file as another program does: no function, PRAGMA or connection of ours."""
    with closing(sqlite3.connect(path, timeout=10)) as raw, raw:
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute(sql, parameters)


def add_run(path: Path, run_id: str, text: str, **values: Any) -> None:
    """A run, as another program adds it."""
    columns = {"id": run_id, "raw_prompt": text, "status": "completed", "created_at": "2026-01-01 00:00:00", **values}
    marks = ", ".join("?" * len(columns))
    write(path, f"INSERT INTO optimizations ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))


def containing(using: str, text: str, **filters: Any) -> set[str]:
    """The ids that the history's search answers; its number of them, and its pages, agree."""
    wanted = RunFilters(search=text, **filters)
    with read_session(using):
        page = OptimizationRepository(using).list_runs(filters=wanted, limit=100)
        by_cursor = OptimizationRepository(using).list_runs_after("", filters=wanted, limit=100)
        browsed = OptimizationRepository(using).browse_runs(filters=wanted, limit=100)
    found = [item["id"] for item in page.items]
    assert page.total == len(found)
    assert [item["id"] for item in by_cursor.items] == found
    assert {item["id"] for item in browsed.items} == set(found)
    return set(found)


def with_words(using: str, query: str, **filters: Any) -> set[str]:
    """The ids of the runs that the search by words answers."""
    with read_session(using):
        page = OptimizationRepository(using).search(query, kinds=["run"], filters=RunFilters(**filters), limit=100)
    assert page.total == len(page.items)
    return {item.id for item in page.items}


def _rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as raw:
        raw.text_factory = lambda stored: stored.decode(errors="replace")
        raw.row_factory = sqlite3.Row
        return [dict(row) for row in raw.execute("SELECT * FROM optimizations")]


def _meant(row: dict[str, Any]) -> list[str]:
    """The texts of a row; of tags, those in the list."""
    return [*(row[name] or "" for name in TEXTS if name != "tags"), *(json.loads(row["tags"] or "[]"))]


def plainly_containing(path: Path, text: str, **filters: Any) -> set[str]:
    """The ids of the rows that have the text, whatever its case, and what is asked for."""
    return {
        row["id"]
        for row in _rows(path)
        if any(fold(text) in fold(found) for found in (*_meant(row), row["tags"] or ""))
        and all(row[name] == value for name, value in filters.items())
    }


def plainly_with_words(path: Path, query: str) -> set[str]:
    """The ids of the rows that have all the words; those that no blank separates, one after the other in a text."""
    wanted = [found for part in fold(query).split() if (found := plain_words(part))]
    return {
        row["id"]
        for row in _rows(path)
        if wanted and all(any(_follow(part, plain_words(fold(text))) for text in _meant(row)) for part in wanted)
    }


def plain_words(folded: str) -> list[str]:
    """The words of a folded text, in their order."""
    parts: list[str] = []
    for letter in folded:
        is_single = unicodedata.name(letter, "").startswith(SINGLE) and unicodedata.category(letter)[0] in "LM"
        parts.append(f"\0{letter}\0" if is_single else letter)
    spaced = "".join(parts)
    return [word for part in spaced.split("\0") for word in ([part] if _is_single(part) else WORD.findall(part))]


def _is_single(part: str) -> bool:
    return len(part) == 1 and unicodedata.name(part, "").startswith(SINGLE) and unicodedata.category(part)[0] in "LM"


def _follow(part: list[str], words: list[str]) -> bool:
    return any(words[start : start + len(part)] == part for start in range(len(words)))
