"""Who acts, and in which request: what every layer may ask for, and the doors set."""

from __future__ import annotations

import contextlib
import getpass
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The id of the request that is answered; "-" outside of one.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


@dataclass(frozen=True)
class Caller:
    """Who calls the API: a name for the record, what they may do, and the user or token behind it."""

    name: str
    scopes: frozenset[str]
    user: Any = None
    token: Any = None


@dataclass(frozen=True)
class Actor:
    """Who makes changes: a name for the record, the door they came through, and the user and address behind it.

    `caller` is who calls the API or MCP, with their scopes. Whoever runs a command has none: they can open the
    database.
    """

    name: str
    door: str
    user: Any = None
    address: str | None = None
    caller: Caller | None = None

    @property
    def person(self) -> str:
        """Stands for who acts: the same for a member of staff and for the tokens that they have made."""
        user = self.user
        if user is None and self.caller is not None:
            user = getattr(self.caller.token, "created_by", None)
        return self.name if user is None else f"user {user.pk}"


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
