"""Values as the cells of a table: what CSV and XLSX files hold.

An empty cell is null. A text that a spreadsheet would take for a formula, an empty text, and a text that begins with an
apostrophe get an apostrophe before them. Reading takes it away where writing would have put it; an apostrophe before
anything else belongs to the text. Lists and objects are JSON; times are in UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Literal

from promptadmin.db.exact_json import dumps, loads

Kind = Literal["text", "number", "count", "flag", "json", "moment"]
Cell = str | int | float | bool | None

APOSTROPHE = "'"
#: What begins a formula in one spreadsheet or another, also as a letter of full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: As programs write truth values, and spreadsheets in English, German, French and Spanish.
FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1", "1.0", "wahr", "vrai", "verdadero"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0", "0.0", "falsch", "faux", "falso"), False),
}
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
NO_FRACTION = re.compile(r"\.0*\Z")


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


def read_cell(cell: Any, kind: Kind, has_decimal_comma: bool = False) -> Any:
    """The value of a cell; one that its kind can't read stays as it is, which the check of the row then refuses."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, dt.datetime):
        return moment_text(cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC))
    if isinstance(cell, str):
        text = without_apostrophe(cell)
        if has_decimal_comma and kind in ("number", "count") and DECIMAL_COMMA.fullmatch(text.strip()):
            text = text.replace(",", ".")
        return _read_text(text, kind)
    if isinstance(cell, int | float):
        return _read_number(cell, kind)
    return str(cell)  # a time without a date, or a date without a time


def _read_text(text: str, kind: Kind) -> Any:
    if kind == "flag":
        return FLAGS.get(text.strip().lower(), text)
    readers: dict[str, Callable[[str], Any]] = {"json": loads, "count": _read_count, "number": float}
    try:
        return readers.get(kind, str)(text)
    except ValueError:
        return text


def _read_count(text: str) -> int:
    """An integer, also with a fraction of nothing, as in 2014.0: so do programs write it that know fractions alone."""
    return int(NO_FRACTION.sub("", text.strip()))


def _read_number(cell: int | float, kind: Kind) -> Any:
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
