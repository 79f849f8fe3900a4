"""Rows survive a file of each format, no cell is a formula, and what can't be read says so."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.chart import PieChart, Reference
from openpyxl.styles import PatternFill

from promptadmin.exchange import xlsx
from promptadmin.exchange.base_formats import Columns, Unreadable, Unwritable
from promptadmin.exchange.cells import FORMULA_STARTS, read_cell, write_cell
from promptadmin.exchange.formats import CSV, FORMATS, JSON, JSONLines
from promptadmin.exchange.xlsx import XLSX

COLUMNS: Columns = {
    "id": "text",
    "text": "text",
    "score": "number",
    "tokens": "count",
    "good": "flag",
    "tags": "json",
    "made": "moment",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
START = dt.datetime(2026, 3, 20, 9, 30, 0, 123456, tzinfo=dt.UTC)
records = st.fixed_dictionaries(
    {
        "id": TEXT.filter(str.strip),
        "text": st.none()
        | TEXT
        | st.sampled_from(FORMULA_STARTS)
        | st.sampled_from(["=1+1", "'", "'=x", "", "_x0041_", "\r"]),
        "score": st.none() | st.floats(0, 1),
        "tokens": st.none() | st.integers(0, 2**31 - 1),
        "good": st.none() | st.booleans(),
        "tags": st.none() | st.lists(TEXT, max_size=3),
        "made": st.none() | st.integers(0, 10**9).map(lambda seconds: START + dt.timedelta(seconds=seconds)),
    }
)


def as_json(record: dict[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(record, option=orjson.OPT_UTC_Z))


@pytest.mark.parametrize("kind", FORMATS)
@given(rows=st.lists(records, max_size=4))
def test_what_is_written_is_read_as_it_was(kind: type[Any], rows: list[dict[str, Any]]) -> None:
    content = b"".join(kind().write(iter(rows), COLUMNS))
    read = [values for _, values in kind().read(content, COLUMNS)]
    read = [orjson.loads(values) if isinstance(values, bytes) else values for values in read]
    assert read == [as_json(row) for row in rows]


@given(value=TEXT)
def test_no_cell_is_a_formula(value: str) -> None:
    cell = write_cell(value, "text")
    assert isinstance(cell, str)
    assert not cell.startswith(FORMULA_STARTS)
    assert read_cell(cell, "text") == value


QUOTED = st.builds("{}{}".format, st.sampled_from(["'", "''", "'=", "'-"]), TEXT)


def table_of(kind: type[Any], text: str) -> bytes:
    """A file of another program: the text as it is."""
    if kind is CSV:
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows([["id", "text"], ["1", text]])
        return buffer.getvalue().encode()
    book, file = Workbook(), io.BytesIO()
    book.active.append(["id", "text"])
    book.active.append(["1", text])
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", [CSV, XLSX])
@given(text=QUOTED)
def test_texts_with_apostrophes_come_back(kind: type[Any], text: str) -> None:
    content = b"".join(kind().write([dict.fromkeys(COLUMNS) | {"id": "1", "text": text}], COLUMNS))
    ((_, values),) = kind().read(content, COLUMNS)
    assert values["text"] == text


@pytest.mark.parametrize("kind", [CSV, XLSX])
@given(text=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_an_apostrophe_of_another_program_stays(kind: type[Any], text: str) -> None:
    """Ours stand before the beginning of a formula, before an apostrophe and alone."""
    for foreign in (f"'{text}'", f"'{text}"):
        ((_, values),) = kind().read(table_of(kind, foreign), COLUMNS)
        assert values["text"] == foreign


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_formulas_are_texts_in_spreadsheets(text: str) -> None:
    row = dict.fromkeys(COLUMNS) | {"id": "1", "text": text}
    content = b"".join(XLSX().write([row], COLUMNS))
    cell = load_workbook(io.BytesIO(content)).worksheets[0]["B2"]
    assert (cell.data_type, cell.value[0]) == ("s", "'")
    assert f"'{text}".replace('"', '""').encode() in b"".join(CSV().write([row], COLUMNS))


def test_files_that_people_made_are_understood() -> None:
    """Semicolons, a byte order mark, blanks around names, a spreadsheet's own numbers and times."""
    text = '\ufeffid; text;tokens;good\r\n1;a;2;TRUE\r\n;;;\r\n2;"b;\nc";;no\r\n'
    assert list(CSV().read(text.encode(), COLUMNS)) == [
        (2, {"id": "1", "text": "a", "tokens": 2, "good": True}),
        (4, {"id": "2", "text": "b;\nc", "tokens": None, "good": False}),
    ]
    book = Workbook()
    book.active.append(["id", "tokens", "score", "made", "good", "text"])
    book.active.append([7, 3.0, 1, dt.datetime(2026, 3, 20, 9, 30), True, 12.5])
    file = io.BytesIO()
    book.save(file)
    assert list(XLSX().read(file.getvalue(), COLUMNS)) == [
        (2, {"id": "7", "tokens": 3, "score": 1.0, "made": "2026-03-20T09:30:00Z", "good": True, "text": "12.5"})
    ]


