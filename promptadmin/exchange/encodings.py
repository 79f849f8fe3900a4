"""Texts of files as they are saved by spreadsheets, editors and shells: UTF-8, UTF-16, Windows-1252."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from promptadmin.exchange.base_formats import PART_BYTES, Unreadable
from promptadmin.exchange.notes import Notes

NO_UTF8 = "This file isn't UTF-8: save it as “CSV UTF-8”."
ASSUMED = (
    "This file isn't UTF-8. It was read as Windows-1252, as Excel saves “CSV”: if letters with accents are wrong "
    "below, save it as “CSV UTF-8” instead."
)


def open_text(content: bytes, notes: Notes) -> io.TextIOWrapper:
    """The text, decoded as it is read, with its line ends as they are. Raises Unreadable where it is of no encoding."""
    encoding = _encoding(content, notes)
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


def utf8(content: bytes) -> bytes:
    """The content in UTF-8, if it was UTF-16 with a byte order mark; anything else as it is."""
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    try:
        return content.decode("utf-16").encode()
    except UnicodeError as error:
        raise Unreadable("This file begins as UTF-16 and isn't: save it as UTF-8.") from error


def _encoding(content: bytes, notes: Notes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        found = "utf-16"
    elif content.startswith(codecs.BOM_UTF8) or _is(content, "utf-8"):
        found = "utf-8-sig"
    else:
        found = "cp1252"
        notes.add(ASSUMED)
    if not _is(content, found) or b"\0" in content[:2]:  # which is UTF-16 without a mark
        raise Unreadable(NO_UTF8)
    return found


def _is(content: bytes, encoding: str) -> bool:
    """Whether the content can be decoded, in pieces: a text can take four times the memory of its bytes."""
    try:
        for _ in codecs.iterdecode(_pieces(content), encoding):
            pass
    except UnicodeError:
        return False
    return True


def _pieces(content: bytes) -> Iterator[bytes]:
    view = memoryview(content)
    return (bytes(view[start : start + PART_BYTES]) for start in range(0, len(content), PART_BYTES))
