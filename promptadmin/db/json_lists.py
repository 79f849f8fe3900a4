"""The texts in JSON lists that columns hold, in SQL of either engine.

What isn't a JSON list, or has a NUL (escaped or not), which neither engine can hold in a text, is no list.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper


class ListSQL(NamedTuple):
    """Pieces of a statement: of a column `stored` its list, or NULL; a join to the texts in a column `list`; each text.

    SQLite's text is a blob: a lone surrogate, which JSON can escape and UTF-8 can't hold, would fail the query.
    """

    of_stored: str
    join: str
    text: str


SQLITE = ListSQL(
    r"""CASE WHEN typeof(stored) = 'text' AND instr(stored, char(0)) = 0 AND instr(stored, '\u0000') = 0 THEN
        CASE WHEN json_valid(stored) THEN CASE WHEN json_type(stored) = 'array' THEN stored END END
    END""",
    "LEFT JOIN json_each(list) AS item ON item.type = 'text' AND item.value <> ''",
    "CAST(item.value AS BLOB)",
)
POSTGRESQL = ListSQL(
    "promptadmin_json_list(stored)",
    "LEFT JOIN LATERAL jsonb_array_elements(list) AS items (item) ON jsonb_typeof(item) = 'string' AND item <> '\"\"'",
    "item #>> '{}'",
)


def list_sql(connection: BaseDatabaseWrapper) -> ListSQL:
    return SQLITE if connection.vendor == "sqlite" else POSTGRESQL
