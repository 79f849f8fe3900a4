"""The private names of libraries that `promptadmin.compat` uses are still there, and still mean the same."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory
from ninja import Body, NinjaAPI, Query, Schema
from ninja.errors import ValidationError, ValidationErrorContext

from promptadmin.compat import places_of_parameters, source_of_parameters


class Filters(Schema):
    page: int


class Thing(Schema):
    size: int


class Api(NinjaAPI):
    """Keeps the contexts of errors."""

    seen: list[tuple[str, list[tuple[Any, ...]]]] = []

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        for context in error_contexts:
            names = places_of_parameters(context)
            places = [names.get(error["loc"], error["loc"]) for error in context.pydantic_validation_error.errors()]
            self.seen.append((source_of_parameters(context), places))
        return ValidationError([])


def test_ninja_tells_where_parameters_come_from(rf: RequestFactory) -> None:
    api = Api(urls_namespace="compat")

    @api.post("/things")
    def make_thing(request: HttpRequest, filters: Query[Filters], thing: Body[Thing]) -> None:
        """Never called: both parameters are wrong."""

    [route] = [pattern for pattern in api.urls[0] if str(pattern.pattern) == "things"]
    assert route.callback is not None
    request = rf.post("/things?page=x", {"size": "y"}, content_type="application/json")
    assert route.callback(request).status_code == 422
    assert sorted(Api.seen) == [("body", [("thing", "size")]), ("query", [("page",)])]
