"""Who may call the API: tokens with scopes, signed-in staff, or, on a loopback address only, anybody."""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from ninja.security import HttpBasicAuth, HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.security.http import DecodeError
from ninja.throttling import SimpleRateThrottle
from ninja.utils import check_csrf

from promptadmin.accounts import tokens
from promptadmin.context import Caller
from promptadmin.errors import Forbidden
from promptadmin.http.client_address import client_address, is_loopback
from promptadmin.http.methods import READING_METHODS
from promptadmin.plugins.declarations import PluginConfig, enabled_plugins

ALL_SCOPES = frozenset(tokens.SCOPES)
#: An AUTH_TOKEN with fewer characters can be guessed.
GUESSABLE = 20
WITHOUT_CSRF = (
    "The session of signed-in staff came without its CSRF token: send the value of the cookie "
    f"'{settings.CSRF_COOKIE_NAME}' as the header 'X-CSRFToken', from a page of this host; or send an API token as "
    "'Authorization: Bearer …'."
)


class Throttle(SimpleRateThrottle):
    """Counts requests of a minute, in this process.

    By a clock that nobody sets. Its cache goes by the other one, and forgets a counter too early or too late: then the
    minute begins anew, or the counter is empty.
    """

    timer = staticmethod(time.monotonic)


class AddressThrottle(Throttle):
    """Counts requests by address; for those that are anonymous or bring a wrong token."""

    scope = "address"

    def __init__(self) -> None:
        super().__init__(rate=f"{settings.ANONYMOUS_RPM}/min")

    def get_cache_key(self, request: HttpRequest) -> str:
        """One counter an address."""
        return f"throttle-address-{client_address(request)}"

    def is_exhausted(self, request: HttpRequest) -> bool:
        """Whether the next request of this address would be one too many; counts nothing."""
        since = self.timer() - (self.duration or 0)
        counted = self.cache.get(self.get_cache_key(request), [])
        return bool(sum(at > since for at in counted) >= (self.num_requests or 0))


class PasswordThrottle(Throttle):
    """Counts the passwords that somebody who is signed in has tried: as many as sign-ins may fail, in the same time."""

    scope = "password"

    def __init__(self) -> None:
        super().__init__(rate=f"{settings.AXES_FAILURE_LIMIT}/{round(settings.AXES_COOLOFF_TIME.total_seconds())}s")

    def get_cache_key(self, request: HttpRequest) -> str:
        """One counter a user."""
        return f"throttle-password-{request.user.pk}"


class TokenThrottle(Throttle):
    """Counts requests by token, where RATE_LIMIT_RPM is set."""

    scope = "token"

    def __init__(self) -> None:
        super().__init__(rate=f"{settings.RATE_LIMIT_RPM}/min")

    def get_cache_key(self, request: HttpRequest) -> str | None:
        """One counter a token; staff sessions are not counted."""
        caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja sets it
        return None if caller.token is None else f"throttle-token-{caller.name.replace(' ', '-')}"


def needed_scope(request: HttpRequest) -> str:
    """The scope that the method of this request asks for."""
    return "read" if request.method in READING_METHODS else "write"


@sensitive_variables()
def caller_of_token(text: str, request: HttpRequest) -> Caller | None:
    """The caller behind an API token's secret or, as in PromptForge, behind AUTH_TOKEN; None for any other text.

    A short AUTH_TOKEN can be guessed: an address with too many wrong ones isn't told whether it has found it. Our own
    secrets, and long ones, are beyond guessing, and always work.
    """
    shared = settings.API_AUTH_TOKEN
    if shared and secrets.compare_digest(text.encode(), shared.encode()):
        if len(shared) < GUESSABLE and AddressThrottle().is_exhausted(request):
            return None
        return Caller("AUTH_TOKEN", ALL_SCOPES, token=shared)
    token = tokens.find_token(text)
    if token is None:
        return None
    tokens.note_use(token)
    return Caller(f"token {token.prefix}", token.scopes, token=token, reach=token.reach)


class LacksScope(Forbidden):
    """A caller who is known may not do this."""

    def __init__(self, caller: Caller, scope: str) -> None:
        has = ", ".join(sorted(caller.scopes)) or "none"
        super().__init__(f"This needs the scope '{scope}', and {caller.name} has {has}.")
        self.caller = caller


