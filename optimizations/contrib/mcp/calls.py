"""What every tool, resource and prompt runs in: a caller with scopes, a session, and a connection that is closed."""

from __future__ import annotations

import functools
import getpass
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import connections

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from promptadmin.api.auth import ALL_SCOPES, admit
from promptadmin.context import Actor, Caller, acting, reach_of
from promptadmin.db.deadlines import deadline
from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.db.postgresql.replicas import note_write
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, NotFound

logger = logging.getLogger(__name__)


def _account() -> str:
    with suppress(OSError, KeyError):  # in a container, the process may have no account's name
        return getpass.getuser()
    return "nobody"


def local_caller() -> Caller:
    """Whoever started the process that speaks over stdio: they can open the database anyway."""
    return Caller(f"account {_account()}", ALL_SCOPES)


_caller: ContextVar[Caller] = ContextVar("caller")


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """Calls inside the block are this caller's, and so are their changes."""
    token_name = getattr(caller.token, "name", "")
    name = f"{caller.name} ({token_name})" if token_name else caller.name
    actor = Actor(name, "MCP", caller.user, caller=caller, reach=reach_of(caller.user, caller))
    token = _caller.set(caller)
    try:
        with acting(actor):
            yield
    finally:
        _caller.reset(token)


def closing_connections(function: Callable[..., Any]) -> Callable[..., Any]:
    """Leave no database connection behind in whichever thread runs the function."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return wrapper


def in_session(function: Callable[..., Any], *, writes: bool = False, error: type[Exception] = ToolError) -> Any:
    """The function in a session of its kind, for callers with its scope; a refusal becomes an error of this type."""

    @closing_connections
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            admit(_caller.get(), "write" if writes else "read")
            seconds = 0 if writes else settings.READ_TIMEOUT
            with deadline(seconds), write_session() if writes else read_session():
                answer = function(*args, **kwargs)
            if writes:
                note_write()
            return answer
        except NotFound as refused:
            kind = ResourceNotFoundError if error is ResourceError else error
            raise kind(str(refused)) from refused
        except DomainError as refused:
            raise error(str(refused)) from refused
        except Exception as failure:
            fault = fault_of(failure)
            if fault is None:
                raise
            raise error(fault.detail) from failure

    return wrapper
