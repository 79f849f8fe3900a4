"""The roles of back-office staff, as groups with Django's permissions; administrators may change them afterwards.

The groups are made by a migration of the platform. A plugin gives them permissions on its tables in a migration of its
own that depends on ("promptadmin", "0003_roles").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunPython

#: Sees everything that isn't about access or operations.
VIEWER = "viewer"
#: Sees and changes projects, prompts and runs.
EDITOR = "editor"
#: Sees everything, looks after the installation, makes API tokens.
OPERATOR = "operator"
ROLES = (VIEWER, EDITOR, OPERATOR)


def grant(app_label: str, permissions: Mapping[str, Iterable[str]]) -> RunPython:
    """The migration operation that gives roles permissions on an application's tables: role → codenames.

    A codename is Django's, such as "view_project", or a permission of the model that it names after a colon, such as
    "run_maintenance:maintenance". Backwards it does nothing: the permissions go with the tables.
    """
    return RunPython(partial(_grant, app_label, permissions), RunPython.noop)


def _grant(
    app_label: str, permissions: Mapping[str, Iterable[str]], apps: Any, schema_editor: BaseDatabaseSchemaEditor
) -> None:
    # Django makes content types and permissions after all migrations; those needed here are made as it would make them.
    using = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(using)
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    all_permissions = apps.get_model("auth", "Permission").objects.using(using)
    for role, names in permissions.items():
        group, _ = groups.get_or_create(name=role)
        for name in names:
            codename, _, model_name = name.partition(":")
            model = apps.get_model(app_label, model_name or codename.partition("_")[2])
            content_type, _ = content_types.get_or_create(app_label=app_label, model=model._meta.model_name)
            permission, _ = all_permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": _title(codename, model)}
            )
            group.permissions.add(permission)


def _title(codename: str, model: Any) -> str:
    titles = dict(model._meta.permissions)
    return str(titles.get(codename) or f"Can {codename.partition('_')[0]} {model._meta.verbose_name_raw}")
