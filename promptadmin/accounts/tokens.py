"""Making, finding and revoking API tokens: the one place for the admin, the commands and the API."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import BooleanField, DateTimeField, Q
from django.utils import timezone

from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.db.legacy_values import read_moment
from promptadmin.db.raw import fetch_all
from promptadmin.errors import Invalid, NotFound
from promptadmin.models import ApiToken

SCOPES = ("read", "write", "admin", "promote")
MARK = "pa"
USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
FIELDS = ApiToken._meta.concrete_fields
#: As text: every request asks it, and Django takes ten times longer to build it than it takes to run.
BY_PREFIX = (
    f"SELECT {', '.join(str(field.column) for field in FIELDS)} FROM {ApiToken._meta.db_table} WHERE prefix = %s"
)


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
        can_promote="promote" in wanted,
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
    token = _stored(prefix)
    if token is None or not secrets.compare_digest(token.digest, _digest(secret)):
        return None
    return token if token.is_usable(timezone.now()) else None


def _stored(prefix: str) -> ApiToken | None:
    connection = connections[DEFAULT_DB_ALIAS]
    found = fetch_all(connection, BY_PREFIX, [prefix])
    return _token(found[0]) if found else None


@functools.lru_cache(maxsize=256)
def _token(row: tuple[Any, ...]) -> ApiToken:
    """The token of a row: the same values make the same one, and take half as long to read as to make it."""
    connection = connections[DEFAULT_DB_ALIAS]
    values = [_read(field, value, connection) for field, value in zip(FIELDS, row, strict=True)]
    return ApiToken.from_db(DEFAULT_DB_ALIAS, [field.attname for field in FIELDS], values)


def _read(field: Any, value: Any, connection: Any) -> Any:
    """A value as Django reads it."""
    if isinstance(field, BooleanField):
        return value is not None and bool(value)
    return read_moment(value) if isinstance(field, DateTimeField) else value


def note_use(token: ApiToken) -> None:
    """Keep when the token was last used, at most once a minute, so that reading costs no write."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        try:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        except DatabaseError as error:
            if fault_of(error) is None:  # a full disk doesn't keep anybody from reading
                raise


def revoke_token(prefix_or_name: str) -> ApiToken:
    """Revoke a token now. Raises NotFound where no usable one, or more than one, is called so."""
    found = list(ApiToken.objects.filter(Q(prefix=prefix_or_name) | Q(name=prefix_or_name), revoked_at=None))
    if len(found) != 1:
        known = ", ".join(f"{token.prefix} ({token.name})" for token in ApiToken.objects.filter(revoked_at=None))
        raise NotFound(f"{len(found)} tokens are called {prefix_or_name!r}; name one of: {known or 'none left'}.")
    token = found[0]
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return token
