"""The adopted files that are measured, kept for the next time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.adoption import Workplace, legacy_file
from bench.process import run_python
from bench.servers import environment, make_token
from bench.texts import Texts

PROJECTS = 200
#: The project that is read as a whole; its runs are older than all others.
PROJECT_NAME, PROJECT_PROMPTS, RUNS_A_PROMPT = "Bench: 250 prompts", 250, 3
Say = Callable[[str], None]


@dataclass(frozen=True)
class Adopted:
    """A file that promptadmin has adopted, with a token for it and some addresses in it."""

    runs: int
    database: Path
    data: Path
    token: str


def adopted(directory: Path, runs: int, say: Say) -> Adopted:
    """The file of so many runs: made and adopted unless it is there, and brought up to date."""
    database = directory / f"adopted-{runs}.db"
    data = directory / f"adopted-{runs}.data"
    if database.exists():
        say(f"{runs:,} runs: brings the file up to date")
        run_python(["manage.py", "startup"], environment=environment(database, data))
    else:
        say(f"{runs:,} runs: makes the file")
        source = legacy_file(Workplace(directory, directory), runs=runs, projects=PROJECTS, age="early")
        shutil.rmtree(data, ignore_errors=True)
        partial = directory / f"adopting-{runs}.db"
        _remove(directory, f"{partial.name}*", f"{database.name}*")
        shutil.copyfile(source, partial)
        _add_project(partial)
        say(f"{runs:,} runs: adopts the file")
        run_python(["manage.py", "startup"], environment=environment(partial, data))
        with closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        partial.replace(database)
        _remove(directory, f"{partial.name}*")
    _remove(directory, f"{database.name}.before-*")
    run_python(["manage.py", "upkeep", "--once"], environment=environment(database, data))
    return Adopted(runs, database, data, token_of(database, data))


def _remove(directory: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in directory.glob(pattern):
            path.unlink()


def scratch_copy(source: Adopted, scratch: Path) -> Adopted:
    """A copy to write to."""
    database = scratch / source.database.name
    with closing(sqlite3.connect(source.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copyfile(source.database, database)
    shutil.copytree(source.data, scratch / source.data.name, dirs_exist_ok=True)
    return Adopted(source.runs, database, scratch / source.data.name, source.token)


def _add_project(legacy: Path) -> None:
    """Add the runs of the project that is read as a whole; adopting makes the project and its prompts of them."""
    texts = Texts(7)
    rows = [
        (
            f"be{number:06x}-0000-4000-8000-{number:012x}",
            "2020-01-01 00:00:00.000000",
            texts.raw(number % PROJECT_PROMPTS),
            "completed",
            0.5,
            "writing",
            PROJECT_NAME,
        )
        for number in range(PROJECT_PROMPTS * RUNS_A_PROMPT)
    ]
    columns = "id, created_at, raw_prompt, status, overall_score, task_type, project"
    with closing(sqlite3.connect(legacy)) as connection, connection:
        connection.executemany(f"INSERT INTO optimizations ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def token_of(database: Path, data: Path) -> str:
    """The token for this file, made the first time."""
    kept = data / "bench-token"
    if not kept.exists():
        kept.write_text(make_token(database, data))
    return kept.read_text()
