"""A search is right when the upkeep that makes its index is killed, before it goes on and after."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from optimizations.search_index import RUNS
from promptadmin.search.index_file import index_path
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


def marks(path: Path) -> tuple[int, int]:
    """How far the database says that the index goes, and how far it does."""
    found = []
    for file, table in ((path, STATE), (index_path(path), "places")):
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as raw:
                row = raw.execute(f"SELECT mark FROM {table} WHERE name = ?", [RUNS.name]).fetchone()
        except sqlite3.OperationalError:  # neither is there at first
            row = None
        found.append(row[0] if row else 0)
    return found[0], found[1]


def kill_within_a_piece(scratch: Scratch, after: int) -> int:
    """Kill upkeep when the database knows of a piece that the index lacks; answers how far the index goes."""
    upkeep = scratch.start("upkeep", "--once", "--job", "search_runs")
    try:
        while upkeep.poll() is None:
            announced, done = marks(scratch.database)
            if announced > done > after:
                upkeep.send_signal(signal.SIGSTOP)
                announced, done = marks(scratch.database)
                if announced > done:
                    break
                upkeep.send_signal(signal.SIGCONT)
            time.sleep(0.005)
    finally:
        upkeep.kill()
        upkeep.communicate()
    assert upkeep.returncode == -signal.SIGKILL, "it was done before it could be killed"
    assert marks(scratch.database) == (announced, done)
    assert after < done < announced <= ROWS
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
