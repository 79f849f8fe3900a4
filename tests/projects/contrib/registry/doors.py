"""Every door through which a program or a person may change something, with a request for each.

Operations, tools, pages, actions and commands are found, not listed: what this module knows no request for, and what
isn't asked for here as a thing without effect, fails the test of doors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from optimizations.contrib.mcp.registry import TOOLS
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.registry.api.schemas import NAME
from projects.contrib.registry.models import LabelEvent, PromptName
from projects.contrib.registry.pages.urls import PAGES
from projects.models import PromptVersion
from projects.repository import ProjectRepository
from promptadmin.api.root_apis import _build
from promptadmin.db.sessions import write_session
from promptadmin.models import Deletion
from promptadmin.plugins.declarations import enabled_plugins
from tests.api.documented_operations import JSON, documented

PROJECT, OTHER, FORMER = "Guarded", "support/other", "support/former"
PROMPTS = "/api/prompts/"
WHY = "Tried by the team."

#: What a door does to what programs get by the name and label: nothing; it moves the label; it takes the prompt or its
#: name elsewhere; it makes a move that somebody else asked for; it brings the prompt back.
NOTHING, MOVES, TAKES, APPROVES, RESTORES = "nothing", "moves", "takes", "approves", "restores"
TOKENS, SESSIONS = "token", "session"


@dataclass(frozen=True)
class Door:
    """A request, what it does, whether it says why, who can send one, and whether it is about a whole project."""

    name: str
    send: Callable[[Client], Any]
    effect: str = NOTHING
    has_reason: bool = False
    callers: tuple[str, ...] = (TOKENS, SESSIONS)
    whole_project: bool = False
    has_reason_elsewhere: bool = False


def _request(method: str, address: str, body: Any = None) -> Callable[[Client], Any]:
    sent = b"" if body is None else orjson.dumps(body)
    return lambda client: client.generic(method, address, sent, JSON, headers={"X-Confirm-Delete": "yes"})


def _form(address: str, **fields: Any) -> Callable[[Client], Any]:
    return lambda client: client.post(address, fields)


LABELLED = {"text": "three", "labels": ["production"]}
#: Operations of the API with an effect: their requests with and without a reason, in place of the documented example.
OF_API: dict[str, list[tuple[str, Any, str, bool]]] = {
    "move_label": [
        (f"{NAME}/labels/production", {"version": 2}, MOVES, False),
        (f"{NAME}/labels/production", {"weights": {"2": 1, "1": 1}, "reason": WHY}, MOVES, True),
    ],
    "remove_label": [
        (f"{NAME}/labels/production?force=true", None, MOVES, False),
        (f"{NAME}/labels/production?force=true&reason=why", None, MOVES, True),
    ],
    "undo_label_move": [(f"{NAME}/labels/production/undo", {}, MOVES, True)],
    "save_named_prompt": [(NAME, LABELLED, MOVES, False), (NAME, {**LABELLED, "reason": WHY}, MOVES, True)],
    "add_named_prompt_version": [
        (f"{NAME}/versions", LABELLED, MOVES, False),
        (f"{NAME}/versions", {**LABELLED, "reason": WHY}, MOVES, True),
    ],
    "rename_named_prompt": [
        (NAME, {"name": "support/renamed"}, TAKES, False),
        (OTHER, {"name": FORMER}, TAKES, False),
    ],
}


def of_api() -> Iterator[Door]:
    """Each operation of the document that isn't read."""
    for operation in documented("POST", "PUT", "PATCH", "DELETE"):
        name, address = operation.name, operation.path
        for number, (path, body, effect, has_reason) in enumerate(OF_API.get(name, ())):
            send = _request(operation.method, PROMPTS + path, body)
            yield Door(f"{name} {number}", send, effect, has_reason, has_reason_elsewhere=len(OF_API[name]) > 1)
        if name in ("delete_prompt", "delete_project"):
            yield Door(name, _request("DELETE", f"{address}?force=true"), TAKES, whole_project=name == "delete_project")
        elif name == "approve_promotion":
            yield Door(name, operation.send, APPROVES)
        elif name not in OF_API:
            yield Door(name, operation.send)


