"""Who somebody is, as the provider says, and what that lets them do here."""

from __future__ import annotations

import logging
import re
from typing import Any

import jwt
import requests
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from promptadmin.conf.counted import counted
from promptadmin.context import Actor, acting
from promptadmin.contrib.oidc.models import Identity
from promptadmin.contrib.oidc.provider import TIMEOUT, SignInFailed, configured, setting
from promptadmin.db.sessions import write_session
from promptadmin.http.client_address import client_address

logger = logging.getLogger(__name__)

NAME_LENGTH = 150
#: What Django's form allows in no user's name.
UNUSUAL = re.compile(r"[^\w.@+-]+")


class Backend(OIDCAuthenticationBackend):
    """mozilla-django-oidc's, with the checks that OpenID Connect asks for, and our roles."""

    get_settings = staticmethod(setting)
    #: Its own lets users in who were deactivated.
    get_user = ModelBackend.get_user

    def authenticate(
        self, request: HttpRequest | None, *, nonce: str | None = None, code_verifier: str | None = None
    ) -> User | None:
        """The user; for a password this isn't asked. Raises SignInFailed and what the libraries below raise."""
        if nonce is None or code_verifier is None:
            return None
        found: User | None = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        return found

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The provider's key that has signed the token, by its name; a key that is the only one needs none."""
        answer = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=TIMEOUT)
        answer.raise_for_status()
        algorithm, name = configured().algorithm, jwt.get_unverified_header(token).get("kid")
        keys = [key for key in answer.json()["keys"] if key.get("alg", algorithm) == algorithm]
        keys = [key for key in keys if key.get("use", "sig") == "sig" and (name is None or key.get("kid") == name)]
        if len(keys) != 1:
            raise SignInFailed(
                f"The provider has {counted(len(keys), 'key')} for {algorithm} that may have signed its token."
            )
        return jwt.PyJWK(keys[0], algorithm)

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        """The user whose these tokens are. Raises SignInFailed."""
        check_token(payload)
        told = self.get_userinfo(access_token, id_token, payload)
        if told.get("sub") != payload["sub"]:
            raise SignInFailed("The provider told two different users apart by one token: nobody was signed in.")
        with acting(Actor(configured().title, "sign-in", None, client_address(self.request) or None)):
            return person_of({**payload, **told})


def check_token(payload: dict[str, Any]) -> None:
    """Refuse a token that is of another provider, for somebody else, or of nobody; its signature has been checked."""
    us = configured()
    audience = payload.get("aud")
    audience = audience if isinstance(audience, list) else [audience]
    if str(payload.get("iss", "")).rstrip("/") != us.issuer:
        raise SignInFailed(f"The token was issued by {payload.get('iss')!r}, not by {us.issuer!r}.")
    if us.client_id not in audience or payload.get("azp", us.client_id) != us.client_id:
        raise SignInFailed("The token is for another application: PROMPTADMIN_OIDC_CLIENT_ID must be ours.")
    if not isinstance(payload.get("sub"), str) or not payload["sub"] or "exp" not in payload:
        raise SignInFailed("The token doesn't say whose it is, or until when it holds.")


def roles_of(claims: dict[str, Any]) -> list[str]:
    """The names of the roles that somebody's groups give them."""
    us = configured()
    groups = claims.get(us.groups_claim, [])
    groups = groups if isinstance(groups, list) else [groups]
    return sorted({role for group in groups if isinstance(group, str) for role in us.roles.get(group, ())})


def person_of(claims: dict[str, Any]) -> User:
    """The user of these claims, with the roles that they have now, and no others. Raises SignInFailed without one."""
    issuer, subject = configured().issuer, claims["sub"]
    with write_session():
        known = Identity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
        roles = list(Group.objects.filter(name__in=roles_of(claims)))
        if known is None and roles:
            known = Identity.objects.create(user=_new_user(claims), issuer=issuer, subject=subject)
        if known is not None:
            _update(known.user, claims, roles)
    if known is None or not roles:
        raise SignInFailed(
            f"You are known to {configured().title}, and none of your groups there has a role here: ask who gives them."
        )
    user: User = known.user
    if not user.is_active:
        raise SignInFailed("Your account here was deactivated: ask who looks after it.")
    return user


def _new_user(claims: dict[str, Any]) -> User:
    """A user with a name that nobody has, and no password."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    name = free = UNUSUAL.sub("-", wanted)[: NAME_LENGTH - 10] or "user"
    number = 1
    while get_user_model().objects.filter(username=free).exists():
        number += 1
        free = f"{name}-{number}"
    logger.info("%s signs in for the first time through the provider", free)
    made: User = get_user_model().objects.create_user(free)
    return made


def _update(user: User, claims: dict[str, Any], roles: list[Group]) -> None:
    """Bring name, address and roles to what the provider says; nothing is written where they are so."""
    values = {
        "email": _text(claims, "email", 254),
        "first_name": _text(claims, "given_name", 150),
        "last_name": _text(claims, "family_name", 150),
        "is_staff": bool(roles),
    }
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, values[name])
    if changed:
        user.save(update_fields=changed)
    if set(user.groups.all()) != set(roles):
        user.groups.set(roles)


def _text(claims: dict[str, Any], name: str, length: int) -> str:
    value = claims.get(name)
    return value.replace("\0", "")[:length] if isinstance(value, str) else ""
