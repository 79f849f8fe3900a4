"""Values as the cells of a table: what CSV and XLSX files hold.

An empty cell is null. A text that a spreadsheet would take for a formula, an empty text, and a text that begins with an
apostrophe get an apostrophe before them. Reading takes it away where writing would have put it; an apostrophe before
anything else belongs to the text. Lists and objects are JSON; times are in UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
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
#: Digits of an integer, which no column of integers has.
LONGEST_INTEGER = 400
NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
#: A number that may have separators of thousands.
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)
#: A date as spreadsheets write it: with points the day comes first, otherwise the year. Others can mean two days.
DATE = re.compile(
    r"(?:(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})|(?P<year2>\d{4})[-/.](?P<month2>\d{1,2})[-/.](?P<day2>\d{1,2}))"
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?",
    re.ASCII,
)


def write_cell(value: Any, kind: Kind) -> Cell:
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
    if isinstance(cell, str):
        return without_apostrophe(cell) if kind == "text" else _read_text(cell, kind, has_decimal_comma)
    if isinstance(cell, dt.datetime) and kind == "moment":
        return moment_text(cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC))
    if isinstance(cell, dt.datetime):
        return str(cell.date() if cell.time() == dt.time() else cell)
    if isinstance(cell, int | float):
        return _read_number(cell, kind)
    return str(cell)  # a time without a date, or a date without a time


def _read_text(cell: str, kind: Kind, has_decimal_comma: bool) -> Any:
    """A value that isn't a text, from a cell that is. Blanks around it say nothing."""
    text = without_apostrophe(cell).strip()
    if not text:
        return None
    match kind:
        case "flag":
            return FLAGS.get(text.lower(), text)
        case "moment":
            return _iso_text(text)
        case "json":
            try:
                return loads(text)
            except ValueError:
                return text
    return _read_digits(text, kind, has_decimal_comma)


def _read_digits(text: str, kind: Kind, has_decimal_comma: bool) -> Any:
    """A number, or the text where it is none. `1.000` in a column of integers may be one or a thousand, and is none."""
    if not NUMBER.fullmatch(text) or ("," in text and not has_decimal_comma):
        return text
    number = Decimal(text.replace(",", "."))
    if kind == "number":
        return float(number)
    is_whole = number.adjusted() < LONGEST_INTEGER and number == number.to_integral_value()
    return int(number) if is_whole and not GROUPED.fullmatch(text) else text


def _iso_text(text: str) -> str:
    """A date as spreadsheets write it in ISO 8601; anything else as it is."""
    found = DATE.fullmatch(text)
    if not found:
        return text
    year, month, day = (int(found[name] or found[f"{name}2"]) for name in ("year", "month", "day"))
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


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
