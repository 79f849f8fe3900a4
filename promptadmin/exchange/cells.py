"""Values as the cells of a table: what CSV and XLSX files hold.

An empty cell is null. A text that a spreadsheet would take for a formula, an empty text, and a text that begins with an
apostrophe get an apostrophe before them. Reading takes it away where writing would have put it; an apostrophe before
anything else belongs to the text. Lists and objects are JSON; times are in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from promptadmin.db.exact_json import dumps, loads

Kind = Literal["text", "number", "count", "flag", "json", "moment"]
Cell = str | int | float | bool | None

APOSTROPHE = "'"
#: What begins a formula in one spreadsheet or another, also as a letter of full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def write_cell(value: Any, kind: Kind) -> Cell:
    """A value as a cell."""
    if value is None:
        return None
    if kind == "json":
        return harmless(dumps(value).decode())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, dt.datetime):
        return moment_text(value)
    return harmless(str(value))


def harmless(text: str) -> str:
    """The text, never a formula and never empty."""
    return APOSTROPHE + text if not text or text.startswith((APOSTROPHE, *FORMULA_STARTS)) else text


def without_apostrophe(text: str) -> str:
    """The text that `harmless` has written so; one that it would have written otherwise comes from another program."""
    bare = text.removeprefix(APOSTROPHE)
    return bare if harmless(bare) == text else text


def read_cell(cell: Any, kind: Kind) -> Any:
    """The value of a cell; one that its kind can't read stays as it is, which the check of the row then refuses."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, dt.datetime):
        return moment_text(cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC))
    if isinstance(cell, str):
        return _read_text(without_apostrophe(cell), kind)
    return _read_number(cell, kind)


def _read_text(text: str, kind: Kind) -> Any:
    if kind == "flag":
        return FLAGS.get(text.strip().lower(), text)
    readers: dict[str, Callable[[str], Any]] = {"json": loads, "count": int, "number": float}
    try:
        return readers.get(kind, str)(text)
    except ValueError:
        return text


def _read_number(cell: Any, kind: Kind) -> Any:
    """What a spreadsheet keeps as a number or a truth value, and gives as a fraction where it can."""
    if isinstance(cell, float) and cell.is_integer() and kind != "number":
        cell = int(cell)
    if kind == "flag":
        return bool(cell) if cell in (0, 1) else cell
    if isinstance(cell, bool) or kind == "count":
        return cell
    return float(cell) if kind == "number" else str(cell)


def moment_text(moment: dt.datetime) -> str:
    """A moment in ISO 8601, in UTC."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
