"""Ids for rows that have none: made from what the row says, so that the same file again means the same rows."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import orjson

from promptadmin.db.exact_json import loads
from promptadmin.exchange.lines import Numbered

NAMESPACE = uuid.UUID("6e1f3c0a-5b0e-4c55-9a57-0d3b5f6f1c2d")


def with_ids(rows: Iterable[Numbered], table: str) -> tuple[list[Numbered], set[str]]:
    """The rows, each with an id, and the ids that were made. What is no object stays for the check to refuse.

    Rows that say the same are as many rows: the second gets another id than the first.
    """
    found: list[Numbered] = []
    seen: Counter[str] = Counter()
    made: set[str] = set()
    for number, row in rows:
        values = row
        if isinstance(row, bytes):
            with suppress(orjson.JSONDecodeError):  # which the check tells
                values = loads(row)
        if isinstance(values, dict) and values.get("id") in (None, ""):
            said = _said(values)
            seen[said] += 1
            text = f"{table}\n{seen[said]}\n{said}".encode(errors="surrogatepass")
            key = str(uuid.uuid5(NAMESPACE, text.hex()))
            found.append((number, {**values, "id": key}))
            made.add(key)
        else:
            found.append((number, row))
    return found, made


def _said(values: dict[str, Any]) -> str:
    """What stands in a row beside its id; nothing for what is nested too deeply, which the check refuses."""
    try:
        return repr(sorted((name, value) for name, value in values.items() if name != "id" and value is not None))
    except RecursionError:
        return ""
