"""A search is right when the upkeep that makes its index is killed, before it goes on and after."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from optimizations.search_index import RUNS
from promptadmin.search.index_file import index_path, log_of
from tests.conftest import OpenFile
from tests.optimizations.searched_files import containing, index_everything, with_words, write
from tests.support.processes import Scratch
from tests.support.rounds import KILLS

ROWS = 9_000
WATCHED = (1, 1_999, 2_001, 4_000, 4_001, 6_500, ROWS)


def fill(path: Path) -> None:
    """Texts that take a piece of the index's making long enough to be killed in."""
    chance = random.Random("texts")
    vocabulary = [f"{chance.randrange(2**32):x}" for _ in range(5_000)]
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.executemany(
            "INSERT INTO optimizations (id, raw_prompt, status, created_at) "
            "VALUES (?, ?, 'completed', '2026-01-01 00:00:00')",
            [
                (f"run {number}", " ".join([f"word{number}x", *chance.choices(vocabulary, k=120)]))
                for number in range(1, ROWS + 1)
            ],
        )


def done_and_left(path: Path) -> tuple[int, int]:
    """How many rows have documents, and how many entries of the log aren't applied."""
    try:
        with (
            closing(sqlite3.connect(f"file:{index_path(path)}?mode=ro", uri=True)) as index,
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw,
        ):
            place = index.execute("SELECT documents, applied FROM places WHERE name = ?", [RUNS.name]).fetchone()
            if place is None:
                return 0, ROWS
            newest = raw.execute(f"SELECT MAX(number) FROM {log_of(RUNS)}").fetchone()[0]
            return place[0], newest - place[1]
    except sqlite3.OperationalError:  # neither is there at first
        return 0, ROWS


def kill_within_a_piece(scratch: Scratch, after: int) -> int:
    """Kill upkeep somewhere in the piece after one that is done; answers how many rows have documents."""
    upkeep = scratch.start("upkeep", "--once", "--job", "search_runs")
    try:
        while upkeep.poll() is None:
            done, _ = done_and_left(scratch.database)
            if done > after:
                time.sleep(random.uniform(0, 0.2))
                break
            time.sleep(0.005)
    finally:
        upkeep.kill()
        upkeep.communicate()
    assert upkeep.returncode == -signal.SIGKILL, "it was done before it could be killed"
    done, left = done_and_left(scratch.database)
    assert done > after
    assert left > 0
    return done


def test_a_search_is_right_when_upkeep_is_killed(scratch: Scratch, new_file: bytes, open_file: OpenFile) -> None:
    """Within a piece, again and again; rows change meanwhile."""
    scratch.database.write_bytes(new_file)
    fill(scratch.database)
    texts = {number: f"word{number}x" for number in WATCHED}
    done = 0
    for kill in range(min(KILLS, 3)):
        done = kill_within_a_piece(scratch, done)
        for number in (1, ROWS - 1 - kill):
            texts[number] = f"changed{kill}n{number}x"
            write(scratch.database, "UPDATE optimizations SET raw_prompt = ? WHERE rowid = ?", [texts[number], number])
        with open_file(scratch.database) as connection:
            check(connection.alias, texts)
    with open_file(scratch.database) as connection:
        assert index_everything(connection.alias) < ROWS, "what was done before is done again"
        check(connection.alias, texts)


def check(using: str, texts: dict[int, str]) -> None:
    """Each row is found by its text, and by no other."""
    for number, text in texts.items():
        assert with_words(using, text) == containing(using, text) == {f"run {number}"}
    assert with_words(using, "word1x") == containing(using, "word1x") == set()
