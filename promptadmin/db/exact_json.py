"""JSON with integers of any length: orjson would round those of more than 64 bits, and can't write them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: What orjson reads and writes: 64 bits, with or without a sign.
LEAST_INTEGER, GREATEST_INTEGER = -(1 << 63), (1 << 64) - 1
_LONG_NUMBER = re.compile(rb"\d{19}")


def loads(content: bytes | str) -> Any:
    """The value of a JSON text, in UTF-8 with or without a byte order mark. Raises orjson.JSONDecodeError."""
    text = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    text = text.removeprefix(BYTE_ORDER_MARK)
    value = orjson.loads(text)  # also where the other reads it again, which refuses less
    if not _LONG_NUMBER.search(text):
        return value
    try:
        return json.loads(text)
    except RecursionError:
        message = "values with long numbers are nested too deeply"
        raise orjson.JSONDecodeError(message, text.decode(), 0) from None


def dumps(value: Any, *, option: int = 0, default: Callable[[Any], Any] | None = None) -> bytes:
    """The JSON text of a value, as orjson writes it. Raises orjson.JSONEncodeError, a TypeError."""
    try:
        return orjson.dumps(value, option=option, default=default)
    except orjson.JSONEncodeError as error:
        try:
            return orjson.dumps(_with_long_integers(value), option=option, default=default)
        except RecursionError:
            raise error from None


def _with_long_integers(value: Any) -> Any:
    """The value, where each long integer is the text that stands for it."""
    if isinstance(value, dict):
        return {name: _with_long_integers(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_long_integers(item) for item in value]
    if isinstance(value, int) and not LEAST_INTEGER <= value <= GREATEST_INTEGER:
        return orjson.Fragment(str(value).encode())
    return value
