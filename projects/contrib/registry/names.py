"""What a name of a prompt and a label may be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promptadmin.errors import Invalid

LONGEST_NAME = 200
NAME = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
LABEL = re.compile(r"[a-z0-9_.-]{1,36}")
#: Always the current version.
LATEST = "latest"
#: What programs ask for unless they say something else.
PRODUCTION = "production"
#: Stand behind a name in the addresses of the API.
RESERVED = frozenset({"compile", "events", "labels", "undo", "usage", "versions"})


def checked_name(name: str) -> str:
    """The name itself. Raises Invalid for what can be none."""
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise Invalid(
            "A prompt's name is letters A to Z, digits, '_', '.' and '-', in folders as in support/refund, at most "
            f"{LONGEST_NAME} characters, without a slash at either end"
        )
    segments = name.split("/")
    if {".", ".."} & set(segments):
        raise Invalid("A part of a prompt's name can't be '.' or '..': programs take those out of addresses")
    if found := RESERVED & {segment.lower() for segment in segments[1:]}:
        raise Invalid(f"Inside of a folder nothing can be called {sorted(found)[0]!r}: the API's addresses need it")
    return name


def key_of(name: str) -> str:
    """What is unique of a name: two that differ in the case of letters alone are one."""
    return name.lower()


def checked_label(label: str) -> str:
    """The label itself, which can be moved. Raises Invalid for what can be none, and for `latest`."""
    if not LABEL.fullmatch(label):
        raise Invalid("A label is 1 to 36 of the characters a to z, 0 to 9, '_', '.' and '-', as in production")
    if label == LATEST:
        raise Invalid("'latest' always means the current version, and can't be moved: use another label")
    return label


def read_prefixes(texts: Sequence[str]) -> list[str]:
    """Beginnings of names as limits of a token: in small letters. Raises Invalid for what no name begins with."""
    for text in texts:
        if not NAME.fullmatch(text.removesuffix("/")):
            raise Invalid(f"No name begins with {text!r}: a folder is support/, the beginning of a name support/ref")
    return [key_of(text) for text in dict.fromkeys(texts)]


def read_labels(texts: Sequence[str]) -> list[str]:
    """Labels as limits of a token. Raises Invalid for what can be none."""
    return [checked_label(text) for text in dict.fromkeys(texts)]
