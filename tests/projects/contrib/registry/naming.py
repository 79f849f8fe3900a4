"""Named prompts for tests."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.models import Prompt
from promptadmin.accounts import tokens
from promptadmin.context import Actor, Caller, acting
from promptadmin.db.sessions import write_session
from tests.projects.making import make_project, make_prompt
from tests.support.token_names import token_name

_numbers = itertools.count(1)


def do(method: str, **keywords: Any) -> Any:
    """One call of the repository, in a session of its own."""
    with write_session():
        return getattr(RegistryRepository(), method)(**keywords)


def make_named(name: str = "", *texts: str, **values: Any) -> Prompt:
    """A prompt with a name and a version for each text, the last of which is the current one."""
    name = name or f"prompt-{next(_numbers)}"
    first, *more = texts or ("text",)
    prompt = make_prompt(make_project(), first)
    do("give_name", prompt_id=prompt.id, name=name, **values)
    for text in more:
        do("save", name=name, text=text)
    return Prompt.objects.get(id=prompt.id)


def move(name: str, label: str, target: int | dict[int, int] | None, reason: str = "") -> Any:
    found = None if target is None else Target.of(target)
    return do("move_label", name=name, label=label, target=found, reason=reason)


@contextlib.contextmanager
def as_staff(username: str, *, superuser: bool = False) -> Iterator[User]:
    """Whoever acts inside is signed in."""
    user = User.objects.filter(username=username).first() or User.objects.create_user(username, is_superuser=superuser)
    with acting(Actor(f"user {username}", "admin", user)):
        yield user


@contextlib.contextmanager
def as_token(*scopes: str, name: str = "", created_by: User | None = None) -> Iterator[None]:
    """Whoever acts inside has a token."""
    token, _ = tokens.create_token(name=name or token_name(), scopes=scopes, created_by=created_by)
    caller = Caller(f"token {token.prefix}", token.scopes, token=token)
    with acting(Actor(caller.name, "API", None, None, caller)):
        yield
