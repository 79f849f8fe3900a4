"""Values that a database or Python can't take, and every address of the product, found in its own lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

#: As they stand in an address. The last two are half of a surrogate pair, and bytes that are no UTF-8.
KEYS = (
    "%00",
    "..",
    "a/b",
    "a%2Fb",
    "_24",
    "%F0%9F%92%A5%0A%27",
    "9" * 40,
    "x" * 3000,
    "%ED%A0%80",
    "%FF%FE",
)
VALUES = ("\0", "nan", "-1e400", "9" * 40, "9999-99-99", "\U0001f4a5'\"<%_\\")


def stored(tables: Iterable[Any], *, but: str = "") -> list[Any]:
    """All rows of some models' tables, read without the models; without the columns of this name."""
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            columns = [f'"{field.column}"' for field in table._meta.concrete_fields if field.name != but]
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table._meta.db_table} ORDER BY {table._meta.pk.column}")
            found.append(cursor.fetchall())
    return found


def patterns(prefix: str, found: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address below a prefix, as its route, with its pattern."""
    for pattern in get_resolver().url_patterns if found is None else found:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(prefix, pattern.url_patterns, route)
        elif route.startswith(prefix):
            yield route, pattern


def addresses(prefix: str, keys: tuple[str, ...]) -> Iterator[str]:
    """Every address below a prefix, with each of the keys where it takes any."""
    for route, pattern in patterns(prefix):
        for key in keys:
            address, rest = "/", route.lstrip("^").replace("\\Z", "").replace("$", "")
            while "<" in rest:
                start, _, rest = rest.partition("<")
                parameter, _, rest = rest.partition(">")
                address += start + ("1" if parameter.startswith("int:") else key)
            if "(" not in rest:
                yield address + rest
            if not pattern.pattern.converters:
                break
