"""Private names of libraries, each for want of a public one, with a test that fails when the library changes.

Nothing else in the product may use such names; ruff's SLF001 holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ninja.errors import ValidationErrorContext


def source_of_parameters(context: ValidationErrorContext[Any]) -> str:
    """Where the parameters come from that an error is about: "body", "query", "path" or "header".

    django-ninja keeps this on the models that it makes of an operation's parameters, under a name of its own.
    """
    source: str = context.model.__ninja_param_source__
    return source


def places_of_parameters(context: ValidationErrorContext[Any]) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
    """Pydantic's place of a parameter → its place in the request, where django-ninja has put it into an object."""
    places: Mapping[tuple[Any, ...], tuple[Any, ...]] = context.model.__ninja_flatten_map_reverse__
    return places
