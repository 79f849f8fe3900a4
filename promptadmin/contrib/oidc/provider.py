"""What the provider says of itself, and what mozilla-django-oidc is told of both sides."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.cache import cache
from django.utils.functional import lazystr

from promptadmin.conf.oidc import OpenIdProvider

#: Seconds that the provider has for an answer: each of the server's few threads may wait so long.
TIMEOUT = 5
KEPT, KEPT_SECONDS = "oidc-provider", 3600
CALLBACK = "oidc_authentication_callback"
#: The library's name of each address → the provider's.
ADDRESSES = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}


class SignInFailed(Exception):
    """Nobody was signed in; the text tells them why, and what to do."""


def configured() -> OpenIdProvider:
    """The provider of the settings."""
    assert settings.OIDC is not None  # noqa: S101  # the plugin is on
    return settings.OIDC


def setting(name: str, *default: Any) -> Any:
    """A setting of mozilla-django-oidc. An address is asked of the provider when it is used, and not before."""
    if name in ADDRESSES:
        return lazystr(_Address(ADDRESSES[name]))
    us = configured()
    ours = {
        "OIDC_RP_CLIENT_ID": us.client_id,
        "OIDC_RP_CLIENT_SECRET": us.client_secret,
        "OIDC_RP_SCOPES": us.scopes,
        "OIDC_RP_SIGN_ALGO": us.algorithm,
        "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS": us.renew_seconds,
        "OIDC_USE_PKCE": True,
        "OIDC_USE_NONCE": True,
        "OIDC_TIMEOUT": TIMEOUT,
        "OIDC_AUTHENTICATION_CALLBACK_URL": CALLBACK,
        "LOGIN_REDIRECT_URL": settings.LOGIN_REDIRECT_URL,
        "LOGIN_REDIRECT_URL_FAILURE": settings.LOGIN_URL,
    }
    return ours.get(name, *default)


class _Address:
    """Text that is found out when it is needed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return metadata()[self.name]


def metadata() -> dict[str, str]:
    """The provider's addresses, which are asked for once an hour in each process. Raises SignInFailed."""
    found: dict[str, str] | None = cache.get(KEPT)
    if found is None:
        found = ask(configured().issuer)
        cache.set(KEPT, found, KEPT_SECONDS)
    return found


def ask(issuer: str) -> dict[str, str]:
    """The provider's addresses, from its document. Raises SignInFailed with what is wrong with it."""
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=TIMEOUT)
        answer.raise_for_status()
        said = answer.json()
        found = {name: str(said[name]) for name in (*ADDRESSES.values(), "issuer")}
    except (requests.RequestException, ValueError) as error:
        raise SignInFailed(f"{address} doesn't answer as it should: {error}") from error
    except (KeyError, TypeError) as error:
        raise SignInFailed(f"{address} says nothing of {error}") from error
    if found["issuer"].rstrip("/") != issuer:
        raise SignInFailed(f"{address} calls itself {found['issuer']}: PROMPTADMIN_OIDC_ISSUER must be the same")
    if insecure := [name for name in ADDRESSES.values() if urlsplit(found[name]).scheme != urlsplit(issuer).scheme]:
        raise SignInFailed(f"{address}: the {insecure[0]} has no https: {found[insecure[0]]}")
    return found
