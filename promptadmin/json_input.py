"""JSON that somebody sends: read exactly, or refused."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: What our answers can say: 64 bits, with or without a sign.
LEAST_INTEGER, GREATEST_INTEGER = -(1 << 63), (1 << 64) - 1
LONGEST_INTEGER = 20  # digits
TOO_MANY_BITS = "Integers must fit into 64 bits: send longer ones as text"
_LONG_NUMBER = re.compile(rb"\d{19}")


class TooManyBits(ValueError):
    """An integer that would be rounded."""


def loads(content: bytes | str) -> Any:
    """The value of a JSON text, in UTF-8 with or without a byte order mark.

    Raises orjson.JSONDecodeError, a ValueError, and TooManyBits, which is another: orjson would round such integers.
    """
    text = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    text = text.removeprefix(BYTE_ORDER_MARK)
    value = orjson.loads(text)
    if _LONG_NUMBER.search(text):
        try:
            json.loads(text, parse_int=_bounded)
        except RecursionError as error:
            raise TooManyBits("Values with long numbers must not be nested so deeply") from error
    return value


def _bounded(digits: str) -> None:
    if len(digits.lstrip("-")) > LONGEST_INTEGER or not LEAST_INTEGER <= int(digits) <= GREATEST_INTEGER:
        raise TooManyBits(f"{TOO_MANY_BITS}, as in {json.dumps(digits[:60])}")