LANGFUSE, MLFLOW = "/api/public/v2/prompts", "/api/2.0/mlflow"
DOTTED = NAME.replace("/", ".")
IS_PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
#: Requests to the APIs of clients, by their name, method and path.
OF_CLIENTS: dict[tuple[str, str, str], list[tuple[str, Any, str, bool]]] = {
    ("langfuse", "POST", f"{LANGFUSE}"): [
        (LANGFUSE, {"name": NAME, "prompt": "three", "labels": ["production"]}, MOVES, False),
        (LANGFUSE, {"name": NAME, "prompt": "x", "labels": ["production"], "commitMessage": WHY}, MOVES, True),
    ],
    ("langfuse", "PATCH", f"{LANGFUSE}/{{name}}/versions/{{version}}"): [
        (f"{LANGFUSE}/{NAME}/versions/2", {"newLabels": ["production"]}, MOVES, False)
    ],
    ("langfuse", "DELETE", f"{LANGFUSE}/{{name}}"): [(f"{LANGFUSE}/{NAME}", None, TAKES, False)],
    **{
        ("langfuse", method, "/api/public/{other}"): [("/api/public/traces", None, NOTHING, False)]
        for method in ("POST", "PUT", "PATCH", "DELETE")
    },
    ("mlflow", "POST", f"{MLFLOW}/registered-models/create"): [
        (f"{MLFLOW}/registered-models/create", {"name": "support.former", "tags": IS_PROMPT}, NOTHING, False)
    ],
    ("mlflow", "DELETE", f"{MLFLOW}/registered-models/delete"): [
        (f"{MLFLOW}/registered-models/delete", {"name": DOTTED}, TAKES, False)
    ],
    ("mlflow", "POST", f"{MLFLOW}/registered-models/set-tag"): [
        (f"{MLFLOW}/registered-models/set-tag", {"name": DOTTED, "key": "k", "value": "v"}, NOTHING, False)
    ],
    ("mlflow", "DELETE", f"{MLFLOW}/registered-models/delete-tag"): [
        (f"{MLFLOW}/registered-models/delete-tag", {"name": DOTTED, "key": "k"}, NOTHING, False)
    ],
    ("mlflow", "POST", f"{MLFLOW}/registered-models/alias"): [
        (f"{MLFLOW}/registered-models/alias", {"name": DOTTED, "alias": "production", "version": "2"}, MOVES, False)
    ],
    ("mlflow", "DELETE", f"{MLFLOW}/registered-models/alias"): [
        (f"{MLFLOW}/registered-models/alias", {"name": DOTTED, "alias": "production"}, MOVES, False)
    ],
    ("mlflow", "POST", f"{MLFLOW}/model-versions/create"): [
        (
            f"{MLFLOW}/model-versions/create",
            {"name": DOTTED, "tags": [*IS_PROMPT, {"key": "mlflow.prompt.text", "value": "three"}]},
            NOTHING,
            False,
        )
    ],
    **{
        ("mlflow", method, f"{MLFLOW}/model-versions/{verb}"): [(f"{MLFLOW}/model-versions/{verb}", {}, NOTHING, False)]
        for method, verb in (("DELETE", "delete"), ("DELETE", "delete-tag"), ("POST", "set-tag"))
    },
    ("ofrep", "POST", "/ofrep/v1/evaluate/flags/{key}"): [(f"/ofrep/v1/evaluate/flags/{NAME}", {}, NOTHING, False)],
    ("ofrep", "POST", "/ofrep/v1/evaluate/flags"): [("/ofrep/v1/evaluate/flags", {}, NOTHING, False)],
    ("phoenix", "POST", "/v1/prompts"): [
        (
            "/v1/prompts",
            {
                "prompt": {"name": DOTTED},
                "version": {
                    "model_provider": "OPENAI",
                    "model_name": "m",
                    "template": {"type": "string", "template": "three"},
                    "template_type": "STR",
                    "template_format": "NONE",
                    "invocation_parameters": {"type": "openai", "openai": {}},
                },
            },
            NOTHING,
            False,
        )
    ],
    ("phoenix", "PATCH", "/v1/prompts/{identifier}"): [
        (f"/v1/prompts/{DOTTED}", {"description": "other"}, NOTHING, False)
    ],
    ("phoenix", "DELETE", "/v1/prompts/{identifier}"): [(f"/v1/prompts/{DOTTED}", None, TAKES, False)],
    ("phoenix", "POST", "/v1/prompt_versions/{version_id}/tags"): [
        (f"/v1/prompt_versions/{PROMPT_ID}.2/tags", {"name": "production"}, MOVES, False),
        (f"/v1/prompt_versions/{PROMPT_ID}.2/tags", {"name": "production", "description": WHY}, MOVES, True),
    ],
}


def of_clients() -> Iterator[Door]:
    """Each operation of the APIs of other products' clients that isn't read. Their programs have tokens."""
    for declared in (declared for plugin in enabled_plugins() for declared in plugin.root_apis):
        for path, operations in _build(declared).get_openapi_schema()["paths"].items():
            for method in (method.upper() for method in operations if method != "get"):
                requests = OF_CLIENTS[declared.name, method, path]
                for number, (address, body, effect, has_reason) in enumerate(requests):
                    name = f"{declared.name} {method} {path} {number}"
                    twice = len(requests) > 1
                    yield Door(
                        name,
                        _request(method, address, body),
                        effect,
                        has_reason,
                        (TOKENS,),
                        has_reason_elsewhere=twice,
                    )


