"""Who can get in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import ngettext

from promptadmin.models import ApiToken


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_tokens(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """D301: API tokens.

    A token without an end that leaks opens the API until somebody notices. AUTH_TOKEN of the environment never ends,
    and may do everything.
    """
    for alias in databases or ():
        tokens = ApiToken.objects.using(alias).filter(revoked_at=None)
        usable = tokens.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        endless = usable.filter(expires_at=None)
        count = endless.count()
        if count:
            names = ", ".join(str(token) for token in endless[:3])
            yield checks.Warning(
                ngettext("%d token without an end", "%d tokens without an end", count) % count
                + f": {names}{', …' if count > 3 else ''}",
                hint="Make new ones with `create_api_token NAME --days 365`, then `revoke_api_token` these.",
                id="D301",
            )
        if settings.API_AUTH_TOKEN:
            yield checks.Info(
                "AUTH_TOKEN is set: it has every scope and no end",
                hint="Give each program a token of its own with `create_api_token`, and unset AUTH_TOKEN.",
                id="D301",
            )
        if not settings.API_AUTH:
            yield checks.Warning(
                "PROMPTADMIN_API_AUTH is off: everybody on this machine may read and write",
                hint="Unset PROMPTADMIN_API_AUTH.",
                id="D301",
            )
        if not count:
            others = usable.count()
            message = ngettext("%d usable token, none without an end", "%d usable tokens, none without an end", others)
            yield checks.Debug(message % others, id="D301")