def test_a_cell_that_cannot_be_read_stays_for_the_check_to_refuse() -> None:
    assert read_cell("many", "count") == "many"
    assert read_cell("[1", "json") == "[1"
    assert read_cell("perhaps", "flag") == "perhaps"


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        (CSV, b"id,text\n1,\x81", "UTF-8"),
        (CSV, b"i\0d\0", "UTF-8"),
        (CSV, b"\xff\xfei", "UTF-8"),
        (JSON, b"\xff\xfei", "UTF-16"),
        (CSV, b"id,id\n1,2", "same name"),
        (CSV, b"id\n1,2", "more cells"),
        (CSV, b'id\n"1"x', "no CSV"),
        (JSON, b"{", "no JSON"),
        (JSON, b'{"id": 1}', "no list"),
        (XLSX, b"id,text", "no XLSX"),
        (XLSX, b"PK\x05\x06" + bytes(18), "no XLSX"),
    ],
)
def test_a_file_of_another_kind_says_what_to_do(kind: type[Any], content: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        list(kind().read(content, COLUMNS))


def test_a_workbook_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "UNPACKED_BYTES", 1000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000)
    with pytest.raises(Unreadable, match="larger than"):
        list(XLSX().read(file.getvalue(), COLUMNS))


def workbook_with(part: str, change: Callable[[str], str]) -> bytes:
    """A workbook with one row, after a change to the text of one of its parts."""
    rows = b"".join(XLSX().write([dict.fromkeys(COLUMNS) | {"id": "1", "text": "here"}], COLUMNS))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(rows)) as packed, zipfile.ZipFile(file, "w") as changed:
        for name in packed.namelist():
            text = packed.read(name).decode()
            changed.writestr(name, change(text) if name == part else text)
    return file.getvalue()


@pytest.mark.parametrize(
    "entity",
    [f'"{"a" * 99}"', 'SYSTEM "file:///etc/hostname"', 'SYSTEM "http://127.0.0.1:9/"'],
    ids=lambda text: text[:9],
)
@pytest.mark.parametrize("part", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_with_entities_is_refused(part: str, entity: str) -> None:
    """In no part an entity may even be declared: none is expanded, and none fetched."""
    assert len(list(XLSX().read(workbook_with(part, str), COLUMNS))) == 1

    def declare(text: str) -> str:
        head, end, rest = text.rpartition("?>")
        return f"{head}{end}<!DOCTYPE x [<!ENTITY e {entity}>]>{rest}".replace("here", "&e;")

    with pytest.raises(Unreadable, match="no XLSX"):
        list(XLSX().read(workbook_with(part, declare), COLUMNS))


def test_rows_that_break_off_are_refused() -> None:
    """Rows are parsed as they are read, after the workbook was opened."""
    broken = workbook_with("xl/worksheets/sheet1.xml", lambda text: text[: text.index("here")])
    with pytest.raises(Unreadable, match="no XLSX"):
        list(XLSX().read(broken, COLUMNS))


def test_xlsx_says_what_it_cannot_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    row = dict.fromkeys(COLUMNS) | {"id": "1", "text": "x" * 32_768}
    with pytest.raises(Unwritable, match="text of 1 has 32,768 characters"):
        next(XLSX().write([row], COLUMNS))
    monkeypatch.setattr(xlsx, "XLSX_ROWS", 1)
    with pytest.raises(Unwritable, match="use CSV or JSON Lines"):
        next(XLSX().write([row | {"text": ""}] * 2, COLUMNS))


@pytest.mark.parametrize("kind", [CSV, JSON, JSONLines])
def test_any_number_of_rows_is_written_in_parts(kind: type[Any]) -> None:
    """The first part is there before the last row is read."""
    read = 0

    def rows() -> Any:
        nonlocal read
        for read in range(5000):
            yield dict.fromkeys(COLUMNS) | {"id": str(read), "text": "x" * 100}

    parts = kind().write(rows(), COLUMNS)
    sizes = [len(next(parts)), len(next(parts))]
    assert read < 4000
    sizes += [len(part) for part in parts]
    assert max(sizes) < 200_000


def read_csv(text: str) -> list[Any]:
    return [values for _, values in CSV().read(text.encode(), COLUMNS)]


@pytest.mark.parametrize(
    "text",
    [
        "id,text,,\n1,a,,\n2,b,,\n",
        "id,,text\n1,,a\n2,,b\n",
        ",id,text\n0,1,a\n1,2,b\n",
        "Unnamed: 0,id,text\n1,1,a\n2,2,b\n",
        ",id,text,\n0,1,a,\n1,,,\n2,2,b,\n",
        "sep=;\r\nid;text\r\n1;a\r\n2;b\r\n",
        '"sep=,"\nid,text\n1,a\n2,b\n',
        "sep=\\t\nid\ttext\n1\ta\n2\tb\n",
        "sep=\t\nid\ttext\n1\ta\n2\tb\n",
    ],
)
def test_what_other_programs_add_is_left_out(text: str) -> None:
    """Columns without name and content, the numbers of the rows, and the line that names the separator."""
    assert read_csv(text) == [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("id,text,\n1,a,x\n", "C"),
        (",id\n0,1\n2,2\n", "A"),
        ("id,\n1,0\n2,1\n", "B"),
        ("," * 26 + "id\n" + "," * 25 + "x,1", "Z"),
    ],
)
def test_a_column_without_a_name_is_named_by_its_place(text: str, place: str) -> None:
    with pytest.raises(Unreadable, match=f"^Column {place} has no name"):
        read_csv(text)


