"""What the first sheet of an XLSX workbook says, in a stream: no more is kept of it than a row and the shared texts."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from promptadmin.exchange.base_formats import Unreadable
from promptadmin.exchange.heads import Row, letters
from promptadmin.exchange.notes import Notes
from promptadmin.exchange.workbook_parts import Attributes, Text, local_name, parse_part

#: Bytes of a part that says how the others are read.
LARGEST_SMALL_PART = 16 * 1024 * 1024
MOST_TEXTS = 1_000_000
MOST_ELEMENTS = 4_000_000
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
WORKBOOK = "main+xml"
NO_VALUE = "a formula stands here without its value. It is read as empty: open the file in a spreadsheet, and save it."
SHEETS = "Only the first sheet that isn't hidden, “{}”, is read; this workbook has {}."


def read_rows(packed: zipfile.ZipFile, notes: Notes, *, longest: int) -> Iterator[Row]:
    """The rows of the first sheet, whose texts have up to `longest` characters.

    Raises Unreadable, and for what is no workbook what zipfile, expat and conversions raise.
    """
    package = _Package(packed)
    if package.sheet:
        texts = _texts(packed, package.texts, longest) if package.texts else []
        yield from _Sheet(texts, package, notes, longest).rows(packed, package.sheet)


class _Package:
    """Where the parts are that say what the first sheet holds, and which styles are of dates and times."""

    sheet = texts = ""
    epoch = WINDOWS_EPOCH

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self.packed = packed
        self.dates: set[str] = set()
        self.durations: set[str] = set()
        kinds = {found["PartName"]: found["ContentType"] for found in self._all("[Content_Types].xml", "Override")}
        workbook = next((name for name, kind in kinds.items() if kind.endswith(WORKBOOK)), "/xl/workbook.xml")[1:]
        folder, name = posixpath.split(workbook)
        parts = {}
        for related in self._all(f"{folder}/_rels/{name}.rels", "Relationship"):
            target = posixpath.normpath(posixpath.join("/" + folder, related["Target"]))[1:]
            kind = related["Type"].rpartition("/")[2]
            parts[related["Id"]] = (kind, target)
            if kind == "sharedStrings":
                self.texts = target
            elif kind == "styles" and target in packed.namelist():
                self._read_styles(target)
        self._read_workbook(workbook, parts)

    def _all(self, part: str, *tags: str) -> list[Attributes]:
        found: list[Attributes] = []

        def start(tag: str, attributes: Attributes) -> None:
            if local_name(tag) in tags:
                found.append({"": local_name(tag)} | {local_name(name): value for name, value in attributes.items()})

        for _ in parse_part(self.packed, part, start, largest=LARGEST_SMALL_PART):
            pass
        return found

    def _read_workbook(self, part: str, parts: dict[str, tuple[str, str]]) -> None:
        """The first sheet with rows, but for hidden ones; charts and macros have sheets too."""
        sheets = []
        for found in self._all(part, "workbookPr", "sheet"):
            if found[""] == "workbookPr":
                self.epoch = MAC_EPOCH if found.get("date1904") in ("1", "true") else WINDOWS_EPOCH
            elif (related := parts.get(found.get("id", ""))) and related[0] == "worksheet":
                sheets.append((found.get("state", "visible") != "visible", found.get("name", ""), related[1]))
        if sheets:
            _, self.name, self.sheet = min(sheets, key=lambda sheet: sheet[0])
        self.sheets = len(sheets)

    def _read_styles(self, part: str) -> None:
        """The numbers of the formats of cells that are dates."""
        formats = dict(BUILTIN_FORMATS)
        place, in_cells = 0, False

        def start(tag: str, attributes: Attributes) -> None:
            nonlocal place, in_cells
            match local_name(tag):
                case "numFmt":
                    formats[int(attributes["numFmtId"])] = attributes["formatCode"]
                case "cellXfs":
                    in_cells = True
                case "xf" if in_cells:
                    code = formats.get(int(attributes.get("numFmtId", 0)))
                    if code and is_date_format(code):
                        self.dates.add(str(place))
                    if code and is_timedelta_format(code):
                        self.durations.add(str(place))
                    place += 1

        def end(tag: str) -> None:
            nonlocal in_cells
            in_cells = in_cells and local_name(tag) != "cellXfs"

        for _ in parse_part(self.packed, part, start, end, largest=LARGEST_SMALL_PART):
            pass


def _texts(packed: zipfile.ZipFile, part: str, longest: int) -> list[str]:
    texts: list[str] = []
    text = Text(longest)

    def end(tag: str) -> None:
        text.end(name := local_name(tag))
        if name == "si":
            texts.append(text.take())
            if len(texts) > MOST_TEXTS:
                raise Unreadable(f"This workbook holds more than {MOST_TEXTS:,} texts: split it.")

    for _ in parse_part(packed, part, lambda tag, _: text.start(local_name(tag)), end, text.add):
        pass
    return texts


class _Sheet:
    """The rows of a sheet, in turn."""

    def __init__(self, texts: list[str], package: _Package, notes: Notes, longest: int) -> None:
        self.texts, self.package, self.notes = texts, package, notes
        self.text = Text(longest)
        self.ready: list[Row] = []
        self.cells: dict[int, Any] = {}
        self.cell: Attributes = {}
        self.number = self.place = self.elements = 0
        self.has_formula = self.has_rows = False

    def rows(self, packed: zipfile.ZipFile, part: str) -> Iterator[Row]:
        if self.package.sheets > 1:
            self.notes.add(SHEETS.format(self.package.name[:80], self.package.sheets))
        for _ in parse_part(packed, part, self._start, self._end, self.text.add):
            yield from self.ready
            self.ready.clear()

    def _start(self, tag: str, attributes: Attributes) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise Unreadable(
                "This sheet has too many cells: remove the rows and columns that are empty or only coloured."
            )
        name = local_name(tag)
        if name == "sheetData":
            self.has_rows = True
        elif not self.has_rows:
            return
        elif name == "row":
            self.number = int(attributes.get("r", self.number + 1))
            self.cells, self.place = {}, -1
        elif name == "c":
            at = attributes.get("r", "").rstrip("0123456789")
            self.place = column_index_from_string(at) - 1 if at else self.place + 1
            self.cell, self.has_formula = attributes, False
        elif name == "f":
            self.has_formula = True
        else:
            self.text.start(name)

    def _end(self, tag: str) -> None:
        name = local_name(tag)
        if not self.has_rows:
            return
        if name == "sheetData":
            self.has_rows = False
        elif name == "row":
            self.ready.append((self.number, self.cells))
        elif name == "c":
            text = self.text.take()
            if text and (value := self._value(text)) not in (None, ""):
                self.cells[self.place] = value
            elif self.has_formula and self.cell.get("t") != "str":
                self.notes.add(NO_VALUE, f"{letters(self.place)}{self.number}")
        else:
            self.text.end(name)

    def _value(self, text: str) -> Any:
        match self.cell.get("t", "n"):
            case "s":
                return _unescaped(self.texts[int(text)])
            case "b":
                return text.strip() in ("1", "true")
            case "n":
                number = int(text) if text.lstrip("+-").isdecimal() else float(text)
                style = self.cell.get("s", "")
                if style in self.package.dates or style in self.package.durations:
                    with suppress(OverflowError, ValueError):  # a number that no date has stays one
                        return from_excel(number, self.package.epoch, timedelta=style in self.package.durations)
                return number
        return _unescaped(text)


def _unescaped(text: str) -> str:
    """The text, with the characters that XML can't hold as Excel writes them."""
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
