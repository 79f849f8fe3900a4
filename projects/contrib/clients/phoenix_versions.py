"""A version of a prompt as Phoenix has it: messages, model, and parameters named after the model's provider."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, Field

from projects.api.inputs import storable
from projects.contrib.clients.answers import messages_of
from projects.contrib.registry.api.schemas import Reason
from projects.contrib.registry.chat import Message, write_messages
from projects.contrib.registry.models import Format, Kind
from projects.contrib.registry.records import Named, Resolved
from promptadmin.errors import Invalid

Text = Annotated[str, AfterValidator(storable)]
Values = Annotated[dict[str, Any], AfterValidator(storable)]

#: Each provider that Phoenix knows. The type of its parameters is its name in small letters.
PROVIDERS = (
    *("OPENAI", "AZURE_OPENAI", "ANTHROPIC", "GOOGLE", "DEEPSEEK", "XAI", "OLLAMA", "AWS", "CEREBRAS", "FIREWORKS"),
    *("GROQ", "MOONSHOT", "MINIMAX", "PERPLEXITY", "TOGETHER", "ZAI", "META"),
)
FORMATS = {Format.MUSTACHE: "MUSTACHE", Format.F_STRING: "F_STRING", Format.NONE: "NONE"}
#: Phoenix's other words for roles.
ROLES = {"model": "assistant", "ai": "assistant"}
#: What stands in a config beside parameters of the model.
APART = ("model", "provider", "tools", "response_format")


class MessageIn(Schema):
    """A message. Of its parts, texts alone are taken."""

    role: Text
    content: Text | list[Values]


class TemplateIn(Schema):
    """The messages, or one text."""

    type: Literal["chat", "string"]
    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=1000)] | None = None
    template: Text | None = None


class VersionIn(Schema):
    """A version."""

    model_provider: Text
    model_name: Text
    template: TemplateIn
    template_type: Literal["CHAT", "STR"]
    template_format: Literal["MUSTACHE", "F_STRING", "NONE"]
    invocation_parameters: Values
    tools: Values | None = None
    response_format: Values | None = None
    description: Reason | None = None


def version_shape(found: Resolved) -> dict[str, Any]:
    """A version as Phoenix answers it. A text is one message of the user."""
    messages = messages_of(found) or [{"role": "user", "content": found.text}]
    if places := [message["name"] for message in messages if "role" not in message]:
        raise Invalid(f"{found.name} has a placeholder '{places[0]}', and Phoenix has none")
    config = found.config if isinstance(found.config, dict) else {}
    provider = str(config.get("provider") or "").upper()
    provider = provider if provider in PROVIDERS else PROVIDERS[0]
    parameters = {name: value for name, value in config.items() if name not in APART}
    shape = {
        "id": f"{found.id}.{found.version}",
        "description": found.reason or "",
        "model_provider": provider,
        "model_name": str(config.get("model") or ""),
        "template": {"type": "chat", "messages": messages},
        "template_type": "CHAT",
        "template_format": FORMATS[Format(found.template_format)],
        "invocation_parameters": {"type": provider.lower(), provider.lower(): parameters},
    }
    # As Phoenix has them: those of others' clients look different.
    for name, kind in (("tools", "tools"), ("response_format", "json_schema")):
        value = config.get(name)
        if isinstance(value, dict) and value.get("type") == kind:
            shape[name] = value
    return shape


def config_of(given: VersionIn) -> dict[str, Any]:
    """The config of a new version. Raises Invalid for a provider that Phoenix doesn't know."""
    if given.model_provider not in PROVIDERS:
        raise Invalid(f"model_provider is one of {', '.join(PROVIDERS)}")
    parameters = given.invocation_parameters.get(str(given.invocation_parameters.get("type")), {})
    if not isinstance(parameters, dict):
        raise Invalid("invocation_parameters has a type, and the parameters under it, as in openai")
    config = {"model": given.model_name, "provider": given.model_provider.lower(), **parameters}
    for name, value in (("tools", given.tools), ("response_format", given.response_format)):
        if value is not None:
            config[name] = value
    return config


def template_format(given: VersionIn) -> str:
    """The format of a new version."""
    return next(ours for ours, theirs in FORMATS.items() if theirs == given.template_format)


def kind_and_text(given: VersionIn, before: Named | None) -> tuple[str, str]:
    """What a new version is, and its text. One message of the user is a text where the prompt is one."""
    template = given.template
    if template.type == "string" or template.messages is None:
        raise Invalid("Send a template of the type chat, with messages")
    messages: list[Message] = [_message(message) for message in template.messages]
    if before is not None and before.kind == Kind.TEXT and [one["role"] for one in messages] == ["user"]:
        return Kind.TEXT, messages[0]["content"]
    return Kind.CHAT, write_messages(messages)


def _message(given: MessageIn) -> Message:
    content = given.content
    if not isinstance(content, str):
        parts = [part.get("text") if part.get("type") == "text" else None for part in content]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) != len(parts):
            raise Invalid("A message's content is a text: no calls of tools and no results")
        content = "".join(texts)
    return {"role": ROLES.get(given.role, given.role), "content": content}
