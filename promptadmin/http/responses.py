"""Answers in JSON, as the API writes it: times in UTC with Z, and microseconds only where there are some."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpResponse

from promptadmin.db.exact_json import dumps

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class DeferredResponse:
    """What an operation answers that nobody shall wait for: it is made when its session has ended."""

    make: Callable[[], HttpResponse]


def to_json(data: Any) -> bytes:
    return dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str)


def ready_answer(data: Any, headers: Mapping[str, str], status: int = 200) -> HttpResponse:
    """An answer that ninja neither checks nor copies: for operations that are asked often and whose data is in form."""
    return ready_text(ready_json(data), headers, status)


def ready_json(data: Any) -> bytes:
    """The JSON text of data that is in form."""
    return dumps(data, option=orjson.OPT_UTC_Z)


def ready_text(text: bytes, headers: Mapping[str, str], status: int = 200) -> HttpResponse:
    """An answer whose JSON text is there already."""
    return HttpResponse(text, status=status, headers=headers, content_type=JSON_TYPE)
