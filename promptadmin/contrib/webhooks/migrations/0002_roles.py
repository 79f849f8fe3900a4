from django.db import migrations

from promptadmin.accounts.roles import OPERATOR, grant


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_endpoints_and_outbox"), ("promptadmin", "0003_roles")]

    operations = [
        grant(
            "webhooks",
            {
                OPERATOR: [
                    "view_endpoint",
                    "add_endpoint",
                    "change_endpoint",
                    "delete_endpoint",
                    "view_message",
                    "view_delivery",
                    "change_delivery",
                ]
            },
        )
    ]