#: Arguments of MCP's tools by their names.
ARGUMENTS: dict[str, Any] = {
    "project_id": PROJECT_ID,
    "prompt_id": PROMPT_ID,
    "optimization_id": RUN_ID,
    "ids": [RUN_ID],
    "name": "made by a tool",
    "content": "three",
    "context_profile": {"language": "Python"},
    "raw_prompt": "two",
    "project": PROJECT,
    "query": "two",
}


def tool_arguments(name: str) -> dict[str, Any]:
    """What a tool needs, and the keys that it takes besides."""
    from optimizations.contrib.mcp.tools import as_tool

    described = as_tool(TOOLS[name]).parameters
    asked = {*described.get("required", ()), *({"prompt_id", "project"} & described["properties"].keys())}
    return {argument: ARGUMENTS[argument] for argument in sorted(asked)}


def _deletion() -> int:
    return Deletion.objects.values_list("pk", flat=True).get()


def delete_it() -> None:
    """What goes before a door that restores."""
    with write_session():
        ProjectRepository().delete_prompt(prompt_id=PROMPT_ID, force=True)


def _undo(client: Client) -> Any:
    event = LabelEvent.objects.filter(prompt_id=PROMPT_ID, label="production").latest("position")
    return client.post(f"{PAGE}undo/", {"label": "production", "event": event.pk})


PAGE = f"/admin/registry/promptname/prompt/{PROMPT_ID}/"
CONFIRMED = {"again": "yes", "confirmed": "yes", "force": "yes", "typed": PROJECT}
SEEN = {"label": "production", "seen": "1"}
#: Pages with an effect, by the names of their addresses.
OF_PAGES: dict[str, list[tuple[Callable[[Client], Any], str, bool]]] = {
    "registry_promote": [
        (_form(f"{PAGE}promote/", version=2, **SEEN), MOVES, False),
        (_form(f"{PAGE}promote/", version=2, reason=WHY, **SEEN), MOVES, True),
        (_form(f"{PAGE}promote/", remove="yes", force="on", **SEEN), MOVES, False),
        (_form(f"{PAGE}promote/", remove="yes", force="on", reason=WHY, **SEEN), MOVES, True),
    ],
    "registry_undo": [(_undo, MOVES, True)],
    "registry_name": [
        (_form(f"{PAGE}name/", name="support/renamed", kind="text", template_format="mustache"), TAKES, False)
    ],
    "registry_request": [(_form("/admin/registry/promptname/request/1/", approve="yes"), APPROVES, True)],
    "projects_prompt_delete": [(_form(f"/admin/projects/prompt/{PROMPT_ID}/delete/", **CONFIRMED), TAKES, False)],
    "projects_project_delete": [(_form(f"/admin/projects/project/{PROJECT_ID}/delete/", **CONFIRMED), TAKES, False)],
    "promptadmin_deletion_restore": [
        (lambda client: client.post(f"/admin/promptadmin/deletion/{_deletion()}/restore/"), RESTORES, True)
    ],
}
#: Actions with an effect.
OF_ACTIONS = {"delete_selected_projects": TAKES, "approve": APPROVES}
#: How the addresses of pages end that change nothing, whatever is sent there.
READ = ("_changelist", "_export", "_history", "_compare", "_suggestions", "_live")
APPS = ("projects", "registry", "optimizations")


def of_pages() -> Iterator[Door]:
    """Each page and action of the back-office that is about prompts; those without a request here get an empty form."""
    keys = {"project": PROJECT_ID, "prompt": PROMPT_ID, "optimization": RUN_ID, "promotionrequest": "1"}
    admin.autodiscover()
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label not in APPS and model is not Deletion:
            continue
        own = {pattern.name for pattern in model_admin.get_urls() if pattern.name}
        if model is PromptName:  # with the pages that the plugin declares
            own |= {pattern.name for pattern in PAGES if pattern.name}
        key = keys.get(str(model._meta.model_name), "1")
        if model is PromptVersion:
            key = "no such version"
        for name in sorted(own):
            for number, (send, effect, has_reason) in enumerate(OF_PAGES.get(name, ())):
                twice = len(OF_PAGES[name]) > 1
                yield Door(f"{name} {number}", send, effect, has_reason, (SESSIONS,), has_reason_elsewhere=twice)
            if name not in OF_PAGES and not name.endswith(READ):
                yield Door(name, _form(_address(name, key)), callers=(SESSIONS,))
        changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for action in model_admin.actions or ():
            fields = {"action": action, "_selected_action": [key], **CONFIRMED, "post": "yes"}
            effect = OF_ACTIONS.get(str(action), NOTHING)
            yield Door(f"{changelist} {action}", _form(changelist, **fields), effect, callers=(SESSIONS,))


def _address(name: str, key: str) -> str:
    for arguments in ([], [key], [key, 1], [1], [key, 1, 2]):
        try:
            return reverse(f"admin:{name}", args=arguments)
        except Exception:  # another number of arguments
            continue
    raise AssertionError(f"{name} wants other arguments")
