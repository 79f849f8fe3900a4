"""Whose changes a request makes: its user's or its token's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from promptadmin.context import Actor, Caller, acting, reach_of
from promptadmin.http.client_address import client_address


def actor_middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Changes during a request are those of its user or token, which are looked up only if there are changes."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with acting(lambda: _actor(request)):
            return get_response(request)

    return middleware


def _actor(request: HttpRequest) -> Actor:
    address = client_address(request) or None
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller):
        token_name = getattr(caller.token, "name", "")
        name = f"{caller.name} ({token_name})" if token_name else caller.name
        return Actor(name, "API", caller.user, address, caller, reach_of(caller.user, caller))
    user: Any = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Actor(f"user {user.get_username()}", "admin", user, address, reach=reach_of(user))
    return Actor("nobody signed in", "admin", None, address)
