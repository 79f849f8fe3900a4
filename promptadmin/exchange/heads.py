"""Tables whose first row names the columns, as CSV and XLSX files have them."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openpyxl.cell.cell import ERROR_CODES
from openpyxl.utils import get_column_letter

from promptadmin.conf.limits import IMPORT_LINES
from promptadmin.exchange.base_formats import Columns, Unreadable
from promptadmin.exchange.cells import read_cell
from promptadmin.exchange.lines import Numbered
from promptadmin.exchange.notes import Notes

#: A row's number, and its cells that aren't empty by their place from 0.
Row = tuple[int, Mapping[int, Any]]
#: What pandas calls a column without a name when it reads a file.
UNNAMED = re.compile(r"Unnamed: \d+")
MOST_EMPTY_ROWS = 100 * IMPORT_LINES
LAST_LETTERS = 18_278
INDEX_LEFT_OUT = "this column has no name and counts the rows, as pandas and R write it. It is left out."
DATE_AS_TEXT = "a date or a time stands where a text belongs. It is taken as text, as below."
ERROR_AS_TEXT = "the error of a formula stands where a text belongs. It is taken as text."


def named_cells(
    rows: Iterable[Row], columns: Columns, notes: Notes, *, has_decimal_commas: bool = False
) -> Iterator[Numbered]:
    """The rows as values by the names in the head, which is the first row that has cells; empty rows are none.

    Columns without a name and without content are none. Raises Unreadable for those with content.
    """
    filled = _filled(rows)
    head, named = next(filled, (0, {}))
    names = _names(named, columns)
    index = _Index()
    for number, cells in filled:
        for place in cells.keys() - names.keys():
            is_blank = isinstance(cells[place], str) and not cells[place].strip()
            if not is_blank and not (place == 0 and index.counts(cells[place])):
                raise Unreadable(_has_no_name(place, number, head))
        if index.rows == 1 and 0 in cells and 0 not in names:
            notes.add(INDEX_LEFT_OUT, "Column A")
        if cells.keys() <= {0} - names.keys():
            continue
        values = {}
        for place, name in names.items():
            cell, kind = cells.get(place), columns[name]
            if kind == "text" and isinstance(cell, dt.date | dt.time | dt.timedelta):
                notes.add(DATE_AS_TEXT, f"{name} in row {number}")
            elif kind == "text" and isinstance(cell, str) and cell in ERROR_CODES:
                notes.add(ERROR_AS_TEXT, f"{name} in row {number}")
            values[name] = read_cell(cell, kind, has_decimal_commas)
        yield number, values


class _Index:
    """Whether the cells of a column count the rows, from 0 or from 1."""

    def __init__(self) -> None:
        self.rows = self.first = 0

    def counts(self, cell: Any) -> bool:
        text = str(cell).strip()
        if self.rows == 0:
            self.first = 1 if text in ("1", "1.0") else 0
        expected = self.first + self.rows
        self.rows += 1
        return text in (f"{expected}", f"{expected}.0")


def _filled(rows: Iterable[Row]) -> Iterator[Row]:
    empty = 0
    for number, cells in rows:
        if cells:
            yield number, cells
        else:
            empty += 1
            if empty > MOST_EMPTY_ROWS:
                raise Unreadable("This sheet has too many empty rows: save the filled ones alone.")


def _names(head: Mapping[int, Any], columns: Columns) -> dict[int, str]:
    """The columns by their places. Capitals, and blanks for underscores, say the same."""
    written = {place: str(cell).strip() for place, cell in sorted(head.items())}
    written = {place: text for place, text in written.items() if text and not UNNAMED.fullmatch(text)}
    names = {place: text if text in columns else folded(text) for place, text in written.items()}
    if not names:
        raise Unreadable(f"The first row must name the columns. They are: {', '.join(columns)}.")
    for name, times in Counter(names.values()).items():
        if times > 1:
            places = " and ".join(letters(place) for place in names if names[place] == name)
            raise Unreadable(
                f"Two columns have the same name, “{name[:80]}” (columns {places[:80]}): the first row must name each "
                "column once."
            )
    unknown = [place for place, name in names.items() if name not in columns]
    if unknown:
        raise Unreadable(_unknown(written[unknown[0]], unknown[0], columns))
    return names


def folded(text: str) -> str:
    """A column's name without what says nothing: capitals, blanks around it and between its words."""
    return "_".join(text.casefold().split())


def _unknown(text: str, place: int, columns: Columns) -> str:
    near = difflib.get_close_matches(folded(text[:80]), columns, n=1)
    meant = f" Do you mean “{near[0]}”?" if near else ""
    return (
        f"There is no column “{text[:80]}” (column {letters(place)}) in this table: rename it, or remove it.{meant} "
        f"The columns are: {', '.join(columns)}."
    )


def _has_no_name(place: int, number: int, head: int) -> str:
    index = " pandas leaves its index out with index=False." if place == 0 else ""
    return (
        f"Column {letters(place)} has no name and is not empty: row {number} has more cells than the first row has "
        f"names. Name the column in row {head}, or empty it.{index}"
    )


def letters(place: int) -> str:
    """A column as spreadsheets name it, by its place from 0."""
    return str(get_column_letter(place + 1)) if place < LAST_LETTERS else f"number {place + 1:,}"
