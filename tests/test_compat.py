"""The private names of libraries that `promptadmin.compat` uses are still there, and still mean the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin, site
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from ninja import Body, NinjaAPI, Query, Schema
from ninja.errors import ValidationError, ValidationErrorContext

from promptadmin.compat import (
    FormWithoutModelRules,
    known_user,
    places_of_parameters,
    row_is_gone,
    source_of_parameters,
)
from tests.support.processes import REPOSITORY


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


@pytest.mark.django_db
def test_django_keeps_the_user_of_a_session_on_the_request(client: Client) -> None:
    client.force_login(User.objects.create(username="anna"))
    request = client.get("/api/health").wsgi_request
    request = RequestFactory().get("/", headers={"Cookie": request.META["HTTP_COOKIE"]})
    SessionMiddleware(lambda _: HttpResponse())(request)
    AuthenticationMiddleware(lambda _: HttpResponse())(request)
    assert known_user(request) is None, "nobody has asked"
    assert request.user.is_authenticated
    assert known_user(request).get_username() == "anna"


def test_the_admin_leads_back_from_rows_that_are_gone(rf: RequestFactory) -> None:
    request: Any = rf.get("/")
    request._messages = CookieStorage(request)
    answer = row_is_gone(ModelAdmin(Group, site), request, "7")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert "7" in str(*get_messages(request))


def test_a_form_without_the_models_rules_leaves_its_row_alone() -> None:
    """The name has more letters than the model allows."""

    class Form(FormWithoutModelRules):
        class Meta:
            model = Group
            fields: list[str] = []

        def check_row(self) -> None:
            self.add_error(None, "refused")

    row = Group(name="x" * 1000)
    form = Form({}, instance=row)
    assert form.errors == {"__all__": ["refused"]}
    assert row.name == "x" * 1000


def test_inherited_private_names_are_used_in_compat_alone() -> None:
    """What ruff can't see: `self._name` that no class of ours has, so a library's."""
    trees = {path: ast.parse(path.read_text()) for path in modules()}
    ours = {name for tree in trees.values() for name in names_made_in(tree)}
    used = {
        f"{path.relative_to(REPOSITORY)}: {node.attr}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in ours | DOCUMENTED
    }
    assert used == {"promptadmin/compat.py: _get_obj_does_not_exist_redirect"}


#: What Django (also managers in `get_queryset`), import-export and named tuples document in spite of the underscore.
DOCUMENTED = {"_meta", "_base_manager", "_default_manager", "_state", "_replace", "_asdict", "_fields", "_exit", "_db"}


def modules() -> Iterator[Path]:
    for application in ("promptadmin", "projects", "optimizations"):
        for path in (REPOSITORY / application).rglob("*.py"):
            if "plugin_template" not in path.parts:
                yield path


def names_made_in(tree: ast.AST) -> Iterator[str]:
    """Functions and classes, and what is assigned anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
