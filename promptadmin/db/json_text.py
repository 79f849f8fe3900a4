"""Reading and writing the text columns that hold JSON.

Legacy values are kept, not corrected: what isn't the expected JSON reads as None, with one warning per place.
"""

import json
import logging
from typing import Any

import orjson

from promptadmin.db.exact_json import dumps

ONLY_TEXTS = frozenset([str])
#: An answer has no more levels around a stored value.
AROUND = 30
logger = logging.getLogger(__name__)
_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would build such an encoder for each value


def parse(text: object) -> Any:
    """The JSON value of a stored text; None for NULL, an empty text and text that isn't JSON."""
    if not isinstance(text, str | bytes) or not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_plain_list(text: object) -> list[str] | None:
    """The list that a stored text holds if nothing but texts is in it, as nearly always; None says nothing."""
    if type(text) is not str:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:  # JSON of a wider kind, or none at all
        return None
    return value if type(value) is list and ONLY_TEXTS.issuperset(map(type, value)) else None


def read_list(text: object, where: str = "") -> list[str] | None:
    """The list of texts that a stored text holds, or None if it holds anything else.

    Items that are not text are turned into text, as PromptForge does. `where` names the row and column in the warning.
    """
    plain = read_plain_list(text)
    if plain is not None:
        return plain
    value = parse(text)
    if isinstance(value, list):
        try:
            return [_whole(item if isinstance(item, str) else str(item)) for item in value]
        except RecursionError:
            pass
    _warn(text, value, "a JSON list", where)
    return None


def read_object(text: object, where: str = "") -> dict[str, Any] | None:
    """The JSON object that a stored text holds, or None if it holds anything else.

    That is also one that no answer could hold: half a character, hundreds of levels.
    """
    value = parse(text)
    if isinstance(value, dict) and is_sendable(value):
        return value
    _warn(text, value, "a JSON object that can be sent", where)
    return None


def is_sendable(value: Any) -> bool:
    """Whether answers can hold a value that Python read from JSON."""
    for _ in range(AROUND):
        value = [value]
    try:
        dumps(value)
    except (TypeError, RecursionError):
        return False
    return True


def write(value: Any) -> str | None:
    """The text to store: None stays NULL; other letters than ASCII are written as themselves."""
    return None if value is None else _encode(value)


def _whole(text: str) -> str:
    """The text without halves of characters, which a JSON escape can name."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _warn(text: object, value: object, expected: str, where: str) -> None:
    if where and text not in (None, "") and (value is not None or text not in ("null", b"null")):
        logger.warning("%s does not hold %s; it reads as null and stays as it is", where, expected)
