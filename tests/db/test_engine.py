"""Which engine it is, only some rooms may ask; all others ask `promptadmin.db.engine` for what they want to know."""

from __future__ import annotations

import re
from pathlib import Path

from django.db import connection

from promptadmin.db import engine

ROOT = Path(__file__).parents[2]
ROOMS = (
    "promptadmin/db/",
    "promptadmin/search/",
    "promptadmin/ops/backups/",
    "promptadmin/ops/postgresql_move/",
    "optimizations/lists/",
    "promptadmin/management/commands/doctor.py",  # its report names the engine
)


def asking() -> set[str]:
    """The modules that ask, but for migrations, which have shipped as they are."""
    paths = (path for name in ("promptadmin", "projects", "optimizations") for path in (ROOT / name).rglob("*.py"))
    return {
        str(path.relative_to(ROOT))
        for path in paths
        if path.parent.name != "migrations" and re.search(r"\.vendor\b", path.read_text())
    }


def test_only_the_rooms_of_the_engines_ask_which_one_it_is() -> None:
    found = asking()
    assert {path for path in found if not path.startswith(ROOMS)} == set()
    assert "promptadmin/db/engine.py" in found


def test_the_engine_says_what_it_can() -> None:
    on_sqlite = connection.vendor == "sqlite"
    assert engine.has_row_numbers(connection) == on_sqlite
    assert engine.row_place(connection, "id") == ("rowid" if on_sqlite else "id")
    assert engine.takes_any_value(connection) == on_sqlite
    assert engine.has_one_writer(connection) == on_sqlite
