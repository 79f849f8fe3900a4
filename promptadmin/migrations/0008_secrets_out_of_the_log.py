"""Takes the parts of secrets out of the change log that earlier releases left there."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SECRETS = {("auth", "user"): "password", ("webhooks", "endpoint"): "secret"}
MASK = "********"


def mask(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Mask what a column of secrets held before and after each change."""
    using = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(using)
    entries = apps.get_model("promptadmin", "LogEntry").objects.using(using)
    for (label, model), column in SECRETS.items():
        found = entries.filter(content_type__in=content_types.filter(app_label=label, model=model))
        for key, changes in found.filter(changes__has_key=column).values_list("pk", "changes"):
            if isinstance(changes, dict) and isinstance(changes[column], list):
                values = [MASK if value not in (None, "", "None") else value for value in changes[column]]
                entries.filter(pk=key).update(changes={**changes, column: values})


class Migration(migrations.Migration):
    dependencies = [
        ("promptadmin", "0007_deletions"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(mask, migrations.RunPython.noop)]
