"""An adopted legacy file for servers of tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = ("projects", "prompts", "prompt_versions", "optimizations")


class AdoptedDatabase:
    """Such a file at a path."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        path.write_bytes(content)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the four tables, in an order of its own."""
        with closing(sqlite3.connect(self.path)) as connection:
            return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
