"""What becomes of a SQLite value in a column of PostgreSQL, and how the two are compared.

SQLite keeps any value in any column. One that its new column can't hold as it is (a text in a number's column, an
unreadable time, a NUL in a text, a text too long for an index) is kept beside it, byte for byte, and the column shows
what comes nearest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from promptadmin.db.legacy_values import parse_moment
from promptadmin.ops.postgresql_move.errors import MoveError

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: A row of an index takes 2,704 bytes; some have two texts.
LISTED_BYTES = 1200
NUL_SHOWN = "\N{SYMBOL FOR NULL}"


class Undecodable(bytes):
    """A stored text that is no UTF-8."""


class NoValueError(ValueError):
    """A column can't hold a value as it is."""


@dataclass(frozen=True)
class Original:
    """A value as SQLite stores it: `storage` is text, blob, integer or real."""

    storage: str
    value: bytes


@dataclass(frozen=True)
class Column:
    """A column of PostgreSQL; `kind` is its data type as the information schema names it.

    Texts of a column that is `listed`, in an index of lists, are bound by what a row of an index has room for.
    """

    name: str
    kind: str
    nullable: bool
    listed: bool = False

    def __post_init__(self) -> None:
        if self.kind not in CONVERTERS:
            raise MoveError(f"The column {self.name} has the type {self.kind}, into which nothing can be moved yet.")

    def convert(self, value: Any) -> Any:
        """The value as this column holds it. Raises NoValueError where it can't."""
        converted = None if value is None else CONVERTERS[self.kind](value)
        if self.listed and isinstance(converted, str) and len(converted.encode()) > LISTED_BYTES:
            raise NoValueError
        return converted

    def nearest(self, value: Any) -> Any:
        """What the column shows in place of a value that it can't hold."""
        if self.kind in TEXTS:
            text = bytes(value).decode(errors="replace") if isinstance(value, bytes) else str(value)
            shown = text.replace("\0", NUL_SHOWN)
            return shown.encode()[:LISTED_BYTES].decode(errors="ignore") if self.listed else shown
        return None if self.nullable else FALLBACKS[self.kind]

    def parameter(self, value: Any) -> Any:
        """A converted value as the driver takes it."""
        from psycopg.types.json import Jsonb  # the driver is an extra

        return Jsonb(value) if self.kind == "jsonb" and value is not None else value

    def read(self, value: Any) -> Any:
        """A value that the driver gave, as `convert` gives it: Django has the driver leave JSON alone."""
        return orjson.loads(value) if self.kind == "jsonb" and isinstance(value, str) else value


def read_text(stored: bytes) -> str | Undecodable:
    """sqlite3's `text_factory`: text, or a mark that it is none."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return Undecodable(stored)


def original(value: Any) -> Original:
    """A value as sqlite3 gave it, byte for byte."""
    if isinstance(value, str):
        return Original("text", value.encode())
    if isinstance(value, Undecodable):
        return Original("text", bytes(value))
    if isinstance(value, bytes):
        return Original("blob", value)
    return Original("integer" if isinstance(value, int) else "real", repr(value).encode())


class Digest:
    """A digest of rows that doesn't depend on their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, row: Iterable[Any]) -> None:
        """Count in one row, of converted values and originals."""
        found = hashlib.sha256(repr([_comparable(value) for value in row]).encode()).digest()
        self._sum = (self._sum + int.from_bytes(found[:16])) % 2**128
        self.rows += 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __str__(self) -> str:
        return f"{self._sum:032x}"


def _comparable(value: Any) -> object:
    """One form for a value that came from either engine."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if isinstance(value, uuid.UUID | ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise NoValueError
    return value


def _integer(value: Any, *, bits: int) -> int:
    if not isinstance(value, int) or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise NoValueError
    return value


def _real(value: Any) -> float:
    if not isinstance(value, int | float) or float(value) != value:
        raise NoValueError
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise NoValueError
    return bool(value)


def _moment(value: Any) -> dt.datetime:
    moment = parse_moment(value) if isinstance(value, str) else None
    if moment is None:
        raise NoValueError
    return moment


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes) or isinstance(value, Undecodable):
        raise NoValueError
    return value


def _json(value: Any) -> Any:
    text = _text(value)
    if "\\u0000" in text:
        raise NoValueError
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NoValueError from None


def _parsed(value: Any, *, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(_text(value))
    except ValueError:
        raise NoValueError from None


TEXTS = frozenset({"text", "character varying"})
CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "character varying": _text,
    "smallint": partial(_integer, bits=16),
    "integer": partial(_integer, bits=32),
    "bigint": partial(_integer, bits=64),
    "double precision": _real,
    "boolean": _flag,
    "timestamp with time zone": _moment,
    "date": partial(_parsed, parse=dt.date.fromisoformat),
    "bytea": _bytes,
    "jsonb": _json,
    "uuid": partial(_parsed, parse=uuid.UUID),
    "inet": partial(_parsed, parse=ipaddress.ip_address),
}
FALLBACKS: dict[str, Any] = {
    **dict.fromkeys(("smallint", "integer", "bigint"), 0),
    "double precision": 0.0,
    "boolean": False,
    "timestamp with time zone": EPOCH,
    "date": EPOCH.date(),
    "bytea": b"",
    "jsonb": None,
    "uuid": uuid.UUID(int=0),
    "inet": ipaddress.ip_address("0.0.0.0"),  # noqa: S104  # a value that stands for none
}
