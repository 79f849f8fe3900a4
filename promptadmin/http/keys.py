"""Addresses of rows: how a page's address says a row's key, whatever that is, and which keys a new row may have."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.contrib.admin.utils import quote
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver, register_converter, reverse
from django.urls.converters import PathConverter, StringConverter
from django.urls.resolvers import RoutePattern
from pydantic import AfterValidator, Field

from promptadmin.conf.limits import KEY_LENGTH

API = "api"
#: A segment of a route that stands for a parameter, as in <key:run_id>.
_PARAMETER = re.compile(r"<[^>]*>")
#: Control characters, surrogates, and what ends a line or a paragraph: Unicode's Cc, Cs, Zl and Zp.
_UNNAMEABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


class AdminKeyConverter(PathConverter):
    """A quoted key in the addresses of the admin, also an empty one and those that browsers take out of an address.

    Django's `quote` writes `_` as `_5F`, so that no quoted key is `_`, `_.` or `_..`.
    """

    spelled = {"": "_", ".": "_.", "..": "_.."}  # noqa: RUF012  # never changed
    keys = {text: key for key, text in spelled.items()}  # noqa: RUF012  # never changed

    def to_python(self, value: str) -> str:
        return self.keys.get(value, value)

    def to_url(self, value: object) -> str:
        return self.spelled.get(str(value), str(value))


class ApiKeyConverter(StringConverter):
    """A key at the end of an address of the API, where it may have slashes, but for the first and the last place."""

    regex = r"[^/](?:[\s\S]*[^/])?"


def with_keys(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern | URLResolver]:
    """The admin's addresses, where `object_id` is a key of any kind."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            list(with_keys(pattern.url_patterns))
        elif isinstance(pattern.pattern, RoutePattern) and "object_id" in pattern.pattern.converters:
            pattern.pattern.converters["object_id"] = AdminKeyConverter()
        yield pattern


def row_page(model: type[models.Model], key: object, page: str = "change", *more: object) -> str:
    """The address of a page of the row with this key in the admin."""
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=[quote(str(key)), *more])


@functools.cache
def words_of_addresses() -> frozenset[str]:
    """What stands in an address of the API where another one has a key: a row with such a key couldn't be asked for."""
    routes = [route.split("/") for route in _routes()]
    words = set()
    for route in routes:
        for place, segment in enumerate(route):
            if _PARAMETER.fullmatch(segment):
                before = [_PARAMETER.sub("<>", part) for part in route[:place]]
                words |= {
                    other[place]
                    for other in routes
                    if [_PARAMETER.sub("<>", part) for part in other[:place]] == before and len(other) > place
                }
    return frozenset(word for word in words if not _PARAMETER.search(word))


def _routes() -> Iterator[str]:
    for resolver in get_resolver().url_patterns:
        # Not the admin's, whose pages take half a second to load.
        if isinstance(resolver, URLResolver) and resolver.namespace == API:
            yield from (str(pattern.pattern) for pattern in resolver.url_patterns if isinstance(pattern, URLPattern))


def nameable(key: str) -> str:
    """Refuse what no address can name."""
    if _UNNAMEABLE.search(key):
        raise ValueError("An id must not contain control characters: no address could name it")
    if not key.strip() or key != key.strip():
        raise ValueError("An id must not be blank, nor begin or end with a blank: no address could name it")
    if key in (".", "..") or key in words_of_addresses():
        raise ValueError(f"{key!r} can't be an id: the API's addresses have a meaning of their own for it")
    return key


#: The key of a new row.
NewKey: Any = Annotated[
    str, Field(min_length=1, max_length=KEY_LENGTH, pattern=r"^[^/\x00-\x1f]+$"), AfterValidator(nameable)
]
#: The key of a row that is there: older programs gave any.
Key: Any = Annotated[str, Field(max_length=KEY_LENGTH)]


register_converter(ApiKeyConverter, "key")