def test_numbers_and_truth_values_in_other_spellings() -> None:
    def values(kind: str, separator: str, *cells: str) -> list[Any]:
        column = {"number": "score", "count": "tokens", "flag": "good"}[kind]
        lines = [f"id{separator}{column}", *(f"1{separator}{cell}" for cell in cells)]
        return [row[column] for row in read_csv("\n".join(lines))]

    assert values("number", ";", "0,75", "1", "0.5", "1,2,3") == [0.75, 1.0, 0.5, "1,2,3"]
    assert values("number", "\t", "0,75") == [0.75]
    assert values("number", ",", '"0,75"') == ["0,75"]
    assert values("count", ",", "2014.0", "2014.", "2014.5", "7") == [2014, 2014, "2014.5", 7]
    assert values("count", ";", "2014,0", "9007199254740993,00") == [2014, 9007199254740993]
    assert values("flag", ",", "TRUE", "Yes", "t", "1.0", "WAHR", "on") == [True] * 6
    assert values("flag", ",", "FALSE", "No", "f", "0.0", "FALSCH", "off", "so-so") == [False] * 6 + ["so-so"]
    assert read_csv("id;text\n1;0,75\n") == [{"id": "1", "text": "0,75"}]


def test_workbooks_with_colours_charts_and_times() -> None:
    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["id", "score"])
    sheet.append([1, dt.time(12, 30)])
    for cell in ("D1", "E2", "F9"):
        sheet[cell].fill = PatternFill("solid", fgColor="FFFF00")
    chart = PieChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=2))
    book.create_chartsheet(index=0).add_chart(chart)
    book.save(file)
    assert list(XLSX().read(file.getvalue(), COLUMNS)) == [(2, {"id": "1", "score": "12:30:00"})]
    book.create_chartsheet(index=0)
    book.save(file := io.BytesIO())
    assert len(list(XLSX().read(file.getvalue(), COLUMNS))) == 1, "a chart sheet without a chart"


def test_a_cell_that_no_column_takes_is_refused_in_little_memory() -> None:
    """A small file with one cell of 100 MiB is refused before that is parsed."""
    whole = workbook_with("", str)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as packed, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in packed.namelist():
            text = packed.read(name)
            changed.writestr(name, text.replace(b"here", b"a" * (100 << 20)) if b"here" in text else text)
    assert len(file.getvalue()) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="more than 1,000,000 characters"):
            list(XLSX().read(file.getvalue(), COLUMNS))
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_the_longest_cell_is_that_of_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook_with("xl/worksheets/sheet1.xml", lambda text: text.replace("here", "a" * 40_000))
    values: Any
    ((_, values),) = XLSX().read(content, COLUMNS)
    assert len(values["text"]) == 40_000
    monkeypatch.setattr(xlsx, "TEXT_LENGTH", 39_999)
    with pytest.raises(Unreadable, match="which no column takes"):
        list(XLSX().read(content, COLUMNS))
