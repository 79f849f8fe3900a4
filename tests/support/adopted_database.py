"""A legacy file for servers of tests: adopted when they start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from optimizations.tools.demo import make_demo_file

TABLES = ("projects", "prompts", "prompt_versions", "optimizations")


class AdoptedDatabase:
    """The demo's file at a path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        make_demo_file(path)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the four tables, in an order of its own."""
        with closing(sqlite3.connect(self.path)) as connection:
            return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
