"""Files as other programs write them: encodings, dates, formulas; and files that would take much memory."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from promptadmin.exchange.base_formats import Columns, Unreadable
from promptadmin.exchange.cells import read_cell
from promptadmin.exchange.formats import CSV, JSON, JSONLines
from promptadmin.exchange.xlsx import XLSX

COLUMNS: Columns = {"id": "text", "text": "text", "score": "number", "tokens": "count", "made": "moment"}


def read(kind: type[Any], content: bytes) -> tuple[list[Any], list[str]]:
    """The values of the rows, and what was assumed."""
    used = kind()
    rows = [values for _, values in used.read(content, COLUMNS)]
    return rows, [*used.notes]


def book_of(*rows: list[Any], change: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    rows, notes = read(CSV, "id;text\r\n1;Größe €\r\n".encode(encoding))
    assert rows == [{"id": "1", "text": "Größe €"}]
    assert ["Windows-1252" in note for note in notes] == ([True] if encoding == "cp1252" else [])


@pytest.mark.parametrize("kind", [JSON, JSONLines])
def test_json_of_a_shell_that_writes_utf16(kind: type[Any]) -> None:
    (row,), _ = read(kind, ('[{"id": "ü"}]' if kind is JSON else '{"id": "ü"}').encode("utf-16"))
    assert row in ({"id": "ü"}, '{"id": "ü"}'.encode())


@pytest.mark.parametrize(
    ("cell", "kind", "comma", "value"),
    [
        ("1.000", "count", False, "1.000"),  # one, or a thousand
        ("1,000", "count", True, "1,000"),
        ("1,000", "count", False, "1,000"),
        ("1.234.567", "count", True, "1.234.567"),
        ("1,234", "number", False, "1,234"),
        ("2.014E+3", "count", False, 2014),
        ("1e999", "number", False, float("inf")),
        ("9" * 5000, "count", False, "9" * 5000),
        ("1_000", "count", False, "1_000"),
        (" 7 ", "count", False, 7),
        (" ", "number", False, None),
        ("nan", "number", False, "nan"),
        ("01.03.2026 09:30", "moment", False, "2026-03-01T09:30:00Z"),
        ("2026/3/1", "moment", False, "2026-03-01T00:00:00Z"),
        ("03/01/2026", "moment", False, "03/01/2026"),  # in March, or in January
        (dt.datetime(2026, 3, 1), "text", False, "2026-03-01"),
        (dt.datetime(2026, 3, 1, 9, 30), "text", False, "2026-03-01 09:30:00"),
        (dt.datetime(2026, 3, 1, 9, 30), "moment", False, "2026-03-01T09:30:00Z"),
        (dt.timedelta(hours=30), "text", False, "1 day, 6:00:00"),
    ],
)
def test_cells(cell: Any, kind: Any, comma: bool, value: Any) -> None:
    assert read_cell(cell, kind, comma) == value


def test_heads_as_people_write_them() -> None:
    """Empty rows above, capitals and blanks; a column that the table hasn't is named with its place and a near one."""
    assert read(CSV, b"\n\n Text ,ID\na,1\n")[0] == [{"text": "a", "id": "1"}]
    with pytest.raises(Unreadable, match=r"no column “Texts” \(column B\).*Do you mean “text”"):
        read(CSV, b"id,Texts\n1,a\n")
    with pytest.raises(Unreadable, match="The first row must name the columns"):
        read(CSV, b"Unnamed: 0,\n1,2\n")


def test_what_is_assumed_of_a_sheet_is_told() -> None:
    content = book_of(
        ["id", "text", "score"],
        ["1", dt.datetime(2026, 3, 1), "=1/2"],
        ["2", "#N/A", 0.5],
        change=lambda book: book.create_sheet("more"),
    )
    rows, notes = read(XLSX, content)
    assert rows == [{"id": "1", "text": "2026-03-01", "score": None}, {"id": "2", "text": "#N/A", "score": 0.5}]
    assert [note.split(":")[0] for note in notes] == [
        "Only the first sheet that isn't hidden, “Sheet”, is read; this workbook has 2.",
        "C2",
        "text in row 2",
        "text in row 3",
    ]
    assert read(CSV, b",id\n0,a\n1,b\n")[1][0].startswith("Column A: this column has no name and counts the rows")


def test_the_first_sheet_that_is_not_hidden_is_read() -> None:
    def hide(book: Workbook) -> None:
        book.create_sheet("shown").append(["id"])
        book["shown"].append(["seen"])
        book["Sheet"].sheet_state = "hidden"

    assert read(XLSX, book_of(["id"], ["hidden"], change=hide))[0] == [{"id": "seen"}]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8)
cells: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    texts.filter(lambda text: not text.startswith(("=", "'", "#"))),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2100, 1, 1)).map(lambda day: day.replace(microsecond=0)),
)


