"""Makes a PromptForge file of any size: `python -m bench.make_legacy OUT.db --runs 50000 --projects 200 --age early`.

The same arguments make the same rows. Nothing in it comes from real users.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from bench.legacy_rows import LegacyRows, Row
from bench.legacy_schema import AGES, Age, column_names, schema

ROWS_A_TRANSACTION = 25_000
CACHE_KIB = 262_144  # holds the indexes of a million runs, so that no page is written twice
SETTINGS = ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}", "locking_mode=EXCLUSIVE")
SEED = 20_260


def make_legacy(path: Path, *, runs: int, projects: int, age: Age, seed: int = SEED) -> None:
    """Make the file, which appears under its name only once it is complete. Replaces an older one.

    Raises OSError or sqlite3.Error where the place can't be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as database:
            _fill(database, LegacyRows(runs=runs, projects=projects, age=age, seed=seed), runs=runs, age=age)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _fill(database: sqlite3.Connection, rows: LegacyRows, *, runs: int, age: Age) -> None:
    for setting in SETTINGS:
        database.execute(f"PRAGMA {setting}").fetchall()
    # The indexes come first, as in a file that grew run by run; last, each would read the whole file once more.
    for statement in schema(age):
        database.execute(statement)
    bar = tqdm(rows.runs(), total=runs, desc="runs", unit="row", disable=None, leave=False)
    _insert(database, "optimizations", len(column_names(age)), bar)
    if age == "full":
        _insert(database, "projects", 7, rows.project_rows())
        _insert(database, "prompts", 7, rows.prompt_rows())
        _insert(database, "prompt_versions", 6, rows.version_rows())
    database.execute("PRAGMA journal_mode=DELETE").fetchall()


def _insert(database: sqlite3.Connection, table: str, columns: int, rows: Iterable[Row]) -> None:
    statement = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, ROWS_A_TRANSACTION)):
        database.execute("BEGIN")
        database.executemany(statement, batch)
        database.execute("COMMIT")


def whole_number(text: str) -> int:
    """An argument that is a whole number of at least one; underscores may group its digits."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.make_legacy", description="Makes a PromptForge file.")
    parser.add_argument("out", type=Path, metavar="OUT.db", help="the file to make; an older one is replaced")
    parser.add_argument("--runs", type=whole_number, default=50_000, help="rows of optimizations (default: 50000)")
    parser.add_argument("--projects", type=whole_number, default=200, help="different project names (default: 200)")
    parser.add_argument("--age", choices=AGES, default="early", help="early: one table; full: all four, part linked")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed makes another file of the same kind")
    options = parser.parse_args(arguments)
    if not options.out.parent.is_dir():
        parser.error(f"there is no directory {options.out.parent}")
    if options.out.is_dir():
        parser.error(f"{options.out} is a directory: name a file")
    began = time.perf_counter()
    try:
        make_legacy(options.out, runs=options.runs, projects=options.projects, age=options.age, seed=options.seed)
    except (OSError, sqlite3.Error) as error:
        parser.exit(1, f"{parser.prog}: {options.out} can't be made: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "interrupted: nothing was left behind\n")
    seconds = time.perf_counter() - began
    size = options.out.stat().st_size / 2**20
    print(f"{options.out}: {options.runs} runs, {size:.0f} MiB, {seconds:.1f} s, {options.runs / seconds:,.0f} rows/s")


if __name__ == "__main__":
    main()
