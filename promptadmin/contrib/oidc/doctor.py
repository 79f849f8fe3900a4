"""What `promptadmin doctor` looks at in the sign-in through a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import checks

from promptadmin.contrib.oidc.provider import SignInFailed, ask, configured


@checks.register("doctor", deploy=True)
def check_provider(**kwargs: Any) -> Iterator[checks.CheckMessage]:
    """O001: The provider that people sign in through.

    While it doesn't answer, nobody signs in through it, and sessions end when they are to be renewed. Users with a
    password of their own aren't affected.
    """
    try:
        ask(configured().issuer)
    except SignInFailed as problem:
        hint = "Look at PROMPTADMIN_OIDC_ISSUER, and whether this machine reaches the provider."
        yield checks.Error(str(problem), hint=hint, id="O001")
    else:
        yield checks.Debug(f"{configured().issuer} answers", id="O001")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_roles(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """O002: The roles that the provider's groups give.

    A role that isn't there is given to nobody.
    """
    for alias in databases or ():
        named = {role for roles in configured().roles.values() for role in roles}
        there = set(Group.objects.using(alias).values_list("name", flat=True))
        if missing := sorted(named - there):
            hint = f"Make it under “Roles”, or name one of {', '.join(sorted(there))}."
            yield checks.Error(
                f"PROMPTADMIN_OIDC_ROLES names the role {missing[0]!r}, which isn't there", hint=hint, id="O002"
            )
        else:
            yield checks.Debug(f"{len(named)} roles, all of which are there", id="O002")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_way_in(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """O003: A way in without the provider.

    A superuser with a password gets in while the provider is away, and gives rights that it doesn't.
    """
    for alias in databases or ():
        superusers = get_user_model().objects.using(alias).filter(is_superuser=True, is_staff=True, is_active=True)
        if any(user.has_usable_password() for user in superusers):
            yield checks.Debug("a superuser can sign in with a password", id="O003")
        else:
            hint = "Make one with `promptadmin createsuperuser`, and keep the password where it is found in need."
            yield checks.Warning(
                "no superuser has a password: without the provider nobody gets in", hint=hint, id="O003"
            )
