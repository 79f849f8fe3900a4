"""Rows that an import brings: checked against their type, known by their numbers; and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from promptadmin.conf.counted import counted
from promptadmin.conf.limits import IMPORT_LINES, IMPORT_VALUES
from promptadmin.db.exact_json import loads
from promptadmin.exchange.sentences import sentence

TOO_MANY_VALUES = f"This file has more than {IMPORT_VALUES:,} values: split it."


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its number from 1, and the columns that it names."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LineError:
    """Why a row can't be imported; `loc` is body, the number of the row, the column."""

    type: str
    msg: str
    line: int
    field: str = ""
    id: str | None = None

    @property
    def loc(self) -> list[str | int]:
        """The place as validation errors name it."""
        return ["body", self.line, *([self.field] if self.field else [])]


class ImportRefused(Exception):
    """Nothing was imported, because of these rows."""

    def __init__(self, errors: Sequence[LineError]) -> None:
        super().__init__(counted(len(errors), "error"))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows there were, how many were new, and how many were there with the same content."""

    lines: int
    imported: int
    unchanged: int


#: A row's number, and its values or the JSON text that says them.
Numbered = tuple[int, "bytes | dict[str, Any]"]


def too_many_values(content: bytes) -> bool:
    """Whether the values of a JSON text could take many times its memory; counts also what stands in texts."""
    return sum(map(content.count, (b",", b"[", b"{"))) > IMPORT_VALUES


def whole(value: Any) -> Any:
    """For pydantic: the integer that a number like 2014.0 is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_rows(
    rows: Iterable[Numbered],
    adapter: TypeAdapter[Any],
    *,
    ignored: Sequence[str] = (),
    check: Callable[[dict[str, Any], bytes | None], None] = lambda values, text: None,
) -> tuple[list[Line], list[LineError]]:
    """The rows that have the adapter's type, and what is wrong with the others.

    Columns that are `ignored` are taken, and not looked at. `check` may raise ValueError for what the type can't tell;
    it gets the values, and the text that they came from.
    """
    lines: list[Line] = []
    errors: list[LineError] = []
    for number, row in rows:
        if len(lines) + len(errors) >= IMPORT_LINES:
            return lines, [LineError("too_long", f"At most {IMPORT_LINES} lines can be imported at once", number)]
        values: Any = None
        try:
            text = row if isinstance(row, bytes) else None
            values = loads(row) if isinstance(row, bytes) else row
            check(values, text)
            values = dict(adapter.validate_python(values))
        except orjson.JSONDecodeError as error:
            message = f"JSON decode error: the line can't be read from its character {error.colno:,} on"
            errors.append(LineError("json_invalid", message, number))
        except ValidationError as error:
            row_id = values.get("id") if isinstance(values, dict) and isinstance(values.get("id"), str) else None
            errors += [
                LineError(item["type"], sentence(item), number, ".".join(map(str, item["loc"])), row_id)
                for item in error.errors(include_url=False)
            ]
        except ValueError as error:
            errors.append(LineError("value_error", str(error), number, _column_of(values, check)))
        else:
            lines.append(Line(number, {name: value for name, value in values.items() if name not in ignored}))
    return lines, errors


def _column_of(values: Any, check: Callable[[dict[str, Any], bytes | None], None]) -> str:
    """The column that the check refuses by itself, if one is."""
    for name, value in values.items() if isinstance(values, dict) else ():
        try:
            check({name: value}, None)
        except ValueError:
            return str(name)
    return ""
