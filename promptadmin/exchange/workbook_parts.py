"""Parts of a workbook, which are XML, in a stream and in bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from promptadmin.conf.limits import UNPACKED_BYTES
from promptadmin.exchange.base_formats import PART_BYTES, Unreadable

#: Bytes without the beginning of a tag: an attribute or a comment; texts are counted as they come.
LONGEST_TOKEN = 16 * 1024 * 1024
TOO_LONG = "A cell has more than {:,} characters, which no column takes: shorten it."
Attributes = dict[str, str]


class Text:
    """Collects the text of `t` elements, and of `v`; readings of Chinese characters (`rPh`) are none."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.pieces: list[str] = []
        self.taking = self.length = self.reading = 0

    def start(self, name: str) -> None:
        if name == "rPh":
            self.reading += 1
        elif name in ("t", "v") and not self.reading:
            self.taking += 1

    def end(self, name: str) -> None:
        if name == "rPh":
            self.reading -= 1
        elif name in ("t", "v") and not self.reading:
            self.taking -= 1

    def add(self, text: str) -> None:
        """A piece of text comes. Raises Unreadable where there is too much."""
        if self.taking:
            self.length += len(text)
            if self.length > self.longest:
                raise Unreadable(TOO_LONG.format(self.longest))
            self.pieces.append(text)

    def take(self) -> str:
        text = "".join(self.pieces)
        self.pieces.clear()
        self.length = 0
        return text


def local_name(tag: str) -> str:
    """The name of an element or an attribute without its namespace."""
    return tag.rpartition(" ")[2]


def parse_part(
    packed: zipfile.ZipFile,
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    *,
    largest: int = UNPACKED_BYTES,
) -> Iterator[None]:
    """Tell the handlers what a part says, and pause after each piece of it. Raises Unreadable where it is too large."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    info = packed.getinfo(part)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{part} is compressed in another way than ZIP's own")
    if info.file_size > largest:
        raise Unreadable(f"Unpacked, this file is larger than {largest >> 20} MiB: split it.")
    since_tag = 0
    with packed.open(info) as file:
        while piece := file.read(PART_BYTES):
            # A parser keeps what it has of a text or an attribute until that ends.
            since_tag = len(piece) - piece.rfind(b"<") if b"<" in piece else since_tag + len(piece)
            if since_tag > LONGEST_TOKEN:
                raise Unreadable("This workbook has a part that no spreadsheet writes: save it as XLSX again.")
            parser.Parse(piece, False)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: Any) -> None:
    raise zipfile.BadZipFile("a document type, which may declare entities")