@given(st.lists(cells, min_size=1, max_size=6))
def test_workbooks_read_as_openpyxl_reads_them(row: list[Any]) -> None:
    names = [f"c{place}" for place in range(len(row))]
    content = book_of(["id", *names], ["1", *row])
    openpyxls = load_workbook(io.BytesIO(content)).worksheets[0]
    columns: Columns = {"id": "text", **dict.fromkeys(names, "text")}
    values: Any
    ((_, values),) = XLSX().read(content, columns)
    expected = [read_cell(cell.value, "text") for cell in openpyxls[2][1 : 1 + len(row)]]
    expected += [None] * (len(row) - len(expected))
    assert [values[name] for name in names] == expected


def packed(**parts: bytes) -> bytes:
    """A workbook, some of whose parts are others."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book_of(["id", "text"], ["1", "here"]))) as whole,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for name in whole.namelist():
            text = parts.get(Path(name).stem, whole.read(name))
            if name == "xl/_rels/workbook.xml.rels":
                related = b'<Relationship Type="r/sharedStrings" Target="sharedStrings.xml" Id="s"/></Relationships>'
                text = text.replace(b"</Relationships>", related)
            changed.writestr(name, text)
        changed.writestr("xl/sharedStrings.xml", parts.get("sharedStrings", b"<sst/>"))
    return file.getvalue()


def sheet(rows: bytes) -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, rows)


def test_texts_that_cells_share() -> None:
    """As Excel writes them: with pieces in other fonts, readings of characters, and escapes."""
    content = packed(
        sharedStrings=b"<sst><si><t>id</t></si><si><r><t>in </t></r><r><rPr/><t>two</t></r></si><si><t>\xe6\xbc\xa2</t>"
        b"<rPh><t>kan</t></rPh></si><si><t>_x005F_x0041_ _x000D_</t></si><si/></sst>",
        sheet1=sheet(
            b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
            + b"".join(b'<row r="%d"><c r="A%d" t="s"><v>%d</v></c></row>' % (n + 1, n + 1, n) for n in range(1, 5))
        ),
    )
    assert [row["id"] for row in read(XLSX, content)[0]] == ["in two", "漢", "_x0041_ \r"]
    broken = packed(sheet1=sheet(b'<row><c t="s"><v>9</v></c></row>'))
    with pytest.raises(Unreadable, match="no XLSX"):
        read(XLSX, broken)


HEAD = b'<row><c t="inlineStr"><is><t>id</t></is></c></row>'
BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "one cell of 100 MiB": lambda: ("xlsx", packed(sharedStrings=b"<sst><si><t>" + b"a" * (100 << 20))),
    "a cell of a sheet": lambda: ("xlsx", packed(sheet1=sheet(HEAD + b'<row><c t="str"><v>' + b"a" * (100 << 20)))),
    "a long attribute": lambda: ("xlsx", packed(sheet1=sheet(HEAD + b'<row><c x="' + b"a" * (100 << 20)))),
    "cells in a row": lambda: ("xlsx", packed(sheet1=sheet(HEAD + b"<row>" + b"<c/>" * 25_000_000))),
    "many texts": lambda: ("xlsx", packed(sharedStrings=b"<sst>" + b"<si/>" * 20_000_000)),
    "styles": lambda: ("xlsx", packed(styles=b"<x>" + b"<y/>" * 20_000_000)),
    "rows": lambda: ("xlsx", packed(sheet1=sheet(HEAD + b"<row/>" * 15_000_000))),
    "more than it may unpack to": lambda: ("xlsx", packed(theme1=b" " * (200 << 20))),
    "parts": lambda: ("xlsx", b"PK\x01\x02" * 1_000_000),
    "one cell of a CSV": lambda: ("csv", b'id,text\n1,"' + b"a" * (60 << 20)),
    "columns": lambda: ("csv", b"," * (60 << 20)),
    "cells after cells": lambda: ("csv", b"id,text\n" + b'"\n",' * (12 << 20)),
    "empty rows": lambda: ("csv", b"id\n" + b"\n" * (60 << 20)),
    "values": lambda: ("json", b"[" + b"{}," * 20_000_000 + b"{}]"),
    "lines": lambda: ("jsonl", b'{"id":[' + b"{}," * 20_000_000 + b"{}]}"),
    "levels": lambda: ("json", b"[" * (60 << 20)),
}
#: What the process may take for a file of 64 MiB, beside it.
MOST_MEBIBYTES = 260
CHILD = """
import resource, sys
from promptadmin.exchange.base_formats import Unreadable
from promptadmin.exchange.formats import FORMATS
kind, path = sys.argv[1:]
used = next(each for each in FORMATS if each.extension == kind)
content = open(path, "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    for _ in used().read(content, {"id": "text", "text": "text"}):
        pass
except Unreadable as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10, error)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_much_memory_is_refused_in_little(name: str, tmp_path: Path) -> None:
    kind, content = BOMBS[name]()
    (tmp_path / "bomb").write_bytes(content)
    command = [sys.executable, "-c", CHILD, kind, str(tmp_path / "bomb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    mebibytes, _, message = done.stdout.partition(" ")
    assert int(mebibytes) < MOST_MEBIBYTES, message
    assert message.strip(), "it was refused"
