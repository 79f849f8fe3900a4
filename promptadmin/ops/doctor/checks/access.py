"""Who can get in."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Q

from promptadmin.models import ApiToken
from promptadmin.ops.doctor.registry import Examination, Finding, Severity, check, counted


@check("D301")
def check_tokens(examination: Examination) -> Iterator[Finding]:
    """API tokens.

    A token without an end that leaks opens the API until somebody notices. AUTH_TOKEN of the environment never ends,
    and may do everything.
    """
    tokens = ApiToken.objects.using(examination.connection.alias).filter(revoked_at=None)
    usable = tokens.filter(Q(expires_at=None) | Q(expires_at__gt=examination.now))
    endless = usable.filter(expires_at=None)
    count = endless.count()
    if count:
        names = ", ".join(str(token) for token in endless[:3])
        yield Finding(
            Severity.WARNING,
            f"{counted(count, 'token without an end', 'tokens without an end')}: {names}{', …' if count > 3 else ''}",
            "Make new ones with `create_api_token NAME --days 365`, then `revoke_api_token` these.",
        )
    if settings.API_AUTH_TOKEN:
        yield Finding(
            Severity.NOTE,
            "AUTH_TOKEN is set: it has every scope and no end",
            "Give each program a token of its own with `create_api_token`, and unset AUTH_TOKEN.",
        )
    if not settings.API_AUTH:
        yield Finding(
            Severity.WARNING,
            "PROMPTADMIN_API_AUTH is off: everybody on this machine may read and write",
            "Unset PROMPTADMIN_API_AUTH.",
        )
    if not count:
        yield Finding(Severity.OK, f"{counted(usable.count(), 'usable token')}, none without an end")
