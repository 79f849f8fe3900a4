from django.db import migrations

from promptadmin.accounts.roles import EDITOR, OPERATOR, VIEWER, grant

VIEW = ["view_project", "view_prompt", "view_promptversion"]


class Migration(migrations.Migration):
    dependencies = [("projects", "0014_index_prompt_updates"), ("promptadmin", "0003_roles")]

    operations = [
        grant(
            "projects",
            {
                VIEWER: VIEW,
                EDITOR: [
                    *VIEW,
                    *(f"{verb}_{model}" for model in ("project", "prompt") for verb in ("add", "change", "delete")),
                ],
                OPERATOR: VIEW,
            },
        ),
    ]
