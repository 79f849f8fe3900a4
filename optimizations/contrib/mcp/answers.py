"""Answers that an agent can take in: short JSON, with long texts cut and a link to the whole."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from mcp_types import CallToolResult, ResourceLink, TextContent

from promptadmin.http.responses import to_json

#: An answer with more bytes gets shorter texts. Names of columns and ids alone make it longer than this at worst.
ANSWER_BYTES = 100_000
#: The most characters of a text: the first of these with which the answer is short enough, or the last.
LONGEST_TEXTS = (20_000, 5_000, 1_000, 200, 50)


class Item(dict[str, Any]):
    """A part of an answer that a resource has as a whole. Only in these something may be cut."""

    def __init__(self, values: dict[str, Any], address: str) -> None:
        super().__init__(values)
        self.address = address


def answering(function: Callable[..., dict[str, Any]]) -> Callable[..., CallToolResult]:
    """What a tool's function answers, as the protocol has it: as a text and, for clients that know it, as data."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> CallToolResult:
        text, cut = fit(function(*args, **kwargs))
        links = [
            ResourceLink(
                type="resource_link",
                uri=address,
                name=address.partition("://")[2],
                description="The whole of what is cut in this answer.",
                mime_type="application/json",
            )
            for address in cut
        ]
        return CallToolResult(
            content=[TextContent(type="text", text=text), *links], structured_content=json.loads(text)
        )

    return wrapper


def fit(answer: Any) -> tuple[str, list[str]]:
    """An answer as JSON, with its longest texts cut where it is too long, and the addresses of what was cut."""
    text = ""
    for longest in LONGEST_TEXTS:
        shown = _cut(answer, longest)
        text = to_json(shown).decode()
        if len(text.encode()) <= ANSWER_BYTES:
            break
    return text, list(dict.fromkeys(_addresses_of_cut(shown)))


def _cut(value: Any, longest: int) -> Any:
    """The answer with no value in an item longer than this."""
    if isinstance(value, list):
        return [_cut(part, longest) for part in value]
    if not isinstance(value, dict):
        return value
    if not isinstance(value, Item):
        return {name: _cut(part, longest) for name, part in value.items()}
    shown = {name: _shown(name, part, longest) for name, part in value.items()}
    cut = [name for name, part in value.items() if not _has_items(part) and shown[name] != part]
    if not cut:
        return shown
    for name in cut:
        if isinstance(shown[name], str):
            shown[name] += f"… [cut: {longest:,} of {len(value[name]):,} characters]"
    return Item({**shown, "cut": cut, "whole": value.address}, value.address)


def _shown(name: str, value: Any, longest: int) -> Any:
    if _has_items(value):
        return _cut(value, longest)
    return value if name.endswith("id") else _beginning(value, longest)


def _has_items(value: Any) -> bool:
    """Whether it is a list of items, or a page of one."""
    rows = value.get("items") if isinstance(value, dict) else value
    return isinstance(rows, list) and any(isinstance(row, Item) for row in rows)


def _beginning(value: Any, room: int) -> Any:
    """As much of a value as has room, in characters."""
    if isinstance(value, str):
        return value[:room]
    if isinstance(value, list):
        return [part for _, part in _parts(((None, part) for part in value), room)]
    if isinstance(value, dict):
        return dict(_parts(value.items(), room))
    return value


def _parts(pairs: Any, room: int) -> Iterator[tuple[Any, Any]]:
    for key, value in pairs:
        if room <= 0:
            return
        part = _beginning(value, room)
        room -= len(to_json([key, part]))
        yield key, part


def _addresses_of_cut(value: Any) -> Iterator[str]:
    if isinstance(value, Item):
        yield value.address
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _addresses_of_cut(part)
