"""The groups of staff, with the platform's permissions; the plugins' migrations add those on their tables."""

from django.db import migrations

from promptadmin.accounts.roles import EDITOR, OPERATOR, VIEWER, grant


class Migration(migrations.Migration):
    dependencies = [
        ("promptadmin", "0002_change_log"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        grant(
            "promptadmin",
            {
                VIEWER: [],
                EDITOR: [],
                OPERATOR: [
                    "view_apitoken",
                    "add_apitoken",
                    "change_apitoken",
                    "view_logentry",
                    "view_operations:maintenance",
                    "run_maintenance:maintenance",
                ],
            },
        ),
    ]
