"""Arguments that nobody knows are refused by name, wherever they stand: they may be the ones that mattered.

What an operation takes is what the OpenAPI document says of it, and what a tool takes its schema: these are asked.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from ninja.errors import ValidationError
from ninja.operation import Operation
from ninja.params.models import BodyModel, FileModel, FormModel, QueryModel

Schema = Mapping[str, Any]
CSRF_FIELD = "csrfmiddlewaretoken"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that isn't known at its place, and the names that are."""

    place: tuple[str | int, ...]
    known: tuple[str, ...]
    value: Any

    @property
    def message(self) -> str:
        """For whoever sent it. The first words are pydantic's."""
        return f"Extra inputs are not permitted: {', '.join(self.known) if self.known else 'nothing'} can be given here"


def unknown_names(value: Any, schema: Schema, definitions: Schema, place: tuple[str | int, ...] = ()) -> list[Unknown]:
    """The names in the objects of a JSON value that their schema hasn't; a schema that allows more says so."""
    return list(_unknown(value, [schema], definitions, place))


def _unknown(
    value: Any, schemas: Iterable[Schema], definitions: Schema, place: tuple[str | int, ...]
) -> Iterator[Unknown]:
    if isinstance(value, list):
        items = [each["items"] for each in alternatives(schemas, definitions) if isinstance(each.get("items"), dict)]
        for number, item in enumerate(value if items else ()):
            yield from _unknown(item, items, definitions, (*place, number))
    elif isinstance(value, dict):
        objects = [each for each in alternatives(schemas, definitions) if each.get("type", "object") == "object"]
        known: dict[str, list[Schema]] = {}
        for each in objects:
            for name, schema in each.get("properties", {}).items():
                known.setdefault(name, []).append(schema)
        others = [each.get("additionalProperties", "properties" not in each) for each in objects]
        for name, item in value.items():
            inner = known.get(name, [schema for schema in others if isinstance(schema, dict)])
            if objects and name not in known and not any(other is not False for other in others):
                yield Unknown((*place, name), tuple(known), item)
            elif inner:
                yield from _unknown(item, inner, definitions, (*place, name))


def alternatives(schemas: Iterable[Schema], definitions: Schema) -> Iterator[Schema]:
    """What the schemas allow, one by one, without references."""
    for schema in schemas:
        if "$ref" in schema:
            yield from alternatives([definitions[schema["$ref"].rpartition("/")[2]]], definitions)
        elif parts := [part for kind in ("anyOf", "oneOf", "allOf") for part in schema.get(kind, ())]:
            yield from alternatives(parts, definitions)
        else:
            yield schema


class Takes:
    """What an operation of the API takes, as its models say."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    @cached_property
    def query(self) -> tuple[str, ...]:
        """The names of its query parameters."""
        return tuple(self._flat_names(QueryModel))

    @cached_property
    def form(self) -> tuple[str, ...]:
        """The names of its form's fields."""
        return tuple(self._flat_names(FormModel))

    @cached_property
    def body(self) -> tuple[Schema, Schema] | None:
        """The schema of its JSON body, and the definitions that it refers to."""
        for model in self._models(BodyModel):
            schema = model.model_json_schema()
            # A body of one parameter is that parameter; one of several names each.
            inner = next(iter(schema["properties"].values())) if len(model.model_fields) == 1 else schema
            return inner, schema.get("$defs", {})
        return None

    @cached_property
    def reads_itself(self) -> bool:
        """Whether its body is its own matter."""
        operation = self.operation
        is_own = getattr(operation.view_func, "opens_own_session", False)
        return is_own or bool(self._models(FileModel)) or "requestBody" in (operation.openapi_extra or {})

    def _models(self, kind: type[Any]) -> list[Any]:
        return [model for model in self.operation.models if issubclass(model, kind)]

    def _flat_names(self, kind: type[Any]) -> Iterator[str]:
        """The parameters' names; of a group of them, the fields' names."""
        for model in self._models(kind):
            schema = model.model_json_schema()
            for name, described in schema["properties"].items():
                fields = [each.get("properties", {}) for each in alternatives([described], schema.get("$defs", {}))]
                yield from dict.fromkeys(field for some in fields for field in some) if any(fields) else [name]

    def unknown_in(self, request: HttpRequest) -> Iterator[tuple[str, Unknown]]:
        """What it doesn't take of a request, each with the part of the request that it stands in."""
        if request.META.get("QUERY_STRING"):
            for name, value in request.GET.items():
                if name not in self.query:
                    yield "query", Unknown((name,), self.query, value)
        if request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            return
        if self.form:
            known = (*self.form, CSRF_FIELD)
            unknown = [Unknown((name,), self.form, value) for name, value in request.POST.items() if name not in known]
            yield from (("form", each) for each in unknown)
        elif self.body:
            schema, definitions = self.body
            yield from (("body", each) for each in unknown_names(_parsed(request), schema, definitions))
        elif not self.reads_itself:
            yield from (("body", each) for each in _all_names(request))


def _parsed(request: HttpRequest) -> Any:
    """The value that the parser has read."""
    return getattr(request, "parsed_body", None)


def _all_names(request: HttpRequest) -> Iterator[Unknown]:
    """What stands in a body where none is wanted; nothing, null, and an object or a form of nothing are none."""
    try:
        value = orjson.loads(request.body) if request.body.strip() else None
    except orjson.JSONDecodeError:
        value = request.body.decode(errors="replace")
        if request.content_type in FORMS and request.method == "POST":
            with suppress(MultiPartParserError, BadRequest):
                value = dict(request.POST.items())
    if isinstance(value, dict):
        yield from (Unknown((name,), (), item) for name, item in value.items())
    elif value is not None:
        yield Unknown((), (), value)


def noting_what_it_takes(run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ninja's `run` of an operation."""
    takes = Takes(inspect.unwrap(run).__self__)  # a bound method

    @functools.wraps(run)
    def wrapper(request: HttpRequest, **parameters: Any) -> Any:
        request.takes = takes  # type: ignore[attr-defined]  # read by `errors_in`
        return run(request, **parameters)

    return wrapper


class UnknownArguments(ValidationError):
    """A request whose arguments are right, but for those that nobody knows."""


def refusing_unknown(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation: it isn't called where it doesn't know what it is given."""

    @functools.wraps(operation)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if found := errors_in(request):
            raise UnknownArguments(found)
        return operation(request, *args, **kwargs)

    return wrapper


def errors_in(request: HttpRequest) -> list[dict[str, Any]]:
    """An error for each argument of a request that its operation doesn't know."""
    takes: Takes | None = getattr(request, "takes", None)
    return [
        {"type": "extra_forbidden", "loc": [source, *each.place], "msg": each.message, "input": each.value}
        for source, each in (takes.unknown_in(request) if takes else ())
    ]
