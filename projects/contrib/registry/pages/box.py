"""The box on a prompt's page: its name, what is live where, the ledger, variables, config, and how to fetch it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest
from django.utils.module_loading import import_string

from projects.contrib.registry.names import LATEST, PRODUCTION
from projects.contrib.registry.pages.access import may
from projects.contrib.registry.pages.usage import usage
from projects.contrib.registry.records import EventRecord, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.variables import all_variables, value_text
from projects.declarations import DeclaredVariables
from projects.models import Prompt
from promptadmin.backoffice.code_snippets import CURL, Snippet, add_token
from promptadmin.http.own_address import own_address
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

#: So many moves stand on the page of a prompt; the ledger has all.
MOVES_SHOWN = 10
PYTHON = """\
import os

from promptadmin_client import PromptClient

prompts = PromptClient({host}, token=os.environ["TOKEN"])
prompt = prompts.get({name}, {label})
print(prompt.compile({values}))
"""


def names_of(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """What prompts are called, for those who may see names."""
    if not may(user, "read"):
        return {}
    return RegistryRepository().names_of(keys)


def variables_of(user: Any, prompt_id: str) -> DeclaredVariables | None:
    """How a named prompt marks its variables, and the defaults that its current version declares."""
    repository = RegistryRepository()
    name = repository.name_of(prompt_id) if may(user, "read") else None
    if name is None:
        return None
    current = repository.resolve(name=name, label=LATEST)
    declared = all_variables("", current.template_format, current.variables)
    return DeclaredVariables(
        current.template_format,
        {one["name"]: value_text(one["default"]) for one in declared if one.get("default") is not None},
    )


def box(request: HttpRequest, prompt: Prompt) -> dict[str, Any] | None:
    """What the box shows."""
    if not may(request.user, "read"):
        return None
    repository = RegistryRepository()
    name = repository.name_of(prompt.pk)
    context: dict[str, Any] = {"name": name, "may_write": may(request.user, "write")}
    if name is None:
        return context
    current = repository.resolve(name=name, label=LATEST)
    moves = repository.list_events(name=name, limit=MOVES_SHOWN)
    live = repository.last_moves(prompt.pk)
    variables = all_variables(current.text, current.template_format, current.variables)
    return context | {
        "current": current,
        "usage": usage(repository, prompt.pk),
        "live": live,
        "moves": [(move, is_last) for move, is_last in zip(moves, _are_last(moves), strict=True)],
        "are_more": len(moves) == MOVES_SHOWN,
        "waiting": repository.list_requests(prompt_id=prompt.pk),
        "variables": variables,
        "config": as_json(current.config),
        "snippets": _snippets(request, current, _label(live), [one["name"] for one in variables]),
        "add_token": add_token(request),
    }


def as_json(value: Any) -> str:
    """A value as JSON, a line for each part of it; nothing for none."""
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _are_last(moves: Sequence[EventRecord]) -> list[bool]:
    """Of moves, newest first, which is the last one of its label."""
    labels = [move.label for move in moves]
    return [label not in labels[:place] for place, label in enumerate(labels)]


def _label(live: Sequence[EventRecord]) -> str:
    """The label to fetch by: production, or else the first one, or else the one that there always is."""
    labels = [move.label for move in live]
    return PRODUCTION if PRODUCTION in labels else next(iter(labels), LATEST)


def _snippets(request: HttpRequest, current: Resolved, label: str, variables: Sequence[str]) -> list[Snippet]:
    """Programs that fetch a prompt by name and label: our own, and those of other plugins."""
    name, host = current.name, own_address(request)
    address = f"{host}/api/prompts/{quote(name)}?{urlencode({'label': label})}"
    values = "{" + ", ".join(f'"{variable}": "…"' for variable in variables) + "}" if variables else ""
    texts = {"host": host, "name": name, "label": label}
    quoted = {key: json.dumps(text) for key, text in texts.items()}
    found = [
        Snippet("named-curl", "curl", CURL.format(address=address)),
        Snippet("named-python", "Python", PYTHON.format(**quoted, values=values)),
    ]
    for plugin in enabled_plugins():
        path: str | None = getattr(plugin, "name_snippets", None)
        if path:
            with isolate_plugin_errors(plugin.label, "its programs that fetch a prompt by name"):
                found += import_string(path)(texts["host"], name, label, current.kind)
    return found
