"""Making, finding and revoking API tokens: the one place for the admin, the commands and the API."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.models import BooleanField, DateTimeField, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from promptadmin.context import current_actor
from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.db.legacy_values import read_moment
from promptadmin.db.raw import fetch_all
from promptadmin.errors import Conflict, Forbidden, Invalid, NotFound
from promptadmin.models import ApiToken
from promptadmin.plugins.declarations import enabled_plugins

#: What a token is limited to: texts by the names of `Reach`'s fields.
Limits = Mapping[str, Iterable[str]]

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
    *,
    name: str,
    scopes: Iterable[str],
    limits: Limits | None = None,
    expires_at: dt.datetime | None = None,
    created_by: Any = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which can't be shown again.

    Raises what `checked_name` and `checked_limits` raise, and Invalid.
    """
    wanted = set(scopes)
    name = checked_name(name)
    if not wanted or wanted - set(SCOPES):
        raise Invalid(f"A token's scopes are one or more of {', '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("A token must expire in the future.")
    kept = checked_limits(limits or {}, wanted)
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        can_read="read" in wanted,
        can_write="write" in wanted,
        can_admin="admin" in wanted,
        can_promote="promote" in wanted,
        expires_at=expires_at,
        created_by=created_by,
        limits=json.dumps(kept) if kept else "",
    )
    return token, f"{MARK}_{prefix}_{secret}"


def checked_name(name: str) -> str:
    """The name as it is kept. Raises Invalid for a blank one, and Conflict for that of a token that programs use.

    A token that was revoked, or has expired, leaves its name to the next one. Older files may have two of one name.
    """
    name = name.strip()
    if not name:
        raise Invalid("A token needs a name: say which program uses it.")
    now = timezone.now()
    for token in ApiToken.objects.filter(name=name):
        if token.is_usable(now):
            raise Conflict(f"There is a token {token} already: choose another name, or revoke that one first.")
    return name


def checked_limits(limits: Limits, scopes: Iterable[str]) -> dict[str, list[str]]:
    """The limits as they are kept, without those that name nothing.

    Raises Invalid for what means nothing; Forbidden where whoever makes the token would give away more than they reach.
    """
    known = {limit.name: limit for plugin in enabled_plugins() for limit in plugin.token_limits}
    kept = {}
    for name, given in limits.items():
        texts = [text.strip() for text in given if text.strip()]
        if not texts:
            continue
        if name not in known:
            raise Invalid(f"No enabled plugin knows what a token's limit to {name} is: leave it out")
        kept[name] = import_string(known[name].read)(texts)
    _expect_own_reach(kept.get("projects"), scopes)
    return kept


def _expect_own_reach(projects: list[str] | None, scopes: Iterable[str]) -> None:
    reach = current_actor().reach
    if reach is None or not reach.limits_rows:
        return
    own = reach if set(scopes) <= {"read"} else reach.writable
    if projects is None or not all(own.covers_project(key) for key in projects):
        raise Forbidden(
            "A token may not reach more than you do: limit it to projects that you are a member of, or that have no "
            "members; to one of which you are a viewer, with the scope read alone"
        )


def shown_limits(token: ApiToken) -> dict[str, list[str]]:
    """What a token is limited to, in words, by kind."""
    shown = {limit.name: limit.show for plugin in enabled_plugins() for limit in plugin.token_limits}
    kept: dict[str, list[str]] = json.loads(token.limits or "{}")
    return {name: import_string(shown[name])(texts) if shown.get(name) else texts for name, texts in kept.items()}


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
    """Revoke a token now. Raises NotFound where none, or more than one, is called so: those count that haven't expired.

    One that has expired is found where there is no other.
    """
    found = list(ApiToken.objects.filter(Q(prefix=prefix_or_name) | Q(name=prefix_or_name), revoked_at=None))
    if len(found) > 1:
        now = timezone.now()
        found = [token for token in found if token.is_usable(now)] or found
    if len(found) != 1:
        known = ", ".join(f"{token.prefix} ({token.name})" for token in ApiToken.objects.filter(revoked_at=None))
        raise NotFound(
            f"{len(found) or 'No'} usable tokens are called {prefix_or_name!r}; name one of: {known or 'none left'}."
        )
    token = found[0]
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return token