def admit(caller: Caller, scope: str) -> Caller:
    """The caller, who has the scope. Raises LacksScope."""
    if scope not in caller.scopes:
        raise LacksScope(caller, scope)
    return caller


class TokenAuth(HttpBearer):
    """`Authorization: Bearer …` with an API token or, as in PromptForge, with AUTH_TOKEN."""

    def __init__(self, scope: str | None = None) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller. ninja's own way logs the whole header when debugging, be it a token without its `Bearer`."""
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return self.authenticate(request, token) if kind.lower() == self.openapi_scheme else None

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller behind the token, or None. Raises Forbidden without the scope."""
        caller = caller_of_token(token, request)
        return None if caller is None else admit(caller, self.scope or needed_scope(request))


def staff_scopes(user: Any, plugin: PluginConfig | None = None) -> frozenset[str]:
    """What a member of staff may do through a plugin's operations: what the permissions that it names say.

    A scope that it names no permissions for is for superusers. The platform's own operations, which belong to no
    plugin, are for staff who have the scope with any plugin.
    """
    if user.is_superuser:
        return ALL_SCOPES
    return frozenset(
        scope
        for one in (enabled_plugins() if plugin is None else [plugin])
        for scope, permissions in one.api_permissions.items()
        if user.has_perms(permissions)
    )


def belonging_to(plugin: PluginConfig) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap ninja's `run` of a plugin's operation: its permissions are what staff need there."""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def wrapper(request: HttpRequest, **parameters: Any) -> Any:
            request.plugin = plugin  # type: ignore[attr-defined]  # read by StaffAuth
            return run(request, **parameters)

        return wrapper

    return decorate


class StaffAuth(APIKeyCookie):
    """A signed-in member of staff, with Django's CSRF protection.

    ninja's own check of it comes before the question who it is, and would refuse everybody else's writes, too.
    """

    param_name = "sessionid"  # in the API's document, which is the same for all installations

    def __init__(self, scope: str | None = None) -> None:
        self.scope = scope
        super().__init__(csrf=False)
        self.param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """The member of staff behind the session. Raises Forbidden for writing without the CSRF token."""
        if key is None:  # without a session's cookie there may be no session
            return None
        user: Any = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return None
        if check_csrf(request):
            raise Forbidden(WITHOUT_CSRF)
        scopes = staff_scopes(user, getattr(request, "plugin", None))
        caller = Caller(f"user {user.get_username()}", scopes, user=user)
        return admit(caller, self.scope or needed_scope(request))


class PasswordAuth(HttpBasicAuth):
    """`Authorization: Basic …` with an API token as the password, whatever the user is called."""

    def __init__(self, scope: str | None = None) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller, or None also where what stands there can't be read."""
        kind, _, sent = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != self.openapi_scheme:
            return None
        try:
            username, password = self.decode_authorization(sent)
        except DecodeError:
            return None
        return self.authenticate(request, username, password)

    def authenticate(self, request: HttpRequest, username: str, password: str) -> Caller | None:
        """The caller behind the token, or None. Raises Forbidden without the scope."""
        caller = caller_of_token(password, request)
        return None if caller is None else admit(caller, self.scope or needed_scope(request))


class OpenAuth:
    """PromptForge's open mode (PROMPTADMIN_API_AUTH=off): everybody on this machine may do everything."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        """A caller with every scope, if the request comes from this machine."""
        if settings.API_AUTH or not is_loopback(str(request.META.get("REMOTE_ADDR", ""))):
            return None
        return Caller("anybody", ALL_SCOPES)


def refuse_open_mode_for(host: str) -> None:
    """Raise CommandError where the open mode would let others than this machine's users in."""
    if not settings.API_AUTH and not is_loopback(host):
        raise CommandError(
            f"PROMPTADMIN_API_AUTH=off opens the API to everybody: it goes with a loopback --host only, not {host}."
        )


def access(scope: str | None = None) -> list[Any]:
    """The ways in, for `auth=`: with the scope that the method asks for, or with a given one."""
    return [TokenAuth(scope), StaffAuth(scope), OpenAuth()]


def token_access(scope: str | None = None) -> list[Any]:
    """The ways in for programs alone, which may also send a token as the password of Basic authentication."""
    return [TokenAuth(scope), PasswordAuth(scope), OpenAuth()]
