"""The SQL that a block of code sends through one of Django's connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

LEGACY_TABLES = ("optimizations", "projects", "prompts", "prompt_versions")
# What a rebuild consists of, for any table that PromptForge made.
REBUILD = re.compile(
    rf"""CREATE\s+TABLE\s+"new__({"|".join(LEGACY_TABLES)})"
    | DROP\s+TABLE\s+"?({"|".join(LEGACY_TABLES)})\b
    | ALTER\s+TABLE\s+"?\w*({"|".join(LEGACY_TABLES)})"?\s+(RENAME|DROP)""",
    re.IGNORECASE | re.VERBOSE,
)
CHANGE = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|REPLACE|TRUNCATE)\b", re.IGNORECASE)


@contextmanager
def sent_sql(connection: BaseDatabaseWrapper) -> Iterator[list[str]]:
    """A list that grows by each statement."""
    statements: list[str] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        yield statements


def rebuilds(statements: list[str]) -> list[str]:
    """The statements that rebuild, rename or drop one of PromptForge's tables, or drop one of its columns."""
    return [statement for statement in statements if REBUILD.search(statement)]


def changes(statements: list[str]) -> list[str]:
    """The statements that change tables or rows."""
    return [statement for statement in statements if CHANGE.match(statement)]
