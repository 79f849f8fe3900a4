"""Making, finding and revoking API tokens: the one place for the admin, the commands and the API."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from promptadmin.errors import Invalid, Missing
from promptadmin.models import ApiToken

SCOPES = ("read", "write", "admin")
MARK = "pa"
USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a fast hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def create_token(
    *, name: str, scopes: Iterable[str], expires_at: dt.datetime | None = None, created_by: Any = None
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which can't be shown again. Raises errors.Invalid."""
    wanted = set(scopes)
    if not name.strip():
        raise Invalid("A token needs a name: say which program uses it.")
    if not wanted or wanted - set(SCOPES):
        raise Invalid(f"A token's scopes are one or more of {', '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("A token must expire in the future.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name.strip(),
        prefix=prefix,
        digest=_digest(secret),
        can_read="read" in wanted,
        can_write="write" in wanted,
        can_admin="admin" in wanted,
        expires_at=expires_at,
        created_by=created_by,
    )
    return token, f"{MARK}_{prefix}_{secret}"


def find_token(text: str) -> ApiToken | None:
    """The usable token with this secret, or None."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != MARK or not secret:
        return None
    token = ApiToken.objects.filter(prefix=prefix).first()
    if token is None or not secrets.compare_digest(token.digest, _digest(secret)):
        return None
    return token if token.is_usable(timezone.now()) else None


def note_use(token: ApiToken) -> None:
    """Keep when the token was last used, at most once a minute, so that reading costs no write."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def revoke_token(prefix_or_name: str) -> ApiToken:
    """Revoke a token now. Raises errors.Missing where no usable one, or more than one, is called so."""
    found = list(ApiToken.objects.filter(Q(prefix=prefix_or_name) | Q(name=prefix_or_name), revoked_at=None))
    if len(found) != 1:
        known = ", ".join(f"{token.prefix} ({token.name})" for token in ApiToken.objects.filter(revoked_at=None))
        raise Missing(f"{len(found)} tokens are called {prefix_or_name!r}; name one of: {known or 'none left'}.")
    token = found[0]
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return token
