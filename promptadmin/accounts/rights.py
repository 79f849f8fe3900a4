"""What roles may do, in words: a row for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

from promptadmin.plugins.declarations import enabled_plugins

#: Django's verbs, as the table has them, in the order in which they stand.
VERBS = {"view": "see", "add": "add", "change": "change", "delete": "delete"}


@dataclass(frozen=True)
class Right:
    """A permission, and the word for it beside the name of what it is about."""

    permission: Permission
    word: str


def rights_by_thing(permissions: Iterable[Permission]) -> dict[str, list[Right]]:
    """The permissions of each kind of thing, the plugins' before the platform's; Django's four verbs before others."""
    labels = [plugin.label for plugin in enabled_plugins()]
    found: dict[tuple[int, str], list[Right]] = {}
    for permission in permissions:
        label = permission.content_type.app_label
        place = labels.index(label) if label in labels else len(labels)
        found.setdefault((place, thing_of(permission)), []).append(Right(permission, word_of(permission)))
    order = [*VERBS.values()]
    return {
        thing: sorted(rights, key=lambda right: (order.index(right.word) if right.word in order else 9, right.word))
        for (_, thing), rights in sorted(found.items(), key=lambda item: item[0])
    }


def thing_of(permission: Permission) -> str:
    """The kind of thing that a permission is about: "Prompts", and for what is no table "The installation"."""
    model = permission.content_type.model_class()
    if model is None:
        return permission.content_type.model.capitalize()
    options = model._meta
    name = "the installation" if not options.managed else str(options.verbose_name_plural)
    return name[:1].upper() + name[1:]


def word_of(permission: Permission) -> str:
    """The permission in a word or two: "see", "add"; others as their own names say, without "Can"."""
    verb, _, model = permission.codename.partition("_")
    if verb in VERBS and model == permission.content_type.model:
        return VERBS[verb]
    name = permission.name.removeprefix("Can ")
    return name[:1].lower() + name[1:]


@dataclass(frozen=True)
class RoleTable:
    """The roles, and for each kind of thing what each of them may do with it."""

    roles: list[Group]
    rows: list[tuple[str, list[str]]]


def role_table() -> RoleTable:
    """Reads the roles and their permissions."""
    roles = list(Group.objects.order_by("name").prefetch_related("permissions__content_type"))
    words: dict[str, dict[int, str]] = {}
    everything = {permission.pk: permission for role in roles for permission in role.permissions.all()}
    for thing, rights in rights_by_thing(everything.values()).items():
        for role in roles:
            held = {permission.pk for permission in role.permissions.all()}
            words.setdefault(thing, {})[role.pk] = ", ".join(
                right.word for right in rights if right.permission.pk in held
            )
    return RoleTable(roles, [(thing, [each[role.pk] for role in roles]) for thing, each in words.items()])
