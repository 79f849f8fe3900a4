"""The lookups behind `search`: a text or a part of it, whatever the case of its letters; no character is special.

Case is folded by lowering and then raising every letter, which Python and PostgreSQL's ICU do alike, so that "ß" is
"SS" and the two forms of a sigma are one. A letter with an accent is the same in one character and in two (Unicode's
NFC and NFD): texts are brought to NFC before and after.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.db.models import Lookup

from promptadmin.db.fields import JSONText, Text

FOLDED = "folded"
CONTAINS = "folded_contains"
JSON_CONTAINS = "folded_json_contains"
JSON_HAS = "folded_json_has"


def fold(text: str) -> str:
    """The text without differences of case, nor of how its accents are stored."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower().upper())


def folded(value: bytes | None) -> str | None:
    """A stored value, as bytes, as folded text; None for NULL."""
    return None if value is None else fold(_text(value))


def folded_contains(value: bytes | None, needle: str) -> bool | None:
    """Whether a stored value, as bytes, contains the needle, which is folded already."""
    if value is None:
        return None
    if value.isascii():
        return needle.isascii() and needle.encode() in value.upper()
    return needle in fold(_text(value))


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _bytes(column: str) -> str:
    """SQLite's expression for a value as bytes: it fails to hand a function a text that is no UTF-8."""
    return f"CAST({column} AS BLOB)"


def folded_json_contains(value: bytes | None, needle: str) -> bool | None:
    """The same for a text that holds JSON: as it is stored, or in a text of it with its escapes resolved."""
    if folded_contains(value, needle) or value is None or b"\\" not in value:
        return folded_contains(value, needle)
    try:
        return any(needle in fold(text) for text in texts_in_json(json.loads(_text(value))))
    except (ValueError, RecursionError):
        return False


def folded_json_has(value: bytes | None, needle: str) -> bool | None:
    """Whether a stored text that holds JSON has the needle, which is folded already, as one of its texts."""
    if value is None:
        return None
    try:
        return any(needle == fold(text) for text in texts_in_json(json.loads(_text(value))))
    except (ValueError, RecursionError):
        return False


def texts_in_json(value: object) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value:
            yield from texts_in_json(item)
        if isinstance(value, dict):
            yield from texts_in_json(list(value.values()))


def register_function(raw: sqlite3.Connection) -> None:
    """Give a SQLite connection the functions that these lookups call; its own fold ASCII letters only."""
    raw.create_function(FOLDED, 1, folded, deterministic=True)
    raw.create_function(CONTAINS, 2, folded_contains, deterministic=True)
    raw.create_function(JSON_CONTAINS, 2, folded_json_contains, deterministic=True)
    raw.create_function(JSON_HAS, 2, folded_json_has, deterministic=True)


def _icu_folded(sql: str) -> str:
    """PostgreSQL's expression: ICU folds all of Unicode, the collation of our columns, "C", only ASCII."""
    return f'(NORMALIZE(UPPER(LOWER(NORMALIZE({sql}) COLLATE "und-x-icu"))) COLLATE "C")'


class FoldedLookup(Lookup):
    """The base: the needle is text; what is folded is each engine's own."""

    def get_prep_lookup(self) -> str:
        return str(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Other engines are not supported."""
        raise NotImplementedError(f"{self.lookup_name} on {connection.vendor}")


@Text.register_lookup
class FoldedExact(FoldedLookup):
    """`title__folded_exact="ÜNÏ"`: equal but for case."""

    lookup_name = "folded_exact"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{FOLDED}({_bytes(column)}) = %s", [*params, fold(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{_icu_folded(column)} = {_icu_folded('%s')}", [*params, self.rhs]


@Text.register_lookup
class FoldedContains(FoldedLookup):
    """`title__folded_contains="ünï"`: contained but for case."""

    lookup_name = "folded_contains"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{CONTAINS}({_bytes(column)}, %s)", [*params, fold(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare positions: no character of the needle is a pattern."""
        column, params = self.process_lhs(compiler, connection)
        folded_needle = _icu_folded("%s")
        contains = (
            # Folding a text of ASCII letters alone takes a tenth of the time.
            f"CASE WHEN OCTET_LENGTH({column}) = LENGTH({column}) "
            f'THEN STRPOS(UPPER({column} COLLATE "C"), {folded_needle}) '
            f"ELSE STRPOS({_icu_folded(column)}, {folded_needle}) END > 0"
        )
        return contains, [*params, *params, *params, self.rhs, *params, self.rhs]


@JSONText.register_lookup
class FoldedJSONContains(FoldedContains):
    """`tags__folded_contains="ünï"`: finds a text in JSON though it may be stored in escapes, as PromptForge does."""

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{JSON_CONTAINS}({_bytes(column)}, %s)", [*params, fold(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Match each character in its cases, raw or escaped: a stored text that isn't JSON would fail a cast."""
        plain, params = super().as_postgresql(compiler, connection)
        column, more = self.process_lhs(compiler, connection)
        return f"({plain} OR {column} ~ %s)", [*params, *more, json_pattern(self.rhs)]


@JSONText.register_lookup
class FoldedJSONHas(FoldedLookup):
    """`tags__folded_has="ünï"`: one of the texts in JSON is this one but for case."""

    lookup_name = "folded_has"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{JSON_HAS}({_bytes(column)}, %s)", [*params, fold(self.rhs)]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Match the text with the quotes around it; a quote that belongs to a text has a backslash before it."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} ~ %s", [*params, rf'(?:^|[^\\])"{json_pattern(self.rhs)}"']


#: Behind an odd number of backslashes there is no escape: the last of them is itself escaped.
UNESCAPED = r"(?<=(?:^|[^\\])(?:\\\\)*)"


def json_pattern(text: str) -> str:
    """A regular expression for a part of a JSON text, in any case."""
    return "".join(_escaped_pattern(character) for character in unicodedata.normalize("NFC", text))


def _escaped_pattern(character: str) -> str:
    """A regular expression for one character of a JSON text, in any case, as itself or as an escape."""
    cases = dict.fromkeys((character, character.lower(), character.upper(), character.title()))
    found = [_alternatives(case) for case in cases if case]
    for case in cases:
        apart = unicodedata.normalize("NFD", case)
        if len(apart) > len(case):
            found.append("".join(f"(?:{_alternatives(letter)})" for letter in apart))
    return f"(?:{'|'.join(found)})"


def _alternatives(text: str) -> str:
    raw = "".join(rf"\{letter}" if letter.isascii() and not letter.isalnum() else letter for letter in text)
    hexadecimal = UNESCAPED + "".join(rf"\\u{_any_case(unit)}" for unit in _utf16(text))
    short = json.dumps(text)[1:-1]
    named = "" if short in (text, "") or short.startswith("\\u") else "|" + short.replace("\\", "\\\\")
    return f"{raw}|{hexadecimal}{named}"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _utf16(text: str) -> list[str]:
    """The code units of a text as four hexadecimal digits each."""
    encoded = text.encode("utf-16-be", "surrogatepass").hex()
    return [encoded[start : start + 4] for start in range(0, len(encoded), 4)]


#: The letters beyond ASCII that fold to a text with one of ASCII.
FOLDS_TO_ASCII = "ßıŉſǰẖẗẘẙẚẞ\u212a\u037e\u1fefﬀﬁﬂﬃﬄﬅﬆ"
#: Any escape of a character that may mean one of ASCII in another case; found sooner than by `json_pattern`.
MEANS_ASCII = rf"\\(?:u(?:00[0-7]|{'|'.join(_any_case(unit) for unit in _utf16(FOLDS_TO_ASCII))})|[^u])"
