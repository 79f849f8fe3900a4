"""Every operation of the API with a request made of its documented examples, and rows that these examples name."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model
from django.test import Client

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.comments.models import Comment
from projects.contrib.registry.api.schemas import LABEL, NAME, REASON
from projects.contrib.registry.models import PromotionRequest
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.models import Project, Prompt
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
from promptadmin.models import KeptAnswer
from promptadmin.urls import api

JSON = "application/json"


@dataclass(frozen=True)
class Documented:
    """An operation as the OpenAPI document has it."""

    name: str
    method: str
    path: str
    body: Any
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    function: Any = None

    def send(self, client: Client, *, query: str = "", **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return client.generic(self.method, self.path + query, self.body, content_type=self.content_type, headers=sent)


def documented(*methods: str) -> list[Documented]:
    """The operations of these methods, found in the document."""
    document = _document()
    functions = {
        operation.operation_id: operation.view_func
        for _, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
    }
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method.upper() in methods:
                body, kind = _body(document, operation, "required" if method == "post" else "properties")
                found.append(
                    Documented(
                        name=operation["operationId"],
                        method=method.upper(),
                        path=_path(path, operation),
                        body=body,
                        content_type=kind,
                        headers={
                            parameter["name"]: parameter["example"]
                            for parameter in operation.get("parameters", ())
                            if parameter["in"] == "header" and parameter["name"].startswith("X-")
                        },
                        function=functions.get(operation["operationId"]),
                    )
                )
    return found


@functools.cache
def _document() -> dict[str, Any]:
    """Making it takes half a second, and several modules ask for it."""
    return api.get_openapi_schema()


def _path(path: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter["example"]))
    return path


def _body(document: dict[str, Any], operation: dict[str, Any], fields: str) -> tuple[Any, str]:
    """What is sent: new things with the fields that they need, changes with every field that has an example."""
    content = operation.get("requestBody", {}).get("content", {})
    for kind, described in content.items():
        if "example" in described:
            example = described["example"]
            return example if isinstance(example, str | bytes) else orjson.dumps(example), kind
        schema = document["components"]["schemas"][described["schema"]["$ref"].rpartition("/")[2]]
        shown = {
            name: described["examples"][0]
            for name, described in schema["properties"].items()
            if "examples" in described
        }
        wanted = {name: shown[name] for name in schema.get(fields, ()) if name in shown}
        return orjson.dumps(wanted), kind
    return "", JSON


#: What an operation may need of the rows: an active project with a run, an archived one, an id that is free.
WORLDS: tuple[dict[str, bool], ...] = ({}, {"archived": True}, {"with_run": False})


def make_documented_rows(*, archived: bool = False, with_run: bool = True) -> None:
    """A project with a named prompt of two versions and a running run, under the ids and names of the examples.

    Its label `production` has moved once, somebody else asks for a move of `canary`; AUTH_TOKEN has commented on it.
    """
    with write_session():
        Project.objects.create(id=PROJECT_ID, name="Documented")
        Prompt.objects.create(id=PROMPT_ID, project_id=PROJECT_ID, content="first", version=1, order_index=7)
        ProjectRepository().update_prompt(prompt_id=PROMPT_ID, content="second")
        registry = RegistryRepository()
        registry.give_name(prompt_id=PROMPT_ID, name=NAME)
        registry.move_label(name=NAME, label=LABEL, target=Target.of(1), reason=REASON)
        asked = {"prompt_id": PROMPT_ID, "label": "canary", "to_target": "1", "reason": REASON}
        Comment.objects.create(pk=1, prompt_id=PROMPT_ID, text="why?", author="AUTH_TOKEN", by="AUTH_TOKEN")
        PromotionRequest.objects.create(pk=1, asked_by="user kim", asker="user 7", **asked)
        keep_ids_free(Comment, PromotionRequest)
        if with_run:
            OptimizationRepository().record_run(
                {"id": RUN_ID, "raw_prompt": "second", "status": "running", "prompt_id": PROMPT_ID}
            )
        if archived:
            ProjectRepository().archive_project(project_id=PROJECT_ID)


def keep_ids_free(*tables: type[Model]) -> None:
    """After rows were made with ids of ours: PostgreSQL would give the next ones the same."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)


def remove_documented_rows() -> None:
    """Make room for other ones."""
    Optimization.objects.all().delete()
    Project.objects.all().delete()


def all_rows() -> dict[str, list[Any]]:
    """Everything in the database but the kept answers."""
    return {
        model._meta.label: sorted(map(repr, model._default_manager.values_list()))
        for model in apps.get_models()
        if model is not KeptAnswer and model._meta.managed
    }
