"""Who acts, and in which request: what every layer may ask for, and the doors set."""

from __future__ import annotations

import contextlib
import getpass
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

#: The id of the request that is answered; "-" outside of one.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


@dataclass(frozen=True)
class Reach:
    """What somebody is limited to; None, or an empty set of `hidden` or `read_only`, is no limit of that kind.

    A token may be limited to `projects`, by their ids, to `prefixes` of names of prompts, and to `labels` that it may
    move. From a member of staff, projects may be `hidden`, or `read_only` for them.
    """

    projects: frozenset[str] | None = None
    prefixes: tuple[str, ...] | None = None
    labels: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()

    @property
    def limits_rows(self) -> bool:
        """Whether there is anything that isn't seen, or isn't changed."""
        return bool(self.projects is not None or self.prefixes is not None or self.hidden or self.read_only)

    @property
    def writable(self) -> Reach:
        """The reach of what may be changed."""
        return replace(self, hidden=self.hidden | self.read_only, read_only=frozenset())

    def covers_name(self, name: str) -> bool:
        """Whether a prompt may have this name."""
        return self.prefixes is None or name.lower().startswith(self.prefixes)

    def covers_project(self, project_id: str | None) -> bool:
        """Whether a project, or None for what is in none, is seen."""
        return (self.projects is None or project_id in self.projects) and project_id not in self.hidden


#: How the reach of a member of staff is found: whoever knows it sets it, by `tell_reach_of_users`.
_reach_of_user: Callable[[Any], Reach | None] = lambda user: None  # noqa: E731  # replaced below


def tell_reach_of_users(function: Callable[[Any], Reach | None]) -> None:
    """Let this function say from now on what a member of staff is limited to."""
    global _reach_of_user  # noqa: PLW0603  # set once, when the applications start
    _reach_of_user = function


@dataclass(frozen=True)
class Caller:
    """Who calls the API: a name for the record, what they may do and reach, and the user or token behind it."""

    name: str
    scopes: frozenset[str]
    user: Any = None
    token: Any = None
    reach: Reach | None = None


@dataclass(frozen=True)
class Actor:
    """Who makes changes: a name for the record, the door they came through, and the user and address behind it.

    `caller` is who calls the API or MCP, with their scopes. Whoever runs a command has none: they can open the
    database. `reach` is what they are limited to; None where that is nothing.
    """

    name: str
    door: str
    user: Any = None
    address: str | None = None
    caller: Caller | None = None
    reach: Reach | None = None

    @property
    def person(self) -> str:
        """Stands for who acts: the same for a member of staff and for the tokens that they have made."""
        user = self.user
        if user is None and self.caller is not None:
            user = getattr(self.caller.token, "created_by", None)
        return self.name if user is None else f"user {user.pk}"


def reach_of(user: Any, caller: Caller | None = None) -> Reach | None:
    """What a caller, or a member of staff, is limited to."""
    if caller is not None and caller.user is None:
        return caller.reach
    return None if user is None else _reach_of_user(user)


def _from_command() -> Actor:
    """Whoever runs this process: the command and the account of the operating system."""
    command = sys.argv[1] if len(sys.argv) > 1 and Path(sys.argv[0]).stem in ("promptadmin", "manage") else "python"
    account = ""
    with contextlib.suppress(OSError, KeyError):  # in a container, the process may have no account's name
        account = f" by {getpass.getuser()}"
    return Actor(f"{command}{account}", "command")


_acting: ContextVar[Callable[[], Actor]] = ContextVar("acting", default=_from_command)


def current_actor() -> Actor:
    """Who makes the changes of this request, command or tool."""
    return _acting.get()()


@contextlib.contextmanager
def acting(actor: Actor | Callable[[], Actor]) -> Iterator[None]:
    """Changes inside the block are this actor's. A function is called only where there are changes."""
    token = _acting.set(actor if callable(actor) else lambda: actor)
    try:
        yield
    finally:
        _acting.reset(token)
