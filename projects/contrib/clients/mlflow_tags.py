"""What MLflow keeps in tags: that something is a prompt, its text and config; and the conditions of its searches."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from projects.contrib.clients.templates import in_format
from projects.contrib.registry.chat import Message, write_messages
from projects.contrib.registry.models import Format, Kind
from projects.contrib.registry.records import Resolved
from promptadmin.conf.limits import TAG_LENGTH
from promptadmin.errors import Invalid

IS_PROMPT, TEXT, TYPE = "mlflow.prompt.is_prompt", "mlflow.prompt.text", "_mlflow_prompt_type"
CONFIG, RESPONSE_FORMAT = "_mlflow_prompt_model_config", "_mlflow_prompt_response_format"
JSON_TAGS = (CONFIG, RESPONSE_FORMAT)
EXPERIMENTS = "_mlflow_experiment_ids"
#: A condition of a search: of the name or of a tag.
CONDITION = re.compile(r"(?:name|tags?\.(?:`([^`]+)`|([\w.-]+))) *(=|LIKE|ILIKE) *'((?:[^'\\]|\\.)*)'", re.IGNORECASE)


@dataclass(frozen=True)
class PromptTags:
    """The tags of a new version."""

    tags: Mapping[str, str]

    @property
    def is_prompt(self) -> bool:
        """Whether it is a prompt, and no model."""
        return self.tags.get(IS_PROMPT) == "true"

    @property
    def own(self) -> dict[str, str]:
        """The tags of whoever created it."""
        return {key: value for key, value in self.tags.items() if key not in (IS_PROMPT, TEXT, TYPE, *JSON_TAGS)}

    @property
    def kind(self) -> str | None:
        """Of a text it stays what it is."""
        return Kind.CHAT if self.tags.get(TYPE) == "chat" else None

    @cached_property
    def text(self) -> str:
        """Its text as the registry has it. Raises Invalid."""
        text = self.tags.get(TEXT, "")
        if not text.strip():
            raise Invalid("A prompt needs a text")
        if self.kind is None:
            return text
        messages = _read_json(TEXT, text)
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise Invalid("A chat is a list of messages")
        return write_messages(messages)

    @property
    def config(self) -> dict[str, Any] | None:
        """Its config: `model_name` is `model` here, and the response's format a part of it."""
        given = self.tags.get(CONFIG)
        config = _read_json(CONFIG, given) if given else {}
        if not isinstance(config, dict):
            raise Invalid("A model's config is an object")
        config = {"model" if key == "model_name" else key: value for key, value in config.items()}
        if response_format := self.tags.get(RESPONSE_FORMAT):
            config["response_format"] = _read_json(RESPONSE_FORMAT, response_format)
        return config or None


def config_of(config: Any) -> dict[str, str]:
    """The tags that say a config."""
    if not isinstance(config, dict):
        return {}
    model = {"model_name" if key == "model" else key: value for key, value in config.items()}
    response_format = model.pop("response_format", None)
    return {
        **({CONFIG: json.dumps(model)} if model else {}),
        **({RESPONSE_FORMAT: json.dumps(response_format)} if response_format is not None else {}),
    }


def version_tags(found: Resolved, messages: list[Message] | None, config: Mapping[str, str]) -> dict[str, str]:
    """The tags of a version. MLflow knows variables as `{{name}}`, and no placeholders for messages."""
    if messages is None:
        text, kind = in_format(found.text, found.template_format, Format.MUSTACHE), "text"
    else:
        if places := [message["name"] for message in messages if "role" not in message]:
            raise Invalid(f"{found.name} has a placeholder '{places[0]}', and MLflow has none")
        kind = "chat"
        text = json.dumps([
            {**message, "content": in_format(message["content"], found.template_format, Format.MUSTACHE)}
            for message in messages
        ])  # fmt: skip
    return {IS_PROMPT: "true", TYPE: kind, TEXT: text, **config}


def prompt_tags(tags: list[str]) -> dict[str, str]:
    """A prompt's tags as MLflow has them: `team=support` is a key with a value, any other a key."""
    return {key: value for key, _, value in (tag.partition("=") for tag in tags)}


def with_tag(tags: list[str], key: str, value: str | None) -> list[str]:
    """Tags with another value of a key; None takes it away. Raises Invalid for what can be no tag."""
    others = [tag for tag in tags if tag.partition("=")[0] != key]
    if value is None:
        return others
    tag = f"{key}={value}" if value else key
    if not key or "=" in key or len(tag) > TAG_LENGTH:
        raise Invalid(f"A tag is key=value, has at most {TAG_LENGTH} characters, and no '=' in its key")
    return [*others, tag]


@dataclass(frozen=True)
class Filter:
    """The conditions of a search: the key of a tag, or none for the name; the comparison; the value."""

    conditions: list[tuple[str | None, str, str]]

    @property
    def name(self) -> str | None:
        """The name that is asked for, if one is."""
        return next((value for key, how, value in self.conditions if key is None and how == "="), None)

    def fits(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether a prompt meets all conditions."""
        found = {**tags, IS_PROMPT: "true"}
        return all(
            _compares(name if key is None else found.get(key), how, value) for key, how, value in self.conditions
        )


def read_filter(text: str | None) -> Filter:
    """The conditions that a text says. Raises Invalid for others than MLflow documents for `search_prompts`."""
    conditions = []
    place = 0
    text = (text or "").strip()
    while place < len(text):
        match = CONDITION.match(text, place)
        if match is None:
            raise Invalid("A filter is name or tags.key, with =, LIKE or ILIKE and a value in quotes, joined by AND")
        quoted, plain, how, value = match.groups()
        conditions.append((quoted or plain, how.upper(), re.sub(r"\\(.)", r"\1", value)))
        joint = re.compile(r" +AND +|$", re.IGNORECASE).match(text, match.end())
        if joint is None:
            raise Invalid("Conditions of a filter are joined by AND")
        place = joint.end()
    return Filter(conditions)


def _compares(found: str | None, how: str, value: str) -> bool:
    if found is None or how == "=":
        return found == value
    pattern = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in value)
    return re.fullmatch(pattern, found, re.DOTALL | (re.IGNORECASE if how == "ILIKE" else 0)) is not None


def _read_json(what: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Invalid(f"The tag {what} is no JSON") from None
