r"""Chat prompts as one readable text: role lines begin messages.

    system:
    You help customers of {{shop}}.

    placeholder: history

    user:
    {{question}}

A role line is one of ROLES with a colon, alone on its line; `placeholder: name` stands for messages that a program
brings. One empty line before a role line belongs to no message. A line of a message that looks like one of these, with
or without backslashes before it, gets one more backslash: `\user:` says "user:".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from promptadmin.errors import Invalid

ROLES = ("system", "developer", "user", "assistant", "tool")
_NAME = r"\w[\w.-]*"
_BEGINS = rf"(?:({'|'.join(ROLES)}):|placeholder:[ \t]*({_NAME}))[ \t\r]*"
ROLE_LINE = re.compile(_BEGINS)
LOOKS_LIKE_ONE = re.compile(rf"\\*{_BEGINS}")
NAME = re.compile(_NAME)

#: `{"role", "content"}`, or `{"type": "placeholder", "name"}`.
Message = dict[str, Any]


def write_messages(messages: Iterable[Message]) -> str:
    """The text of messages. Raises Invalid for what is none."""
    return "\n\n".join(_written(message) for message in messages)


def read_messages(text: str) -> list[Message]:
    """The messages of a text. Raises Invalid, which names the line, where it can't be read so."""
    messages: list[Message] = []
    for number, begins, lines in _parts(text):
        if begins is None:
            if any(line.strip() for line in lines):
                raise Invalid(f"Line {number} belongs to no message: begin with a line such as 'system:' or 'user:'")
            continue
        role, name = begins.groups()
        if role is not None:
            messages.append({"role": role, "content": "\n".join(map(_unescaped, lines))})
        elif any(line.strip() for line in lines):
            raise Invalid(f"After the placeholder in line {number} a line such as 'user:' must come: it has no text")
        else:
            messages.append({"type": "placeholder", "name": name})
    if not messages:
        raise Invalid("A chat prompt needs messages: begin each with a line such as 'system:' or 'user:'")
    return messages


def _parts(text: str) -> Iterator[tuple[int, re.Match[str] | None, list[str]]]:
    """Each role line with its number and the lines after it; first what stands before them all."""
    number, begins, lines = 1, None, list[str]()
    for place, line in enumerate(text.split("\n"), start=1):
        match = ROLE_LINE.fullmatch(line)
        if match is None:
            lines.append(line)
            continue
        if lines and not lines[-1].rstrip("\r"):
            lines.pop()
        yield number, begins, lines
        number, begins, lines = place, match, []
    yield number, begins, lines


def _written(message: Message) -> str:
    if message.get("type") == "placeholder":
        if not isinstance(message.get("name"), str) or not NAME.fullmatch(message["name"]):
            raise Invalid("A placeholder's name is letters, digits, '_', '.' and '-', as in history")
        return f"placeholder: {message['name']}"
    if message.get("role") not in ROLES or not isinstance(message.get("content"), str):
        raise Invalid(f"A message has a role, one of {', '.join(ROLES)}, and a content, which is a text")
    return "\n".join([f"{message['role']}:", *map(_escaped, message["content"].split("\n"))])


def _escaped(line: str) -> str:
    return f"\\{line}" if LOOKS_LIKE_ONE.fullmatch(line) else line


def _unescaped(line: str) -> str:
    return line[1:] if line.startswith("\\") and LOOKS_LIKE_ONE.fullmatch(line) else line
