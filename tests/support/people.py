"""Staff for tests: users with a role."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client


def make_staff(role: str = "", **values: object) -> User:
    """A member of staff, with one of the roles that the migrations make, or with none."""
    user: User = User.objects.create_user(role or "nobody", password="correct horse", is_staff=True, **values)  # type: ignore[arg-type]
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(role: str = "") -> Client:
    """A browser in which such a member of staff has signed in."""
    client = Client()
    client.force_login(make_staff(role))
    return client
