"""Named prompts, as an agent's user picks them. Only with the plugin `registry` this module can be imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import mcp_types as types

from projects.contrib.registry.api.shapes import readable_messages
from projects.contrib.registry.chat import Message
from projects.contrib.registry.names import LATEST, PRODUCTION
from projects.contrib.registry.records import Named, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.contrib.registry.variables import all_variables, compile_prompt, value_text
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid, NotFound

TITLE_LENGTH = 80
#: Arguments that choose a version. A variable that is called so has one underscore more as an argument.
CHOOSING = ("label", "version")
_LIKE_CHOOSING = re.compile(rf"(?:{'|'.join(CHOOSING)})_*")


def list_named(after: str, limit: int) -> tuple[list[types.Prompt], str | None]:
    """Some prompts by name, and the name that the next ones come after; None after the last."""
    repository = RegistryRepository()
    page = repository.list_names(limit=limit, after=after)
    return [_described(repository, named, labels) for named, labels in page.items], page.next_cursor


def with_names(prompt_ids: list[str]) -> set[str]:
    """Which of these prompts have a name."""
    return set(RegistryRepository().names_of(prompt_ids))


def get_named(name: str, arguments: Mapping[str, str]) -> types.GetPromptResult | None:
    """A version of the prompt with a name, filled in; None where there is no such prompt.

    Raises NotFound where it has no such label or version, Invalid for an argument that it hasn't.
    """
    repository = RegistryRepository()
    try:
        repository.find(name)
    except NotFound:
        return None
    found = repository.fetch(name=name, label=arguments.get("label") or None, version=_number(arguments.get("version")))
    variables, places = _variables(found), _places(found)
    given = {argument: value for argument, value in arguments.items() if argument not in CHOOSING}
    by_argument = {_argument(one): one for one in [*variables, *places]}
    if unknown := sorted(given.keys() - by_argument.keys()):
        there = ", ".join([*by_argument, *CHOOSING])
        raise Invalid(f"This prompt has no argument {unknown[0]!r}; it has: {there}")
    values = {by_argument[argument]: value for argument, value in given.items()}
    compiled = compile_prompt(
        text=found.text,
        kind=found.kind,
        template_format=found.template_format,
        declared=found.variables,
        values={name: value for name, value in values.items() if name in variables},
        placeholders={name: [{"role": "user", "content": values[name]}] if name in values else [] for name in places},
    )
    messages = [{"role": "user", "content": compiled.text}] if compiled.messages is None else compiled.messages
    told = f"Version {found.version}" + (f", {found.label}" if found.label else "")
    return types.GetPromptResult(description=told, messages=[_message(one) for one in messages])


def _described(repository: RegistryRepository, named: Named, labels: Mapping[str, Target]) -> types.Prompt:
    """A prompt with the arguments of what programs get of it: production or, without that, the current version."""
    is_live = PRODUCTION in labels
    found = repository.resolve(name=named.name, label=PRODUCTION if is_live else LATEST)
    arguments = [
        types.PromptArgument(name=_argument(name), description=_words(one), required=False)
        for name, one in _variables(found).items()
    ]
    arguments += [
        types.PromptArgument(name=_argument(name), description="A message of the user in this place.", required=False)
        for name in _places(found)
        if name not in _variables(found)
    ]
    there = ", ".join([*labels, LATEST])
    default = "Without one, production." if is_live else "There is no production, so one has to be chosen."
    arguments += [
        types.PromptArgument(name="label", description=f"One of {there}. {default}", required=False),
        types.PromptArgument(name="version", description="A version's number, instead of a label.", required=False),
    ]
    told = named.description or " ".join(found.text.split())[:TITLE_LENGTH]
    return types.Prompt(name=named.name, description=told, arguments=arguments)


def _variables(found: Resolved) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in all_variables(found.text, found.template_format, found.variables)}


def _places(found: Resolved) -> list[str]:
    """Where messages of whoever asks go, in a chat."""
    return list(dict.fromkeys(one["name"] for one in readable_messages(found) or () if "role" not in one))


def _argument(name: str) -> str:
    return f"{name}_" if _LIKE_CHOOSING.fullmatch(name) else name


def _words(variable: Mapping[str, Any]) -> str | None:
    """What is declared of a variable."""
    told = [str(variable["description"])] if variable.get("description") else []
    if variable.get("default") is not None:
        told.append(f"Without it, {value_text(variable['default'])!r}.")
    return " ".join(told) or None


def _number(text: str | None) -> int | None:
    """The version that an argument means. Clients send an empty text for what their user leaves empty."""
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < number <= LARGEST_INTEGER:
        raise Invalid("A version is a number from 1 on, as in 3")
    return number


def _message(message: Message) -> types.PromptMessage:
    """MCP knows two roles: what isn't the assistant's is told by the user."""
    role: Any = "assistant" if message["role"] == "assistant" else "user"
    return types.PromptMessage(role=role, content=types.TextContent(type="text", text=message["content"]))
